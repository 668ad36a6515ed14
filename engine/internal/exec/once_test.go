package exec

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

// TestExactlyOnceOverKills runs a two-phase job that is killed at random moments, started again with another
// parallelism, broken by its connectors and its store, and checks that each row becomes visible once.
func TestExactlyOnceOverKills(t *testing.T) {
	rounds := uint64(300)
	if testing.Short() {
		rounds = 30
	}
	for seed := range rounds {
		killRound(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func killRound(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	st := &store{}
	w := newWorld(st)
	src := &counter{table: numbers("t"), splits: 1 + rng.Int64N(9), rows: 1 + rng.Int64N(300), batch: 1 + rng.Int64N(40),
		batches: rng.IntN(5)}
	total := src.splits * src.rows
	for round := 0; ; round++ {
		if round > 500 {
			t.Fatalf("seed %d: no end after %d rounds", seed, round)
		}
		calm := round > 20
		ctx, cancel := context.WithCancel(t.Context())
		f := newFuse(rng, calm, cancel)
		st.prepared = func(*checkpoint.Checkpoint) error { return f.burn("prepare") }
		st.complete = func(uint64) error { return f.burn("complete") }
		src.onRead = func(context.Context, plugin.Out, int64) error { return f.burn("read") }
		dst := &sink{world: w,
			onWrite:  func(context.Context, plugin.Batch) error { return f.burn("write") },
			onFlush:  func(context.Context, uint64) error { return f.burn("flush") },
			onCommit: func(context.Context, uint64) error { return f.burn("commit") },
		}
		r := New(Options{Pipeline: simple(1+rng.IntN(4), src, dst), Checkpoints: st, Retries: rng.IntN(3),
			Interval: time.Duration(1+rng.IntN(3)) * 200 * time.Microsecond, Timeout: time.Minute, Restored: round > 0})
		switch {
		case calm:
		case rng.IntN(6) == 0:
			r.Savepoint()
		case rng.IntN(6) == 0:
			r.Suspend()
		}
		outcome, err := r.Run(ctx)
		cancel()
		switch outcome {
		case Finished:
			w.check(t, total)
			return
		case Failed:
			if !errors.Is(err, errBroken) {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}
