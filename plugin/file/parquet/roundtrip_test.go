package parquet_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

func scalar(k plugin.Kind) plugin.Type { return plugin.TypeOf(k) }

var nested = plugin.RowOf(
	plugin.Field{Name: "X", Type: scalar(plugin.Int)},
	plugin.Field{Name: "list", Type: plugin.ArrayOf(plugin.ArrayOf(scalar(plugin.String)))},
	plugin.Field{Name: "inner", Type: plugin.RowOf(plugin.Field{Name: "m",
		Type: plugin.MapOf(scalar(plugin.Int), scalar(plugin.Timestamp))})},
)

// everyType has a column of each type, with names in lower case.
func everyType(t testing.TB) *plugin.Table {
	return table(t,
		plugin.Column{Name: "nothing", Type: scalar(plugin.Null)},
		plugin.Column{Name: "string", Type: scalar(plugin.String)},
		plugin.Column{Name: "boolean", Type: scalar(plugin.Boolean)},
		plugin.Column{Name: "tinyint", Type: scalar(plugin.TinyInt)},
		plugin.Column{Name: "smallint", Type: scalar(plugin.SmallInt)},
		plugin.Column{Name: "int", Type: scalar(plugin.Int)},
		plugin.Column{Name: "bigint", Type: scalar(plugin.BigInt)},
		plugin.Column{Name: "float", Type: scalar(plugin.Float)},
		plugin.Column{Name: "double", Type: scalar(plugin.Double)},
		plugin.Column{Name: "decimal", Type: plugin.DecimalOf(38, 18)},
		plugin.Column{Name: "small", Type: plugin.DecimalOf(5, 2)},
		plugin.Column{Name: "bytes", Type: scalar(plugin.Bytes)},
		plugin.Column{Name: "date", Type: scalar(plugin.Date)},
		plugin.Column{Name: "time", Type: scalar(plugin.Time)},
		plugin.Column{Name: "timenanos", Type: plugin.Type{Kind: plugin.Time, Scale: 9}},
		plugin.Column{Name: "timestamp", Type: scalar(plugin.Timestamp)},
		plugin.Column{Name: "nanos", Type: plugin.Type{Kind: plugin.Timestamp, Scale: 9}},
		plugin.Column{Name: "array", Type: plugin.ArrayOf(scalar(plugin.Int))},
		plugin.Column{Name: "decimals", Type: plugin.ArrayOf(plugin.DecimalOf(38, 0))},
		plugin.Column{Name: "map", Type: plugin.MapOf(scalar(plugin.String), plugin.DecimalOf(10, 2))},
		plugin.Column{Name: "row", Type: nested},
	)
}

// any2 is one entry of a map, in order.
type any2 = [2]any

func everyRow() [][]any {
	nine := strings.Repeat("9", 20) + "." + strings.Repeat("9", 18)
	return [][]any{
		{nil, "", true, math.MinInt8, math.MinInt16, math.MinInt32, math.MinInt64, -math.MaxFloat32, -math.MaxFloat64,
			"-" + nine, "-999.99",
			[]byte{}, "0001-01-01", "00:00:00", "00:00:00.000000001", "0001-01-01 00:00:00", "1678-01-01 00:00:00.000000001",
			[]any{}, []any{}, []any2{}, []any{nil, nil, nil}},
		{nil, "a\x00b ä \U0001F600", false, math.MaxInt8, math.MaxInt16, math.MaxInt32, math.MaxInt64, math.MaxFloat32,
			math.MaxFloat64, nine, "999.99",
			[]byte{0, 255}, "9999-12-31", "23:59:59.999999", "23:59:59.999999999", "9999-12-31 23:59:59.999999",
			"2261-12-31 23:59:59.999999999",
			[]any{1, nil, -3}, []any{strings.Repeat("9", 38), "0"}, []any2{{"k", "1.50"}, {"", nil}},
			[]any{7, []any{[]any{"x", nil}, nil, []any{}}, []any{[]any2{{1, "2024-01-01 00:00:00.5"}, {2, nil}}}}},
		{nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
		{nil, "x", true, 0, 0, 0, 0, float32(math.Inf(1)), math.Inf(-1), "0", "0", []byte("b"), "1970-01-01",
			"12:00:00", "12:00:00",
			"1969-12-31 23:59:59.999999", "1970-01-01 00:00:00", []any{0}, []any{nil}, []any2{{"z", "-0.01"}},
			[]any{0, []any{}, []any{[]any2{}}}},
	}
}

// TestEveryTypeComesBack writes all types and reads them by what the file says they are, with each codec.
func TestEveryTypeComesBack(t *testing.T) {
	tab := everyType(t)
	codecs := append([]string{"", "none", "SNAPPY"}, parquet.Format().Info().Codecs...)
	for _, codec := range codecs {
		t.Run("codec "+codec, func(t *testing.T) {
			in := build(t, tab, everyRow()...)
			defer in.Release()
			data := write(t, format.WriteOptions{Table: tab, Codec: codec}, in, in)
			have := columns(t, data)
			for i, c := range have {
				if c.Name != tab.Columns[i].Name || !c.Type.Equal(tab.Columns[i].Type) {
					t.Errorf("column %s %s is read as %s %s", tab.Columns[i].Name, tab.Columns[i].Type, c.Name, c.Type)
				}
			}
			got, _ := read(t, data, table(t, have...), ranges(t, data, 0)[0], nil)
			want := append(texts(in), texts(in)...)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestSlices writes parts of batches, whose columns begin in the middle of their memory.
func TestSlices(t *testing.T) {
	tab := everyType(t)
	var rows [][]any
	for range 10 {
		rows = append(rows, everyRow()...)
	}
	in := build(t, tab, rows...)
	defer in.Release()
	var want []string
	var parts []plugin.Batch
	for _, cut := range [][2]int{{3, 20}, {1, 2}, {17, 33}, {39, 40}, {5, 5}} {
		part := in.Slice(cut[0], cut[1])
		defer part.Release()
		want = append(want, texts(part)...)
		parts = append(parts, part)
	}
	data := write(t, format.WriteOptions{Table: tab}, parts...)
	got, _ := read(t, data, table(t, columns(t, data)...), format.Range{End: -1}, nil)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestInt96(t *testing.T) {
	tab := table(t, plugin.Column{Name: "micros", Type: scalar(plugin.Timestamp)},
		plugin.Column{Name: "nanos", Type: plugin.Type{Kind: plugin.Timestamp, Scale: 9}})
	in := build(t, tab, []any{"2024-02-29 12:30:00.000001", "1969-12-31 23:59:59.999999999"},
		[]any{nil, "2024-01-01 00:00:00"})
	data := write(t, format.WriteOptions{Table: tab, TimestampAsInt96: true}, in)
	have := columns(t, data)
	for _, c := range have {
		if c.SourceType != "INT96" || c.Type.Kind != plugin.Timestamp {
			t.Errorf("column %s is %s as %s", c.Name, c.Type, c.SourceType)
		}
	}
	got, _ := read(t, data, table(t, have...), format.Range{End: -1}, nil)
	want := []string{`"2024-02-29T12:30:00.000001"|"1969-12-31T23:59:59.999999999"`, `null|"2024-01-01T00:00:00"`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestEmptyFile(t *testing.T) {
	tab := everyType(t)
	data := write(t, format.WriteOptions{Table: tab})
	if got := columns(t, data); len(got) != len(tab.Columns) {
		t.Errorf("%d columns", len(got))
	}
	if r := ranges(t, data, 1); len(r) != 0 {
		t.Errorf("ranges %v", r)
	}
	if rows, _ := read(t, data, tab, format.Range{End: -1}, nil); len(rows) != 0 {
		t.Errorf("rows %v", rows)
	}
}

func TestNamesAreLowerCase(t *testing.T) {
	tab := table(t, plugin.Column{Name: "User ID", Type: scalar(plugin.Int)}, plugin.Column{Name: "Row", Type: nested})
	data := write(t, format.WriteOptions{Table: tab}, build(t, tab, []any{1, nil}))
	have := columns(t, data)
	if have[0].Name != "user id" || have[1].Name != "row" {
		t.Errorf("names %s, %s", have[0].Name, have[1].Name)
	}
	if got := have[1].Type.Fields[0].Name; got != "X" {
		t.Errorf("the field X is called %s", got)
	}
}

func TestWriterErrors(t *testing.T) {
	tests := []struct {
		name    string
		columns []plugin.Column
		o       format.WriteOptions
		want    []string
	}{
		{"names that become the same", []plugin.Column{{Name: "id"}, {Name: "ID"}}, format.WriteOptions{},
			[]string{"id and ID are both called id", "rename"}},
		{"a codec of other formats", []plugin.Column{{Name: "id"}}, format.WriteOptions{Codec: "lzo"},
			[]string{`"lzo"`, "none, snappy"}},
		{"bytes as INT96", []plugin.Column{{Name: "id", Type: scalar(plugin.Bytes)}},
			format.WriteOptions{FixedAsInt96: []string{"id"}}, []string{"parquet_avro_write_fixed_as_int96"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.o.Table = table(t, test.columns...)
			_, err := parquet.Format().NewWriter(nil, test.o)
			for _, part := range test.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want %q", err, part)
				}
			}
		})
	}
}

// failing is a disk that is full after so many bytes.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, fmt.Errorf("no space left")
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	tab := everyType(t)
	for _, room := range []int{0, 3, 100, 2000} {
		err := func() error {
			w, err := parquet.Format().NewWriter(&failing{left: room}, format.WriteOptions{Table: tab})
			if err != nil {
				return err
			}
			if err := w.Write(build(t, tab, everyRow()...)); err != nil {
				return err
			}
			return w.Finish()
		}()
		if err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("room for %d bytes: error %v", room, err)
		}
	}
}
