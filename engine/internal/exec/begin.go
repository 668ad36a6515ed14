package exec

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// A job with a source whose tables may change begins with a checkpoint of its own, before the sinks are prepared and
// anything is read: it tells the tables as they were planned. A job that dies before its first periodic checkpoint is
// planned anew when it goes on, and by then columns may have changed of which nobody would tell the sinks.

// begins reports whether the pipeline takes such a checkpoint.
func (r *Runner) begins() bool {
	return r.options.Interval > 0 && slices.ContainsFunc(r.options.Pipeline.Sources(), resumes)
}

// resumes reports whether a source's tables may change.
func resumes(v *plan.Vertex) bool {
	_, ok := v.Source.(plugin.Resumer)
	return ok
}

// remind tells the sources the tables as the sinks know them.
func (c *catalog) remind(p *plan.Pipeline, cp *checkpoint.Checkpoint) {
	if cp == nil {
		return
	}
	for _, v := range p.Sources() {
		source, ok := v.Source.(plugin.Resumer)
		if !ok {
			continue
		}
		var known []*plugin.Table
		for _, t := range v.Tables {
			if slices.ContainsFunc(cp.Tables, func(k checkpoint.Table) bool { return k.Table.ID == t.ID }) {
				known = append(known, c.inForce[t.ID])
			}
		}
		if len(known) > 0 {
			source.Resume(known)
		}
	}
}

// begin stores the checkpoint that a pipeline begins with. It says that no sink is prepared.
func (r *Runner) begin(ctx context.Context) (*checkpoint.Checkpoint, error) {
	p := r.options.Pipeline
	cp := &checkpoint.Checkpoint{Pipeline: p.ID, Epoch: 1, Type: checkpoint.Periodic, Time: time.Now()}
	for _, v := range p.Sinks() {
		cp.Sinks = append(cp.Sinks, checkpoint.Sink{Vertex: v.Name, Tokens: make([][][]byte, len(v.Sinks)),
			Writers: make([][][]byte, len(v.Sinks)), Tables: make([][]plugin.TableID, len(v.Sinks))})
	}
	cp.Tables = r.planned()
	return cp, r.store(ctx, cp)
}

// planned returns the tables of the sources.
func (r *Runner) planned() []checkpoint.Table {
	var tables []checkpoint.Table
	for _, v := range r.options.Pipeline.Sources() {
		for _, t := range v.Tables {
			tables = append(tables, checkpoint.Table{Table: t})
		}
	}
	return tables
}

// prepareAgain prepares the sinks of a pipeline that goes on from the checkpoint that it began with, or begins. Targets
// that were made for tables whose columns have changed since are brought up to date, and may be refused before.
func (r *Runner) prepareAgain(ctx context.Context, cp *checkpoint.Checkpoint) error {
	refused := r.prepare(ctx, cp)
	changed, err := r.catchUp(ctx, cp)
	if err != nil {
		return errors.Join(refused, err)
	}
	cp.Tables = r.planned()
	if refused != nil && changed {
		return r.prepare(ctx, cp)
	}
	return refused
}

// catchUp changes the sinks' targets from the tables of a checkpoint to those that are planned now, and reports whether
// there was anything to change.
func (r *Runner) catchUp(ctx context.Context, cp *checkpoint.Checkpoint) (changed bool, err error) {
	c := newCatalog(r.options.Pipeline, nil)
	for _, v := range r.options.Pipeline.Sources() {
		for _, t := range v.Tables {
			i := slices.IndexFunc(cp.Tables, func(was checkpoint.Table) bool { return was.Table.ID == t.ID })
			if i < 0 || cp.Tables[i].Table.SameColumns(t) {
				continue
			}
			changed = true
			if err := c.spread(ctx, v, plugin.SchemaChange{Old: cp.Tables[i].Table, New: t}); err != nil {
				return true, err
			}
		}
	}
	return changed, nil
}
