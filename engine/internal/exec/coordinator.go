package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/engine/internal/split"
	"github.com/culvertdata/culvert/plugin"
)

// coordinator runs one attempt. All its fields belong to the goroutine of Run, except the mailbox.
type coordinator struct {
	runner  *Runner
	options *Options
	box     mailbox[event]
	group   *group

	lanesCtx, opsCtx       context.Context
	cancelLanes, cancelOps context.CancelFunc

	now     time.Time // of the step that is under way
	from    uint64    // the checkpoint that the attempt starts from
	epoch   uint64    // the last one raised
	started bool      // lanes run
	sources []*source
	lanes   []*laneState
	env     *laneEnv
	changes []*change

	pending   *pending
	due       time.Time // of the next periodic checkpoint
	lastEnd   time.Time // of the last checkpoint
	suspendBy time.Time

	ops []operation // the first one runs
	end *ending
}

// laneState is what the coordinator knows of a lane.
type laneState struct {
	link
	source *source
	idle   bool
	splits []plugin.Split // assigned, with rows that may not have reached the writers
}

// ending is how an attempt ends. It is graceful if nothing is left to do in the lanes.
type ending struct {
	outcome  Outcome
	err      error
	graceful bool
	killed   bool
	stuck    bool // an operation on a sink did not return
}

// operation is work that may block: it runs on a goroutine of its own, one at a time.
type operation struct {
	name string
	run  func(ctx context.Context) event
}

// attempt runs the pipeline from its last checkpoint until it ends or fails.
func (r *Runner) attempt(ctx context.Context) *ending {
	c := &coordinator{runner: r, options: &r.options, group: &group{}}
	c.lanesCtx, c.cancelLanes = context.WithCancel(ctx)
	c.opsCtx, c.cancelOps = context.WithCancel(ctx)
	defer c.cancelLanes()
	defer c.cancelOps()
	c.operate("restore", func(ctx context.Context) event {
		cp, err := r.restore(ctx)
		return restored{cp, err}
	})
	c.loop(ctx)
	c.teardown()
	return c.end
}

func (c *coordinator) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var events []event
	for {
		c.now = time.Now()
		events = c.box.take(events)
		for _, e := range events {
			if e.apply(c); c.end != nil {
				return
			}
		}
		if c.step(); c.end != nil {
			return
		}
		timer.Reset(c.rest())
		select {
		case <-ctx.Done():
			c.end = &ending{outcome: Suspended, killed: true}
			return
		case <-c.box.wake():
		case <-c.runner.poke:
		case <-timer.C:
		}
	}
}

// step does what has become possible or due.
func (c *coordinator) step() {
	if c.heed(); c.end != nil || !c.started {
		return
	}
	if c.readsOn() {
		for _, s := range c.sources {
			c.assign(s)
			c.ask(s, c.now)
		}
	}
	c.expire()
	if c.pending == nil && c.end == nil {
		c.trigger()
	}
}

// readsOn reports whether lanes go on after the checkpoint that is under way, if there is one.
func (c *coordinator) readsOn() bool { return c.pending == nil || !c.pending.last }

// heed looks at what Cancel and Suspend ask for.
func (c *coordinator) heed() {
	switch {
	case c.runner.wanted(wantCancel):
		c.end = &ending{outcome: Canceled}
	case c.runner.wanted(wantSuspend):
		if c.suspendBy.IsZero() {
			c.suspendBy = c.now.Add(c.runner.bound)
		}
		if !c.started || !c.now.Before(c.suspendBy) {
			c.end = &ending{outcome: Suspended}
		}
	}
}

// assign gives waiting splits to idle lanes.
func (c *coordinator) assign(s *source) {
	if s.changing > 0 || s.queue.Waiting() == 0 {
		return
	}
	for i, l := range c.lanes {
		if !l.idle || l.source != s {
			continue
		}
		next, ok := s.queue.Take(i)
		if !ok {
			return
		}
		l.idle = false
		l.splits = append(l.splits, next)
		l.send(message{order: assignSplit, split: next})
	}
}

func (e splitRead) apply(c *coordinator) {
	l := c.lanes[e.lane]
	l.idle = true
	l.source.queue.Finish(e.split, e.result, e.after)
}

func (e splitWritten) apply(c *coordinator) {
	l := c.lanes[e.lane]
	for i, s := range l.splits {
		if s.ID == e.split {
			l.splits = append(l.splits[:i], l.splits[i+1:]...)
			break
		}
	}
	c.advanceChanges()
}

// rest is how long the coordinator may sleep if nothing comes.
func (c *coordinator) rest() time.Duration {
	next := c.now.Add(time.Hour)
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	earlier(c.suspendBy)
	if c.started {
		if c.pending == nil {
			earlier(c.due)
		} else {
			earlier(c.pending.deadline)
		}
		for _, s := range c.sources {
			if s.none && s.wants() && c.readsOn() {
				earlier(s.askAt)
			}
			if s.asking && s.queue.Ended() > 0 && c.now.Sub(s.askedAt) < askAgain {
				earlier(s.askedAt.Add(askAgain))
			}
			if c.pending == nil && s.starved(c.now) {
				earlier(c.lastEnd.Add(earlyPause))
			}
		}
	}
	return max(0, next.Sub(c.now))
}

// operate runs f after the operations before it.
func (c *coordinator) operate(name string, f func(ctx context.Context) event) {
	c.ops = append(c.ops, operation{name, f})
	if len(c.ops) == 1 {
		c.nextOperation()
	}
}

func (c *coordinator) nextOperation() {
	op := c.ops[0]
	fail := func(err error) { c.box.post(failed{op.name, err}) }
	c.group.spawn(op.name, fail, func() error {
		c.box.post(operated{op.run(c.opsCtx)})
		return nil
	})
}

// operated is the result of an operation.
type operated struct{ event }

func (e operated) apply(c *coordinator) {
	c.ops = c.ops[1:]
	if len(c.ops) > 0 {
		c.nextOperation()
	}
	e.event.apply(c)
}

// restored is the checkpoint to start from, nil for none.
type restored struct {
	cp  *checkpoint.Checkpoint
	err error
}

func (e restored) apply(c *coordinator) {
	if e.err != nil {
		c.fail("restore", e.err)
		return
	}
	if e.cp != nil && e.cp.Type == checkpoint.Final {
		c.runner.count(&meters{base: e.cp.Counters})
		c.end = &ending{outcome: Finished, graceful: true}
		return
	}
	c.start(e.cp)
}

// start makes the lanes and splitters and lets them run.
func (c *coordinator) start(cp *checkpoint.Checkpoint) {
	m := &meters{}
	if cp != nil {
		c.from, m.base = cp.Epoch, cp.Counters
	}
	c.epoch = max(c.from, c.runner.epoch)
	c.runner.count(m)
	c.runner.follow.restart()
	p := c.options.Pipeline
	c.env = &laneEnv{
		options: c.options, sinks: p.Sinks(), from: c.from, epoch: c.epoch,
		tables: newCatalog(p, cp), meters: m, follow: &c.runner.follow, refused: newRefusals(c.options, m.base),
	}
	var lanes []*lane
	for i, v := range p.Sources() {
		s := &source{number: i, vertex: v, lanes: max(1, v.Parallelism), commands: make(chan command, 4)}
		c.sources = append(c.sources, s)
		for k := range s.lanes {
			l := newLane(len(lanes), k, v, c.env, c.box.post)
			lanes = append(lanes, l)
			c.lanes = append(c.lanes, &laneState{link: l, source: s, idle: true})
		}
	}
	c.env.number(lanes)
	c.env.states = writerStates(c.env, cp)
	c.started = true
	c.lastEnd = c.now
	if c.options.Interval > 0 {
		c.due = c.now.Add(c.options.Interval)
	}
	c.env.tables.remind(p, cp)
	for _, s := range c.sources {
		c.resume(s, cp)
	}
	for _, l := range lanes {
		l.start(c.lanesCtx, c.group)
	}
	if c.options.Observer.Started != nil {
		c.options.Observer.Started(c.from)
	}
}

// resume starts a source's splitter from its state in a checkpoint.
func (c *coordinator) resume(s *source, cp *checkpoint.Checkpoint) {
	var state checkpoint.Source
	if cp != nil {
		for _, known := range cp.Sources {
			if known.Vertex == s.vertex.Name {
				state = carriedOver(known, s.vertex)
			}
		}
	}
	s.queue = split.New(state.Splits)
	s.exhausted = state.Exhausted
	c.startSplitter(s, state.Splitter)
	s.done(c.epoch + 1)
}

// number gives the writers of each sink their indexes: from 0 over all lanes that lead to it.
func (e *laneEnv) number(lanes []*lane) {
	e.indexes = make(map[writerPlace]int)
	for i, sink := range e.sinks {
		n := 0
		for _, l := range lanes {
			if leadsTo(l.source, sink) {
				e.indexes[writerPlace{i, l.number}] = n
				n++
			}
		}
	}
}

func leadsTo(v, sink *plan.Vertex) bool {
	for _, out := range v.Outputs {
		if out == sink || leadsTo(out, sink) {
			return true
		}
	}
	return false
}

func (e failed) apply(c *coordinator) { c.fail(e.who, e.err) }

// fail ends the attempt. A failure that comes after Cancel changes nothing, and while the engine closes it waits for
// the next start.
func (c *coordinator) fail(who string, err error) {
	log := c.options.Logger
	var p *panicError
	if errors.As(err, &p) {
		log.Error("a connector panicked", "where", p.where, "panic", fmt.Sprint(p.value), "stack", string(p.stack))
	}
	if c.pending != nil {
		c.observeCheckpoint(err)
	}
	if c.runner.wanted(wantCancel) {
		c.end = &ending{outcome: Canceled}
		return
	}
	if c.runner.wanted(wantSuspend) {
		log.Warn("a failure while the engine closes; the pipeline goes on from its last checkpoint",
			"where", who, "error", err)
		c.end = &ending{outcome: Suspended}
		return
	}
	c.end = &ending{outcome: Failed, err: err}
}

// teardown stops the lanes and splitters and waits for them, and for an operation that is under way: what it has
// begun it may bring to an end. What does not end in time is abandoned.
func (c *coordinator) teardown() {
	if !c.end.graceful {
		c.cancelLanes()
	}
	if c.end.killed || !c.started {
		c.cancelOps()
	}
	for _, l := range c.lanes {
		l.send(message{order: stopLane})
	}
	for _, s := range c.sources {
		s.interrupt()
		close(s.commands)
	}
	c.runner.epoch = max(c.runner.epoch, c.epoch)
	if c.group.wait(c.runner.grace) {
		return
	}
	c.cancelLanes()
	c.cancelOps()
	if c.group.wait(c.runner.grace / 3) {
		return
	}
	stuck := c.group.running()
	c.options.Logger.Warn("connectors do not return; they are left behind", "goroutines", stuck)
	c.end.stuck = len(c.ops) > 0 && slices.Contains(stuck, c.ops[0].name)
	c.runner.abandon(c.group)
}
