package postgres

import (
	"bytes"
	"hash/maphash"
	"math/bits"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// reducer finds the last row of each key among rows. Its memory is used again and again.
type reducer struct {
	seed  maphash.Seed
	keys  []byte  // encoded keys, one after the other
	ends  []int   // the end of each in keys
	rows  []int32 // the last row of each
	ops   []jdbc.Op
	slots []int32 // of a hash table: positions in rows, from 1
}

// reduce keeps the last row of each key among the rows of runs. The keys' encoders are those of cells.
func (r *reducer) reduce(cells []cellOut, key []int, runs []jdbc.Run) error {
	n := 0
	for _, run := range runs {
		n += run.To - run.From
	}
	r.prepare(n)
	for _, run := range runs {
		for row := run.From; row < run.To; row++ {
			if err := r.add(cells, key, row, run.Op); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reducer) prepare(n int) {
	if r.slots == nil {
		r.seed = maphash.MakeSeed()
	}
	r.keys, r.ends, r.rows, r.ops = r.keys[:0], r.ends[:0], r.rows[:0], r.ops[:0]
	size := 1 << bits.Len(uint(2*n))
	if cap(r.slots) < size {
		r.slots = make([]int32, size)
		return
	}
	r.slots = r.slots[:size]
	clear(r.slots)
}

func (r *reducer) add(cells []cellOut, key []int, row int, op jdbc.Op) error {
	from := len(r.keys)
	for _, k := range key {
		c := &cells[k]
		if c.nulls && c.array.IsNull(row) {
			r.keys = append(r.keys, null...)
			continue
		}
		var err error
		if r.keys, err = c.put(r.keys, row); err != nil {
			return &valueError{row, k, err}
		}
	}
	mask := uint64(len(r.slots) - 1)
	slot := maphash.Bytes(r.seed, r.keys[from:]) & mask
	for ; r.slots[slot] != 0; slot = (slot + 1) & mask {
		at := int(r.slots[slot]) - 1
		if bytes.Equal(r.key(at), r.keys[from:]) {
			r.keys = r.keys[:from]
			r.rows[at], r.ops[at] = int32(row), op
			return nil
		}
	}
	r.ends = append(r.ends, len(r.keys))
	r.rows = append(r.rows, int32(row))
	r.ops = append(r.ops, op)
	r.slots[slot] = int32(len(r.rows))
	return nil
}

func (r *reducer) key(i int) []byte {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.keys[from:r.ends[i]]
}
