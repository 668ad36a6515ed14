package exec

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

func TestBatchCopiesEveryRow(t *testing.T) {
	for _, lanes := range []int{1, 2, 5} {
		src := &counter{table: numbers("t"), splits: 7, rows: 1000, batch: 64}
		dst := &plainSink{}
		st := &store{}
		r := run(t, Options{Pipeline: simple(lanes, src, dst), Checkpoints: st, Alone: true}, Finished)
		if diff := cmp.Diff(upTo(7000), dst.sorted()); diff != "" {
			t.Fatal(diff)
		}
		if n := st.count(); n != 0 {
			t.Errorf("%d checkpoints were stored, want none without interval and committers", n)
		}
		if n := len(src.doneSplits()); n != 7 {
			t.Errorf("%d splits were done, want 7", n)
		}
		if src.opened.Load() != 0 || src.closed.Load() != 1 {
			t.Error("readers or the splitter were not closed")
		}
		for _, v := range r.Metrics() {
			if v.Rows != 7000 || len(v.Tables) != 1 || v.Tables[0].Table != "t" {
				t.Errorf("metrics of %s: %+v", v.Vertex, v)
			}
		}
	}
}

func TestFinalCheckpointCommits(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	src := &counter{table: numbers("t"), splits: 3, rows: 100, batch: 10}
	run(t, Options{Pipeline: simple(2, src, &sink{world: w}), Checkpoints: st}, Finished)
	w.check(t, 300)
	if last := st.last(); last.Type != checkpoint.Final || last.State != checkpoint.Complete || st.count() != 1 {
		t.Errorf("last of %d checkpoints is %v, %v", st.count(), last.Type, last.State)
	}
	if diff := cmp.Diff([]uint64{0}, w.aborts); diff != "" || w.prepares != 1 {
		t.Errorf("aborts %v, prepared %d times", w.aborts, w.prepares)
	}
	// The end was stored, but the job's record may have been lost: a second run finds that all is done.
	again := run(t, Options{Pipeline: simple(2, src, &sink{world: w}), Checkpoints: st}, Finished)
	w.check(t, 300)
	if rows := again.Metrics()[0].Rows; rows != 300 {
		t.Errorf("the second run reports %d rows, want the 300 of the first", rows)
	}
}

func TestPeriodicCheckpoints(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	src := &counter{table: numbers("t"), splits: 2, rows: 50, batch: 10, endless: true}
	r := start(t, Options{Pipeline: simple(2, src, &sink{world: w}), Checkpoints: st, Interval: 5 * time.Millisecond})
	until(t, "all rows are visible", func() bool { return w.count() == 100 })
	n := st.count()
	until(t, "idle lanes pass barriers", func() bool { return st.count() > n+3 })
	r.Cancel()
	r.ends(Canceled)
	w.check(t, 100)
	m := r.Metrics()[0]
	want := []Position{{"000", bytesOf(50)}, {"001", bytesOf(100)}}
	if diff := cmp.Diff(want, m.Positions); diff != "" {
		t.Error(diff)
	}
}

func TestEmptySource(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	src := &counter{table: numbers("t")}
	run(t, Options{Pipeline: simple(3, src, &sink{world: w}), Checkpoints: st}, Finished)
	w.check(t, 0)
}

func TestTaskIndexes(t *testing.T) {
	dst := &plainSink{}
	a := sourceVertex("Source[0]-Model", 2, &counter{table: numbers("t"), splits: 1, rows: 1, batch: 1})
	b := sourceVertex("Source[1]-Model", 3, &counter{table: numbers("t"), splits: 1, rows: 1, batch: 1})
	to := sinkVertex("Sink[0]-Model", dst, a.Tables[0])
	chain(a, to)
	chain(b, to)
	run(t, Options{Pipeline: pipeline(a, b, to), Checkpoints: &store{}}, Finished)
	seen := map[int]bool{}
	for _, task := range dst.made {
		if seen[task.Index] || task.Index < 0 || task.Index > 4 || task.Vertex != "Sink[0]-Model" {
			t.Errorf("task %d of %s", task.Index, task.Vertex)
		}
		seen[task.Index] = true
	}
	if len(seen) != 5 || len(dst.sorted()) != 2 {
		t.Errorf("%d writers, rows %v", len(seen), dst.sorted())
	}
}

func TestAckComesWithCompleteEpochs(t *testing.T) {
	st := &store{}
	acked := make(chan int64, 1000)
	src := &counter{table: numbers("t"), splits: 1, rows: 100, batch: 10, endless: true,
		ack: func(p int64) {
			if st.last().State != checkpoint.Complete {
				t.Error("a position was acknowledged before its checkpoint was complete")
			}
			select {
			case acked <- p:
			default:
			}
		}}
	r := start(t, Options{Pipeline: simple(1, src, &plainSink{}), Checkpoints: st, Interval: 2 * time.Millisecond})
	for p := int64(0); p != 100; {
		next := <-acked
		if next < p {
			t.Fatalf("position %d after %d", next, p)
		}
		p = next
	}
	r.Cancel()
	r.ends(Canceled)
}

func TestAckOfTheEnd(t *testing.T) {
	acked := make(chan int64, 10)
	src := &counter{table: numbers("t"), splits: 2, rows: 100, batch: 50, ack: func(p int64) { acked <- p }}
	run(t, Options{Pipeline: simple(1, src, &plainSink{}), Checkpoints: &store{}}, Finished)
	close(acked)
	var got []int64
	for p := range acked {
		got = append(got, p)
	}
	if diff := cmp.Diff([]int64{100, 200}, got); diff != "" {
		t.Error(diff)
	}
}

// rowSource is a source whose reader uses Out.Row.
type rowSource struct{ counter }

func (s *rowSource) Reader(context.Context, plugin.Task) (plugin.Reader, error) {
	return &rowReader{s: s}, nil
}

type rowReader struct {
	s    *rowSource
	next int64
}

func (r *rowReader) Open(context.Context, plugin.Split) error { return nil }

func (r *rowReader) Position() ([]byte, error) { return bytesOf(r.next), nil }

func (r *rowReader) Close() error { return nil }

func (r *rowReader) Read(_ context.Context, out plugin.Out) error {
	for !out.Full() {
		if r.next == r.s.rows {
			return io.EOF
		}
		if err := out.Row(r.s.table, plugin.Insert, "no number"); err == nil {
			return errors.New("a text was taken for a number")
		}
		if err := out.Row(r.s.table, plugin.Insert, r.next); err != nil {
			return err
		}
		r.next++
	}
	return nil
}

func TestRows(t *testing.T) {
	src := &rowSource{counter{table: numbers("t"), splits: 1, rows: 20_000}}
	dst := &plainSink{}
	run(t, Options{Pipeline: simple(1, src, dst), Checkpoints: &store{}}, Finished)
	if diff := cmp.Diff(upTo(20_000), dst.sorted()); diff != "" {
		t.Fatal(diff)
	}
	if n := len(dst.tables); n > 10 {
		t.Errorf("20,000 rows came in %d batches", n)
	}
}
