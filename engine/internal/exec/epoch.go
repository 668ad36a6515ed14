package exec

import (
	"context"
	"fmt"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

// expired is the failure of a checkpoint that takes too long.
type expired struct {
	epoch   uint64
	timeout time.Duration
	what    string // that was waited for
}

// Error begins with SeaTunnel's text.
func (e *expired) Error() string {
	return fmt.Sprintf("Checkpoint expired before completing. Please increase checkpoint timeout in the seatunnel.yaml "+
		"or jobConfig env. (checkpoint %d, timeout %v: %s)", e.epoch, e.timeout, e.what)
}

// earlyPause is the least time between a checkpoint and an early one, as long as lanes have something to read.
const earlyPause = 100 * time.Millisecond

// phase is how far a checkpoint is.
type phase uint8

const (
	passingBarriers phase = iota // lanes are missing
	askingSplitters              // splitters are missing
	storing                      // the store or a committer works
)

// pending is the checkpoint that is under way. There is one at a time.
type pending struct {
	number   uint64
	kind     checkpoint.Type
	last     bool // lanes stop behind the barrier
	begun    time.Time
	deadline time.Time // zero if there is none
	phase    phase
	missing  int
	sources  []checkpoint.Source
	passed   []barrierPassed // by lane
}

// trigger starts a checkpoint if there is a reason for one.
func (c *coordinator) trigger() {
	switch {
	case c.changing():
	case c.allDrained():
		c.raise(checkpoint.Final, true)
	case c.runner.wanted(wantSuspend):
		c.raise(checkpoint.Periodic, true)
	case c.runner.wanted(wantSavepoint):
		c.raise(checkpoint.Savepoint, true)
	case c.changeReady() || c.early() || c.options.Interval > 0 && !c.now.Before(c.due):
		c.raise(checkpoint.Periodic, false)
	}
}

func (c *coordinator) allDrained() bool {
	for _, s := range c.sources {
		if !s.drained() {
			return false
		}
	}
	return true
}

// early reports whether a splitter waits for splits to be done. While lanes read on, early checkpoints keep a
// distance.
func (c *coordinator) early() bool {
	for _, s := range c.sources {
		if s.starved(c.now) && (s.queue.Running() == 0 || c.now.Sub(c.lastEnd) >= earlyPause) {
			return true
		}
	}
	return false
}

// raise starts a checkpoint: it sends a barrier through every lane.
func (c *coordinator) raise(kind checkpoint.Type, last bool) {
	c.epoch++
	c.cover()
	c.pending = &pending{number: c.epoch, kind: kind, last: last, begun: c.now, missing: len(c.lanes),
		sources: make([]checkpoint.Source, len(c.sources)), passed: make([]barrierPassed, len(c.lanes))}
	if c.options.Interval > 0 {
		c.due = c.now.Add(c.options.Interval)
	}
	c.limitTime()
	for _, l := range c.lanes {
		l.send(message{order: raiseBarrier, epoch: c.epoch, last: last})
	}
}

func (c *coordinator) limitTime() {
	if c.options.Interval > 0 {
		c.pending.deadline = c.now.Add(c.options.Timeout)
	}
}

// expire fails the attempt if the checkpoint under way takes too long.
func (c *coordinator) expire() {
	p := c.pending
	if p == nil || p.deadline.IsZero() || c.now.Before(p.deadline) {
		return
	}
	what := [...]string{"lanes did not pass the barrier", "splitters did not tell their state", "it was not committed"}
	c.fail("checkpoint", &expired{p.number, c.options.Timeout, what[p.phase]})
}

func (e barrierPassed) apply(c *coordinator) {
	p := c.pending
	if p == nil || p.number != e.epoch {
		return
	}
	p.passed[e.lane] = e
	if e.split != "" {
		c.lanes[e.lane].source.queue.Progress(e.split, e.position)
	}
	if p.missing--; p.missing > 0 {
		return
	}
	p.phase, p.missing = askingSplitters, len(c.sources)
	for _, s := range c.sources {
		s.interrupt()
		s.commands <- command{do: splitterState}
	}
}

// store makes the checkpoint durable and commits it. A batch pipeline whose end needs no commit and that has stored
// nothing before does without: until the job is marked as ended it starts again from nothing either way.
func (c *coordinator) store() {
	p := c.pending
	p.phase = storing
	c.limitTime()
	final := p.kind == checkpoint.Final
	worthless := final && c.options.Alone && c.options.Interval == 0 && c.from == 0 && c.epoch == 1 && !c.runner.commits()
	if worthless && !c.runner.finishes() {
		stored{p.number, nil, nil}.apply(c)
		return
	}
	cp := c.assemble()
	c.operate("checkpoint", func(ctx context.Context) event {
		if final {
			if err := c.runner.finish(ctx, cp); err != nil {
				return stored{cp.Epoch, nil, err}
			}
		}
		if worthless {
			return stored{cp.Epoch, nil, nil}
		}
		return stored{cp.Epoch, cp, c.runner.store(ctx, cp)}
	})
}

// assemble puts together what lanes and splitters have reported.
func (c *coordinator) assemble() *checkpoint.Checkpoint {
	p := c.pending
	cp := &checkpoint.Checkpoint{
		Pipeline: c.options.Pipeline.ID, Epoch: p.number, Type: p.kind, Time: p.begun,
		Sources: p.sources, Tables: c.env.tables.changed(),
	}
	cp.Sinks = make([]checkpoint.Sink, len(c.env.sinks))
	for i, v := range c.env.sinks {
		cp.Sinks[i] = checkpoint.Sink{Vertex: v.Name, Tokens: make([][][]byte, len(v.Sinks)),
			Writers: make([][][]byte, len(v.Sinks)), Tables: make([][]plugin.TableID, len(v.Sinks))}
		for k, in := range v.Sinks {
			cp.Sinks[i].Tables[k] = idsOf(tablesOf(v, in))
		}
	}
	var counts []count
	for _, passed := range p.passed {
		for _, t := range passed.tokens {
			of := cp.Sinks[t.sink].Tokens
			of[t.instance] = append(of[t.instance], t.data)
		}
		for _, s := range passed.states {
			of := cp.Sinks[s.sink].Writers
			for len(of[s.instance]) <= s.index {
				of[s.instance] = append(of[s.instance], nil)
			}
			of[s.instance][s.index] = s.data
		}
		counts = append(counts, passed.counts...)
	}
	cp.Counters = totals(c.env.meters.base, counts)
	return cp
}

// stored is a checkpoint that is complete, or failed to become so.
type stored struct {
	epoch uint64
	cp    *checkpoint.Checkpoint // nil if it was not worth storing
	err   error
}

func (e stored) apply(c *coordinator) {
	p := c.pending
	if e.err != nil {
		c.fail("checkpoint", e.err)
		return
	}
	for _, passed := range p.passed {
		passed.unseen.seen(time.Now())
	}
	c.observeCheckpoint(nil)
	c.pending = nil
	c.lastEnd = c.now
	c.runner.reached(e.cp)
	for _, s := range c.sources {
		s.done(e.epoch)
	}
	for i, l := range c.lanes {
		if p.passed[i].acks {
			l.send(message{order: epochComplete, epoch: e.epoch})
		}
	}
	if !p.last {
		c.applyChanges()
		return
	}
	outcome := Suspended
	switch p.kind {
	case checkpoint.Final:
		outcome = Finished
	case checkpoint.Savepoint:
		outcome = SavepointDone
	}
	c.end = &ending{outcome: outcome, graceful: true}
}

func (c *coordinator) observeCheckpoint(err error) {
	p := c.pending
	took := time.Since(p.begun)
	if c.options.Observer.Checkpoint != nil {
		c.options.Observer.Checkpoint(p.number, took, err)
	}
	c.options.Logger.Debug("checkpoint", "pipeline", c.options.Pipeline.ID, "epoch", p.number, "took", took, "error", err)
}
