package exec

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

// evolving is a two-phase sink whose target has the columns of one version. Rows of another version cannot be moved
// into it.
type evolving struct {
	*sink
	mu       sync.Mutex
	version  uint32            // of the target
	versions map[string]uint32 // of staged rows, by token
	changes  int
	onChange func(ctx context.Context) error // before the target is changed
	changed  func(ctx context.Context) error // after that
}

func (e *evolving) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	w, err := e.sink.Writer(ctx, t)
	return &evolvingWriter{Writer: w, e: e}, err
}

type evolvingWriter struct {
	plugin.Writer
	e       *evolving
	version uint32
	rows    bool
}

func (w *evolvingWriter) Write(ctx context.Context, b plugin.Batch) error {
	if w.rows && w.version != b.Table.Version {
		return fmt.Errorf("rows of versions %d and %d are in one epoch", w.version, b.Table.Version)
	}
	w.rows, w.version = true, b.Table.Version
	return w.Writer.Write(ctx, b)
}

func (w *evolvingWriter) Flush(ctx context.Context, epoch uint64) ([]byte, error) {
	token, err := w.Writer.Flush(ctx, epoch)
	if token != nil {
		w.e.mu.Lock()
		w.e.versions[string(token)] = w.version
		w.e.mu.Unlock()
	}
	w.rows = false
	return token, err
}

func (e *evolving) Commit(ctx context.Context, epoch uint64, tokens [][]byte) error {
	e.mu.Lock()
	for _, t := range tokens {
		done := e.sink.committed[string(t)]
		if v := e.versions[string(t)]; v != e.version && !done {
			e.mu.Unlock()
			return fmt.Errorf("rows of version %d cannot go into columns of version %d", v, e.version)
		}
	}
	e.mu.Unlock()
	return e.sink.Commit(ctx, epoch, tokens)
}

func (e *evolving) ApplyChange(ctx context.Context, c plugin.SchemaChange) error {
	if e.onChange != nil {
		if err := e.onChange(ctx); err != nil {
			return err
		}
	}
	e.mu.Lock()
	e.version = c.New.Version
	e.changes++
	e.mu.Unlock()
	if e.changed != nil {
		return e.changed(ctx)
	}
	return nil
}

// TestCrashAroundASchemaChange kills the process at each step of a change, and goes on with what is stored.
func TestCrashAroundASchemaChange(t *testing.T) {
	type place struct {
		name string
		set  func(e *evolving, st *store, kill func() error)
	}
	table := numbers("t")
	places := []place{
		{"before the checkpoint is stored", func(_ *evolving, st *store, kill func() error) {
			st.prepared = func(*checkpoint.Checkpoint) error { return kill() }
		}},
		{"before the old rows are committed", func(e *evolving, _ *store, kill func() error) {
			e.onCommit = func(context.Context, uint64) error { return kill() }
		}},
		{"before the checkpoint is complete", func(_ *evolving, st *store, kill func() error) {
			st.complete = func(uint64) error { return kill() }
		}},
		{"before the sink is changed", func(e *evolving, _ *store, kill func() error) {
			e.onChange = func(context.Context) error { return kill() }
		}},
		{"after the sink was changed", func(e *evolving, _ *store, kill func() error) {
			e.changed = func(context.Context) error { return kill() }
		}},
		{"with new rows staged", func(e *evolving, _ *store, kill func() error) {
			e.onWrite = func(_ context.Context, b plugin.Batch) error {
				if b.Table.Version == 1 && valuesOf(b)[b.Len()-1] >= 70 {
					return kill()
				}
				return nil
			}
		}},
	}
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			st := &store{}
			e := &evolving{sink: &sink{world: newWorld(st)}, versions: map[string]uint32{}}
			src := func() plugin.Source {
				return &changing{counter: &counter{table: table, splits: 1, rows: 100, batch: 10}, next: widened(table),
					at: map[string]int64{"000": 50}}
			}
			var r *ran
			ready := make(chan struct{})
			killed := false
			p.set(e, st, func() error {
				<-ready
				if killed {
					return nil
				}
				killed = true
				r.cancel()
				return context.Canceled
			})
			r = start(t, Options{Pipeline: simple(1, src(), e), Checkpoints: st})
			close(ready)
			r.ends(Suspended)
			if !killed {
				t.Fatal("it was not killed")
			}
			run(t, Options{Pipeline: simple(1, src(), e), Checkpoints: st}, Finished)
			e.check(t, 100)
			if e.version != 1 || e.changes == 0 {
				t.Errorf("the target has version %d after %d changes", e.version, e.changes)
			}
		})
	}
}

// TestOneOfTwoSinksIsChanged has the second sink fail: the first has the new columns then, and gets the change again.
func TestOneOfTwoSinksIsChanged(t *testing.T) {
	table := numbers("t")
	src := &changing{counter: &counter{table: table, splits: 1, rows: 100, batch: 10}, next: widened(table),
		at: map[string]int64{"000": 50}}
	from := sourceVertex("Source[0]-Model", 1, src)
	first, second := newFollower(), newFollower()
	second.fail = errBroken
	a, b := sinkVertex("Sink[0]-Model", first), sinkVertex("Sink[1]-Model", second)
	chain(from, a)
	chain(from, b)
	failures := 0
	r := start(t, Options{Pipeline: pipeline(from, a, b), Checkpoints: &store{}, Retries: 2,
		Observer: Observer{Restarting: func(_ int, err error) {
			failures++
			second.mu.Lock()
			defer second.mu.Unlock()
			second.fail = nil
			if !strings.Contains(err.Error(), errBroken.Error()) {
				t.Error(err)
			}
		}}})
	r.ends(Finished)
	if failures != 1 || len(first.applied) != 2 || len(second.applied) != 1 {
		t.Errorf("%d failures, %d and %d changes", failures, len(first.applied), len(second.applied))
	}
	for i, f := range []*follower{first, second} {
		if got := f.sorted(); len(got) < 100 || len(f.bad) > 0 {
			t.Errorf("sink %d has %d rows: %v", i, len(got), f.bad)
		}
	}
}

// TestVersionsGoOnAfterARestart changes a table a second time after a restart.
func TestVersionsGoOnAfterARestart(t *testing.T) {
	table := numbers("t")
	st := &store{}
	f := newFollower()
	src := &changing{counter: &counter{table: table, splits: 1, rows: 100, batch: 10, endless: true},
		next: widened(table), at: map[string]int64{"000": 50}}
	r := start(t, Options{Pipeline: simple(1, src, f), Checkpoints: st})
	until(t, "all is written", func() bool { return len(f.sorted()) == 100 })
	r.Savepoint()
	r.ends(SavepointDone)
	if tables := st.last().Tables; len(tables) != 1 || tables[0].Table.Version != 1 {
		t.Fatalf("the checkpoint has %v", tables)
	}
	again := &changing{counter: &counter{table: table, splits: 1, rows: 200, batch: 10, endless: true},
		from: src.next, next: widened(src.next), at: map[string]int64{"000": 150}}
	r = start(t, Options{Pipeline: simple(1, again, f), Checkpoints: st})
	until(t, "the rest is written", func() bool { return len(f.sorted()) == 200 })
	r.Savepoint()
	r.ends(SavepointDone)
	if len(f.applied) != 2 || f.applied[1].New.Version != 2 || len(f.bad) > 0 {
		t.Errorf("%d changes, %v", len(f.applied), f.bad)
	}
	if tables := st.last().Tables; len(tables) != 1 || tables[0].Table.Version != 2 {
		t.Errorf("the checkpoint has %v", tables)
	}
}
