package exec

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/engine/internal/split"
	"github.com/culvertdata/culvert/plugin"
)

// source is what the coordinator knows of a source: its queue and how its splitter stands.
type source struct {
	number   int
	lanes    int
	vertex   *plan.Vertex
	queue    *split.Queue
	commands chan command

	asking    bool // a Next is under way
	askedAt   time.Time
	stopNext  context.CancelFunc
	canceled  bool      // the Next under way was told to return
	none      bool      // the last Next had nothing
	askAt     time.Time // when to ask again after that
	exhausted bool      // there will be no more
	changing  int       // schema changes that lanes wait with; no split is handed out meanwhile
}

// command is from the coordinator to the goroutine of a splitter.
type command struct {
	do   request
	ctx  context.Context // of Next
	done []split.Finished
}

type request uint8

const (
	nextSplits request = iota
	splitsDone
	splitterState
)

// splitsMade is the answer to nextSplits.
type splitsMade struct {
	source int
	splits []plugin.Split
	err    error
}

// splitterStood is the answer to splitterState.
type splitterStood struct {
	source int
	state  []byte
}

// startSplitter runs the splitter of a source until its commands are closed.
func (c *coordinator) startSplitter(s *source, state []byte) {
	name := "splitter of " + s.vertex.Name
	fail := func(err error) { c.box.post(failed{name, at(s.vertex, err)}) }
	ctx := c.lanesCtx
	c.group.spawn(name, fail, func() error {
		splitter, err := s.vertex.Source.Splits(ctx, state)
		if err != nil {
			return err
		}
		defer func() {
			if err := splitter.Close(); err != nil {
				c.options.Logger.Warn("closing a splitter failed", "vertex", s.vertex.Name, "error", err)
			}
		}()
		for cmd := range s.commands {
			if err := c.obey(s, splitter, cmd); err != nil {
				return err
			}
		}
		return nil
	})
}

// obey runs one command on the splitter's goroutine.
func (c *coordinator) obey(s *source, splitter plugin.Splitter, cmd command) error {
	switch cmd.do {
	case nextSplits:
		splits, err := splitter.Next(cmd.ctx)
		c.box.post(splitsMade{s.number, splits, err})
	case splitsDone:
		for _, f := range cmd.done {
			if err := splitter.Done(f.Split, f.Result); err != nil {
				return err
			}
		}
	case splitterState:
		state, err := splitter.State()
		if err != nil {
			return err
		}
		c.box.post(splitterStood{s.number, state})
	}
	return nil
}

// ask calls Next on the splitter if lanes could run out of splits.
func (c *coordinator) ask(s *source, now time.Time) {
	if !s.wants() || s.none && now.Before(s.askAt) {
		return
	}
	ctx, cancel := context.WithCancel(c.lanesCtx)
	s.asking, s.askedAt, s.stopNext, s.none = true, now, cancel, false
	s.commands <- command{do: nextSplits, ctx: ctx} // has room: one of each kind at most is under way
}

// wants reports whether more splits are needed than wait, and Next may be called.
func (s *source) wants() bool { return !s.exhausted && !s.asking && s.queue.Waiting() < s.lanes }

// interrupt makes a Next that is under way return.
func (s *source) interrupt() {
	if s.asking {
		s.canceled = true
		s.stopNext()
	}
}

func (e splitsMade) apply(c *coordinator) {
	s := c.sources[e.source]
	canceled := s.canceled
	s.stopNext()
	s.asking, s.canceled = false, false
	if err := s.queue.Add(e.splits...); err != nil {
		c.fail(s.vertex.Name, at(s.vertex, err))
		return
	}
	switch {
	case e.err == io.EOF: // an error that wraps it is a failure
		s.exhausted = true
	case e.err != nil && canceled && errors.Is(e.err, context.Canceled):
	case e.err != nil:
		c.fail(s.vertex.Name, at(s.vertex, e.err))
	case len(e.splits) == 0:
		s.none, s.askAt = true, c.now.Add(askAgain)
	}
}

// starved reports whether the splitter has nothing to hand out before it hears that splits are done, and since when.
func (s *source) starved(now time.Time) bool {
	if s.queue.Waiting() > 0 || s.queue.Ended() == 0 {
		return false
	}
	return s.none || s.asking && now.Sub(s.askedAt) >= askAgain
}

// drained reports whether all rows are read.
func (s *source) drained() bool {
	return s.exhausted && s.queue.Waiting() == 0 && s.queue.Running() == 0
}

// done tells the splitter which splits the completed checkpoint of an epoch holds as finished.
func (s *source) done(epoch uint64) {
	if done := s.queue.Done(epoch); len(done) > 0 {
		s.interrupt()
		s.commands <- command{do: splitsDone, done: done}
		s.none = false
	}
}

func (e splitterStood) apply(c *coordinator) {
	p := c.pending
	if p == nil || p.phase != askingSplitters {
		return
	}
	s := c.sources[e.source]
	p.sources[e.source] = checkpoint.Source{
		Vertex: s.vertex.Name, Splitter: e.state, Exhausted: s.exhausted, Splits: s.queue.Snapshot(p.number),
		Tables: idsOf(s.vertex.Tables),
	}
	if p.missing--; p.missing == 0 {
		c.store()
	}
}
