package rows_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/plugintest"
	"github.com/culvertdata/culvert/plugin/rows"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type order struct {
	ID   int64 `culvert:",key"`
	Name *string
	Kind plugin.RowKind
}

type options struct {
	Count int    `opt:"count" default:"3000" help:"number of rows"`
	Fail  string `opt:"fail" default:"" help:"how to fail"`
}

func orders(n int) []order {
	list := make([]order, n)
	for i := range list {
		list[i] = order{ID: int64(i), Kind: plugin.RowKind(i % 4)}
		if i%3 > 0 {
			name := fmt.Sprintf("order %d", i)
			list[i].Name = &name
		}
	}
	return list
}

func wanted(table string, list []order) []plugintest.Row {
	var want []plugintest.Row
	for _, o := range list {
		want = append(want, plugintest.Row{Table: table, Kind: o.Kind, Values: []any{o.ID, o.Name}})
	}
	return want
}

// each yields a list from a place on.
func each[T any](list []T, from int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list[min(int(from), len(list)):] {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func ordersSource() plugin.Plugin {
	return rows.Source(plugin.Info{Name: "Orders"}, func(
		_ context.Context, o options, skip int64) iter.Seq2[order, error] {
		list := each(orders(o.Count), skip)
		return func(yield func(order, error) bool) {
			switch o.Fail {
			case "error":
				yield(order{}, errors.New("no connection"))
				return
			case "panic":
				panic("boom")
			}
			list(yield)
		}
	})
}

func TestSource(t *testing.T) {
	plugintest.Source(t, plugintest.SourceCase{
		Plugin: ordersSource(), Options: plugintest.Options("count", 3000), Want: wanted("Orders", orders(3000)),
	})
}

func TestCursor(t *testing.T) {
	p := rows.Cursor(plugin.Info{Name: "Orders"}, func(
		_ context.Context, o options, after *int64) iter.Seq2[order, error] {
		if after == nil {
			return each(orders(o.Count), 0)
		}
		return each(orders(o.Count), *after+1)
	}, func(o order) int64 { return o.ID })
	plugintest.Source(t, plugintest.SourceCase{
		Plugin: p, Options: plugintest.Options("count", 300), Want: wanted("Orders", orders(300)),
	})
}

// TestUnbounded follows an iterator that waits for more until its context ends.
func TestUnbounded(t *testing.T) {
	p := rows.Source(plugin.Info{Name: "Orders"}, func(
		ctx context.Context, o options, skip int64) iter.Seq2[order, error] {
		return func(yield func(order, error) bool) {
			for v, err := range each(orders(o.Count), skip) {
				if !yield(v, err) {
					return
				}
			}
			<-ctx.Done()
		}
	})
	plugintest.Source(t, plugintest.SourceCase{
		Plugin: p, Options: plugintest.Options("count", 30), Mode: plugin.Unbounded, Rows: 30,
		Want: wanted("Orders", orders(30)),
	})
}

// frame makes a record batch of two columns.
func frame(alloc memory.Allocator, from, to int) arrow.RecordBatch {
	b := array.NewRecordBuilder(alloc, arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil))
	defer b.Release()
	for i := from; i < to; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append("x")
	}
	return b.NewRecordBatch()
}

func frameRows(table string, n int) []plugintest.Row {
	var want []plugintest.Row
	for i := range n {
		want = append(want, plugintest.Row{Table: table, Values: []any{i, "x"}})
	}
	return want
}

func frameTable(name string) (*plugin.Table, error) {
	r := frame(memory.DefaultAllocator, 0, 0)
	defer r.Release()
	return rows.TableOf(plugin.TableID{Name: name}, r.Schema())
}

func TestFrames(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	p := rows.Frames(plugin.Info{Name: "Frames"},
		func(context.Context, options) (*plugin.Table, error) { return frameTable("Frames") },
		func(_ context.Context, o options, skip int64) iter.Seq2[arrow.RecordBatch, error] {
			return func(yield func(arrow.RecordBatch, error) bool) {
				for at := int(skip); at < o.Count; at += 10 {
					r := frame(alloc, at, min(at+10, o.Count))
					more := yield(r, nil)
					r.Release()
					if !more {
						return
					}
				}
			}
		})
	plugintest.Source(t, plugintest.SourceCase{Plugin: p, Options: plugintest.Options("count", 105),
		Want: frameRows("Frames", 105)})
}

func TestFramesOfAnotherTable(t *testing.T) {
	p := rows.Frames(plugin.Info{Name: "Frames"}, func(context.Context, options) (*plugin.Table, error) {
		return plugin.NewTable(plugin.Table{Columns: []plugin.Column{
			{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "name", Type: plugin.TypeOf(plugin.String)}}})
	}, func(context.Context, options, int64) iter.Seq2[arrow.RecordBatch, error] {
		r := frame(memory.DefaultAllocator, 0, 1)
		return each([]arrow.RecordBatch{r}, 0)
	})
	if err := readError(t, p); !strings.Contains(err, "column id must be int32, the record batch has int64") {
		t.Error(err)
	}
}

func TestValuesAsSources(t *testing.T) {
	list := orders(2000)
	t.Run("sequence", func(t *testing.T) {
		plugintest.Source(t, plugintest.SourceCase{Plugin: rows.FromSeq("seq", each(list, 0)), Options: plugintest.Options(),
			Want: wanted("seq", list)})
	})
	t.Run("channel", func(t *testing.T) {
		var c chan order
		stop := func() {}
		fill := func(context.Context) error {
			stop()
			ctx, cancel := context.WithCancel(t.Context())
			var done sync.WaitGroup
			stop = func() { cancel(); done.Wait() }
			out := c
			done.Go(func() {
				for _, o := range list {
					select {
					case out <- o:
					case <-ctx.Done():
						return
					}
				}
			})
			return nil
		}
		c = make(chan order)
		defer func() { stop() }()
		plugintest.Source(t, plugintest.SourceCase{Plugin: rows.FromChan("chan", c), Options: plugintest.Options(),
			Before: fill, Mode: plugin.Unbounded, Rows: len(list), Want: wanted("chan", list)})
	})
	t.Run("record reader", func(t *testing.T) {
		first, second := frame(memory.DefaultAllocator, 0, 10), frame(memory.DefaultAllocator, 10, 15)
		r, err := array.NewRecordReader(first.Schema(), []arrow.RecordBatch{first, second})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		got, err := readAll(t, rows.FromReader("reader", r))
		if err != nil || len(got) != 15 || got[14] != `[14 x]` {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("closed channel", func(t *testing.T) {
		c := make(chan order, 3)
		for _, o := range list[:3] {
			c <- o
		}
		close(c)
		got, err := readAll(t, rows.FromChan("chan", c))
		if err != nil || len(got) != 3 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// out is an Out that keeps rows as texts.
type out struct{ rows []string }

func (o *out) Batch(b plugin.Batch) error {
	defer b.Release()
	for i := range b.Len() {
		var row []any
		for j, c := range b.Table.Columns {
			row = append(row, column.Value(b.Rows.Column(j), c.Type, i))
		}
		o.rows = append(o.rows, fmt.Sprint(row))
	}
	return nil
}

func (o *out) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.New("not used") }
func (o *out) Change(plugin.SchemaChange) error                { return errors.New("not used") }
func (o *out) Full() bool                                      { return false }
func (o *out) Wake() <-chan struct{}                           { return nil }

func env(inputs ...*plugin.Table) plugin.Env {
	return plugin.Env{Alloc: column.NewPool(), Logger: hclog.NewNullLogger(), Parallelism: 1, Inputs: inputs}
}

func readAll(t *testing.T, p plugin.Plugin) ([]string, error) {
	t.Helper()
	ctx := t.Context()
	s, err := p.Source(ctx, plugintest.Options(), env())
	if err != nil {
		return nil, err
	}
	r, err := s.Reader(ctx, plugin.Task{Env: env()})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := r.Open(ctx, plugin.Split{ID: "all"}); err != nil {
		return nil, err
	}
	var o out
	for {
		if err := r.Read(ctx, &o); errors.Is(err, io.EOF) {
			return o.rows, nil
		} else if err != nil {
			return o.rows, err
		}
	}
}

func readError(t *testing.T, p plugin.Plugin) string {
	t.Helper()
	_, err := readAll(t, p)
	return fmt.Sprint(err)
}

func TestSourceErrors(t *testing.T) {
	fail := func(how string) plugin.Plugin {
		return rows.Source(plugin.Info{Name: "Orders"}, func(context.Context, options, int64) iter.Seq2[order, error] {
			return func(yield func(order, error) bool) {
				bad := "\xff"
				switch how {
				case "error":
					yield(order{}, errors.New("no connection"))
				case "panic":
					panic("boom")
				case "data":
					_ = yield(order{ID: 1}, nil) && yield(order{ID: 2, Name: &bad}, nil)
				}
			}
		})
	}
	for how, want := range map[string]string{
		"error": "no connection",
		"panic": "the iterator panicked: boom",
		"data":  `table Orders: row 1: column name: "\xff" cannot be a STRING: not valid UTF-8; declare the column as bytes`,
	} {
		if got := readError(t, fail(how)); !strings.Contains(got, want) {
			t.Errorf("%s; want %s", got, want)
		}
	}
	type bad struct{ C chan int }
	got := readError(t, rows.FromSeq("bad", each([]bad{}, 0)))
	if !strings.Contains(got, "source bad: rows_test.bad: field C") {
		t.Error(got)
	}
	s, err := fail("").Source(t.Context(), plugintest.Options(), env())
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Reader(t.Context(), plugin.Task{Env: env()})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Read(t.Context(), &out{}); err == nil {
		t.Error("read before open")
	}
	err = r.Open(t.Context(), plugin.Split{ID: "all", State: []byte("{")})
	if err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

type written struct {
	ID      int64
	CString *string
	CDouble *float64
	Kind    plugin.RowKind
}

// store keeps the last state of rows by key.
type store struct {
	mu   sync.Mutex
	rows map[int64]written
}

func (s *store) write(w written) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch w.Kind {
	case plugin.Delete, plugin.UpdateBefore:
		delete(s.rows, w.ID)
	default:
		s.rows[w.ID] = w
	}
	return nil
}

func (s *store) sinkCase(p plugin.Plugin) plugintest.SinkCase {
	return plugintest.SinkCase{Plugin: p, Options: plugintest.Options(), Upserts: true,
		Types: []plugin.Type{plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Double)},
		Before: func(context.Context) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.rows = make(map[int64]written)
			return nil
		},
		Read: func(context.Context, *plugin.Table) ([][]any, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			var list [][]any
			for _, w := range s.rows {
				list = append(list, []any{w.ID, w.CString, w.CDouble})
			}
			return list, nil
		}}
}

func TestSinks(t *testing.T) {
	var s store
	t.Run("Each", func(t *testing.T) {
		plugintest.Sink(t, s.sinkCase(rows.Each(plugin.Info{Name: "Store", Delivery: plugin.Idempotent},
			func(_ context.Context, _ options, w written) error { return s.write(w) })))
	})
	t.Run("ToFunc", func(t *testing.T) {
		c := s.sinkCase(rows.ToFunc("Store", s.write))
		plugintest.Sink(t, c)
	})
	t.Run("Sink", func(t *testing.T) {
		plugintest.Sink(t, s.sinkCase(rows.Sink(plugin.Info{Name: "Store", Delivery: plugin.Idempotent}, s.buffered)))
	})
	t.Run("ToChan", func(t *testing.T) {
		c := make(chan written)
		var done sync.WaitGroup
		done.Go(func() {
			for w := range c {
				_ = s.write(w)
			}
		})
		got := s.sinkCase(rows.ToChan("Store", c))
		got.Read = nil // the receiver may be a row behind
		plugintest.Sink(t, got)
		close(c)
		done.Wait()
	})
	t.Run("EachBatch", func(t *testing.T) {
		m, err := column.NewMapper[written]()
		if err != nil {
			t.Fatal(err)
		}
		plugintest.Sink(t, s.sinkCase(rows.EachBatch(plugin.Info{Name: "Store", Delivery: plugin.Idempotent},
			func(_ context.Context, _ options, b plugin.Batch) error {
				binding, err := m.Bind(b.Table)
				if err != nil {
					return err
				}
				list, err := binding.Read(nil, b)
				for _, w := range list {
					err = errors.Join(err, s.write(w))
				}
				return err
			})))
	})
}

// buffered opens a writer that keeps rows until it is flushed.
func (s *store) buffered(context.Context, options, plugin.Task) (rows.Writer[written], error) {
	var waiting []written
	return rows.Writer[written]{
		Write: func(_ context.Context, list []written) error {
			waiting = append(waiting, list...)
			return nil
		},
		Flush: func(context.Context) error {
			for _, w := range waiting {
				if err := s.write(w); err != nil {
					return err
				}
			}
			waiting = nil
			return nil
		},
		Close: func() error { return nil },
	}, nil
}

func TestToChanEndsWithItsContext(t *testing.T) {
	w, b := openWriter(t, rows.ToChan("full", make(chan written)), []any{1, "a", 1.5})
	defer b.Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Write(ctx, b); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// openWriter opens a sink's writer and builds a batch for it.
func openWriter(t *testing.T, p plugin.Plugin, list ...[]any) (plugin.Writer, plugin.Batch) {
	t.Helper()
	table, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "c_string", Type: plugin.TypeOf(plugin.String)},
		{Name: "c_double", Type: plugin.TypeOf(plugin.Double)}}})
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBuilder(table, memory.DefaultAllocator)
	for _, row := range list {
		if err := b.AppendRow(plugin.Insert, row...); err != nil {
			t.Fatal(err)
		}
	}
	s, err := p.Sink(t.Context(), plugintest.Options(), env(table))
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), plugin.Task{Env: env(table)})
	if err != nil {
		t.Fatal(err)
	}
	return w, b.Batch()
}

func TestRefusedRows(t *testing.T) {
	var got []int64
	p := rows.ToFunc("picky", func(w written) error {
		if w.ID == 3 {
			return &plugin.Error{Code: plugin.CodeData, Err: errors.New("not 3")}
		}
		if w.ID == 99 {
			return errors.New("disk full")
		}
		got = append(got, w.ID)
		return nil
	})
	w, b := openWriter(t, p, []any{1, "a", 1}, []any{nil, "a", 1}, []any{2, "a", 1}, []any{3, "a", 1}, []any{4, nil, nil})
	defer b.Release()
	err := w.Write(t.Context(), b)
	var refused *plugin.RowErrors
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	var places []int
	for _, r := range refused.Rows {
		places = append(places, r.Index)
	}
	slices.Sort(places)
	if diff := cmp.Diff([]int{1, 3}, places); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{1, 2, 4}, got); diff != "" {
		t.Error(diff)
	}
	w, fatal := openWriter(t, p, []any{99, nil, nil})
	defer fatal.Release()
	if err := w.Write(t.Context(), fatal); err == nil || err.Error() != "disk full" {
		t.Error(err)
	}
}

func TestSinkOfAnotherTable(t *testing.T) {
	table, err := frameTable("t")
	if err != nil {
		t.Fatal(err)
	}
	_, err = rows.ToFunc("f", func(written) error { return nil }).Sink(t.Context(), plugintest.Options(), env(table))
	if err == nil || !strings.Contains(err.Error(), "table t: column c_string is missing; the table has id, name") {
		t.Error(err)
	}
}
