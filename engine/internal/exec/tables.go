package exec

import (
	"context"
	"slices"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// The tables of a job may differ from those of the checkpoint that it starts from: a job that was stopped with a
// savepoint may be started with another file, and a source may find new tables. What is new is prepared in the sinks
// and asked for from the splitters, what is gone is dropped. Checkpoints of format 1 do not tell their tables; then
// all tables count as known.

// tablesOf returns the tables that a sink instance takes.
func tablesOf(v *plan.Vertex, in plan.SinkInstance) []*plugin.Table {
	if in.Table != nil {
		return []*plugin.Table{in.Table}
	}
	return v.Tables
}

func idsOf(tables []*plugin.Table) []plugin.TableID {
	ids := make([]plugin.TableID, len(tables))
	for i, t := range tables {
		ids[i] = t.ID
	}
	return ids
}

// preparedTable is a table at a sink instance.
type preparedTable struct {
	sink, instance string
	table          plugin.TableID
}

// prepare applies the save modes of the sinks to the tables that the checkpoint does not know, to each once in the life
// of the runner: a restart must not empty or refuse a target that the attempt before has begun to fill.
func (r *Runner) prepare(ctx context.Context, cp *checkpoint.Checkpoint) error {
	for _, v := range r.options.Pipeline.Sinks() {
		for _, in := range v.Sinks {
			place := preparedTable{sink: v.Name, instance: in.Name}
			var fresh []*plugin.Table
			for _, t := range tablesOf(v, in) {
				place.table = t.ID
				if !r.prepared[place] && !preparedFor(cp, v, t.ID) {
					fresh = append(fresh, t)
				}
			}
			if len(fresh) == 0 {
				continue
			}
			if err := in.Sink.Prepare(ctx, fresh); err != nil {
				return at(v, err)
			}
			for _, t := range fresh {
				place.table = t.ID
				r.prepared[place] = true
			}
		}
	}
	return nil
}

// preparedFor reports whether a checkpoint knows a sink's table.
func preparedFor(cp *checkpoint.Checkpoint, v *plan.Vertex, table plugin.TableID) bool {
	if cp == nil {
		return false
	}
	for _, s := range cp.Sinks {
		if s.Vertex == v.Name {
			return s.Tables == nil || slices.ContainsFunc(s.Tables, func(ids []plugin.TableID) bool {
				return slices.Contains(ids, table)
			})
		}
	}
	return !slices.ContainsFunc(cp.Sinks, func(s checkpoint.Sink) bool { return s.Tables != nil })
}

// instanceNow returns the place of a checkpoint's sink instance among those of the vertex; -1 if it is gone. Instances
// that take one table each are told by it.
func instanceNow(v *plan.Vertex, s checkpoint.Sink, instance int) int {
	if instance >= len(s.Tables) || len(s.Tables[instance]) != 1 || len(v.Sinks) == 0 || v.Sinks[0].Table == nil {
		if instance < len(v.Sinks) {
			return instance
		}
		return -1
	}
	return slices.IndexFunc(v.Sinks, func(in plan.SinkInstance) bool { return in.Table.ID == s.Tables[instance][0] })
}

// instanceThen is the reverse of instanceNow: the place that an instance had in the checkpoint.
func instanceThen(v *plan.Vertex, s checkpoint.Sink, instance int) int {
	for then := range max(len(s.Tables), len(s.Writers)) {
		if instanceNow(v, s, then) == instance {
			return then
		}
	}
	return -1
}

// carriedOver is what a source's state in a checkpoint is for the tables that the source reads now: splits of tables
// that are gone are dropped, and a splitter that had come to its end is asked again if there are new tables.
func carriedOver(s checkpoint.Source, v *plan.Vertex) checkpoint.Source {
	if s.Tables == nil {
		return s
	}
	now := idsOf(v.Tables)
	s.Splits = slices.DeleteFunc(slices.Clone(s.Splits), func(sp checkpoint.Split) bool {
		return slices.Contains(s.Tables, sp.Split.Table) && !slices.Contains(now, sp.Split.Table)
	})
	fresh := func(id plugin.TableID) bool { return !slices.Contains(s.Tables, id) }
	s.Exhausted = s.Exhausted && !slices.ContainsFunc(now, fresh)
	return s
}

// carries reports whether a table at some source of the pipeline goes on from a checkpoint: it was there, and is.
func carries(p *plan.Pipeline, cp *checkpoint.Checkpoint, table plugin.TableID) bool {
	told := false
	for _, s := range cp.Sources {
		told = told || s.Tables != nil
	}
	if !told {
		return true
	}
	return slices.ContainsFunc(p.Sources(), func(v *plan.Vertex) bool {
		return slices.Contains(idsOf(v.Tables), table)
	})
}
