package exec

import (
	"context"
	"time"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// writingSide takes what comes through the gate of a lane and runs its tree of stages.
type writingSide struct {
	*lane
	next   []stage // behind the source
	sinks  []*sinkStage
	open   []openWriter
	meters []*meter

	epoch  uint64  // of the last barrier
	tokens []token // of flushes since then

	unpushed []openWriter // hold rows that were not pushed
	staged   unseen       // rows that a commit makes visible
}

type openWriter struct {
	stage *sinkStage
	*sinkWriter
}

func (l *lane) write(ctx context.Context) error {
	w := &writingSide{lane: l, epoch: l.env.epoch}
	defer w.close()
	err := w.tree(ctx)
	for err == nil {
		var it item
		var how taken
		if it, how, err = w.take(ctx); err != nil || how == gateClosed {
			break
		}
		err = w.handle(ctx, it)
	}
	if ctx.Err() != nil {
		return nil // whoever stops the lane knows why
	}
	return stopped(err)
}

// meter makes the meter of a vertex in this lane.
func (w *writingSide) meter(v *plan.Vertex) *meter {
	m := w.env.meters.meter(v.Name)
	w.meters = append(w.meters, m)
	return m
}

func (w *writingSide) close() {
	for _, o := range w.open {
		if err := o.Close(); err != nil {
			w.env.options.Logger.Warn("closing a writer failed", "vertex", o.stage.vertex.Name, "error", err)
		}
	}
}

// take waits for the next item and pushes buffering writers meanwhile: at once if their interval has passed since the
// last push, else when it has. So rows that come alone are visible at once, and a stream of them is pushed once an
// interval.
func (w *writingSide) take(ctx context.Context) (item, taken, error) {
	for len(w.unpushed) > 0 {
		if wait := w.due(); wait > 0 {
			if it, how := w.gate.take(wait); how != timedOut {
				return it, how, nil
			}
			continue
		}
		if err := w.push(ctx); err != nil {
			return item{}, gotItem, err
		}
	}
	it, how := w.gate.take(-1)
	return it, how, nil
}

// due returns how long it is until a writer may be pushed.
func (w *writingSide) due() time.Duration {
	now, wait := time.Now(), w.unpushed[0].every
	for _, o := range w.unpushed {
		wait = min(wait, o.every-now.Sub(o.pushed))
	}
	return wait
}

// push pushes the writers whose interval has passed.
func (w *writingSide) push(ctx context.Context) error {
	now := time.Now()
	var left []openWriter
	for _, o := range w.unpushed {
		if now.Sub(o.pushed) < o.every {
			left = append(left, o)
			continue
		}
		if err := o.pusher.Push(ctx); err != nil {
			return at(o.stage.vertex, err)
		}
		o.unpushed, o.pushed = false, time.Now()
		o.waiting = o.waiting.seen(o.pushed)
	}
	w.unpushed = append(w.unpushed[:0], left...)
	return nil
}

func (w *writingSide) allPushed() {
	now := time.Now()
	for _, o := range w.open {
		o.unpushed, o.waiting = false, o.waiting.seen(now)
	}
	w.unpushed = w.unpushed[:0]
}

func (w *writingSide) handle(ctx context.Context, it item) error {
	switch {
	case it.barrier != nil:
		return w.barrier(ctx, it.barrier)
	case it.end != nil:
		w.report(splitWritten{w.number, it.end.id})
		return nil
	default:
		return w.hand(ctx, it)
	}
}

// hand gives a batch to the stages, together with small ones of the same table that wait behind it.
func (w *writingSide) hand(ctx context.Context, it item) (err error) {
	if it.batch.Len() < joinRows && it.bytes < joinBytes {
		if it, err = w.join(it); err != nil {
			return err
		}
	}
	defer it.batch.Release()
	for _, s := range w.next {
		if err := s.write(ctx, it.batch, it.bytes); err != nil {
			return err
		}
	}
	return nil
}

// join returns a batch of its own with the rows of an item and of those behind it that are its like.
func (w *writingSide) join(it item) (item, error) {
	rows := it.batch.Len()
	next, ok := w.gate.takeMore(it.batch.Table, joinRows-rows, joinBytes-it.bytes)
	if !ok {
		return it, nil
	}
	parts := []plugin.Batch{it.batch}
	for ; ok; next, ok = w.gate.takeMore(it.batch.Table, joinRows-rows, joinBytes-it.bytes) {
		parts = append(parts, next.batch)
		rows += next.batch.Len()
		it.bytes += next.bytes
	}
	var err error
	it.batch, err = joined(parts, w.source.Env.Alloc)
	for _, p := range parts {
		p.Release()
	}
	return it, err
}

// barrier flushes the writers and reports what the checkpoint has to hold of this lane.
func (w *writingSide) barrier(ctx context.Context, b *barrier) error {
	if err := w.env.refused.barrier(); err != nil {
		return err
	}
	if err := w.flush(ctx, b.epoch); err != nil {
		return err
	}
	passed := barrierPassed{lane: w.number, epoch: b.epoch, split: b.split, position: b.position,
		acks: b.acks, tokens: w.tokens, counts: b.counts, unseen: w.staged}
	w.epoch, w.tokens, w.staged = b.epoch, nil, nil
	for _, o := range w.open {
		if o.stateful == nil {
			continue
		}
		state, err := o.stateful.State()
		if err != nil {
			return at(o.stage.vertex, err)
		}
		passed.states = append(passed.states, writerState{o.stage.sink, o.instance, o.stage.index, state})
	}
	for _, m := range w.meters {
		passed.counts = m.counts(passed.counts)
	}
	w.report(passed)
	return nil
}

// flush ends an epoch of every writer and keeps the tokens.
func (w *writingSide) flush(ctx context.Context, epoch uint64) error {
	for _, o := range w.open {
		data, err := o.Flush(ctx, epoch)
		if err != nil {
			return at(o.stage.vertex, err)
		}
		if data != nil {
			w.tokens = append(w.tokens, token{o.stage.sink, o.instance, data})
		}
	}
	w.allPushed()
	return nil
}
