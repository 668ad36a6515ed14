package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/dgraph-io/badger/v4"
)

// JobCheckpoints are the checkpoints of one job. The value holds no state: several of one job are the same.
type JobCheckpoints struct {
	s   *Store
	job int64
}

// CheckpointInfo describes a stored checkpoint.
type CheckpointInfo struct {
	Pipeline int
	Epoch    uint64
	Type     checkpoint.Type
	State    checkpoint.State
	Time     time.Time
	Bytes    int
}

// Checkpoints returns the checkpoints of a job.
func (s *Store) Checkpoints(job int64) *JobCheckpoints { return &JobCheckpoints{s, job} }

// Prepare makes a checkpoint durable in the state Prepared, whatever c.State says, and drops those that are no longer
// kept in the same transaction. The same epoch may be prepared again as long as it isn't complete; an older one than
// the newest is refused. The job must be in the store.
func (c *JobCheckpoints) Prepare(ctx context.Context, cp *checkpoint.Checkpoint) error {
	pipeline, err := pipelineNumber(cp.Pipeline)
	if err != nil {
		return c.explain(err)
	}
	b, err := cp.Append(nil)
	if err != nil {
		return c.explain(err)
	}
	if err := ctx.Err(); err != nil {
		return c.explain(err)
	}
	if err := c.s.begin(); err != nil {
		return c.explain(err)
	}
	defer c.s.end()
	value, err := c.s.stage(ctx, b)
	if err != nil {
		return c.explain(err)
	}
	info := slot{epoch: cp.Epoch, kind: cp.Type, state: checkpoint.Prepared, time: cp.Time, size: len(b)}
	err = c.s.write(func(t *tx) error { return c.prepare(t, pipeline, info, value) })
	if err != nil {
		err = errors.Join(err, c.s.remove(value))
	}
	return c.explain(err)
}

func (c *JobCheckpoints) prepare(t *tx, pipeline uint32, info slot, value content) error {
	if _, found, err := readHeader(t.txn, c.job); err != nil || !found {
		return cmp.Or(err, ErrNoJob)
	}
	x, err := readIndex(t.txn, c.job)
	if err != nil {
		return err
	}
	ring := x.ring(pipeline)
	n, dropped, err := ring.take(info, c.s.kept)
	if err != nil {
		return fmt.Errorf("pipeline %d: %w", pipeline, err)
	}
	for _, d := range dropped {
		if err := dropSlot(t, c.job, pipeline, d); err != nil {
			return err
		}
		if d.number != n {
			t.delete(slotKey(c.job, pipeline, d.number))
		}
	}
	value.settle(t)
	t.set(slotKey(c.job, pipeline, n), value.appendTo(nil))
	t.set(jobKey(indexFamily, c.job), x.append(nil))
	return nil
}

// Complete notes that a checkpoint's tokens are committed. One that is complete already is no error.
func (c *JobCheckpoints) Complete(ctx context.Context, pipeline int, epoch uint64) error {
	number, err := pipelineNumber(pipeline)
	if err != nil {
		return c.explain(err)
	}
	return c.explain(c.s.update(ctx, func(t *tx) error {
		x, err := readIndex(t.txn, c.job)
		if err != nil {
			return err
		}
		sl := x.ring(number).find(epoch)
		if sl == nil {
			return fmt.Errorf("pipeline %d has no checkpoint of epoch %d", pipeline, epoch)
		}
		if sl.state == checkpoint.Complete {
			return nil
		}
		sl.state = checkpoint.Complete
		t.set(jobKey(indexFamily, c.job), x.append(nil))
		return nil
	}))
}

// Latest returns the newest checkpoint of a pipeline, prepared or complete; nil without an error if there is none.
func (c *JobCheckpoints) Latest(ctx context.Context, pipeline int) (*checkpoint.Checkpoint, error) {
	number, err := pipelineNumber(pipeline)
	if err != nil {
		return nil, c.explain(err)
	}
	var cp *checkpoint.Checkpoint
	err = c.s.view(ctx, func(txn *badger.Txn) error {
		x, err := readIndex(txn, c.job)
		if err != nil {
			return err
		}
		sl := x.ring(number).newest()
		if sl == nil {
			return nil
		}
		cp, err = readCheckpoint(txn, c.job, number, *sl)
		return err
	})
	return cp, c.explain(err)
}

func readCheckpoint(txn *badger.Txn, job int64, pipeline uint32, sl slot) (*checkpoint.Checkpoint, error) {
	fail := func(err error) (*checkpoint.Checkpoint, error) {
		return nil, fmt.Errorf("pipeline %d, epoch %d: %w", pipeline, sl.epoch, err)
	}
	b, err := get(txn, slotKey(job, pipeline, sl.number))
	if err != nil {
		return fail(err)
	}
	value, err := parseContent(b)
	if err != nil {
		return fail(err)
	}
	b, err = value.load(txn)
	if err != nil {
		return fail(err)
	}
	cp, err := checkpoint.Decode(b)
	if err != nil {
		return fail(err)
	}
	if cp.Epoch != sl.epoch {
		return fail(fmt.Errorf("its slot holds epoch %d", cp.Epoch))
	}
	cp.State = sl.state
	return cp, nil
}

// DeleteAll removes the job's checkpoints.
func (c *JobCheckpoints) DeleteAll(ctx context.Context) error {
	return c.explain(c.s.update(ctx, func(t *tx) error { return dropCheckpoints(t, c.job) }))
}

// List describes the job's checkpoints by pipeline and epoch, oldest first.
func (c *JobCheckpoints) List(ctx context.Context) ([]CheckpointInfo, error) {
	var infos []CheckpointInfo
	err := c.s.view(ctx, func(txn *badger.Txn) error {
		x, err := readIndex(txn, c.job)
		if err != nil {
			return err
		}
		for _, r := range x.rings {
			for _, sl := range r.slots {
				infos = append(infos, CheckpointInfo{Pipeline: int(r.pipeline), Epoch: sl.epoch, Type: sl.kind,
					State: sl.state, Time: sl.time, Bytes: sl.size})
			}
		}
		return nil
	})
	slices.SortFunc(infos, func(a, b CheckpointInfo) int {
		return cmp.Or(cmp.Compare(a.Pipeline, b.Pipeline), cmp.Compare(a.Epoch, b.Epoch))
	})
	return infos, c.explain(err)
}

func (c *JobCheckpoints) explain(err error) error {
	if err == nil {
		return nil
	}
	return c.s.explain(fmt.Errorf("checkpoints of job %d: %w", c.job, err))
}
