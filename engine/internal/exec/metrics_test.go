package exec

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

// TestCountersGoOnOverRestarts has an attempt fail between two checkpoints: what it read since the first is not
// counted twice.
func TestCountersGoOnOverRestarts(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	src := &counter{table: numbers("t"), splits: 3, rows: 100, batch: 10}
	src.next = func(ctx context.Context, given int64) ([]plugin.Split, error) {
		if given == 1 && len(src.doneSplits()) == 0 {
			return nil, nil // so that a checkpoint comes after the first split
		}
		src2 := &counter{table: src.table, splits: 3, rows: 100}
		return (&counterSplitter{c: src2, given: given}).Next(ctx)
	}
	failures := 0
	src.onRead = func(_ context.Context, _ plugin.Out, at int64) error {
		if at == 250 && failures < 2 {
			failures++
			return errBroken
		}
		return nil
	}
	r := run(t, Options{Pipeline: simple(1, src, &sink{world: w}), Checkpoints: st, Retries: 2}, Finished)
	w.check(t, 300)
	for _, v := range r.Metrics() {
		want := []TableMetrics{{"t", 300, 2400}}
		if diff := cmp.Diff(want, v.Tables); diff != "" {
			t.Errorf("%s: %s", v.Vertex, diff)
		}
	}
	want := []checkpoint.Counter{
		{Vertex: "Source[0]-Model", Table: "t", Rows: 300, Bytes: 2400},
		{Vertex: "Sink[0]-Model", Table: "t", Rows: 300, Bytes: 2400},
	}
	if diff := cmp.Diff(want, st.last().Counters); diff != "" {
		t.Error(diff)
	}
}

func TestMetricsBeforeTheStart(t *testing.T) {
	m := New(Options{Pipeline: simple(1, &counter{table: numbers("t")}, &plainSink{}), Checkpoints: &store{}}).Metrics()
	want := []VertexMetrics{{Vertex: "Source[0]-Model", Role: plugin.SourceRole},
		{Vertex: "Sink[0]-Model", Role: plugin.SinkRole}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

// TestVersionsOfATableShareACell checks that a schema change does not split a table's counters.
func TestVersionsOfATableShareACell(t *testing.T) {
	ms := &meters{}
	m := ms.meter("v")
	old := numbers("t")
	m.cell(old).add(1, 8)
	m.cell(widened(old)).add(2, 16)
	m.cell(numbers("u")).add(5, 40)
	m.cell(old).add(1, 8)
	base := []checkpoint.Counter{{Vertex: "v", Table: "t", Rows: 100}}
	want := []checkpoint.Counter{{Vertex: "v", Table: "t", Rows: 104, Bytes: 32},
		{Vertex: "v", Table: "u", Rows: 5, Bytes: 40}}
	if diff := cmp.Diff(want, totals(base, ms.counts())); diff != "" {
		t.Error(diff)
	}
}
