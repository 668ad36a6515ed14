package exec

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

// endless is a source that has put out all its rows and waits.
func endless(splits, rows int64) *counter {
	return &counter{table: numbers("t"), splits: splits, rows: rows, batch: 10, endless: true}
}

func TestSavepointAndResumeWithOtherParallelism(t *testing.T) {
	for _, lanes := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {2, 2}} {
		st := &store{}
		w := newWorld(st)
		src := &counter{table: numbers("t"), splits: 5, rows: 1000, batch: 10}
		var reads atomic.Int64
		half := make(chan struct{})
		src.onRead = func(ctx context.Context, out plugin.Out, _ int64) error {
			if reads.Add(1) == 100 {
				close(half)
			}
			if reads.Load() < 100 {
				return nil
			}
			<-out.Wake() // hold here until the savepoint comes
			return nil
		}
		r := start(t, Options{Pipeline: simple(lanes[0], src, &sink{world: w}), Checkpoints: st})
		<-half
		r.Savepoint()
		r.Savepoint()
		r.ends(SavepointDone)
		if last := st.last(); last.Type != checkpoint.Savepoint || st.count() != 1 {
			t.Fatalf("%d checkpoints, the last is %+v", st.count(), last)
		}
		if n := w.count(); n == 0 || n == 5000 {
			t.Fatalf("%d rows at the savepoint", n)
		}
		src.onRead = nil
		again := run(t, Options{Pipeline: simple(lanes[1], src, &sink{world: w}), Checkpoints: st, Restored: true}, Finished)
		w.check(t, 5000)
		if w.prepares != 1 {
			t.Errorf("the sink was prepared %d times", w.prepares)
		}
		for _, v := range again.Metrics() {
			if v.Rows != 5000 {
				t.Errorf("%s counts %d rows, want 5000", v.Vertex, v.Rows)
			}
		}
	}
}

func TestSavepointOfAFinishedPipelineChangesNothing(t *testing.T) {
	r := run(t, Options{Pipeline: simple(1, &counter{table: numbers("t")}, &plainSink{}), Checkpoints: &store{}}, Finished)
	r.Savepoint()
	r.Cancel()
	r.Suspend()
}

func TestSavepointAskedBeforeTheStart(t *testing.T) {
	st := &store{}
	r := New(Options{Pipeline: simple(2, endless(2, 10), &plainSink{}), Checkpoints: st})
	r.Savepoint()
	if outcome, err := r.Run(t.Context()); outcome != SavepointDone || err != nil {
		t.Fatalf("%v, %v", outcome, err)
	}
	if st.count() != 1 {
		t.Errorf("%d checkpoints", st.count())
	}
}

func TestSuspendKeepsTheState(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	src := endless(2, 100)
	r := start(t, Options{Pipeline: simple(2, src, &sink{world: w}), Checkpoints: st})
	until(t, "all is read", func() bool { return src.read.Load() == 200 })
	r.Suspend()
	r.ends(Suspended)
	w.check(t, 200)
	src.endless = false
	run(t, Options{Pipeline: simple(1, src, &sink{world: w}), Checkpoints: st}, Finished)
	w.check(t, 200)
	if n := src.read.Load(); n != 200 {
		t.Errorf("%d rows were read, want 200: the state was lost", n)
	}
}

func TestSuspendIsBounded(t *testing.T) {
	free := make(chan struct{})
	dst := &sink{world: newWorld(&store{}), onFlush: func(context.Context, uint64) error { <-free; return errBroken }}
	r := New(Options{Pipeline: simple(1, endless(1, 10), dst), Checkpoints: dst.stored, Interval: time.Hour})
	r.grace, r.bound = 20*time.Millisecond, 20*time.Millisecond
	r.Suspend()
	if outcome, err := r.Run(t.Context()); outcome != Suspended || err != nil {
		t.Errorf("%v, %v", outcome, err)
	}
	close(free)
	if err := r.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestKillLeavesEverythingToTheRestore(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	src := endless(1, 100)
	r := start(t, Options{Pipeline: simple(1, src, &sink{world: w}), Checkpoints: st})
	until(t, "all is read", func() bool { return src.read.Load() == 100 })
	r.cancel()
	r.ends(Suspended)
	if len(w.aborts) != 1 { // that of the start
		t.Errorf("aborts: %v", w.aborts)
	}
}

// TestEndWithoutCommit ends a job while a stored checkpoint cannot be committed: what it holds is kept for a restart,
// which a canceled job does not have.
func TestEndWithoutCommit(t *testing.T) {
	for outcome, before := range map[Outcome]uint64{Failed: 0, Canceled: 1} {
		t.Run(outcome.String(), func(t *testing.T) {
			st := &store{}
			w := newWorld(st)
			var r *ran
			started := make(chan struct{})
			dst := &sink{world: w, onCommit: func(context.Context, uint64) error {
				<-started
				if outcome == Canceled {
					r.Cancel()
				}
				return errBroken
			}}
			src := endless(1, 100)
			r = start(t, Options{Pipeline: simple(1, src, dst), Checkpoints: st, Interval: time.Millisecond, Retries: 0})
			close(started)
			if got, _ := r.wait(); got != outcome {
				t.Errorf("the outcome is %v", got)
			}
			if diff := cmp.Diff([]uint64{0, st.last().Epoch - before}, w.aborts); diff != "" {
				t.Error(diff)
			}
			if outcome == Canceled {
				w.check(t, 0) // nothing is left
			} else if len(w.staged) == 0 || len(w.visible) > 0 {
				t.Errorf("staged %v, visible %v", w.staged, w.visible)
			}
		})
	}
}

func TestCancelDropsWhatIsStaged(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	flushed := make(chan struct{})
	dst := &sink{world: w, onFlush: func(context.Context, uint64) error { return nil }}
	src := endless(2, 100)
	hold := make(chan struct{})
	st.prepared = func(cp *checkpoint.Checkpoint) error {
		close(flushed)
		<-hold
		return errBroken
	}
	r := start(t, Options{Pipeline: simple(2, src, dst), Checkpoints: st, Interval: time.Millisecond})
	<-flushed
	r.Cancel()
	close(hold)
	r.ends(Canceled)
	w.check(t, 0)
	if diff := cmp.Diff([]uint64{0, 0}, w.aborts); diff != "" {
		t.Error(diff)
	}
}

// TestCancelEndsWhateverIsStuck lets each call of a connector block and ignore its context.
func TestCancelEndsWhateverIsStuck(t *testing.T) {
	tests := map[string]func(src *counter, dst *sink, block func()){
		"Reader": func(src *counter, _ *sink, block func()) { src.made = func(plugin.Task) error { block(); return nil } },
		"Open":   func(src *counter, _ *sink, block func()) { src.open = func(plugin.Split) error { block(); return nil } },
		"Writer": func(_ *counter, dst *sink, block func()) { dst.opened = func(plugin.Task) { block() } },
		"Read": func(src *counter, _ *sink, block func()) {
			src.onRead = func(context.Context, plugin.Out, int64) error { block(); return nil }
		},
		"Next": func(src *counter, _ *sink, block func()) {
			src.next = func(context.Context, int64) ([]plugin.Split, error) { block(); return nil, io.EOF }
		},
		"Write": func(_ *counter, dst *sink, block func()) {
			dst.onWrite = func(context.Context, plugin.Batch) error { block(); return nil }
		},
		"Flush": func(_ *counter, dst *sink, block func()) {
			dst.onFlush = func(context.Context, uint64) error { block(); return nil }
		},
		"Commit": func(_ *counter, dst *sink, block func()) {
			dst.onCommit = func(context.Context, uint64) error { block(); return errBroken }
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			st := &store{}
			dst := &sink{world: newWorld(st)}
			src := endless(1, 100)
			stuck, free := make(chan struct{}), make(chan struct{})
			var once atomic.Bool
			arrange(src, dst, func() {
				if once.CompareAndSwap(false, true) {
					close(stuck)
				}
				<-free
			})
			r := start(t, Options{Pipeline: simple(1, src, dst), Checkpoints: st, Interval: time.Millisecond})
			<-stuck
			began := time.Now()
			r.Cancel()
			r.ends(Canceled)
			if took := time.Since(began); took > 10*r.grace {
				t.Errorf("took %v", took)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := r.Wait(ended); !errors.Is(err, context.Canceled) {
				t.Errorf("Wait says %v while a goroutine is stuck", err)
			}
			close(free)
			if err := r.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelWhilePausing(t *testing.T) {
	paused := make(chan struct{})
	src := &counter{table: numbers("t"), splits: 1, rows: 1, batch: 1,
		onRead: func(context.Context, plugin.Out, int64) error { return errBroken }}
	r := start(t, Options{Pipeline: simple(1, src, &plainSink{}), Checkpoints: &store{}, Retries: 1, RetryPause: time.Hour,
		Observer: Observer{Restarting: func(int, error) { close(paused) }}})
	<-paused
	r.Cancel()
	r.ends(Canceled)
}
