package exec

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// lane is one subtask of a source with everything downstream of it.
type lane struct {
	number int // within the pipeline
	source *plan.Vertex
	task   plugin.Task // of the reader
	env    *laneEnv
	report func(event)

	inbox mailbox[message] // to the reading side
	gate  *gate
}

// laneEnv is what the lanes of an attempt share.
type laneEnv struct {
	options *Options
	sinks   []*plan.Vertex
	indexes map[writerPlace]int // of the writers
	from    uint64              // the checkpoint that the attempt starts from
	epoch   uint64              // the last barrier of earlier attempts
	states  func(sink, instance, index int) [][]byte
	tables  *catalog
	meters  *meters
	follow  *follow
	refused *refusals
}

// writerPlace is a lane at a sink.
type writerPlace struct{ sink, lane int }

func newLane(number, index int, source *plan.Vertex, env *laneEnv, report func(event)) *lane {
	return &lane{
		number: number, source: source, env: env, report: report,
		task: plugin.Task{Env: source.Env, Index: index, Epoch: env.from, Staged: staged(env.sinks)},
		gate: newGate(),
	}
}

// staged reports whether all sinks of a pipeline commit with its checkpoints.
func staged(sinks []*plan.Vertex) bool {
	for _, v := range sinks {
		for _, s := range v.Sinks {
			if s.Delivery != plugin.TwoPhase {
				return false
			}
		}
	}
	return true
}

// start runs the two sides until they are stopped or fail.
func (l *lane) start(ctx context.Context, g *group) {
	name := fmt.Sprintf("lane %d of %s", l.task.Index, l.source.Name)
	fail := func(err error) { l.report(failed{name, err}) }
	g.spawn("reading "+name, fail, func() error { return newReadingSide(ctx, l).run(ctx) })
	g.spawn("writing "+name, fail, func() error { return l.write(ctx) })
}

// send implements link.
func (l *lane) send(m message) {
	l.inbox.post(m)
	if m.order == stopLane {
		l.gate.close()
	}
}

// at names the vertex in an error, unless the error does so itself.
func at(v *plan.Vertex, err error) error {
	if err == nil {
		return nil
	}
	var known *plugin.Error
	if errors.As(err, &known) && known.Vertex != "" {
		return err
	}
	return fmt.Errorf("%s: %w", v.Name, err)
}
