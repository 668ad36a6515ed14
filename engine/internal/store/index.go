package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/dgraph-io/badger/v4"
)

// maxKept bounds Options.CheckpointsKept: slots are numbered with a byte.
const maxKept = 200

// indexVersion is the version of an index's form; it stands first.
const indexVersion = 1

// index says which checkpoints a job has, and where.
type index struct{ rings []*ring }

// ring is the checkpoints of one pipeline.
type ring struct {
	pipeline uint32
	slots    []slot // in the order of their epochs
}

// slot is one checkpoint.
type slot struct {
	number uint8
	epoch  uint64
	kind   checkpoint.Type
	state  checkpoint.State
	time   time.Time
	size   int
}

func pipelineNumber(pipeline int) (uint32, error) {
	if pipeline < 0 || int64(pipeline) > math.MaxUint32 {
		return 0, fmt.Errorf("pipeline %d is out of range", pipeline)
	}
	return uint32(pipeline), nil
}

// ring returns the ring of a pipeline, which may be new and empty.
func (x *index) ring(pipeline uint32) *ring {
	for _, r := range x.rings {
		if r.pipeline == pipeline {
			return r
		}
	}
	r := &ring{pipeline: pipeline}
	x.rings = append(x.rings, r)
	return r
}

func (r *ring) find(epoch uint64) *slot {
	for i := range r.slots {
		if r.slots[i].epoch == epoch {
			return &r.slots[i]
		}
	}
	return nil
}

func (r *ring) newest() *slot {
	if len(r.slots) == 0 {
		return nil
	}
	return &r.slots[len(r.slots)-1]
}

// take adds a checkpoint and removes those beyond the newest kept ones. It returns the slot's number and what it
// removed; one of those may have had the same number.
func (r *ring) take(s slot, kept int) (number uint8, dropped []slot, err error) {
	if last := r.newest(); last != nil {
		switch {
		case s.epoch < last.epoch:
			return 0, nil, fmt.Errorf("epoch %d comes after epoch %d", s.epoch, last.epoch)
		case s.epoch == last.epoch && last.state == checkpoint.Complete:
			return 0, nil, fmt.Errorf("epoch %d is complete already", s.epoch)
		case s.epoch == last.epoch:
			dropped = append(dropped, *last)
			r.slots = r.slots[:len(r.slots)-1]
		}
	}
	if n := len(r.slots) - (kept - 1); n > 0 {
		dropped = append(dropped, r.slots[:n]...)
		r.slots = slices.Delete(r.slots, 0, n)
	}
	for slices.ContainsFunc(r.slots, func(o slot) bool { return o.number == s.number }) {
		s.number++
	}
	r.slots = append(r.slots, s)
	return s.number, dropped, nil
}

// dropCheckpoints removes all checkpoints of a job.
func dropCheckpoints(t *tx, job int64) error {
	x, err := readIndex(t.txn, job)
	if err != nil || len(x.rings) == 0 {
		return err
	}
	for _, r := range x.rings {
		for _, s := range r.slots {
			if err := dropSlot(t, job, r.pipeline, s); err != nil {
				return err
			}
			t.delete(slotKey(job, r.pipeline, s.number))
		}
	}
	t.delete(jobKey(indexFamily, job))
	return nil
}

// dropSlot removes what a slot refers to; the slot itself is overwritten or deleted by the caller.
func dropSlot(t *tx, job int64, pipeline uint32, s slot) error {
	if s.size <= chunkSize {
		return nil
	}
	value, err := t.get(slotKey(job, pipeline, s.number))
	if err != nil {
		return err
	}
	c, err := parseContent(value)
	if err != nil {
		return err
	}
	c.drop(t)
	return nil
}

// slotBytes is the least that a slot takes in an index.
const slotBytes = 1 + 1 + 1 + 1 + 8 + 1

func (x *index) append(b []byte) []byte {
	b = append(b, indexVersion)
	for _, r := range x.rings {
		b = binary.AppendUvarint(b, uint64(r.pipeline))
		b = binary.AppendUvarint(b, uint64(len(r.slots)))
		for _, s := range r.slots {
			b = append(b, s.number, byte(s.kind), byte(s.state))
			b = binary.BigEndian.AppendUint64(b, sortable(s.time))
			b = binary.AppendUvarint(b, s.epoch)
			b = binary.AppendUvarint(b, uint64(s.size))
		}
	}
	return b
}

// readIndex returns the index of a job, an empty one if it has none.
func readIndex(txn *badger.Txn, job int64) (*index, error) {
	b, err := get(txn, jobKey(indexFamily, job))
	if err != nil || b == nil {
		return &index{}, err
	}
	x, err := parseIndex(b)
	if err != nil {
		return nil, fmt.Errorf("index of checkpoints: %w", err)
	}
	return x, nil
}

func parseIndex(b []byte) (*index, error) {
	damaged := errors.New("it is damaged")
	if len(b) == 0 {
		return nil, damaged
	}
	if b[0] != indexVersion {
		return nil, fmt.Errorf("it has version %d, this one reads %d", b[0], indexVersion)
	}
	x := &index{}
	for b = b[1:]; len(b) > 0; {
		pipeline, n := binary.Uvarint(b)
		if n <= 0 || pipeline > math.MaxUint32 {
			return nil, damaged
		}
		b = b[n:]
		count, n := binary.Uvarint(b)
		if n <= 0 || count > uint64(len(b)/slotBytes) {
			return nil, damaged
		}
		b = b[n:]
		r := &ring{pipeline: uint32(pipeline), slots: make([]slot, count)}
		for i := range r.slots {
			var ok bool
			if b, ok = r.slots[i].parse(b); !ok {
				return nil, damaged
			}
		}
		x.rings = append(x.rings, r)
	}
	return x, nil
}

// parse reads a slot and returns what follows it.
func (s *slot) parse(b []byte) (rest []byte, ok bool) {
	if len(b) < slotBytes {
		return nil, false
	}
	s.number, s.kind, s.state = b[0], checkpoint.Type(b[1]), checkpoint.State(b[2])
	s.time = timeOf(binary.BigEndian.Uint64(b[3:]))
	b = b[11:]
	epoch, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, false
	}
	size, m := binary.Uvarint(b[n:])
	if m <= 0 || size > maxContent {
		return nil, false
	}
	s.epoch, s.size = epoch, int(size)
	return b[n+m:], true
}
