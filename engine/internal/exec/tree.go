package exec

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// stage is a transform or a sink within a lane. It borrows the batch; bytes is its size, or -1 if nobody has
// counted it.
type stage interface {
	write(ctx context.Context, b plugin.Batch, bytes int64) error
}

// tree makes the stages behind the source of a lane. Paths that lead to the same vertex share its stage.
func (w *writingSide) tree(ctx context.Context) error {
	made := make(map[*plan.Vertex]stage)
	var err error
	w.next, err = w.stages(ctx, w.source, made)
	return err
}

func (w *writingSide) stages(ctx context.Context, v *plan.Vertex, made map[*plan.Vertex]stage) ([]stage, error) {
	next := make([]stage, len(v.Outputs))
	for i, out := range v.Outputs {
		s, ok := made[out]
		if !ok {
			var err error
			if s, err = w.stage(ctx, out, made); err != nil {
				return nil, err
			}
			made[out] = s
		}
		next[i] = s
	}
	return next, nil
}

func (w *writingSide) stage(ctx context.Context, v *plan.Vertex, made map[*plan.Vertex]stage) (stage, error) {
	if v.Role == plugin.SinkRole {
		s, err := w.newSinkStage(ctx, v)
		if err != nil {
			return nil, err
		}
		w.sinks = append(w.sinks, s)
		return s, nil
	}
	if v.Role != plugin.TransformRole {
		return nil, fmt.Errorf("%s: a %s cannot follow %s", v.Name, v.Role, w.source.Name)
	}
	next, err := w.stages(ctx, v, made)
	if err != nil {
		return nil, err
	}
	instance, err := v.NewTransform(ctx)
	if err != nil {
		return nil, at(v, err)
	}
	t := &transformStage{vertex: v, instance: instance, next: next,
		tables: w.env.tables, meter: w.meter(v), known: make(map[*plugin.Table]*plugin.Table)}
	t.emit = t.put
	return t, nil
}

// transformStage is one lane's instance of a transform.
type transformStage struct {
	vertex   *plan.Vertex
	instance plugin.Transform
	next     []stage
	tables   *catalog
	meter    *meter
	emit     func(plugin.Batch) error // t.put, made once

	known   map[*plugin.Table]*plugin.Table // input to output, once the instance has derived it
	in, out *plugin.Table                   // the last ones

	// The call of Apply that is under way.
	ctx   context.Context
	batch plugin.Batch
	bytes int64
}

func (t *transformStage) write(ctx context.Context, b plugin.Batch, bytes int64) error {
	if b.Table != t.in {
		if err := t.turn(b.Table); err != nil {
			return err
		}
	}
	if t.out == nil {
		return nil
	}
	t.ctx, t.batch, t.bytes = ctx, b, bytes
	err := t.instance.Apply(ctx, b, t.out, t.emit)
	t.batch = plugin.Batch{}
	if err != nil {
		return t.blame(err)
	}
	return nil
}

// turn makes in the table of the batches that come.
func (t *transformStage) turn(in *plugin.Table) error {
	out, ok := t.known[in]
	if !ok {
		derived, err := t.instance.Derive(in)
		if err != nil {
			return at(t.vertex, err)
		}
		out = t.tables.canonical(t.vertex, in, derived)
		t.known[in] = out
	}
	t.in, t.out = in, out
	return nil
}

// put takes one batch that the transform emits.
func (t *transformStage) put(b plugin.Batch) error {
	defer b.Release()
	rows := b.Len()
	if rows == 0 {
		return nil
	}
	bytes := int64(-1)
	if b.Rows == t.batch.Rows {
		bytes = t.bytes
	}
	if b.EventTime == 0 {
		b.EventTime = t.batch.EventTime
	}
	t.meter.cell(b.Table).add(int64(rows), 0)
	for _, s := range t.next {
		if err := s.write(t.ctx, b, bytes); err != nil {
			return &downstream{err}
		}
	}
	return nil
}

// downstream marks an error that came back through a transform's emit, so that it isn't blamed.
type downstream struct{ error }

// Unwrap returns the error of the stage that failed.
func (d *downstream) Unwrap() error { return d.error }

func (t *transformStage) blame(err error) error {
	if d, ok := err.(*downstream); ok {
		return d.error
	}
	return at(t.vertex, err)
}

// sinkStage is one lane's writers of a sink vertex.
type sinkStage struct {
	side    *writingSide
	vertex  *plan.Vertex
	sink    int // among the pipeline's sinks
	index   int // of this lane's writers
	writers []sinkWriter
	meter   *meter
	table   *plugin.Table // of the last batch
	as      *plugin.Table // what the sink knows it as: in a union the first input's table
	at      *sinkWriter   // its writer
	latency *latency      // of the table; nil until a batch tells when its changes happened
}

// sinkWriter is the writer of one sink instance; per-table instances make theirs with the first batch.
type sinkWriter struct {
	plugin.Writer
	instance int
	stateful plugin.Stateful
	pusher   plugin.Pusher
	unpushed bool
	visible  visibility
	waiting  unseen        // rows that a push makes visible
	every    time.Duration // between pushes
	pushed   time.Time     // the last time
}

func (w *writingSide) newSinkStage(ctx context.Context, v *plan.Vertex) (*sinkStage, error) {
	sink := slices.Index(w.env.sinks, v)
	s := &sinkStage{side: w, vertex: v, sink: sink, index: w.env.indexes[writerPlace{sink, w.number}],
		writers: make([]sinkWriter, len(v.Sinks)), meter: w.meter(v)}
	for i := range s.writers {
		s.writers[i].instance = i
		states := w.env.states(sink, i, s.index)
		if v.Sinks[i].Table != nil && len(states) == 0 {
			continue
		}
		if err := s.open(ctx, &s.writers[i], states); err != nil {
			return s, err
		}
	}
	return s, nil
}

// open makes a writer.
func (s *sinkStage) open(ctx context.Context, w *sinkWriter, states [][]byte) error {
	instance := s.vertex.Sinks[w.instance]
	task := plugin.Task{Env: instance.Env, Index: s.index, Epoch: s.side.env.from}
	writer, err := instance.Sink.Writer(ctx, task)
	if err != nil {
		return at(s.vertex, err)
	}
	w.Writer = writer
	s.side.open = append(s.side.open, openWriter{s, w})
	w.stateful, _ = writer.(plugin.Stateful)
	w.pusher, _ = writer.(plugin.Pusher)
	w.visible = visibilityOf(instance.Delivery, writer)
	w.every = s.side.env.options.FlushInterval
	if paced, ok := writer.(plugin.Paced); ok {
		w.every = max(w.every, paced.PushInterval())
	}
	if w.stateful == nil || len(states) == 0 {
		return nil
	}
	return at(s.vertex, w.stateful.Restore(states))
}

func (s *sinkStage) write(ctx context.Context, b plugin.Batch, bytes int64) error {
	if b.Table != s.table {
		if err := s.turn(ctx, b.Table); err != nil {
			return err
		}
	}
	if bytes < 0 {
		bytes = sizeOf(b)
	}
	rows := b.Len()
	from := b.Table
	b.Table = s.as
	err := s.at.Write(ctx, b)
	if s.at.pusher != nil && !s.at.unpushed {
		s.at.unpushed = true
		s.side.unpushed = append(s.side.unpushed, openWriter{s, s.at})
	}
	if err != nil || s.side.env.refused.policy.Skip {
		refused, err := s.side.env.refused.judge(s.vertex, b, err)
		if err != nil {
			return err
		}
		if refused > 0 {
			bytes -= bytes * int64(refused) / int64(rows)
			rows -= refused
			c := s.meter.cell(from)
			c.rejected.Store(c.rejected.Load() + int64(refused))
		}
	}
	s.meter.cell(from).add(int64(rows), bytes)
	if b.EventTime != 0 && rows > 0 {
		s.time(from, b.EventTime, int64(rows))
	}
	return nil
}

// time notes when the rows of a batch happened, to tell how long they took once they are visible.
func (s *sinkStage) time(t *plugin.Table, at, rows int64) {
	if s.latency == nil {
		s.latency = s.side.env.follow.latency(s.vertex.Name, t.ID.String())
	}
	switch s.at.visible {
	case whenWritten:
		s.latency.observe(time.Now().UnixMilli(), at, rows)
	case whenPushed:
		s.at.waiting = s.at.waiting.add(s.latency, at, rows)
	case whenCommitted:
		s.side.staged = s.side.staged.add(s.latency, at, rows)
	}
}

// turn finds the writer of a table.
func (s *sinkStage) turn(ctx context.Context, t *plugin.Table) error {
	i, as, ok := s.vertex.Route(t)
	if !ok {
		return &plugin.Error{Code: plugin.CodeInternal, Vertex: s.vertex.Name, Table: t.ID,
			Err: fmt.Errorf("rows came of a table that the sink was not told of"),
			Fix: "the source must name all its tables when the job is planned"}
	}
	w := &s.writers[i]
	if w.Writer == nil {
		if err := s.open(ctx, w, nil); err != nil {
			return err
		}
	}
	s.table, s.as, s.at, s.latency = t, as, w, nil
	return nil
}
