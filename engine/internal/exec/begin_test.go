package exec

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// streaming is a pipeline of a streaming job.
func streaming(src plugin.Source, s plugin.Sink) *plan.Pipeline {
	p := simple(1, src, s)
	for _, v := range p.Vertices {
		v.Env.Job.Mode = plugin.Unbounded
	}
	return p
}

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
	first := endless(1, 100)
	r := start(t, Options{Pipeline: streaming(first, f), Checkpoints: st, Interval: time.Hour})
	until(t, "rows are written", func() bool { return len(f.sorted()) > 0 })
	r.cancel()
	r.ends(Suspended)
	if cp := st.last(); cp.Epoch != 1 || len(cp.Sources) != 0 || len(cp.Tables) != 1 {
		t.Fatalf("the job began with checkpoint %+v", cp)
	}
	second := endless(1, 100)
	second.table = widened(first.table)
	for range 2 { // it dies once more
		r = start(t, Options{Pipeline: streaming(second, f), Checkpoints: st, Interval: time.Hour})
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
