package fake

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// noon is what the test clock shows.
var noon = time.Date(2024, 2, 29, 12, 30, 15, 123456789, time.UTC)

func testEnv() plugin.Env {
	return plugin.Env{
		Job: plugin.Job{ID: 7}, Vertex: "Source[0]-FakeSource", Parallelism: 1, Output: "fake",
		Logger: hclog.NewNullLogger(), Alloc: memory.DefaultAllocator, Now: func() time.Time { return noon },
	}
}

func parse(t testing.TB, text string) config.Value {
	t.Helper()
	v, err := hocon.ParseValue([]byte("{" + text + "}"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// openText opens a source with the options of the text.
func openText(t testing.TB, text string, env plugin.Env) (*source, error) {
	t.Helper()
	s, err := Plugins()[0].Source(t.Context(), parse(t, text), env)
	if err != nil {
		return nil, err
	}
	return s.(*source), nil
}

func mustOpen(t testing.TB, text string, env plugin.Env) *source {
	t.Helper()
	s, err := openText(t, text, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sink is a plugin.Out that keeps batches.
type sink struct {
	batches []plugin.Batch
	full    func() bool
	wake    chan struct{}
}

func (s *sink) Batch(b plugin.Batch) error                      { s.batches = append(s.batches, b); return nil }
func (s *sink) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.New("not expected") }
func (s *sink) Change(plugin.SchemaChange) error                { return errors.New("not expected") }
func (s *sink) Full() bool                                      { return s.full != nil && s.full() }
func (s *sink) Wake() <-chan struct{}                           { return s.wake }

// lines returns the rows as texts: table kind values.
func (s *sink) lines() []string {
	var all []string
	for _, b := range s.batches {
		for i := range b.Len() {
			line := fmt.Sprintf("%s %s", b.Table.ID, b.Kind(i))
			for c, col := range b.Table.Columns {
				line += " " + string(column.FormatJava(nil, b.Rows.Column(c), col.Type, i))
			}
			all = append(all, line)
		}
	}
	return all
}

func (s *sink) release() {
	for _, b := range s.batches {
		b.Release()
	}
	s.batches = nil
}

// splits returns all splits of a bounded source.
func splits(t testing.TB, s *source) []plugin.Split {
	t.Helper()
	sp, err := s.Splits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []plugin.Split
	for {
		some, err := sp.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
}

// readAll reads all splits with one reader.
func readAll(t testing.TB, s *source) *sink {
	t.Helper()
	r, err := s.Reader(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	out := &sink{}
	for _, split := range splits(t, s) {
		if err := r.Open(t.Context(), split); err != nil {
			t.Fatal(err)
		}
		if err := r.Read(t.Context(), out); err != io.EOF {
			t.Fatalf("split %s ended with %v", split.ID, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

const everyType = `schema { fields {
	c_null = "null", c_string = string, c_boolean = boolean, c_tinyint = tinyint, c_smallint = smallint, c_int = int
	c_bigint = bigint, c_float = float, c_double = double, c_decimal = "decimal(30, 8)", c_short = "decimal(5, 2)"
	c_bytes = bytes, c_date = date, c_time = time, c_timestamp = timestamp
	c_array = "array<int>", c_map = "map<string, array<int>>"
	c_row = { a = string, b = { c = date }, d = "map<int, string>" }
} }`

func TestEveryType(t *testing.T) {
	s := mustOpen(t, "row.num = 20000\n"+everyType, testEnv())
	out := readAll(t, s)
	defer out.release()
	seen := map[string]bool{}
	for _, b := range out.batches {
		if b.Kinds != nil {
			t.Error("kinds are set, though all rows are inserts")
		}
		for c, col := range b.Table.Columns {
			a := b.Rows.Column(c)
			if col.Type.Kind == plugin.Null {
				continue
			}
			if a.NullN() != 0 {
				t.Errorf("%s has %d nulls", col.Name, a.NullN())
			}
			if first, last := column.Value(a, col.Type, 0),
				column.Value(a, col.Type, b.Len()-1); fmt.Sprint(first) != fmt.Sprint(last) {
				seen[col.Name] = true
			}
		}
	}
	for _, col := range s.tables[0].Columns[1:] {
		if !seen[col.Name] {
			t.Errorf("%s never changes", col.Name)
		}
	}
	if n := len(out.lines()); n != 20000 {
		t.Errorf("%d rows, want 20000", n)
	}
}

func TestAllocatorGetsEverythingBack(t *testing.T) {
	env := testEnv()
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	env.Alloc = alloc
	defer alloc.AssertSize(t, 0)
	readAll(t, mustOpen(t, "row.num = 10000\nmap.size = 30\n"+everyType, env)).release()
	readAll(t, mustOpen(t, `map.size = 30, schema { columns = [
		{ name = b, type = "map<boolean, int>" }, { name = d, type = date, defaultValue = CURRENT_DATE }
		{ name = e, type = int, defaultValue = 5 }
	] }`, env)).release()
	readAll(t, mustOpen(t, `schema { fields { d = date } }, rows = [
		{ kind = INSERT, fields = [CURRENT_DATE] }, { kind = DELETE, fields = ["2024-01-01"] } ]`, env)).release()
}

// TestValues checks the values of one column against what its options allow.
func TestValues(t *testing.T) {
	within := func(low, high float64) func(string) bool {
		return func(v string) bool {
			var f float64
			_, err := fmt.Sscan(v, &f)
			return err == nil && f >= low && f < high
		}
	}
	oneOf := func(values ...string) func(string) bool {
		return func(v string) bool { return strings.Contains(" "+strings.Join(values, " ")+" ", " "+v+" ") }
	}
	letters := func(n int) func(string) bool {
		return func(v string) bool {
			return len(v) == n && strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
		}
	}
	fields := func(typ string) string { return "schema { fields { c = " + typ + " } }" }
	column := func(decl string) string { return "schema { columns = [ { name = c, " + decl + " } ] }" }
	tests := []struct {
		name, options string
		valid         func(string) bool
	}{
		{"string", fields("string"), letters(5)},
		{"string.length", "string.length = 13, " + fields("string"), letters(13)},
		{"string of length 0", "string.length = 0, " + fields("string"), letters(0)},
		{"long form without a length", column("type = string"), letters(0)},
		{"columnLength", column("type = string, columnLength = 9"), letters(9)},
		{"string.template", `string.template = [abc, de], ` + fields("string"), oneOf("abc", "de")},
		{"template beats mode", `string.fake.mode = range, string.template = [abc], ` + fields("string"), oneOf("abc")},
		{"template beats length", `string.template = [abc], ` + column("type = string, columnLength = 9"), oneOf("abc")},
		{"tinyint", "tinyint.min = 1, tinyint.max = 9, " + fields("tinyint"), within(1, 9)},
		{"tinyint of one value", "tinyint.min = 9, tinyint.max = 9, " + fields("tinyint"), oneOf("9")},
		{"tinyint.template", "tinyint.template = [-128, 127], " + fields("tinyint"), oneOf("-128", "127")},
		{"smallint", "smallint.min = 10, smallint.max = 19, " + fields("smallint"), within(10, 19)},
		{"smallint.template", "smallint.template = [-1], " + fields("smallint"), oneOf("-1")},
		{"int", "int.min = 20, int.max = 29, " + fields("int"), within(20, 29)},
		{"int of the whole range", fields("int"), within(0, 1<<31-1)},
		{"int.template", "int.template = [20, 21], " + fields("int"), oneOf("20", "21")},
		{"bigint", "bigint.min = 30, bigint.max = 39, " + fields("bigint"), within(30, 39)},
		{"bigint.template", "bigint.template = [-9223372036854775808], " + fields("bigint"), oneOf("-9223372036854775808")},
		{"float", "float.min = 40.0, float.max = 43.0, " + fields("float"), within(40, 43)},
		{"float of the whole range", fields("float"), within(0, 3.5e38)},
		{"float.template", "float.template = [40.5], " + fields("float"), oneOf("40.5")},
		{"double", "double.min = 44.0, double.max = 47.0, " + fields("double"), within(44, 47)},
		{"double of the whole range", fields("double"), within(0, 1.7976931348623157e308)},
		{"double.template", "double.template = [44.25], " + fields("double"), oneOf("44.25")},
		{"columnScale", "double.max = 1, " + column("type = double, columnScale = 1"),
			oneOf("0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0")},
		{"boolean", fields("boolean"), oneOf("true", "false")},
		{"decimal", fields(`"decimal(4, 2)"`), within(0, 100)},
		{"long decimal", fields(`"decimal(38, 0)"`), within(0, 1e38)},
		{"bytes.length", "bytes.length = 2, " + fields("bytes"), func(v string) bool { return strings.Count(v, ",") == 1 }},
		{"date", fields("date"), func(v string) bool { return v >= "2024-01-01" && v <= "2024-12-28" }},
		{"date templates",
			"date.year.template = [2023], date.month.template = [2], date.day.template = [28], " + fields("date"),
			oneOf("2023-02-28")},
		{"time", fields("time"), func(v string) bool { return v >= "00:00" && v <= "23:59:59" }},
		{"time templates",
			"time.hour.template = [1], time.minute.template = [2], time.second.template = [3], " + fields("time"),
			oneOf("01:02:03")},
		{"timestamp templates", "date.year.template = [2020], date.month.template = [2], date.day.template = [29], " +
			"time.hour.template = [1], time.minute.template = [2], time.second.template = [3], " + fields("timestamp"),
			oneOf("2020-02-29T01:02:03")},
		{"timestamp in nanoseconds", "date.year.template = [2020], date.month.template = [2], date.day.template = [29], " +
			"time.hour.template = [1], time.minute.template = [2], time.second.template = [3], " + fields(`"timestamp(9)"`),
			oneOf("2020-02-29T01:02:03")},
		{"array.size", "array.size = 2, " + fields(`"array<int>"`),
			func(v string) bool { return strings.Count(v, ",") == 1 }},
		{"map.size", "map.size = 3, " + fields(`"map<string, int>"`),
			func(v string) bool { return strings.Count(v, ":") == 3 }},
		{"equal keys", "map.size = 9, " + fields(`"map<boolean, null>"`),
			func(v string) bool {
				return slices.Contains([]string{`{"true":null}`, `{"false":null}`, `{"true":null,"false":null}`,
					`{"false":null,"true":null}`}, v)
			}},
		{"defaultValue", column("type = int, defaultValue = 42"), oneOf("42")},
		{"default of a string", column(`type = string, defaultValue = "a b"`), func(v string) bool { return v == "a b" }},
		{"default of an empty string", column(`type = string, defaultValue = ""`), func(v string) bool { return v == "" }},
		{"default of bytes", column(`type = bytes, defaultValue = AB`), func(v string) bool { return v == "[65, 66]" }},
		{"default of a timestamp", column(`type = timestamp, defaultValue = "2024-01-02 03:04:05"`),
			oneOf("2024-01-02T03:04:05")},
		{"default of elements", "array.size = 2, " + column(`type = "array<int>", defaultValue = 1`),
			func(v string) bool { return v == "[1, 1]" }},
		{"CURRENT_DATE", column("type = date, defaultValue = current_date"), oneOf("2024-02-29")},
		{"CURRENT_TIME", column("type = time, defaultValue = CURRENT_TIME"), oneOf("12:30:15.123456")},
		{"CURRENT_TIMESTAMP", column("type = timestamp, defaultValue = CURRENT_TIMESTAMP"),
			oneOf("2024-02-29T12:30:15.123456")},
		{"CURRENT_DATE as a string", column("type = string, defaultValue = CURRENT_DATE"), oneOf("CURRENT_DATE")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := readAll(t, mustOpen(t, "row.num = 1001, "+test.options, testEnv()))
			lines := out.lines()
			if len(lines) != 1001 {
				t.Fatalf("%d rows, want 1001", len(lines))
			}
			for _, line := range lines {
				if v := strings.TrimPrefix(line, "fake +I "); !test.valid(v) {
					t.Fatalf("value %q", v)
				}
			}
		})
	}
}

func TestDistribution(t *testing.T) {
	out := readAll(t, mustOpen(t, "row.num = 52000, string.length = 1, schema { fields { c = string } }", testEnv()))
	count := map[string]int{}
	for _, line := range out.lines() {
		count[line]++
	}
	if len(count) != 52 {
		t.Errorf("%d letters, want 52", len(count))
	}
	for line, n := range count {
		if n < 700 || n > 1300 {
			t.Errorf("%s comes %d times, want about 1000", line, n)
		}
	}
}

func TestRows(t *testing.T) {
	out := readAll(t, mustOpen(t, `
		schema { table = "db.t", fields {
			id = bigint, name = string, at = timestamp, raw = bytes, r = { a = int, b = string }
		} }
		rows = [
			{ kind = INSERT, fields = [1, A, "2024-01-02T03:04:05", "bWlJWmo=", [1, x]] }
			{ kind = update_before, fields = [1, A, null, null, { b = x, a = 2 }] }
			{ kind = UPDATE_AFTER, fields = { name = B, id = 1 } }
			{ kind = DELETE, fields = [1] }
			{ kind = INSERT, fields = [2, C, CURRENT_TIMESTAMP] }
		]`, testEnv()))
	want := []string{
		"db.t +I 1 A 2024-01-02T03:04:05 [109, 105, 73, 90, 106] [1, x]",
		"db.t -U 1 A   [2, x]",
		"db.t +U 1 B   ",
		"db.t -D 1    ",
		"db.t +I 2 C 2024-02-29T12:30:15.123456  ",
	}
	got := out.lines()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCount checks the number of rows and splits for all ways to cut.
func TestCount(t *testing.T) {
	const schema = ", schema { fields { c = int } }"
	const rows = schema + ", rows = [ { kind = INSERT, fields = [1] }, { kind = INSERT, fields = [2] } ]"
	tests := []struct {
		options      string
		parallelism  int
		splits, rows int
	}{
		{"row.num = 5" + schema, 1, 1, 5},
		{"row.num = 5" + schema, 3, 3, 15},
		{"row.num = 0" + schema, 3, 0, 0},
		{"row.num = 100, split.num = 5" + schema, 2, 10, 200},
		{"row.num = 10, split.num = 4" + schema, 1, 4, 10}, // 3, 3, 3, 1
		{"row.num = 10, split.num = 6" + schema, 1, 5, 10}, // 2 each
		{"row.num = 3, split.num = 10" + schema, 1, 3, 3},
		{"row.num = 20000, split.num = 3" + schema, 2, 6, 40000},
		{"row.num = 1500, split.num = 1500" + schema, 2, 3000, 3000}, // several calls of Next
		{"row.num = 1" + rows, 1, 1, 2},
		{"row.num = 4, split.num = 2" + rows, 3, 6, 12},
	}
	for _, test := range tests {
		t.Run(test.options, func(t *testing.T) {
			env := testEnv()
			env.Parallelism = test.parallelism
			s := mustOpen(t, test.options, env)
			all := splits(t, s)
			if len(all) != test.splits {
				t.Errorf("%d splits, want %d", len(all), test.splits)
			}
			ids, estimate := map[string]bool{}, int64(0)
			for _, split := range all {
				ids[split.ID] = true
				estimate += split.Rows
			}
			if len(ids) != len(all) {
				t.Error("split ids are not unique")
			}
			if n := len(readAll(t, s).lines()); n != test.rows || int(estimate) != test.rows {
				t.Errorf("%d rows, %d announced, want %d", n, estimate, test.rows)
			}
		})
	}
}

func TestTables(t *testing.T) {
	env := testEnv()
	s := mustOpen(t, `tables_configs = [
		{ row.num = 2, schema { table = "test.table1", fields { id = int } }, int.template = [1] }
		{ row.num = 1, schema { table = "a.b.table2", fields { name = string } }, string.template = [x] }
		{ row.num = 1, schema { fields { name = string } }, string.template = [y] }
	]`, env)
	want := []string{"test.table1 +I 1", "test.table1 +I 1", "a.b.table2 +I x", "fake +I y"}
	if got := readAll(t, s).lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
	tables, err := s.Tables(t.Context())
	if err != nil || len(tables) != 3 || tables[0].Catalog != "FakeSource" {
		t.Errorf("tables %v, error %v", tables, err)
	}
	env.Output = ""
	s = mustOpen(t, "schema { fields { a = int } }", env)
	if id := s.tables[0].ID.String(); id != "default.default.default" {
		t.Errorf("a table without any name is called %s", id)
	}
}

func TestBadOptions(t *testing.T) {
	const schema = "schema { fields { c = int } }, "
	tests := []struct{ options, want string }{
		{"row.num = 5", "schema: is required"},
		{schema + "int.min = 5, int.max = 4", "int.min: 5 is more than int.max, 4"},
		{schema + "tinyint.min = -1", "tinyint.min: -1 is too small, the least is 0"},
		{schema + "smallint.max = 40000", "smallint.max"},
		{schema + "float.min = 3, float.max = 2", "float.min: 3 is more than float.max, 2"},
		{schema + "string.fake.mode = TEMPLATE", "string.template required when string.fake.mode = TEMPLATE"},
		{schema + "int.fake.mode = TEMPLATE, int.template = []",
			"int.template: must not be empty when int.fake.mode = TEMPLATE"},
		{schema + "string.fake.mode = OTHER", `"OTHER" is not allowed`},
		{schema + "row.num = -1", "row.num: -1 is too small"},
		{schema + "split.num = 0", "split.num: 0 is too small"},
		{schema + "date.month.template = [13]", "date.month.template: 13 is out of range: 1 to 12"},
		{schema + "time.hour.template = [24]", "time.hour.template: 24 is out of range: 0 to 23"},
		{"schema { fields { d = date } }, date.day.template = [31]", "2024-02-31, which does not exist"},
		{"schema { fields { d = \"array<int>\", r = { t = timestamp } } }, date.day.template = [31]", "2024-02-31"},
		{schema + "binary.vector.dimension = 9", "must be a multiple of 8"},
		{schema + "rows = [ { fields = [1] } ]", "kind: is required"},
		{schema + "rows = [ { kind = UPSERT, fields = [1] } ]", `"UPSERT" is not allowed`},
		{schema + "rows = [ { kind = INSERT, fields = [1] }, { kind = INSERT, fields = [x] } ]", "rows[1]: column c"},
		{schema + "rows = [ { kind = INSERT, fields = 5 } ]", "fields must be a list or an object"},
		{"tables_configs = [ { row.num = 1 } ]", "tables_configs[0].schema: is required"},
		{"tables_configs = [ { schema { table = a, fields { c = int } } }, { schema { table = a, fields { c = int } } } ]",
			"table a: is declared twice"},
		{"schema { columns = [ { name = c, type = int, defaultValue = x } ] }", `column c: defaultValue "x"`},
		{"string.length = 134217728, array.size = 1000000, schema { fields { c = \"array<string>\" } }", "a row would have"},
	}
	for _, test := range tests {
		t.Run(test.options, func(t *testing.T) {
			_, err := openText(t, test.options, testEnv())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestMisfitsAreLogged(t *testing.T) {
	var log strings.Builder
	env := testEnv()
	env.Logger = hclog.New(&hclog.LoggerOptions{Output: &log})
	mustOpen(t, `schema { fields { name = string } }, rows = [
		{ kind = INSERT, fields = [a, b] }, { kind = INSERT, fields { nane = a } } ]`, env)
	for _, want := range []string{"rows[0] has 2 values for 1 columns", `which is no column; did you mean "name"?`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log %s lacks %q", log.String(), want)
		}
	}
}
