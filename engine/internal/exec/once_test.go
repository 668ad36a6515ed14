package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// TestExactlyOnceOverKills runs two-phase jobs of several shapes that are killed at random moments, started again
// with another parallelism, broken by their connectors and their store, and checks that each row becomes visible once.
func TestExactlyOnceOverKills(t *testing.T) {
	rounds := uint64(100)
	if testing.Short() {
		rounds = 20
	}
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			for seed := range rounds {
				newVictim(t, seed, shape).live()
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

// shape makes a pipeline that reads the numbers from 0 to the victim's total.
type shape func(v *victim, lanes int, dst plugin.Sink) *plan.Pipeline

func shapes() map[string]shape {
	return map[string]shape{
		"simple": func(v *victim, lanes int, dst plugin.Sink) *plan.Pipeline { return simple(lanes, v.one, dst) },
		"transform": func(v *victim, lanes int, dst plugin.Sink) *plan.Pipeline {
			from, to := sourceVertex("Source[0]-Model", lanes, v.one), sinkVertex("Sink[0]-Model", dst)
			chain(from, transformVertex("Transform[0]-Rename", func() plugin.Transform { return &rename{} }), to)
			return pipeline(from, from.Outputs[0], to)
		},
		"union": func(v *victim, lanes int, dst plugin.Sink) *plan.Pipeline {
			a, b := sourceVertex("Source[0]-Model", lanes, v.one), sourceVertex("Source[1]-Model", 1+lanes%2, v.other())
			to := sinkVertex("Sink[0]-Model", dst, a.Tables[0])
			chain(a, to)
			chain(b, to)
			return pipeline(a, b, to)
		},
		"change": func(v *victim, lanes int, dst plugin.Sink) *plan.Pipeline {
			at := map[string]int64{}
			for i := range v.one.splits {
				at[v.one.piece(i).ID] = i*v.one.rows + v.changeAt
			}
			return simple(lanes, &changing{counter: v.one, next: widened(v.one.table), at: at}, dst)
		},
		"held back": func(v *victim, lanes int, dst plugin.Sink) *plan.Pipeline {
			v.one.next = v.holdBack
			return simple(lanes, v.one, dst)
		},
	}
}

// victim is a job that is killed until it comes to its end.
type victim struct {
	t        *testing.T
	rng      *rand.Rand
	seed     uint64
	shape    shape
	one      *counter
	two      *counter // nil unless the shape has it
	changeAt int64
	total    int64
	pool     *column.Pool
	world    *world
	fuse     *fuse
}

func newVictim(t *testing.T, seed uint64, s shape) *victim {
	rng := rand.New(rand.NewPCG(seed, 7))
	v := &victim{t: t, rng: rng, seed: seed, shape: s, pool: column.NewPool(), world: newWorld(&store{})}
	v.one = &counter{table: numbers("t"), splits: 1 + rng.Int64N(9), rows: 1 + rng.Int64N(300), batch: 1 + rng.Int64N(40),
		batches: rng.IntN(5), mem: v.pool}
	v.one.onRead = func(context.Context, plugin.Out, int64) error { return v.fuse.burn("read") }
	v.changeAt = rng.Int64N(v.one.rows)
	v.total = v.one.splits * v.one.rows
	return v
}

// other returns a second source with as many rows as the first.
func (v *victim) other() plugin.Source {
	if v.two == nil {
		v.two = &counter{table: v.one.table, splits: v.one.splits, first: v.one.splits, rows: v.one.rows, batch: 7,
			mem: v.pool, onRead: v.one.onRead}
		v.total *= 2
	}
	return v.two
}

// holdBack is a Next that hands out the last split when all others are done.
func (v *victim) holdBack(_ context.Context, given int64) ([]plugin.Split, error) {
	last := v.one.splits - 1
	switch {
	case given > last:
		return nil, io.EOF
	case given < last || last == 0:
		return []plugin.Split{v.one.piece(given)}, nil
	}
	if n := int64(v.world.count()); n < last*v.one.rows {
		for id := range last {
			if !v.isDone(v.one.piece(id).ID) {
				return nil, nil
			}
		}
		return nil, fmt.Errorf("all splits are done with %d of %d rows visible", n, last*v.one.rows)
	}
	return []plugin.Split{v.one.piece(given)}, nil
}

func (v *victim) isDone(id string) bool {
	for _, done := range v.one.doneSplits() {
		if done == id {
			return true
		}
	}
	return false
}

// live runs the job again and again until it has finished.
func (v *victim) live() {
	for round := 0; ; round++ {
		if round > 500 {
			v.t.Fatalf("seed %d: no end after %d rounds", v.seed, round)
		}
		outcome, err := v.run(round)
		if held := v.pool.Held(); held != 0 {
			v.t.Fatalf("seed %d: %d bytes of batches were not released", v.seed, held)
		}
		switch {
		case outcome == Finished:
			v.world.check(v.t, v.total)
			return
		case outcome == Failed && !errors.Is(err, errBroken):
			v.t.Fatalf("seed %d: %v", v.seed, err)
		}
	}
}

// run runs the job once. Something happens to it, unless it has lived for long.
func (v *victim) run(round int) (Outcome, error) {
	calm := round > 20
	ctx, cancel := context.WithCancel(v.t.Context())
	defer cancel()
	v.fuse = newFuse(v.rng, calm, cancel)
	st := v.world.stored
	st.prepared = func(*checkpoint.Checkpoint) error { return v.fuse.burn("prepare") }
	st.complete = func(uint64) error { return v.fuse.burn("complete") }
	dst := &sink{world: v.world,
		onWrite:  func(context.Context, plugin.Batch) error { return v.fuse.burn("write") },
		onFlush:  func(context.Context, uint64) error { return v.fuse.burn("flush") },
		onCommit: func(context.Context, uint64) error { return v.fuse.burn("commit") },
	}
	r := New(Options{Pipeline: v.shape(v, 1+v.rng.IntN(4), dst), Checkpoints: st, Retries: v.rng.IntN(3),
		Interval: time.Duration(1+v.rng.IntN(3)) * 200 * time.Microsecond, Timeout: time.Minute, Restored: round > 0})
	switch {
	case calm:
	case v.rng.IntN(6) == 0:
		r.Savepoint()
	case v.rng.IntN(6) == 0:
		r.Suspend()
	}
	return r.Run(ctx)
}
