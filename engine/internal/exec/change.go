package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// change is a schema change that lanes have come to and wait with. It goes through three phases: the other lanes that
// carry the table come to it too, or to the end of their splits; a checkpoint makes durable what was read until then;
// the sinks are changed. So a restart starts right before the change, or behind it, and never writes rows of the old
// version into the new columns.
type change struct {
	plugin.SchemaChange
	source   *source
	carriers []int // lanes that hold a split of the table and have not come to the change
	arrived  []int
	covered  bool // the checkpoint that it waits for is under way or complete
}

func (e changeReached) apply(c *coordinator) {
	l := c.lanes[e.lane]
	if c.env.tables.applied(e.change) {
		l.send(message{order: changeApplied})
		return
	}
	i := slices.IndexFunc(c.changes, func(ch *change) bool {
		return ch.source == l.source && ch.New.ID == e.change.New.ID
	})
	if i < 0 {
		i = len(c.changes)
		c.changes = append(c.changes, c.newChange(l.source, e.change))
	}
	ch := c.changes[i]
	if !sameVersion(ch.New, e.change.New) {
		c.fail(l.source.vertex.Name, &plugin.Error{Code: plugin.CodeInternal, Vertex: l.source.vertex.Name,
			Table: e.change.New.ID, Err: fmt.Errorf("two lanes carry different changes of the table's columns")})
		return
	}
	ch.arrived = append(ch.arrived, e.lane)
	c.advanceChanges()
}

// newChange notes which lanes have to come to a change before it is applied.
func (c *coordinator) newChange(s *source, sc plugin.SchemaChange) *change {
	s.changing++
	ch := &change{SchemaChange: sc, source: s}
	for i, l := range c.lanes {
		if l.source == s && l.carries(sc.New.ID) {
			ch.carriers = append(ch.carriers, i)
		}
	}
	return ch
}

// carries reports whether rows of a table may be on their way in a lane. A split that names no table stands for the
// only table of its source; if there are several, nobody can tell, and the lane is not waited for.
func (l *laneState) carries(table plugin.TableID) bool {
	only := len(l.source.vertex.Tables) == 1
	return slices.ContainsFunc(l.splits, func(s plugin.Split) bool {
		return s.Table == table || only && s.Table == (plugin.TableID{})
	})
}

// advanceChanges looks which lanes the changes still wait for.
func (c *coordinator) advanceChanges() {
	for _, ch := range c.changes {
		ch.carriers = slices.DeleteFunc(ch.carriers, func(lane int) bool {
			return slices.Contains(ch.arrived, lane) || !c.lanes[lane].carries(ch.New.ID)
		})
	}
}

// ready reports whether the change waits for a checkpoint only.
func (ch *change) ready() bool { return len(ch.carriers) == 0 && !ch.covered }

// changeReady reports whether a schema change needs a checkpoint now.
func (c *coordinator) changeReady() bool { return slices.ContainsFunc(c.changes, (*change).ready) }

// changing reports whether sinks are being changed. That may take long, and no checkpoint is begun meanwhile.
func (c *coordinator) changing() bool {
	return c.pending == nil && slices.ContainsFunc(c.changes, func(ch *change) bool { return ch.covered })
}

// cover marks the changes that the barrier which is raised now is right for: all that comes before it is of their old
// versions.
func (c *coordinator) cover() {
	for _, ch := range c.changes {
		ch.covered = ch.covered || ch.ready()
	}
}

// applyChanges changes the sinks, once the checkpoint before that is complete.
func (c *coordinator) applyChanges() {
	for _, ch := range c.changes {
		if !ch.covered {
			continue
		}
		c.operate("schema change", func(ctx context.Context) event {
			return changed{ch, c.env.tables.spread(ctx, ch.source.vertex, ch.SchemaChange)}
		})
	}
}

// changed is a change that was applied to all sinks, or failed.
type changed struct {
	*change
	err error
}

func (e changed) apply(c *coordinator) {
	if e.err != nil {
		c.fail("schema change", e.err)
		return
	}
	c.changes = slices.DeleteFunc(c.changes, func(ch *change) bool { return ch == e.change })
	e.source.changing--
	c.env.tables.enforce(e.New)
	what := "the columns of a table changed"
	if e.Truncated {
		what = "a table was truncated"
	}
	c.options.Logger.Info(what, "table", e.New.ID.String(), "version", e.New.Version)
	if c.options.Observer.SchemaChanged != nil {
		c.options.Observer.SchemaChanged(e.SchemaChange)
	}
	for _, lane := range e.arrived {
		c.lanes[lane].send(message{order: changeApplied})
	}
}

// spread takes a change through everything behind a vertex, down to the sinks.
func (c *catalog) spread(ctx context.Context, v *plan.Vertex, sc plugin.SchemaChange) error {
	for _, out := range v.Outputs {
		if out.Role == plugin.SinkRole {
			if err := applyTo(ctx, out, sc); err != nil {
				return err
			}
			continue
		}
		t, err := out.NewTransform(ctx)
		if err != nil {
			return at(out, err)
		}
		next, err := c.follow(out, sc, t)
		if err != nil {
			return err
		}
		if next.New == next.Old || next.New == nil || next.Old == nil {
			continue
		}
		if err := c.spread(ctx, out, next); err != nil {
			return err
		}
	}
	return nil
}

// applyTo brings a sink to the new columns, or empties its target.
func applyTo(ctx context.Context, v *plan.Vertex, sc plugin.SchemaChange) error {
	what, apply := "the columns of the table changed", alter
	if sc.Truncated {
		what, apply = "the table was truncated", truncate
	}
	if len(v.Inputs) > 1 {
		return &plugin.Error{Code: plugin.CodeConfig, Vertex: v.Name, Table: sc.New.ID,
			Err: fmt.Errorf("%s, but the sink has several inputs, which must stay alike", what),
			Fix: "give each input a sink of its own, or change all sources alike and start the job anew"}
	}
	for _, in := range v.Sinks {
		if in.Table != nil && in.Table.ID != sc.New.ID {
			continue
		}
		err := apply(ctx, in.Sink, sc)
		if errors.Is(err, errUnable) {
			return &plugin.Error{Code: plugin.CodeConfig, Vertex: v.Name, Table: sc.New.ID,
				Err: fmt.Errorf("%s and the sink %s cannot follow", what, v.Plugin),
				Fix: "change the target by hand and start the job anew, or use a sink that follows such changes"}
		}
		if err != nil {
			return at(v, err)
		}
	}
	return nil
}

// errUnable says that a sink lacks what a change asks for.
var errUnable = errors.New("the sink cannot follow")

// alter changes the columns of a sink's target.
func alter(ctx context.Context, sink plugin.Sink, sc plugin.SchemaChange) error {
	if s, ok := sink.(plugin.SchemaApplier); ok {
		return s.ApplyChange(ctx, sc)
	}
	return errUnable
}

// truncate empties a sink's target.
func truncate(ctx context.Context, sink plugin.Sink, sc plugin.SchemaChange) error {
	if s, ok := sink.(plugin.Truncater); ok {
		return s.Truncate(ctx, sc.New)
	}
	return errUnable
}
