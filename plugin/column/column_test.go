package column

import (
	"math"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

// typeCase is a type with values of it in four forms. A missing form is not tested.
type typeCase struct {
	name string
	typ  plugin.Type
	vals []valueCase
}

type valueCase struct {
	in   any    // what AppendValue gets
	out  any    // what Value returns; in if nil
	text string // delimited text, both ways
	json string // JSON, both ways
	java string // Java's toString
	size int64
}

func day(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

func dec(t *testing.T, s string, scale int) Decimal {
	t.Helper()
	n, err := parseDecimal([]byte(s), plugin.DecimalOf(38, scale))
	if err != nil {
		t.Fatal(err)
	}
	return Decimal{n, scale}
}

const wide = "12345678901234567890.123456789012345678"

func cases(t *testing.T) []typeCase {
	row := plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)},
		plugin.Field{Name: "b", Type: plugin.TypeOf(plugin.String)})
	mapOfArrays := plugin.MapOf(plugin.TypeOf(plugin.BigInt), plugin.ArrayOf(plugin.TypeOf(plugin.String)))
	long := "héllo wörld, 日本語 and 😀 again"
	return []typeCase{
		{"string", plugin.TypeOf(plugin.String), []valueCase{
			{"abc", nil, "abc", `"abc"`, "abc", 3},
			{"", nil, "", `""`, "", 0},
			{"😀", nil, "😀", `"😀"`, "😀", 2},
			{long, nil, long, `"` + long + `"`, long, 29},
			{"a\x00b", nil, "a\x00b", `"a\u0000b"`, "a\x00b", 3},
			{"q\"\\\n\t\r\b\f\x1f/", nil, "q\"\\\n\t\r\b\f\x1f/", `"q\"\\\n\t\r\b\f\u001F/"`, "q\"\\\n\t\r\b\f\x1f/", 10},
		}},
		{"boolean", plugin.TypeOf(plugin.Boolean), []valueCase{
			{true, nil, "true", "true", "true", 1},
			{false, nil, "false", "false", "false", 1},
		}},
		{"tinyint", plugin.TypeOf(plugin.TinyInt), []valueCase{
			{int8(math.MinInt8), nil, "-128", "-128", "-128", 1},
			{int8(math.MaxInt8), nil, "127", "127", "127", 1},
		}},
		{"smallint", plugin.TypeOf(plugin.SmallInt), []valueCase{
			{int16(math.MinInt16), nil, "-32768", "-32768", "-32768", 2},
			{int16(math.MaxInt16), nil, "32767", "32767", "32767", 2},
		}},
		{"int", plugin.TypeOf(plugin.Int), []valueCase{
			{int32(math.MinInt32), nil, "-2147483648", "-2147483648", "-2147483648", 4},
			{int32(math.MaxInt32), nil, "2147483647", "2147483647", "2147483647", 4},
		}},
		{"bigint", plugin.TypeOf(plugin.BigInt), []valueCase{
			{int64(math.MinInt64), nil, "-9223372036854775808", "-9223372036854775808", "-9223372036854775808", 8},
			{int64(math.MaxInt64), nil, "9223372036854775807", "9223372036854775807", "9223372036854775807", 8},
			{int64(0), nil, "0", "0", "0", 8},
		}},
		{"float", plugin.TypeOf(plugin.Float), []valueCase{
			{float32(0.1), nil, "0.1", "0.1", "0.1", 4},
			{float32(math.MaxFloat32), nil, "3.4028235E38", "3.4028235E38", "3.4028235E38", 4},
			{float32(math.SmallestNonzeroFloat32), nil, "1.4E-45", "1.4E-45", "1.4E-45", 4},
			{float32(1e10), nil, "1.0E10", "1.0E10", "1.0E10", 4},
		}},
		{"double", plugin.TypeOf(plugin.Double), []valueCase{
			{1.5, nil, "1.5", "1.5", "1.5", 8},
			{1e10, nil, "1.0E10", "1.0E10", "1.0E10", 8},
			{-1e7, nil, "-1.0E7", "-1.0E7", "-1.0E7", 8},
			{9999999.0, nil, "9999999.0", "9999999.0", "9999999.0", 8},
			{9999999.5, nil, "9999999.5", "9999999.5", "9999999.5", 8},
			{0.001, nil, "0.001", "0.001", "0.001", 8},
			{0.00099, nil, "9.9E-4", "9.9E-4", "9.9E-4", 8},
			{math.MaxFloat64, nil, "1.7976931348623157E308", "1.7976931348623157E308", "1.7976931348623157E308", 8},
			{math.SmallestNonzeroFloat64, nil, "4.9E-324", "4.9E-324", "4.9E-324", 8},
			{1e23, nil, "1.0E23", "1.0E23", "1.0E23", 8},
			{0.0, nil, "0.0", "0.0", "0.0", 8},
			{math.Copysign(0, -1), nil, "-0.0", "-0.0", "-0.0", 8},
			{math.NaN(), nil, "NaN", `"NaN"`, "NaN", 8},
			{math.Inf(1), nil, "Infinity", `"Infinity"`, "Infinity", 8},
			{math.Inf(-1), nil, "-Infinity", `"-Infinity"`, "-Infinity", 8},
		}},
		{"decimal(10,2)", plugin.DecimalOf(10, 2), []valueCase{
			{"1.50", dec(t, "1.50", 2), "1.50", "1.50", "1.50", 36},
			{"-99999999.99", dec(t, "-99999999.99", 2), "-99999999.99", "-99999999.99", "-99999999.99", 36},
			{0, dec(t, "0", 2), "0.00", "0.00", "0.00", 36},
		}},
		{"decimal(38,18)", plugin.DecimalOf(38, 18), []valueCase{
			{"-" + wide, dec(t, "-"+wide, 18), "-" + wide, "-" + wide, "-" + wide, 36},
			{"99999999999999999999.999999999999999999", dec(t, "99999999999999999999.999999999999999999", 18),
				"99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999",
				"99999999999999999999.999999999999999999", 36},
			{"1e-18", dec(t, "0.000000000000000001", 18), "0.000000000000000001", "0.000000000000000001", "1E-18", 36},
			{"0", dec(t, "0", 18), "0.000000000000000000", "0.000000000000000000", "0E-18", 36},
			{"0.0000123", dec(t, "0.0000123", 18), "0.000012300000000000", "0.000012300000000000", "0.000012300000000000", 36},
		}},
		{"decimal(38,0)", plugin.DecimalOf(38, 0), []valueCase{
			{"-99999999999999999999999999999999999999", dec(t, "-99999999999999999999999999999999999999", 0),
				"-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999",
				"-99999999999999999999999999999999999999", 36},
			{uint64(math.MaxUint64), dec(t, "18446744073709551615", 0), "18446744073709551615", "18446744073709551615",
				"18446744073709551615", 36},
			{"1000000000000000000000", dec(t, "1e21", 0), "1000000000000000000000", "1000000000000000000000",
				"1000000000000000000000", 36},
		}},
		{"bytes", plugin.TypeOf(plugin.Bytes), []valueCase{
			{[]byte{1, 0xff, 0}, nil, "\x01\xff\x00", `"Af8A"`, "[1, -1, 0]", 3},
			{[]byte{}, nil, "", `""`, "[]", 0},
		}},
		{"date", plugin.TypeOf(plugin.Date), []valueCase{
			{day(1, 1, 1), nil, "0001-01-01", `"0001-01-01"`, "0001-01-01", 24},
			{day(9999, 12, 31), nil, "9999-12-31", `"9999-12-31"`, "9999-12-31", 24},
			{day(1970, 1, 1), nil, "1970-01-01", `"1970-01-01"`, "1970-01-01", 24},
			{"2024/02/29", day(2024, 2, 29), "2024-02-29", `"2024-02-29"`, "2024-02-29", 24},
		}},
		{"time", plugin.TypeOf(plugin.Time), []valueCase{
			{time.Duration(0), nil, "00:00:00", `"00:00:00"`, "00:00", 12},
			{24*time.Hour - time.Microsecond, nil, "23:59:59.999999", `"23:59:59.999999"`, "23:59:59.999999", 12},
			{"10:11:12.5", 36672*time.Second + 500*time.Millisecond, "10:11:12.5", `"10:11:12.5"`, "10:11:12.500", 12},
		}},
		{"timestamp", plugin.TypeOf(plugin.Timestamp), []valueCase{
			{day(1, 1, 1), nil, "0001-01-01 00:00:00", `"0001-01-01T00:00:00"`, "0001-01-01T00:00", 48},
			{day(9999, 12, 31).Add(24*time.Hour - time.Microsecond), nil, "9999-12-31 23:59:59.999999",
				`"9999-12-31T23:59:59.999999"`, "9999-12-31T23:59:59.999999", 48},
			{day(1969, 12, 31).Add(24*time.Hour - time.Microsecond), nil, "1969-12-31 23:59:59.999999",
				`"1969-12-31T23:59:59.999999"`, "1969-12-31T23:59:59.999999", 48},
			{day(2024, 1, 1).Add(10 * time.Hour), nil, "2024-01-01 10:00:00", `"2024-01-01T10:00:00"`, "2024-01-01T10:00", 48},
		}},
		{"timestamp(9)", plugin.Type{Kind: plugin.Timestamp, Scale: 9}, []valueCase{
			{day(1969, 12, 31).Add(24*time.Hour - 1), nil, "1969-12-31 23:59:59.999999999",
				`"1969-12-31T23:59:59.999999999"`, "1969-12-31T23:59:59.999999999", 48},
			{day(1700, 1, 1).Add(time.Second), nil, "1700-01-01 00:00:01", `"1700-01-01T00:00:01"`, "1700-01-01T00:00:01", 48},
		}},
		{"array", plugin.ArrayOf(plugin.TypeOf(plugin.Int)), []valueCase{
			{[]any{int32(1), nil, int32(-3)}, nil, "1\x02\x02-3", "[1,null,-3]", "[1, null, -3]", 8},
			{[]any{}, nil, "", "[]", "[]", 0},
			{[]int{7}, []any{int32(7)}, "7", "[7]", "[7]", 4},
		}},
		{"map", plugin.MapOf(plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int)), []valueCase{
			{[][2]any{{"k", int32(1)}, {"a", nil}}, nil, "k\x031\x02a\x03", `{"k":1,"a":null}`, `{"k":1,"a":null}`, 6},
			{map[string]int{"b": 2, "a": 1}, [][2]any{{"a", int32(1)}, {"b", int32(2)}}, "a\x031\x02b\x032", `{"a":1,"b":2}`,
				`{"a":1,"b":2}`, 10},
			{[][2]any{}, nil, "", "{}", "{}", 0},
		}},
		{"map of arrays", mapOfArrays, []valueCase{
			{[][2]any{{int64(5), []any{"x", "y"}}}, nil, "5\x03x\x03y", `{"5":["x","y"]}`, `{"5":["x","y"]}`, 10},
		}},
		{"row", row, []valueCase{
			{[]any{int32(1), "x"}, nil, "1\x02x", `{"a":1,"b":"x"}`, "[1, x]", 5},
			{[]any{int32(1), nil}, nil, "1\x02", `{"a":1,"b":null}`, "[1, null]", 4},
			{map[string]any{"b": "y"}, []any{nil, "y"}, "\x02y", `{"a":null,"b":"y"}`, "[null, y]", 1},
		}},
		{"array of rows", plugin.ArrayOf(row), []valueCase{
			{[]any{[]any{int32(1), "x"}, nil, []any{int32(2), "y"}}, nil, "1\x03x\x02\x022\x03y",
				`[{"a":1,"b":"x"},null,{"a":2,"b":"y"}]`, "[[1, x], null, [2, y]]", 10},
		}},
		{"null", plugin.TypeOf(plugin.Null), nil},
	}
}

// table returns a table of one column.
func table(t testing.TB, typ plugin.Type) *plugin.Table {
	t.Helper()
	tbl, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{{Name: "c", Type: typ}}})
	if err != nil {
		t.Fatal(err)
	}
	return tbl
}

// checked returns an allocator whose balance is checked at the end of the test.
func checked(t testing.TB) *memory.CheckedAllocator {
	t.Helper()
	alloc := memory.NewCheckedAllocator(NewPool())
	t.Cleanup(func() { alloc.AssertSize(t, 0) })
	return alloc
}

// oneColumn builds an array, releases it at the end of the test and hands it to the appender value by value.
func oneColumn(t testing.TB, typ plugin.Type, n int, append func(c Column, i int) error) arrow.Array {
	t.Helper()
	b := NewBuilder(table(t, typ), checked(t))
	for i := range n {
		if err := append(b.Column(0), i); err != nil {
			b.Release()
			t.Fatal(err)
		}
		b.EndRow(plugin.Insert)
	}
	batch := b.Batch()
	t.Cleanup(batch.Release)
	return batch.Rows.Column(0)
}

// sliced returns the same values as part of a longer array, with an offset that is no multiple of 8.
func sliced(t testing.TB, typ plugin.Type, n int, append func(c Column, i int) error) arrow.Array {
	t.Helper()
	const skip = 3
	b := NewBuilder(table(t, typ), checked(t))
	for i := range n + 2*skip {
		var err error
		switch {
		case i < skip && n > 0:
			err = append(b.Column(0), i%n)
		case i >= skip && i < n+skip:
			err = append(b.Column(0), i-skip)
		default:
			b.Column(0).AppendNull()
		}
		if err != nil {
			b.Release()
			t.Fatal(err)
		}
		b.EndRow(plugin.Insert)
	}
	batch := b.Batch()
	defer batch.Release()
	part := batch.Slice(skip, skip+n)
	t.Cleanup(part.Release)
	return part.Rows.Column(0)
}
