package column

import (
	"database/sql"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

type color string

type inner struct {
	X int32
	Y *string `culvert:"why"`
}

type base struct {
	ID int64 `culvert:"order_id,key"`
}

type everything struct {
	base
	Base2
	B      bool
	I8     int8
	I16    int16
	I32    int32
	I      int
	U8     uint8
	U16    uint16
	U32    uint32
	U64    uint64
	F32    float32
	F64    float64
	S      string
	Color  color
	Raw    []byte
	UUID   [4]byte
	At     time.Time
	Nano   time.Time     `culvert:",timestamp(9)"`
	Day    time.Time     `culvert:",date"`
	Clock  time.Duration `culvert:"clock"`
	Price  Decimal       `culvert:",decimal(10, 2)"`
	Ptr    *int64
	Null   sql.NullString
	NullAt sql.Null[time.Time] `culvert:",date"`
	Row    inner
	RowPtr *inner
	List   []int32
	Rows   []inner
	Map    map[string]int64
	Kind   plugin.RowKind
	Skip   string `culvert:"-"`
	hidden int
}

type Base2 struct{ Shop string }

func fullRow(t *testing.T) everything {
	text, number := "y", int64(7)
	return everything{base: base{5}, Base2: Base2{"s"}, B: true, I8: -128, I16: -32768, I32: math.MinInt32, I: math.MaxInt,
		U8: 255, U16: 65535, U32: math.MaxUint32, U64: math.MaxUint64, F32: 0.1, F64: math.Inf(-1), S: "😀\x00", Color: "red",
		Raw: []byte{0, 255}, UUID: [4]byte{1, 2, 3, 4}, At: day(1, 1, 1).Add(time.Microsecond), Nano: day(1969, 12, 31).Add(1),
		Day: day(9999, 12, 31), Clock: time.Hour, Price: dec(t, "-99999999.99", 2), Ptr: &number,
		Null: sql.NullString{String: "n", Valid: true}, NullAt: sql.Null[time.Time]{V: day(2024, 2, 29), Valid: true},
		Row: inner{X: 1, Y: &text}, RowPtr: &inner{X: 2}, List: []int32{1, 2}, Rows: []inner{{X: 3, Y: &text}, {X: 4}},
		Map: map[string]int64{"b": 2, "a": 1}, Kind: plugin.UpdateAfter}
}

func emptyRow() everything {
	return everything{At: day(1970, 1, 1), Nano: day(1970, 1, 1), Day: day(1970, 1, 1), Price: Decimal{Scale: 2},
		UUID: [4]byte{}}
}

func TestMapperRoundTrip(t *testing.T) {
	m, err := NewMapper[everything]()
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := m.Table(plugin.TableID{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(tbl.KeyNames(), ","); got != "order_id" {
		t.Errorf("key %s", got)
	}
	b := NewBuilder(tbl, checked(t))
	want := []everything{fullRow(t), emptyRow(), fullRow(t)}
	if err := m.Append(b, want...); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	binding, err := m.Bind(tbl)
	if err != nil {
		t.Fatal(err)
	}
	got, err := binding.Read(nil, batch)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(everything{})); diff != "" {
		t.Error(diff)
	}
	part := batch.Slice(1, 3)
	defer part.Release()
	if got, err = binding.Read(got[:1], part); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(everything{})); diff != "" {
		t.Error(diff)
	}
}

func TestMapperColumns(t *testing.T) {
	m, err := NewMapper[everything]()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range m.Columns() {
		s := c.Name + " " + c.Type.String()
		if c.NotNull {
			s += " not null"
		}
		got = append(got, s)
	}
	want := []string{"order_id BIGINT not null", "shop STRING not null", "b BOOLEAN not null", "i8 TINYINT not null",
		"i16 SMALLINT not null", "i32 INT not null", "i BIGINT not null", "u8 SMALLINT not null", "u16 INT not null",
		"u32 BIGINT not null", "u64 Decimal(20, 0) not null", "f32 FLOAT not null", "f64 DOUBLE not null", "s STRING not null",
		"color STRING not null", "raw BYTES", "uuid BYTES not null", "at TIMESTAMP not null", "nano TIMESTAMP not null",
		"day DATE not null", "clock TIME not null", "price Decimal(10, 2) not null", "ptr BIGINT", "null STRING",
		"null_at DATE", "row ROW<x INT,why STRING> not null", "row_ptr ROW<x INT,why STRING>", "list ARRAY<INT>",
		"rows ARRAY<ROW<x INT,why STRING>>", "map Map<STRING, BIGINT>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func newMapperErr[T any]() error {
	_, err := NewMapper[T]()
	return err
}

type loop struct{ Next *loop }

func TestMapperRefusesTypes(t *testing.T) {
	for want, err := range map[string]error{
		"int is no struct":                             newMapperErr[int](),
		"has no exported fields":                       newMapperErr[struct{ a int }](),
		"field C: a chan int does not map to a column": newMapperErr[struct{ C chan int }](),
		"two columns named a": newMapperErr[struct {
			A int
			B int `culvert:"a"`
		}](),
		"contains itself":         newMapperErr[loop](),
		"has two ways to be null": newMapperErr[struct{ A **int }](),
		"is none of key, date": newMapperErr[struct {
			A int `culvert:",kye"`
		}](),
		"a int cannot be a DATE": newMapperErr[struct {
			A int `culvert:",date"`
		}](),
		`"x" is no number`: newMapperErr[struct {
			A Decimal `culvert:",decimal(x,2)"`
		}](),
		"map keys cannot be null": newMapperErr[struct{ A map[*int]int }](),
		"takes the row kind already": newMapperErr[struct {
			A    int
			K, L plugin.RowKind
		}](),
		"interface {} does not map":  newMapperErr[struct{ A any }](),
		"field A: field B: a func()": newMapperErr[struct{ A struct{ B func() } }](),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

type narrow struct {
	A int8
	B *string
}

// readAs reads one row of the given columns and values into a narrow.
func readAs(t *testing.T, cols []plugin.Column, kind plugin.RowKind, values ...any) (narrow, error) {
	t.Helper()
	tbl, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: cols})
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(tbl, checked(t))
	if err := b.AppendRow(kind, values...); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	m, err := NewMapper[narrow]()
	if err != nil {
		t.Fatal(err)
	}
	binding, err := m.Bind(tbl)
	if err != nil {
		return narrow{}, err
	}
	rows, err := binding.Read(nil, batch)
	if err != nil {
		return narrow{}, err
	}
	return rows[0], nil
}

func TestBindingConverts(t *testing.T) {
	cols := func(a, b plugin.Type) []plugin.Column {
		return []plugin.Column{{Name: "more", Type: plugin.TypeOf(plugin.Int)}, {Name: "b", Type: b}, {Name: "a", Type: a}}
	}
	long, text := plugin.TypeOf(plugin.BigInt), plugin.TypeOf(plugin.String)
	got, err := readAs(t, cols(long, plugin.DecimalOf(5, 2)), plugin.Insert, 1, "1.50", 127)
	if err != nil || got.A != 127 || *got.B != "1.50" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = readAs(t, cols(plugin.DecimalOf(5, 2), text), plugin.Insert, 1, nil, "-3.00")
	if err != nil || got.A != -3 || got.B != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for _, tc := range []struct {
		cols   []plugin.Column
		kind   plugin.RowKind
		values []any
		want   string
	}{
		{cols(long, text), plugin.Insert, []any{1, "x", 128}, "table t: row 0: column a: the BIGINT 128 does not fit into a Go int8"},
		{cols(plugin.DecimalOf(5, 2), text), plugin.Insert, []any{1, "x", "1.5"}, "does not fit into a Go int8"},
		{cols(text, text), plugin.Insert, []any{1, "x", "1"}, "the STRING 1 does not fit"},
		{cols(long, text), plugin.Insert, []any{1, "x", nil}, "null does not fit into a int8; use a pointer"},
		{cols(long, plugin.TypeOf(plugin.Bytes)), plugin.Insert, []any{1, []byte{0xff}, 1}, "the bytes are no text"},
		{cols(long, text), plugin.Delete, []any{1, "x", 1}, "the row is DELETE, and column.narrow has no field"},
		{cols(long, text)[1:2], plugin.Insert, []any{"x"}, "column a is missing; the table has b"},
	} {
		_, err := readAs(t, tc.cols, tc.kind, tc.values...)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s", err, tc.want)
		}
	}
}

func TestMapperAppendRefuses(t *testing.T) {
	m, err := NewMapper[struct {
		S string
		D time.Time `culvert:",date"`
	}]()
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := m.Table(plugin.TableID{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(tbl, checked(t))
	defer b.Release()
	type row = struct {
		S string
		D time.Time `culvert:",date"`
	}
	err = m.Append(b, row{"a", day(2024, 1, 1)}, row{"b", day(2024, 1, 1).Add(1)}, row{"c", day(2024, 1, 1)})
	if err == nil || !strings.Contains(err.Error(), "table t: row 1: column d: ") || b.Len() != 1 {
		t.Errorf("%v after %d rows", err, b.Len())
	}
	if err = m.Append(b, row{"\xff", day(2024, 1, 1)}); err == nil || !strings.Contains(err.Error(), "not valid UTF-8") {
		t.Error(err)
	}
	if err = m.Append(NewBuilder(threeColumns(t), checked(t)), row{}); err == nil || !strings.Contains(err.Error(), "does not have the columns") {
		t.Error(err)
	}
}

func TestSnake(t *testing.T) {
	for in, want := range map[string]string{"ID": "id", "OrderID": "order_id", "HTTPServer": "http_server", "A1B": "a1_b",
		"name": "name", "MaxInt64Value": "max_int64_value"} {
		if got := snake(in); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}

type benchRow struct {
	ID    int64
	Name  string
	Price float64
}

func BenchmarkMapper(b *testing.B) {
	m, err := NewMapper[benchRow]()
	if err != nil {
		b.Fatal(err)
	}
	tbl, err := m.Table(plugin.TableID{})
	if err != nil {
		b.Fatal(err)
	}
	builder := NewBuilder(tbl, NewPool())
	rows := make([]benchRow, 1000)
	for i := range rows {
		rows[i] = benchRow{int64(i), benchName, 1.5}
	}
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := m.Append(builder, rows...); err != nil {
				b.Fatal(err)
			}
			builder.Batch().Release()
		}
		reportRows(b, len(rows))
	})
	b.Run("Read", func(b *testing.B) {
		if err := m.Append(builder, rows...); err != nil {
			b.Fatal(err)
		}
		batch := builder.Batch()
		defer batch.Release()
		binding, err := m.Bind(tbl)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if rows, err = binding.Read(rows[:0], batch); err != nil {
				b.Fatal(err)
			}
		}
		reportRows(b, len(rows))
	})
}
