package file

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

const allFields = `schema { fields { s = string, b = boolean, i8 = tinyint, i16 = smallint, i32 = int, i64 = bigint,
	f = float, d = double, dec = "decimal(38, 10)", x = bytes, day = date, clock = time, ts = timestamp, nothing = "null",
	list = "array<int>", map = "map<string, bigint>", row { a = int, b = string } } }`

// allTypes opens a source for its table only.
func allTypes(t testing.TB) *plugin.Table {
	t.Helper()
	s, err := openSource(t, fmt.Sprintf("path = %q, file_format_type = csv\n%s", t.TempDir(), allFields))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := s.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tables[0]
}

// randomRow makes a row of all types; texts come from the given characters and are not blank.
func randomRow(rnd *rand.Rand, letters []rune) []any {
	text := func() string {
		b := []rune{'x'}
		for range rnd.IntN(20) {
			b = append(b, letters[rnd.IntN(len(letters))])
		}
		return string(b)
	}
	day := time.Date(1900+rnd.IntN(200), time.Month(1+rnd.IntN(12)), 1+rnd.IntN(28), 0, 0, 0, 0, time.UTC)
	clock := time.Duration(rnd.Int64N(86_400_000_000)) * time.Microsecond
	return []any{
		text(), rnd.IntN(2) == 0, int8(rnd.Uint32()), int16(rnd.Uint32()), int32(rnd.Uint32()), int64(rnd.Uint64()),
		float32(rnd.NormFloat64()), rnd.NormFloat64() * math.Pow(10, float64(rnd.IntN(300))),
		column.Decimal{Num: decimal128.New(int64(rnd.Uint64())>>4, rnd.Uint64()), Scale: 10},
		[]byte(text()), day, clock, day.Add(clock), nil,
		[]any{int(rnd.Int32()), nil, 5}, [][2]any{{text(), rnd.Int64()}, {"k" + text(), nil}}, []any{int(rnd.Int32()),
			text()},
	}
}

func extremes() [][]any {
	return [][]any{
		make([]any, 17),
		{"x", true, int8(-128), int16(-32768), int32(math.MinInt32), int64(math.MinInt64), float32(math.MaxFloat32),
			math.SmallestNonzeroFloat64, "-9999999999999999999999999999.9999999999", []byte{0xff, 0xfe,
				'x'}, "0001-01-01", "00:00:00",
			"0001-01-01 00:00:00", nil, []any{0}, [][2]any{{"k", 0}}, []any{0, "v"}},
		{"y", false, int8(127), int16(32767), int32(math.MaxInt32), int64(math.MaxInt64),
			float32(math.SmallestNonzeroFloat32),
			-math.MaxFloat64, "9999999999999999999999999999.9999999999", []byte{'x', 0}, "9999-12-31", "23:59:59.999999",
			"9999-12-31 23:59:59.999999", nil, []any{-1, nil}, [][2]any{{"k", nil}}, []any{nil, "v"}},
	}
}

// TestRoundTrip writes rows of all types and reads them back, in each format and compression, cut into ranges.
func TestRoundTrip(t *testing.T) {
	table := allTypes(t)
	for _, tc := range []struct{ format, letters, sink, source string }{
		{"csv", "abc ,\"'é😀\\\t", "", ""},
		{"csv", "a,\"\n\r", "", "quoted.newlines = true"},
		{"csv", "ab,", "compress_codec = zstd, enable_header_write = true", "skip_header_row_number = 1"},
		{"text", "abc ,\"'é😀\\\t", "", ""},
		{"text", "ab", `field_delimiter = "||", encoding = gb18030`, `field_delimiter = "\\|\\|", encoding = gb18030`},
		{"json", "abc ,\"'é😀\\\t\n\r\u0002\u2028", "", ""},
		{"json", "é中", "compress_codec = lzo, encoding = utf-16", "encoding = utf-16"},
	} {
		t.Run(strings.TrimSpace(tc.format+" "+tc.sink), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(5, 6))
			build := column.NewBuilder(table, column.NewPool())
			rows := extremes()
			if strings.Contains(tc.sink, "encoding") {
				rows = rows[:1] // bytes that are no characters have no other encoding
			}
			for range 300 {
				rows = append(rows, randomRow(rnd, []rune(tc.letters)))
			}
			for i, row := range rows {
				if err := build.AppendRow(plugin.Insert, row...); err != nil {
					t.Fatalf("row %d: %v", i, err)
				}
			}
			b := build.Batch()
			defer b.Release()
			var want []string
			for i := range b.Len() {
				want = append(want, rowText(b, i))
			}
			dir, text := paths(t)
			s, err := openTestSink(t, text+"file_format_type = "+tc.format+"\n"+tc.sink, table)
			if err != nil {
				t.Fatal(err)
			}
			writeAll(t, s, b)
			got, err := read(t, fmt.Sprintf("path = \"%s/out\", file_format_type = %s, parse_partition_from_path = false, "+
				"split.size = 5000\n%s\n%s",
				dir, tc.format, allFields, tc.source))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBigValues(t *testing.T) {
	table, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: []plugin.Column{
		{Name: "s", Type: plugin.TypeOf(plugin.String)}, {Name: "x", Type: plugin.TypeOf(plugin.Bytes)}}})
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("0123456789,\x00 ß\"", 1<<20) // 16 MiB
	build := column.NewBuilder(table, column.NewPool())
	for _, row := range [][]any{{big, "small"}, {"small", big}, {"last", nil}} {
		if err := build.AppendRow(plugin.Insert, row...); err != nil {
			t.Fatal(err)
		}
	}
	b := build.Batch()
	defer b.Release()
	for _, format := range []string{"csv", "json", "text"} {
		dir, text := paths(t)
		s, err := openTestSink(t, text+"file_format_type = "+format, table)
		if err != nil {
			t.Fatal(err)
		}
		writeAll(t, s, b)
		got, err := read(t, fmt.Sprintf("path = \"%s/out\", file_format_type = %s, parse_partition_from_path = false\n"+
			"schema { fields { s = string, x = bytes } }", dir, format))
		if err != nil || len(got) != 3 {
			t.Fatalf("%s: %d rows, %v", format, len(got), err)
		}
		for i, row := range got {
			if row != rowText(b, i) {
				t.Errorf("%s: row %d differs", format, i)
			}
		}
	}
}
