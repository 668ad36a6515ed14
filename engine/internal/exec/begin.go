package exec

import (
	"context"
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// A streaming job whose sinks follow schema changes begins with a checkpoint of its own, before anything is read: it
// tells the tables that the sinks were prepared for. A job that dies before its first periodic checkpoint is planned
// anew when it goes on, and by then columns may have changed that nobody would tell the sinks of.

// begins reports whether the pipeline takes such a checkpoint.
func (r *Runner) begins() bool {
	if r.options.Interval == 0 || r.options.Pipeline.Vertices[0].Env.Job.Mode != plugin.Unbounded {
		return false
	}
	return slices.ContainsFunc(r.options.Pipeline.Sinks(), func(v *plan.Vertex) bool {
		return slices.ContainsFunc(v.Sinks, func(in plan.SinkInstance) bool {
			_, follows := in.Sink.(plugin.SchemaApplier)
			return follows
		})
	})
}

// begin stores the checkpoint of a pipeline whose sinks are prepared.
func (r *Runner) begin(ctx context.Context) (*checkpoint.Checkpoint, error) {
	p := r.options.Pipeline
	cp := &checkpoint.Checkpoint{Pipeline: p.ID, Epoch: 1, Type: checkpoint.Periodic, Time: time.Now()}
	for _, v := range p.Sinks() {
		s := checkpoint.Sink{Vertex: v.Name, Tokens: make([][][]byte, len(v.Sinks)), Writers: make([][][]byte, len(v.Sinks))}
		for _, in := range v.Sinks {
			s.Tables = append(s.Tables, idsOf(tablesOf(v, in)))
		}
		cp.Sinks = append(cp.Sinks, s)
	}
	for _, v := range p.Sources() {
		for _, t := range v.Tables {
			cp.Tables = append(cp.Tables, checkpoint.Table{Table: t})
		}
	}
	return cp, r.store(ctx, cp)
}

// catchUp brings the sinks to the tables as they are planned now, where a pipeline goes on from the checkpoint that it
// began with. The tables' versions start anew then.
func (r *Runner) catchUp(ctx context.Context, cp *checkpoint.Checkpoint) error {
	if len(cp.Sources) > 0 {
		return nil
	}
	c := newCatalog(r.options.Pipeline, nil)
	for _, v := range r.options.Pipeline.Sources() {
		for _, t := range v.Tables {
			i := slices.IndexFunc(cp.Tables, func(was checkpoint.Table) bool { return was.Table.ID == t.ID })
			if i < 0 || cp.Tables[i].Table.SameColumns(t) {
				continue
			}
			if err := c.spread(ctx, v, plugin.SchemaChange{Old: cp.Tables[i].Table, New: t}); err != nil {
				return err
			}
		}
	}
	cp.Tables = nil
	return nil
}
