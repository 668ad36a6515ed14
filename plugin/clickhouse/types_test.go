package clickhouse_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

type typeCase struct {
	typ    string
	want   string // our type
	values string // in SQL
	read   []any
}

// typeCases are types with values in SQL and what they become.
var typeCases = []typeCase{
	{"Int8", "TINYINT", "-128, 127", []any{int8(-128), int8(127)}},
	{"Int16", "SMALLINT", "-32768, 32767", []any{int16(-32768), int16(32767)}},
	{"Int32", "INT", "-2147483648, 2147483647", []any{int32(-2147483648), int32(2147483647)}},
	{"Int64", "BIGINT", "-9223372036854775808, 9223372036854775807",
		[]any{int64(-9223372036854775808), int64(9223372036854775807)}},
	{"UInt8", "SMALLINT", "0, 255", []any{int16(0), int16(255)}},
	{"UInt16", "INT", "0, 65535", []any{int32(0), int32(65535)}},
	{"UInt32", "BIGINT", "0, 4294967295", []any{int64(0), int64(4294967295)}},
	{"UInt64", "Decimal(20, 0)", "0, 18446744073709551615", []any{"0", "18446744073709551615"}},
	{"Float32", "FLOAT", "1.5, -inf", []any{"1.5", "-Inf"}},
	{"Float64", "DOUBLE", "nan, 1e300", []any{"NaN", "1e+300"}},
	{"Decimal(9, 4)", "Decimal(9, 4)", "'99999.9999', '-0.0001'", []any{"99999.9999", "-0.0001"}},
	{"Decimal(18, 0)", "Decimal(18, 0)", "'999999999999999999', '-1'", []any{"999999999999999999", "-1"}},
	{"Decimal(38, 18)", "Decimal(38, 18)", "'99999999999999999999.999999999999999999', '-1'",
		[]any{"99999999999999999999.999999999999999999", "-1.000000000000000000"}},
	{"Date", "DATE", "'1970-01-02', '2100-12-31'",
		[]any{"1970-01-02 00:00:00 +0000 UTC", "2100-12-31 00:00:00 +0000 UTC"}},
	{"DateTime", "TIMESTAMP", "'1970-01-01 00:00:01', '2100-02-07 06:28:15'",
		[]any{"1970-01-01 00:00:01 +0000 UTC", "2100-02-07 06:28:15 +0000 UTC"}},
	{"DateTime('Europe/Berlin')", "TIMESTAMP", "'2024-01-01 12:00:00', '2024-07-01 12:00:00'",
		[]any{"2024-01-01 12:00:00 +0000 UTC", "2024-07-01 12:00:00 +0000 UTC"}},
	{"String", "STRING", "'', 'a\\0b 日本 😀'", []any{"", "a\x00b 日本 😀"}},
	{"FixedString(5)", "STRING", "'abc', 'abcde'", []any{"abc", "abcde"}},
	{"Enum8('a, b' = -128, 'it\\'s' = 127)", "STRING", "'a, b', 'it\\'s'", []any{"a, b", "it's"}},
	{"Enum16('x' = -32768, 'y' = 300)", "STRING", "'x', 'y'", []any{"x", "y"}},
	{"UUID", "STRING", "'61f0c404-5cb3-11e7-907b-a6006ad3dba0', '00000000-0000-0000-0000-000000000000'",
		[]any{"61f0c404-5cb3-11e7-907b-a6006ad3dba0", "00000000-0000-0000-0000-000000000000"}},
	{"Nullable(Int32)", "INT", "NULL, 5", []any{"<nil>", int32(5)}},
	{"Nullable(String)", "STRING", "NULL, ''", []any{"<nil>", ""}},
	{"Nullable(Decimal(9, 4))", "Decimal(9, 4)", "NULL, '1'", []any{"<nil>", "1.0000"}},
	{"Nullable(FixedString(2))", "STRING", "NULL, 'a'", []any{"<nil>", "a"}},
	{"Nullable(DateTime)", "TIMESTAMP", "NULL, '2024-01-01 00:00:00'", []any{"<nil>", "2024-01-01 00:00:00 +0000 UTC"}},
	{"LowCardinality(String)", "STRING", "'x', ''", []any{"x", ""}},
	{"LowCardinality(Nullable(String))", "STRING", "NULL, 'x'", []any{"<nil>", "x"}},
	{"Array(Int32)", "ARRAY<INT>", "[], [1, 2]", []any{"[]", "[1 2]"}},
	{"Array(UInt32)", "ARRAY<BIGINT>", "[], [4294967295]", []any{"[]", "[4294967295]"}},
	{"Array(Nullable(String))", "ARRAY<STRING>", "[NULL, 'a'], ['']", []any{"[<nil> a]", "[]"}},
	{"Array(LowCardinality(String))", "ARRAY<STRING>", "['a', 'b', 'a'], []", []any{"[a b a]", "[]"}},
	{"Array(Array(Int8))", "ARRAY<ARRAY<TINYINT>>", "[[1], [], [2, 3]], []", []any{"[[1] [] [2 3]]", "[]"}},
	{"Tuple(Int32, String)", "ROW<f1 INT,f2 STRING>", "(1, 'a'), (2, '')", []any{"[1 a]", "[2 ]"}},
}

// newTypes are those that old servers lack.
var newTypes = append(typeCases[:0:0], []typeCase{
	{"Bool", "BOOLEAN", "true, false", []any{true, false}},
	{"Date32", "DATE", "'1900-01-01', '2299-12-31'",
		[]any{"1900-01-01 00:00:00 +0000 UTC", "2299-12-31 00:00:00 +0000 UTC"}},
	{"DateTime64(3)", "TIMESTAMP", "'1900-01-01 00:00:00.001', '2299-12-31 23:59:59.999'",
		[]any{"1900-01-01 00:00:00.001 +0000 UTC", "2299-12-31 23:59:59.999 +0000 UTC"}},
	{"DateTime64(6, 'America/New_York')", "TIMESTAMP", "'2024-07-01 12:00:00.123456', '1960-01-01 00:00:00'",
		[]any{"2024-07-01 12:00:00.123456 +0000 UTC", "1960-01-01 00:00:00 +0000 UTC"}},
	{"DateTime64(9)", "TIMESTAMP", "'2262-01-01 00:00:00.123456789', '1970-01-01 00:00:00'",
		[]any{"2262-01-01 00:00:00.123456789 +0000 UTC", "1970-01-01 00:00:00 +0000 UTC"}},
	{"Map(String, Int32)", "Map<STRING, INT>", "{'a': 1, 'b': 2}, {}", []any{"[[a 1] [b 2]]", "[]"}},
	{"Map(LowCardinality(String), Array(Nullable(UInt8)))", "Map<STRING, ARRAY<SMALLINT>>", "{'a': [1, NULL]}, {}",
		[]any{"[[a [1 <nil>]]]", "[]"}},
	{"Decimal(76, 10)", "STRING", "'-1.5', '999999999999999999999999999999999999999999.0000000001'",
		[]any{"-1.5000000000", "999999999999999999999999999999999999999999.0000000001"}},
	{"Int128", "STRING", "'-170141183460469231731687303715884105728', 5",
		[]any{"-170141183460469231731687303715884105728", "5"}},
	{"UInt128", "STRING", "'340282366920938463463374607431768211455', 0",
		[]any{"340282366920938463463374607431768211455", "0"}},
	{"Int256", "STRING", "'-1', 7", []any{"-1", "7"}},
	{"UInt256", "STRING", "'115792089237316195423570985008687907853269984665640564039457584007913129639935', 0",
		[]any{"115792089237316195423570985008687907853269984665640564039457584007913129639935", "0"}},
	{"IPv4", "STRING", "'1.2.3.4', '255.255.255.255'", []any{"1.2.3.4", "255.255.255.255"}},
	{"IPv6", "STRING", "'2001:db8::1', '::'", []any{"2001:db8::1", "::"}},
	{"Tuple(a Int32, `b c` Nullable(String))", "ROW<a INT,b c STRING>", "(1, NULL), (2, 'x')",
		[]any{"[1 <nil>]", "[2 x]"}},
	{"Point", "ROW<f1 DOUBLE,f2 DOUBLE>", "(1.5, 2), (0, 0)", []any{"[1.5 2]", "[0 0]"}},
	{"Ring", "ARRAY<ROW<f1 DOUBLE,f2 DOUBLE>>", "[(0, 0), (1, 1)], []", []any{"[[0 0] [1 1]]", "[]"}},
	{"LowCardinality(Nullable(FixedString(2)))", "STRING", "NULL, 'ab'", []any{"<nil>", "ab"}},
	{"SimpleAggregateFunction(sum, UInt64)", "Decimal(20, 0)", "1, 2", []any{"1", "2"}},
}...)

// TestTypes reads every type, writes what was read into a table of the same type, and compares the tables.
func TestTypes(t *testing.T) {
	d := newDB(t)
	for i, c := range append(typeCases, newTypes...) {
		if i >= len(typeCases) && os.Getenv(newServer) == "" {
			continue // 18.16 lacks the type
		}
		t.Run(c.typ, func(t *testing.T) {
			src, dst := fmt.Sprintf("src%d", i), fmt.Sprintf("dst%d", i)
			for _, name := range []string{src, dst} {
				d.exec("CREATE TABLE @." + name + " (n Int64, v " + c.typ + ") ENGINE = MergeTree ORDER BY n")
			}
			for j, v := range splitValues(c.values) {
				d.exec(fmt.Sprintf("INSERT INTO @.%s VALUES (%d, %s)", src, j, v))
			}
			options := d.options("sql", "SELECT * FROM "+src+" ORDER BY n")
			out, err := readAll(t.Context(), lookup(t, plugin.SourceRole), options)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, row := range out.rows {
				got = append(got, fmt.Sprint(row[1]))
			}
			for _, v := range c.read {
				want = append(want, fmt.Sprint(v))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if typ := out.table.Columns[1].Type.String(); typ != c.want {
				t.Errorf("read as %s, want %s", typ, c.want)
			}
			w := newWriter(t, d.options("table", dst), out.table)
			if err := write(t, w, batchOf(t, out.table, out.rows...)); err != nil {
				t.Fatal(err)
			}
			dump := func(name string) string { return d.query("SELECT * FROM @." + name + " ORDER BY n") }
			if diff := cmp.Diff(dump(src), dump(dst)); diff != "" {
				t.Errorf("written (-source +target):\n%s", diff)
			}
		})
	}
}

// splitValues cuts at commas that are followed by a blank, outside of brackets and quotes.
func splitValues(s string) []string {
	var parts []string
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			quoted = !quoted
		case '[', '(', '{':
			depth++
		case ']', ')', '}':
			depth--
		case ',':
			if depth == 0 && !quoted {
				parts = append(parts, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(s[from:]))
}

// TestConversions writes values of one type into columns of another.
func TestConversions(t *testing.T) {
	d := newDB(t)
	cases := []struct {
		typ   plugin.Type
		value any
		into  string
		want  string // what the table shows
		err   string // or why it is refused
	}{
		{plugin.TypeOf(plugin.BigInt), int64(255), "UInt8", "255", ""},
		{plugin.TypeOf(plugin.BigInt), int64(256), "UInt8", "", "256 is out of range"},
		{plugin.TypeOf(plugin.BigInt), int64(-1), "UInt64", "", "-1 is out of range"},
		{plugin.TypeOf(plugin.Int), int32(-7), "Int64", "-7", ""},
		{plugin.TypeOf(plugin.Int), int32(7), "Float64", "7", ""},
		{plugin.TypeOf(plugin.Int), int32(7), "Decimal(9, 2)", "7.00", ""},
		{plugin.TypeOf(plugin.Int), int32(7), "String", "7", ""},
		{plugin.DecimalOf(20, 0), "18446744073709551615", "UInt64", "18446744073709551615", ""},
		{plugin.DecimalOf(20, 0), "18446744073709551616", "UInt64", "", "out of range"},
		{plugin.DecimalOf(20, 0), "-1", "UInt64", "", "out of range"},
		{plugin.DecimalOf(10, 4), "1.5000", "Decimal(9, 2)", "1.50", ""},
		{plugin.DecimalOf(10, 4), "1.5001", "Decimal(9, 2)", "", "behind the point"},
		{plugin.DecimalOf(20, 2), "12345678901.00", "Decimal(9, 2)", "", "out of range"},
		{plugin.TypeOf(plugin.Double), 1e300, "Float32", "", "out of range"},
		{plugin.TypeOf(plugin.String), "42", "Int32", "42", ""},
		{plugin.TypeOf(plugin.String), "x", "Int32", "", "cannot be a INT"},
		{plugin.TypeOf(plugin.String), "2024-02-29", "Date", "2024-02-29", ""},
		{plugin.TypeOf(plugin.String), "toolong", "FixedString(3)", "", "too long"},
		{plugin.TypeOf(plugin.String), "no", "Enum8('a' = 1)", "", "not a value of Enum8"},
		{plugin.TypeOf(plugin.String), "no", "UUID", "", "not a UUID"},
		{plugin.TypeOf(plugin.Boolean), true, "UInt8", "1", ""},
		{plugin.TypeOf(plugin.Date), "1969-12-31", "Date", "", "1969-12-31 is out of range"},
		{plugin.TypeOf(plugin.Date), "2024-02-29", "DateTime", "2024-02-29 00:00:00", ""},
		{plugin.TypeOf(plugin.Timestamp), "2024-01-01 00:00:00.5", "DateTime", "", "fraction of a second"},
		{plugin.TypeOf(plugin.Timestamp), "1960-01-01 00:00:00", "DateTime", "", "out of range"},
		{plugin.TypeOf(plugin.Timestamp), "2024-03-31 02:30:00", "DateTime('Europe/Berlin')", "", "the clock skips"},
		{plugin.TypeOf(plugin.Time), "12:30:15", "String", "12:30:15", ""},
		{plugin.TypeOf(plugin.Timestamp), "2024-01-01 00:00:00", "String", "2024-01-01 00:00:00.000000", ""},
		{plugin.TypeOf(plugin.Timestamp), "2024-01-01 00:00:00.12", "Nullable(String)", "2024-01-01 00:00:00.120000", ""},
		{plugin.TypeOf(plugin.String), nil, "String", "", "is null"},
		{plugin.TypeOf(plugin.String), nil, "Nullable(String)", `\N`, ""},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), []any{1, 300}, "Array(UInt8)", "", "element 2: 300 is out of range"},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), []any{1, nil}, "Array(Int32)", "", "element 2: the value is null"},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), []any{1, nil}, "String", "[1,null]", ""},
		{plugin.MapOf(plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int)), [][2]any{{"a", 1}}, "String", `{"a":1}`, ""},
	}
	for i, c := range cases {
		t.Run(fmt.Sprint(c.typ, " into ", c.into), func(t *testing.T) {
			name := fmt.Sprintf("t%d", i)
			d.exec("CREATE TABLE @." + name + " (id Int64, v " + c.into + ") ENGINE = MergeTree ORDER BY id")
			table := tableOf(t, name, []int{0}, col("id", plugin.TypeOf(plugin.BigInt)), col("v", c.typ))
			var first any = column.Value(batchOf(t, table, []any{int64(1), c.value}).Rows.Column(1), c.typ, 0)
			err := write(t, newWriter(t, d.options(), table), batchOf(t, table, []any{int64(41), first}))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "id=41") ||
					!strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "column v") {
					t.Fatalf("got error %v, want one with %q, the key, the table and the column", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := d.query("SELECT v FROM @." + name); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestExtremes writes the outermost values of our types into tables that the sink makes, and reads them back.
func TestExtremes(t *testing.T) {
	nines := strings.Repeat("9", 20) + "." + strings.Repeat("9", 18)
	cases := []struct {
		typ    plugin.Type
		values []any
		recent bool // the old server's type holds less
	}{
		{plugin.TypeOf(plugin.String), []any{"", "a\x00b\x00", "😀 \u00a0 日本", strings.Repeat("é", 8<<20), nil}, false},
		{plugin.TypeOf(plugin.BigInt), []any{int64(math.MinInt64), int64(math.MaxInt64), nil}, false},
		{plugin.TypeOf(plugin.TinyInt), []any{int8(-128), int8(127)}, false},
		{plugin.DecimalOf(38, 18), []any{nines, "-" + nines, "0.000000000000000001"}, false},
		{plugin.DecimalOf(38, 0), []any{strings.Repeat("9", 38), "-1"}, false},
		{plugin.TypeOf(plugin.Double), []any{math.NaN(), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64,
			math.Copysign(0, -1)}, false},
		{plugin.TypeOf(plugin.Float), []any{float32(math.MaxFloat32), float32(math.Inf(1))}, false},
		{plugin.TypeOf(plugin.Boolean), []any{true, false, nil}, true}, // the old one shows numbers
		{plugin.TypeOf(plugin.Date), []any{"1970-01-01", "2106-02-07"}, false},
		{plugin.TypeOf(plugin.Date), []any{"1900-01-01", "2299-12-31"}, true},
		{plugin.Type{Kind: plugin.Timestamp}, []any{"1970-01-01 00:00:00", "2105-12-31 23:59:59"}, false},
		{plugin.TypeOf(plugin.Timestamp), []any{"1900-01-01 00:00:00.000001", "2299-12-31 23:59:59.999999"}, true},
		{plugin.Type{Kind: plugin.Timestamp, Scale: 9},
			[]any{"1900-01-01 00:00:00.000000001", "2262-01-01 00:00:00.123456789"}, true},
		{plugin.ArrayOf(plugin.TypeOf(plugin.String)), []any{[]any{}, []any{nil, "", "😀"}}, false},
		{plugin.MapOf(plugin.TypeOf(plugin.String), plugin.DecimalOf(9, 2)), []any{[][2]any{{"a", "1.50"}, {"", nil}}}, true},
	}
	d := newDB(t)
	for i, c := range cases {
		t.Run(c.typ.String(), func(t *testing.T) {
			if c.recent && os.Getenv(newServer) == "" {
				t.Skip("needs a server of today")
			}
			table := tableOf(t, fmt.Sprint("t", i), nil, col("n", plugin.TypeOf(plugin.Int)), col("v", c.typ))
			var rows [][]any
			for j, v := range c.values {
				rows = append(rows, []any{j, v})
			}
			b := batchOf(t, table, rows...)
			b.Retain()
			defer b.Release()
			if err := write(t, newWriter(t, d.options(), table), b); err != nil {
				t.Fatal(err)
			}
			out, err := readAll(t.Context(), lookup(t, plugin.SourceRole),
				d.options("sql", "SELECT v FROM "+table.ID.Name+" ORDER BY n"))
			if err != nil {
				t.Fatal(err)
			}
			for j, row := range out.rows {
				want, got := fmt.Sprint(column.Value(b.Rows.Column(1), c.typ, j)), fmt.Sprint(row[0])
				if got != want {
					t.Errorf("value %d is %.100s, want %.100s", j, got, want)
				}
			}
			if len(out.rows) != len(c.values) {
				t.Errorf("%d rows", len(out.rows))
			}
		})
	}
}
