package exec

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/metrics"
	"github.com/culvertdata/culvert/plugin"
)

// stamped is a source whose changes happened some time ago, and which is behind its log.
type stamped struct {
	*counter
	ago time.Duration
}

type stampedReader struct {
	*counterReader
	ago time.Duration
}

func (s stamped) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	r, err := s.counter.Reader(ctx, t)
	if err != nil {
		return nil, err
	}
	return &stampedReader{r.(*counterReader), s.ago}, nil
}

func (r *stampedReader) Read(ctx context.Context, out plugin.Out) error {
	return r.counterReader.Read(ctx, stampedOut{out, time.Now().Add(-r.ago).UnixMilli()})
}

func (r *stampedReader) Lag() plugin.Lag {
	return plugin.Lag{Bytes: 8 * (r.end - r.at), At: "0/1", End: "0/2"}
}

type stampedOut struct {
	plugin.Out
	at int64
}

func (o stampedOut) Batch(b plugin.Batch) error {
	b.EventTime = o.at
	return o.Out.Batch(b)
}

// immediate is a sink that holds nothing back.
type immediate struct{ plainSink }

func (s *immediate) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	w, err := s.plainSink.Writer(ctx, t)
	return struct{ plugin.Writer }{w}, err
}

// timed returns the latency of the only table at the only sink.
func timed(r *ran) metrics.Latency {
	for _, v := range r.Metrics() {
		for _, l := range v.Latencies {
			return l.Latency
		}
	}
	return metrics.Latency{}
}

func TestLatency(t *testing.T) {
	const ago = 3 * time.Second
	st := &store{}
	tests := []struct {
		name     string
		sink     plugin.Sink
		delivery plugin.Delivery
	}{
		{"visible when written", &immediate{}, plugin.Repeats},
		{"visible when pushed", &plainSink{}, plugin.Idempotent},
		{"visible when committed", &sink{world: newWorld(st)}, plugin.TwoPhase},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := stamped{&counter{table: numbers("t"), splits: 1, rows: 100, batch: 10}, ago}
			from := sourceVertex("Source[0]-Model", 1, src)
			through := transformVertex("Transform[0]-Model", func() plugin.Transform { return &fresh{} })
			to := sinkVertex("Sink[0]-Model", nil, src.table)
			to.Sinks = []plan.SinkInstance{{Sink: tt.sink, Env: env("Sink[0]-Model"), Delivery: tt.delivery}}
			chain(from, through, to)
			r := run(t, Options{Pipeline: pipeline(from, through, to), Checkpoints: st}, Finished)
			all := r.Metrics()
			got := all[2].Latencies
			if len(got) != 1 || got[0].Sink != to.Name || got[0].Table != "t" {
				t.Fatalf("latencies %+v", got)
			}
			l := got[0].Latency
			if l.Count != 100 || l.Max < ago || l.Max > ago+patience || l.Mean() < ago || l.Mean() > l.Max {
				t.Errorf("%d changes took %v on average and at most %v", l.Count, l.Mean(), l.Max)
			}
			if p := l.Quantile(0.5); p < ago-ago/6 || p > l.Max {
				t.Errorf("half of them took %v", p)
			}
			lags := all[0].Lags
			if len(lags) != 1 {
				t.Fatalf("lags %+v", lags)
			}
			want := metrics.SourceLag{Source: from.Name, Bytes: 720, At: "0/1", End: "0/2", Time: lags[0].Time}
			if d := cmp.Diff(want, lags[0]); d != "" {
				t.Error(d)
			}
			*st = store{}
		})
	}
}

// fresh is a transform that makes batches anew, without a thought for the event time.
type fresh struct{}

func (fresh) Derive(in *plugin.Table) (*plugin.Table, error) { return in, nil }

func (fresh) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	rows := array.NewRecordBatch(out.Schema, in.Rows.Columns(), in.Rows.NumRows())
	return emit(plugin.Batch{Table: out, Rows: rows})
}

// TestLatencyWaitsForThePush has a sink that pushes and one that commits hold rows back.
func TestLatencyWaitsForThePush(t *testing.T) {
	src := stamped{endless(1, 10), 0}
	pushed := start(t, Options{Pipeline: simple(1, src, &plainSink{}), Checkpoints: &store{},
		FlushInterval: 5 * time.Millisecond})
	until(t, "the rows are pushed", func() bool { return timed(pushed).Count == 10 })
	pushed.Cancel()
	pushed.ends(Canceled)

	st := &store{}
	w := newWorld(st)
	p := simple(1, stamped{endless(1, 10), 0}, &sink{world: w})
	p.Vertices[1].Sinks[0].Delivery = plugin.TwoPhase
	committed := start(t, Options{Pipeline: p, Checkpoints: st})
	until(t, "the sink took the rows", func() bool { return committed.Metrics()[1].Rows == 10 })
	if n := timed(committed).Count; n != 0 {
		t.Errorf("%d rows are visible before the commit", n)
	}
	committed.Savepoint()
	committed.ends(SavepointDone)
	if n := timed(committed).Count; n != 10 {
		t.Errorf("%d rows are visible after the commit", n)
	}
}

func TestUnseenIsBounded(t *testing.T) {
	tables := make([]latency, 20)
	var u unseen
	var rows int64
	for i := range int64(100_000) {
		u = u.add(&tables[i%20], 10*i, 3)
		rows += 3
	}
	if len(u) > unseenMost {
		t.Errorf("%d entries", len(u))
	}
	u = u.seen(time.UnixMilli(1_000_000))
	var got, longest int64
	for i := range tables {
		got += tables[i].count.Load()
		longest = max(longest, tables[i].longest.Load())
	}
	if got != rows || len(u) != 0 || longest != 1_000_000 {
		t.Errorf("%d of %d rows are counted, the longest took %d ms", got, rows, longest)
	}
}

func TestUnseenJoinsNeighbours(t *testing.T) {
	var a, b latency
	var u unseen
	for range 100 {
		u = u.add(&a, 5, 1)
		u = u.add(&b, 6, 1)
	}
	if len(u) != 2 || u[0].rows != 100 || u[1].rows != 100 {
		t.Errorf("%d entries", len(u))
	}
	u.seen(time.UnixMilli(4)) // the source's clock is ahead
	if a.sum.Load() != 0 || a.buckets[0].Load() != 100 {
		t.Errorf("took %d ms", a.sum.Load())
	}
}
