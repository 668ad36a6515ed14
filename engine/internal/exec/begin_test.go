package exec

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// resuming is a source whose table may change.
type resuming struct {
	*counter
	told [][]*plugin.Table
}

func (r *resuming) Resume(tables []*plugin.Table) { r.told = append(r.told, tables) }

// preparing refuses tables that have other columns than its target.
type preparing struct {
	*follower
	target *plugin.Table // as it was made, or changed; nil: there is none
}

func (p *preparing) Prepare(_ context.Context, tables []*plugin.Table) error {
	if p.target == nil {
		p.target = tables[0]
	}
	if !p.target.SameColumns(tables[0]) {
		return &plugin.Error{Code: plugin.CodeNotFound, Err: errors.New("the target lacks a column")}
	}
	return nil
}

func (p *preparing) ApplyChange(ctx context.Context, c plugin.SchemaChange) error {
	p.target = c.New
	return p.follower.ApplyChange(ctx, c)
}

// TestColumnsChangeBeforeTheFirstCheckpoint has a job die before its first periodic checkpoint, and a table altered
// before it is planned again.
func TestColumnsChangeBeforeTheFirstCheckpoint(t *testing.T) {
	st, f := &store{}, &preparing{follower: newFollower()}
	first := &resuming{counter: endless(1, 100)}
	r := start(t, Options{Pipeline: simple(1, first, f), Checkpoints: st, Interval: time.Hour})
	until(t, "rows are written", func() bool { return len(f.sorted()) > 0 })
	r.cancel()
	r.ends(Suspended)
	if cp := st.last(); cp.Epoch != 1 || len(cp.Sources) != 0 || len(cp.Tables) != 1 {
		t.Fatalf("the job began with checkpoint %+v", cp)
	}
	second := &resuming{counter: endless(1, 100)}
	second.table = widened(first.table)
	for range 2 { // it dies once more
		r = start(t, Options{Pipeline: simple(1, second, f), Checkpoints: st, Interval: time.Hour})
		until(t, "the sink has the new columns", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.applied) > 0
		})
		r.cancel()
		r.ends(Suspended)
	}
	if c := f.applied[0]; !c.Old.SameColumns(first.table) || !c.New.SameColumns(second.table) {
		t.Errorf("applied %v to %v", c.Old.Names(), c.New.Names())
	}
	if !f.target.SameColumns(second.table) {
		t.Errorf("the target has %v", f.target.Names())
	}
}

// TestResume has a source find other columns when it goes on than the sinks know.
func TestResume(t *testing.T) {
	st, f := &store{}, newFollower()
	first := &resuming{counter: endless(1, 100)}
	r := start(t, Options{Pipeline: simple(1, first, f), Checkpoints: st, Interval: time.Millisecond})
	until(t, "a checkpoint is behind the rows", func() bool { return st.last().Epoch > 2 && len(f.sorted()) == 100 })
	r.Savepoint()
	r.ends(SavepointDone)
	second := &resuming{counter: endless(1, 100)}
	second.table = widened(first.table)
	run := start(t, Options{Pipeline: simple(1, second, f), Checkpoints: st, Restored: true, Interval: time.Millisecond})
	epoch := st.last().Epoch
	until(t, "the next checkpoint", func() bool { return st.last().Epoch > epoch })
	run.Cancel()
	run.ends(Canceled)
	if len(first.told) != 1 || first.told[0][0] != first.table {
		t.Errorf("at its start the source was told %v", first.told)
	}
	if len(second.told) != 1 || len(second.told[0]) != 1 || !second.told[0][0].SameColumns(first.table) {
		t.Errorf("the source was told %v", second.told)
	}
	if len(f.applied) != 0 {
		t.Error("a change was applied that nobody announced")
	}
}
