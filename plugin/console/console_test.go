package console

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func table(t testing.TB, id string, columns ...plugin.Column) *plugin.Table {
	t.Helper()
	path, err := plugin.ParseTableID(id, false)
	if err != nil {
		t.Fatal(err)
	}
	made, err := plugin.NewTable(plugin.Table{ID: path, Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func col(t testing.TB, name, typ string) plugin.Column {
	t.Helper()
	parsed, err := plugin.ParseType(typ)
	if err != nil {
		t.Fatal(err)
	}
	return plugin.Column{Name: name, Type: parsed}
}

type row struct {
	kind   plugin.RowKind
	values []any
}

func batch(t testing.TB, table *plugin.Table, rows ...row) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(table, memory.DefaultAllocator)
	for _, r := range rows {
		if err := b.AppendRow(r.kind, r.values...); err != nil {
			t.Fatal(err)
		}
	}
	return b.Batch()
}

func open(t testing.TB, set plugin.Set, options string, env plugin.Env) plugin.Sink {
	t.Helper()
	block := config.Value{Kind: config.Object}
	if options != "" {
		var err error
		if block, err = hocon.ParseValue([]byte("{" + options + "}")); err != nil {
			t.Fatal(err)
		}
	}
	registry := plugin.NewRegistry(set)
	if err := registry.Err(); err != nil {
		t.Fatal(err)
	}
	found, _ := registry.Lookup(plugin.SinkRole, "console")
	s, err := found.Sink(t.Context(), block, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// print writes batches with the writer of lane 3 and returns the lines.
func printed(t *testing.T, options string, inputs []*plugin.Table, batches ...plugin.Batch) []string {
	t.Helper()
	var out bytes.Buffer
	s := open(t, To(&out), options, plugin.Env{Inputs: inputs})
	w, err := s.Writer(t.Context(), plugin.Task{Index: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	if _, err := w.Flush(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Prepare(t.Context(), inputs), w.Close()); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestLines(t *testing.T) {
	orders := table(t, "db.orders", col(t, "id", "bigint"), col(t, "name", "string"), col(t, "d", "decimal(10,2)"),
		col(t, "m", "map<string,int>"), col(t, "r", "{a = int, b = string}"), col(t, "l", "array<int>"),
		col(t, "raw", "bytes"), col(t, "at", "timestamp"), col(t, "f", "double"))
	noon := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	got := printed(t, "", []*plugin.Table{orders}, batch(t, orders,
		row{plugin.Insert,
			[]any{1, "abc", "1.50", map[string]int{"k": 1}, []any{1, nil}, []int{1, 2}, []byte{1, 255}, noon, 1e10}},
		row{plugin.UpdateBefore, []any{2, nil, nil, nil, nil, nil, nil, nil, nil}},
		row{plugin.UpdateAfter,
			[]any{2, "", "0.00", map[string]int{}, []any{nil, "x"}, []int{}, []byte{}, noon.Add(time.Second), 0.5}},
	), batch(t, orders, row{plugin.Delete, []any{2, "x", nil, nil, nil, nil, nil, nil, nil}}))
	want := []string{
		"output rowType: id<BIGINT>, name<STRING>, d<Decimal(10, 2)>, m<Map<STRING, INT>>, r<ROW<a INT,b STRING>>, " +
			"l<ARRAY<INT>>, raw<BYTES>, at<TIMESTAMP>, f<DOUBLE>",
		`subtaskIndex=3  rowIndex=1:  SeaTunnelRow#tableId=db.orders SeaTunnelRow#kind=INSERT : ` +
			`1, abc, 1.50, {"k":1}, [1, null], [1, 2], [1, -1], 2024-01-01T12:00, 1.0E10`,
		`subtaskIndex=3  rowIndex=2:  SeaTunnelRow#tableId=db.orders SeaTunnelRow#kind=UPDATE_BEFORE : 2, , , , , , , , `,
		`subtaskIndex=3  rowIndex=3:  SeaTunnelRow#tableId=db.orders SeaTunnelRow#kind=UPDATE_AFTER : ` +
			`2, , 0.00, {}, [null, x], [], [], 2024-01-01T12:00:01, 0.5`,
		`subtaskIndex=3  rowIndex=4:  SeaTunnelRow#tableId=db.orders SeaTunnelRow#kind=DELETE : 2, x, , , , , , , `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTablesCountOnTheirOwn(t *testing.T) {
	a, b := table(t, "a", col(t, "x", "int")), table(t, "b", col(t, "y", "string"))
	got := printed(t, "", []*plugin.Table{a, b},
		batch(t, a, row{values: []any{1}}), batch(t, b, row{values: []any{"p"}}), batch(t, a, row{values: []any{2}}))
	want := []string{
		"output rowType: x<INT>", "output rowType: y<STRING>",
		"subtaskIndex=3  rowIndex=1:  SeaTunnelRow#tableId=a SeaTunnelRow#kind=INSERT : 1",
		"subtaskIndex=3  rowIndex=1:  SeaTunnelRow#tableId=b SeaTunnelRow#kind=INSERT : p",
		"subtaskIndex=3  rowIndex=2:  SeaTunnelRow#tableId=a SeaTunnelRow#kind=INSERT : 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPrintingOff(t *testing.T) {
	a := table(t, "a", col(t, "x", "int"))
	got := printed(t, "log.print.data = false", []*plugin.Table{a}, batch(t, a, row{values: []any{1}}))
	if len(got) != 1 {
		t.Errorf("printed %q", got)
	}
}

func TestDelay(t *testing.T) {
	a := table(t, "a", col(t, "x", "int"))
	begun := time.Now()
	printed(t, "log.print.delay.ms = 20", []*plugin.Table{a}, batch(t, a, row{values: []any{1}}, row{values: []any{2}}))
	if took := time.Since(begun); took < 40*time.Millisecond {
		t.Errorf("two rows took %v, want 40 ms or more", took)
	}
	s := open(t, To(&bytes.Buffer{}), "log.print.delay.ms = 3600000", plugin.Env{})
	w, err := s.Writer(t.Context(), plugin.Task{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := batch(t, a, row{values: []any{1}})
	defer b.Release()
	if err := w.Write(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled in the pause: error %v", err)
	}
}

func TestLog(t *testing.T) {
	a := table(t, "a", col(t, "x", "int"))
	b := batch(t, a, row{values: []any{1}})
	defer b.Release()
	for level, want := range map[hclog.Level]string{
		hclog.Info: "[INFO]  output rowType: x<INT>\n" +
			"[INFO]  subtaskIndex=0  rowIndex=1:  SeaTunnelRow#tableId=a SeaTunnelRow#kind=INSERT : 1\n",
		hclog.Warn: "",
	} {
		var out bytes.Buffer
		logger := hclog.New(&hclog.LoggerOptions{Output: &out, Level: level, DisableTime: true})
		w,
			err := open(t, Plugins, "", plugin.Env{Inputs: []*plugin.Table{a}, Logger: logger}).Writer(t.Context(),
			plugin.Task{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("level %v: log %q, want %q", level, out.String(), want)
		}
	}
}

func TestSchemaChange(t *testing.T) {
	var out bytes.Buffer
	s := open(t, To(&out), "", plugin.Env{})
	err := s.(plugin.SchemaApplier).ApplyChange(t.Context(), plugin.SchemaChange{
		Old: table(t, "a", col(t, "x", "int")), New: table(t, "a", col(t, "x", "int"), col(t, "y", "date"))})
	if err != nil {
		t.Fatal(err)
	}
	want := "changed rowType before: x<INT>\nchanged rowType after: x<INT>, y<DATE>\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

// broken fails every write.
type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteError(t *testing.T) {
	a := table(t, "a", col(t, "x", "int"))
	if _,
		err := open(t, To(broken{}), "", plugin.Env{Inputs: []*plugin.Table{a}}).Writer(t.Context(),
		plugin.Task{}); !errors.Is(err, errBroken) {
		t.Errorf("writer: error %v", err)
	}
	s := open(t, To(broken{}), "", plugin.Env{})
	w, err := s.Writer(t.Context(), plugin.Task{})
	if err != nil {
		t.Fatal(err)
	}
	b := batch(t, a, row{values: []any{1}})
	defer b.Release()
	if err := w.Write(t.Context(), b); !errors.Is(err, errBroken) {
		t.Errorf("write: error %v", err)
	}
	if err := s.(plugin.SchemaApplier).ApplyChange(t.Context(), plugin.SchemaChange{Old: a, New: a}); !errors.Is(err,
		errBroken) {
		t.Errorf("change: error %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	a := table(b, "a", col(b, "id", "bigint"), col(b, "name", "string"))
	rows := make([]row, 1000)
	for i := range rows {
		rows[i] = row{values: []any{i, "abcdefgh"}}
	}
	data := batch(b, a, rows...)
	w, err := open(b, To(discard{}), "", plugin.Env{}).Writer(b.Context(), plugin.Task{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
