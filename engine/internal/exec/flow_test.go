package exec

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// rename passes batches on under another table name, in two halves. It checks the order of calls.
type rename struct {
	name    string
	drop    bool
	derived map[*plugin.Table]bool
	fail    error
}

func (r *rename) Derive(in *plugin.Table) (*plugin.Table, error) {
	if r.derived == nil {
		r.derived = map[*plugin.Table]bool{}
	}
	r.derived[in] = true
	if r.drop {
		return nil, nil
	}
	t := *in
	t.ID.Name += r.name
	return plugin.NewTable(t)
}

func (r *rename) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	if !r.derived[in.Table] {
		panic("Apply without Derive")
	}
	if r.fail != nil {
		return r.fail
	}
	half := in.Len() / 2
	for _, ends := range [][2]int{{0, half}, {half, in.Len()}} {
		part := in.Slice(ends[0], ends[1])
		part.Table = out
		if err := emit(part); err != nil {
			return err
		}
	}
	return nil
}

func TestFanOut(t *testing.T) {
	// source -> a -> x
	//        \-> b -> x, y (x is reached on two paths and has one writer a lane)
	from := sourceVertex("Source[0]-Model", 2, &counter{table: numbers("t"), splits: 4, rows: 100, batch: 9})
	a := transformVertex("Transform[0]-Rename", func() plugin.Transform { return &rename{name: "a"} })
	b := transformVertex("Transform[1]-Rename", func() plugin.Transform { return &rename{name: "b"} })
	dx, dy := &plainSink{}, &plainSink{}
	x, y := sinkVertex("Sink[0]-Model", dx), sinkVertex("Sink[1]-Model", dy)
	chain(from, a, x)
	chain(from, b, x)
	chain(b, y)
	canonical := map[*plan.Vertex]*plugin.Table{}
	for v, name := range map[*plan.Vertex]string{a: "a", b: "b"} {
		table, err := (&rename{name: name}).Derive(from.Tables[0])
		if err != nil {
			t.Fatal(err)
		}
		v.Derived = map[*plugin.Table]*plugin.Table{from.Tables[0]: table}
		canonical[v] = table
	}
	x.Tables = []*plugin.Table{canonical[a]}
	x.Union = map[*plugin.Table]*plugin.Table{canonical[b]: canonical[a]}
	r := run(t, Options{Pipeline: pipeline(from, a, b, x, y), Checkpoints: &store{}}, Finished)
	twice := append(upTo(400), upTo(400)...)
	slices.Sort(twice)
	if diff := cmp.Diff(twice, dx.sorted()); diff != "" {
		t.Error("x:", diff)
	}
	if diff := cmp.Diff(upTo(400), dy.sorted()); diff != "" {
		t.Error("y:", diff)
	}
	for _, table := range dy.tables {
		if table != canonical[b] {
			t.Fatal("a batch's table is not the plan's")
		}
	}
	for _, table := range dx.tables {
		if table != canonical[a] {
			t.Fatal("a sink with several inputs knows another table than the first input's")
		}
	}
	if len(dx.made) != 2 {
		t.Errorf("%d writers, want one a lane", len(dx.made))
	}
	for _, v := range r.Metrics() {
		if want := map[string]int64{"Sink[0]-Model": 800}[v.Vertex]; v.Rows != max(want, 400) {
			t.Errorf("%s counts %d", v.Vertex, v.Rows)
		}
	}
}

func TestUnion(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	one := &counter{table: numbers("t"), splits: 2, rows: 50, batch: 7}
	two := &counter{table: numbers("t"), splits: 4, rows: 50, batch: 7}
	two.next = func(_ context.Context, given int64) ([]plugin.Split, error) {
		if given == 2 {
			return nil, io.EOF
		}
		return []plugin.Split{two.piece(given + 2)}, nil // the upper half
	}
	a, b := sourceVertex("Source[0]-Model", 2, one), sourceVertex("Source[1]-Model", 1, two)
	to := sinkVertex("Sink[0]-Model", &sink{world: w}, a.Tables[0])
	chain(a, to)
	chain(b, to)
	run(t, Options{Pipeline: pipeline(a, b, to), Checkpoints: st, Interval: time.Millisecond}, Finished)
	w.check(t, 200)
}

func TestTransformFails(t *testing.T) {
	from := sourceVertex("Source[0]-Model", 1, &counter{table: numbers("t"), splits: 1, rows: 1, batch: 1})
	tr := transformVertex("Transform[0]-Rename", func() plugin.Transform { return &rename{fail: errBroken} })
	to := sinkVertex("Sink[0]-Model", &plainSink{})
	chain(from, tr, to)
	r := run(t, Options{Pipeline: pipeline(from, tr, to), Checkpoints: &store{}}, Failed)
	if got, want := r.err.Error(), "Transform[0]-Rename: the line is broken"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestErrorsOfSinksNameTheSink(t *testing.T) {
	st := &store{}
	from := sourceVertex("Source[0]-Model", 1, &counter{table: numbers("t"), splits: 1, rows: 1, batch: 1})
	tr := transformVertex("Transform[0]-Rename", func() plugin.Transform { return &rename{} })
	broken := func(context.Context, plugin.Batch) error { return errBroken }
	to := sinkVertex("Sink[0]-Model", &sink{world: newWorld(st), onWrite: broken})
	chain(from, tr, to)
	r := run(t, Options{Pipeline: pipeline(from, tr, to), Checkpoints: st}, Failed)
	if got, want := r.err.Error(), "Sink[0]-Model: the line is broken"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestDroppedTables(t *testing.T) {
	from := sourceVertex("Source[0]-Model", 1, &counter{table: numbers("t"), splits: 1, rows: 10, batch: 1})
	tr := transformVertex("Transform[0]-Rename", func() plugin.Transform { return &rename{drop: true} })
	dst := &plainSink{}
	to := sinkVertex("Sink[0]-Model", dst)
	chain(from, tr, to)
	run(t, Options{Pipeline: pipeline(from, tr, to), Checkpoints: &store{}}, Finished)
	if len(dst.rows) != 0 {
		t.Errorf("%d rows of a dropped table came through", len(dst.rows))
	}
}

// twoTables puts out the counter's rows under two tables in turns.
type twoTables struct {
	*counter
	other *plugin.Table
}

func (s *twoTables) Tables(context.Context) ([]*plugin.Table, error) {
	return []*plugin.Table{s.table, s.other}, nil
}

func (s *twoTables) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	r, err := s.counter.Reader(ctx, t)
	if err != nil {
		return nil, err
	}
	return &twoTablesReader{r, s}, nil
}

type twoTablesReader struct {
	plugin.Reader
	s *twoTables
}

type twoTablesOut struct {
	plugin.Out
	s *twoTables
}

func (r *twoTablesReader) Read(ctx context.Context, out plugin.Out) error {
	return r.Reader.Read(ctx, twoTablesOut{out, r.s})
}

func (o twoTablesOut) Batch(b plugin.Batch) error {
	if valuesOf(b)[0]%2 == 1 {
		b.Table = o.s.other
	}
	return o.Out.Batch(b)
}

func TestOneSinkForEachTable(t *testing.T) {
	src := &twoTables{&counter{table: numbers("even"), splits: 1, rows: 10, batch: 1}, numbers("odd")}
	from := sourceVertex("Source[0]-Model", 1, src)
	even, odd, unused := &plainSink{}, &plainSink{}, &plainSink{}
	var prepared []string
	for _, s := range []*plainSink{even, odd, unused} {
		s.prepare = func(tables []*plugin.Table) error {
			for _, t := range tables {
				prepared = append(prepared, t.ID.Name)
			}
			return nil
		}
	}
	to := sinkVertex("Sink[0]-Model", nil, from.Tables...)
	to.Sinks = []plan.SinkInstance{{Table: numbers("even"), Sink: even}, {Table: numbers("odd"), Sink: odd},
		{Table: numbers("unused"), Sink: unused}}
	chain(from, to)
	r := run(t, Options{Pipeline: pipeline(from, to), Checkpoints: &store{}}, Finished)
	if diff := cmp.Diff([]int64{0, 2, 4, 6, 8}, even.sorted()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{1, 3, 5, 7, 9}, odd.sorted()); diff != "" {
		t.Error(diff)
	}
	if len(even.made) != 1 || len(unused.made) != 0 {
		t.Errorf("%d and %d writers, want 1 and none", len(even.made), len(unused.made))
	}
	if diff := cmp.Diff([]string{"even", "odd", "unused"}, prepared); diff != "" {
		t.Error(diff)
	}
	want := []TableMetrics{{"even", 5, 40}, {"odd", 5, 40}}
	if diff := cmp.Diff(want, r.Metrics()[1].Tables); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownTable(t *testing.T) {
	src := &twoTables{&counter{table: numbers("even"), splits: 1, rows: 10, batch: 1}, numbers("odd")}
	from := sourceVertex("Source[0]-Model", 1, src)
	to := sinkVertex("Sink[0]-Model", nil, from.Tables...)
	to.Sinks = []plan.SinkInstance{{Table: numbers("even"), Sink: &plainSink{}}}
	chain(from, to)
	r := run(t, Options{Pipeline: pipeline(from, to), Checkpoints: &store{}, Retries: 3}, Failed)
	t.Log(r.err)
}

// TestSlowSink checks that a fast reader is held back by the gate's items and bytes.
func TestSlowSink(t *testing.T) {
	const batches = 100
	src := &counter{table: numbers("t"), splits: 1, rows: batches * fullRows, batch: fullRows, batches: batches}
	var written atomic.Int64
	gate := make(chan struct{})
	dst := &plainSink{onWrite: func(plugin.Batch) {
		<-gate
		written.Add(1)
	}}
	r := start(t, Options{Pipeline: simple(1, src, dst), Checkpoints: &store{}})
	for n := range int64(batches) {
		if ahead := src.read.Load()/fullRows - n; ahead > gateItems+2 {
			t.Fatalf("the reader is %d batches ahead", ahead)
		}
		gate <- struct{}{}
	}
	r.ends(Finished)
}

// TestDoneAndEarlyCheckpoint has a splitter that hands out its last split once all others are done, as a change
// stream that waits for its snapshot. No interval is set: the engine has to see by itself that the splitter waits.
func TestDoneAndEarlyCheckpoint(t *testing.T) {
	for _, blocks := range []bool{false, true} {
		st := &store{}
		w := newWorld(st)
		src := &counter{table: numbers("t"), splits: 4, rows: 100, batch: 30}
		src.next = func(ctx context.Context, given int64) ([]plugin.Split, error) {
			switch {
			case given < 3:
				return []plugin.Split{src.piece(given)}, nil
			case given == 4:
				return nil, io.EOF
			case len(src.doneSplits()) == 3:
				if n := w.count(); n != 300 {
					t.Errorf("splits were done with %d rows visible, want 300", n)
				}
				return []plugin.Split{src.piece(3)}, nil
			case blocks:
				<-ctx.Done()
				return nil, ctx.Err()
			default:
				return nil, nil
			}
		}
		run(t, Options{Pipeline: simple(2, src, &sink{world: w}), Checkpoints: st}, Finished)
		w.check(t, 400)
		if diff := cmp.Diff([]string{"000", "001", "002", "003"}, src.doneSplits()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDoneIsCalledAgainAfterARestore(t *testing.T) {
	st := &store{}
	src := &counter{table: numbers("t"), splits: 2, rows: 10, batch: 10, endless: true}
	st.latest = map[int]checkpoint.Checkpoint{1: {Pipeline: 1, Epoch: 8, State: checkpoint.Complete,
		Sources: []checkpoint.Source{{Vertex: "Source[0]-Model", Splitter: bytesOf(2), Splits: []checkpoint.Split{
			{Split: plugin.Split{ID: "000", State: bytesOf(10)}, Started: true, Finished: true},
			{Split: plugin.Split{ID: "001", State: bytesOf(15)}, Started: true},
		}}}}}
	dst := &plainSink{}
	var from uint64
	r := start(t, Options{Pipeline: simple(1, src, dst), Checkpoints: st,
		Observer: Observer{Started: func(epoch uint64) { from = epoch }}})
	until(t, "split 000 is done", func() bool { return slices.Equal(src.doneSplits(), []string{"000"}) })
	until(t, "the rest is written", func() bool { return slices.Equal(dst.sorted(), []int64{15, 16, 17, 18, 19}) })
	r.Savepoint()
	r.ends(SavepointDone)
	if last := st.last(); last.Epoch != 9 || from != 8 || len(last.Sources[0].Splits) != 1 {
		t.Errorf("went on from %d with %+v", from, last)
	}
}

// remembering is a sink whose writers have state: the task indexes that it came from.
type remembering struct {
	plainSink
	mu       sync.Mutex
	restored map[int][]string
}

func (s *remembering) Writer(_ context.Context, t plugin.Task) (plugin.Writer, error) {
	return &rememberingWriter{plainWriter{&s.plainSink}, s, t.Index}, nil
}

type rememberingWriter struct {
	plainWriter
	s     *remembering
	index int
}

func (w *rememberingWriter) State() ([]byte, error) { return []byte{'0' + byte(w.index)}, nil }

func (w *rememberingWriter) Restore(states [][]byte) error {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	for _, s := range states {
		w.s.restored[w.index] = append(w.s.restored[w.index], string(s))
	}
	return nil
}

func TestWriterStatesAreSpreadOverNewParallelism(t *testing.T) {
	tests := []struct {
		was, is int
		want    map[int][]string
	}{
		{5, 2, map[int][]string{0: {"0", "2", "4"}, 1: {"1", "3"}}},
		{2, 2, map[int][]string{0: {"0"}, 1: {"1"}}},
		{1, 3, map[int][]string{0: {"0"}}},
	}
	for _, tt := range tests {
		st := &store{}
		dst := &remembering{restored: map[int][]string{}}
		r := start(t, Options{Pipeline: simple(tt.was, endless(1, 1), dst), Checkpoints: st})
		r.Savepoint()
		r.ends(SavepointDone)
		r = start(t, Options{Pipeline: simple(tt.is, endless(1, 1), dst), Checkpoints: st})
		r.Savepoint()
		r.ends(SavepointDone)
		if diff := cmp.Diff(tt.want, dst.restored); diff != "" {
			t.Errorf("%d to %d lanes: %s", tt.was, tt.is, diff)
		}
	}
}

func TestPush(t *testing.T) {
	src := &counter{table: numbers("t"), splits: 1, rows: 100, batch: 1, endless: true}
	dst := &plainSink{}
	o := Options{Pipeline: simple(1, src, dst), Checkpoints: &store{}, FlushInterval: 20 * time.Millisecond}
	r := start(t, o)
	until(t, "all rows are pushed", func() bool {
		dst.mu.Lock()
		defer dst.mu.Unlock()
		return len(dst.rows) == 100 && dst.held == 0
	})
	dst.mu.Lock()
	pushes, flushes := dst.pushes, dst.flushes
	dst.mu.Unlock()
	if pushes == 0 || pushes > 50 || flushes != 0 {
		t.Errorf("%d pushes and %d flushes of 100 rows", pushes, flushes)
	}
	r.Cancel()
	r.ends(Canceled)
}

// slowly is a sink whose writers are to be pushed once an hour.
type slowly struct{ *plainSink }

func (s slowly) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	w, err := s.plainSink.Writer(ctx, t)
	return hourly{w.(*plainWriter)}, err
}

type hourly struct{ *plainWriter }

func (hourly) PushInterval() time.Duration { return time.Hour }

// TestPaced pushes the first rows at once, and the others not before their time.
func TestPaced(t *testing.T) {
	src := &counter{table: numbers("t"), splits: 1, rows: 100, batch: 1, endless: true}
	dst := &plainSink{}
	r := start(t, Options{Pipeline: simple(1, src, slowly{dst}), Checkpoints: &store{}, FlushInterval: time.Nanosecond})
	until(t, "all rows are written", func() bool {
		dst.mu.Lock()
		defer dst.mu.Unlock()
		return len(dst.rows) == 100
	})
	dst.mu.Lock()
	pushes := dst.pushes
	dst.mu.Unlock()
	if pushes != 1 {
		t.Errorf("%d pushes, want 1", pushes)
	}
	r.Cancel()
	r.ends(Canceled)
}
