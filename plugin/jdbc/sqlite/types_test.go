package sqlite_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// everyType has a column of each type that SQLite can hold.
func everyType(t testing.TB) *plugin.Table {
	return jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "every"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)},
		{Name: "boolean", Type: plugin.TypeOf(plugin.Boolean)},
		{Name: "tinyint", Type: plugin.TypeOf(plugin.TinyInt)},
		{Name: "smallint", Type: plugin.TypeOf(plugin.SmallInt)},
		{Name: "int", Type: plugin.TypeOf(plugin.Int)},
		{Name: "bigint", Type: plugin.TypeOf(plugin.BigInt)},
		{Name: "float", Type: plugin.TypeOf(plugin.Float)},
		{Name: "double", Type: plugin.TypeOf(plugin.Double)},
		{Name: "decimal", Type: plugin.DecimalOf(38, 18)},
		{Name: "whole", Type: plugin.DecimalOf(38, 0)},
		{Name: "string", Type: plugin.TypeOf(plugin.String)},
		{Name: "bytes", Type: plugin.TypeOf(plugin.Bytes)},
		{Name: "date", Type: plugin.TypeOf(plugin.Date)},
		{Name: "time", Type: plugin.Type{Kind: plugin.Time, Scale: 9}},
		{Name: "timestamp", Type: plugin.TypeOf(plugin.Timestamp)},
		{Name: "nanos", Type: plugin.Type{Kind: plugin.Timestamp, Scale: 9}},
	}, Key: []int{0}})
}

var everyRow = [][]any{
	{1, true, math.MinInt8, math.MinInt16, math.MinInt32, math.MinInt64, -math.MaxFloat32, -math.MaxFloat64,
		"-99999999999999999999.999999999999999999", strings.Repeat("9", 38), "", []byte{}, "0001-01-01", "00:00:00",
		"0001-01-01 00:00:00", "1678-01-01 00:00:00.000000001"},
	{2, false, math.MaxInt8, math.MaxInt16, math.MaxInt32, math.MaxInt64, math.MaxFloat32, math.MaxFloat64,
		"99999999999999999999.999999999999999999", "-" + strings.Repeat("9", 38), "a\x00b 'ä' \U0001F600", []byte{0, 255, 0},
		"9999-12-31", "23:59:59.999999999", "9999-12-31 23:59:59.999999", "2261-12-31 23:59:59.999999999"},
	{3, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
	{4, true, 0, 0, 0, 0, float32(0.1), 0.1, "0.100000000000000000", "0", "NULL", []byte("text"), "1970-01-01",
		"12:00:00.5", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:00"},
	{5, true, 1, 1, 1, 1, math.Inf(1), math.Inf(-1), "1234567890123456.7", "12345678901234567890", "1.50", []byte{1},
		"2024-02-29", "01:02:03", "2024-02-29 00:00:00.1", "2024-02-29 00:00:00.000000001"},
}

// TestEveryTypeComesBack writes each type with its extremes into a table that the sink makes, and reads it by the type
// that the source finds there.
func TestEveryTypeComesBack(t *testing.T) {
	for _, exactly := range []bool{false, true} {
		t.Run(fmt.Sprintf("exactly once %v", exactly), func(t *testing.T) {
			tab := everyType(t)
			url, _ := newFile(t)
			var rows []jdbctest.Row
			for _, values := range everyRow {
				rows = append(rows, jdbctest.Row{Kind: plugin.Insert, Values: values})
			}
			in := jdbctest.Batch(t, tab, rows...)
			defer in.Release()
			jdbctest.Load(t, kit.SinkFor(t, tab, "url", url, "is_exactly_once", exactly), in)

			s := kit.OpenSource(t, plugintest.Options("url", url, "table_path", "every"))
			tables, err := s.Tables(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := tab.Columns
			for i, c := range tables[0].Columns {
				wanted := want[i].Type
				if wanted.Kind == plugin.TinyInt { // SeaTunnel reads TINYINT as SMALLINT
					wanted = plugin.TypeOf(plugin.SmallInt)
				}
				if !c.Type.Equal(wanted) {
					t.Errorf("column %s is read as %s, want %s", c.Name, c.Type, wanted)
				}
			}
			out := &jdbctest.Collector{}
			if err := jdbctest.ReadAll(t, s, jdbctest.SplitsOf(t, s), out); err != nil {
				t.Fatal(err)
			}
			expected := &jdbctest.Collector{}
			in.Retain()
			if err := expected.Batch(in); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(expected.Rows, out.Rows); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLargeValue(t *testing.T) {
	tab := jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "big"}, Columns: []plugin.Column{
		{Name: "s", Type: plugin.TypeOf(plugin.String)}, {Name: "b", Type: plugin.TypeOf(plugin.Bytes)}}})
	url, _ := newFile(t)
	text := strings.Repeat("0123456789abcdef", 1<<20)
	jdbctest.Load(t, kit.SinkFor(t, tab, "url", url), jdbctest.Batch(t, tab, jdbctest.Insert(text, []byte(text))))
	got := kit.Read(t, "url", url, "table_path", "big")
	if want := dbtest.Join([]any{text, []byte(text)}); len(got) != 1 || got[0] != want {
		t.Errorf("a value of %d bytes has changed", len(text))
	}
}

func TestDeclaredTypes(t *testing.T) {
	tests := []struct {
		declared, value string
		want            string
		rows            string
	}{
		{"BIT", "1", "BOOLEAN", "true"},
		{"boolean", "0", "BOOLEAN", "false"},
		{"TINYINT", "-1", "SMALLINT", "-1"},
		{"TINYINT UNSIGNED", "255", "SMALLINT", "255"},
		{"SMALLINT UNSIGNED", "3", "SMALLINT", "3"},
		{"MEDIUMINT", "3", "INT", "3"},
		{"INT", "3", "INT", "3"},
		{"INTEGER", "-2147483648", "INT", "-2147483648"},
		{"INTEGER UNSIGNED", "4294967295", "BIGINT", "4294967295"},
		{"BIGINT", "9223372036854775807", "BIGINT", "9223372036854775807"},
		{"NUMERIC", "5", "BIGINT", "5"},
		{"NUMERIC(10, 2)", "5.25", "Decimal(10, 2)", "5.25"},
		{"DECIMAL(10,2)", "'5.25'", "Decimal(10, 2)", "5.25"},
		{"DECIMAL(10,2)", "7", "Decimal(10, 2)", "7.00"},
		{"DECIMAL", "5.25", "DOUBLE", "5.25"},
		{"FLOAT", "0.1", "DOUBLE", "0.1"},
		{"FLOAT(24)", "0.5", "FLOAT", "0.5"},
		{"FLOAT(53)", "0.1", "DOUBLE", "0.1"},
		{"DOUBLE PRECISION", "1", "DOUBLE", "1"},
		{"REAL", "1.5", "DOUBLE", "1.5"},
		{"CHARACTER(20)", "'x'", "STRING", "x"},
		{"VARCHAR(255)", "'x'", "STRING", "x"},
		{"LONGTEXT", "'x'", "STRING", "x"},
		{"JSON", "'{}'", "STRING", "{}"},
		{"DATE", "'2024-01-31'", "STRING", "2024-01-31"},
		{"DATETIME", "1700000000", "STRING", "1700000000"},
		{"TIMESTAMP", "2451545.5", "STRING", "2451545.5"},
		{"MEDIUMBLOB", "x'00ff'", "BYTES", "[0 255]"},
		{"VARBINARY(3)", "'ab'", "BYTES", "[97 98]"},
		{"DATE TEXT", "'2024-01-31'", "DATE", time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC).String()},
		{"", "'x'", "STRING", "x"},
		{"", "x'01'", "BYTES", "[1]"},
		{"", "1.5", "DOUBLE", "1.5"},
		{"", "9223372036854775807", "BIGINT", "9223372036854775807"},
	}
	for _, test := range tests {
		t.Run(test.declared+" "+test.value, func(t *testing.T) {
			url, _ := newFile(t, "CREATE TABLE t (c "+test.declared+")", "INSERT INTO t VALUES ("+test.value+"), (NULL)")
			s := kit.OpenSource(t, plugintest.Options("url", url, "query", "SELECT c FROM t"))
			tables, err := s.Tables(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := tables[0].Columns[0].Type.String(); got != test.want {
				t.Errorf("type %s, want %s", got, test.want)
			}
			got := kit.Read(t, "url", url, "query", "SELECT c FROM t")
			if d := cmp.Diff([]string{test.rows, "NULL"}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestValuesThatDoNotFit checks that each error names the table, the column, the row and the value.
func TestValuesThatDoNotFit(t *testing.T) {
	tests := []struct{ declared, value, shown string }{
		{"INT", "2147483648", `INTEGER "2147483648"`},
		{"INT", "'seven'", `TEXT "seven"`},
		{"INT", "1.5", `REAL "1.5"`},
		{"SMALLINT", "32768", `INTEGER "32768"`},
		{"NUMERIC", "1.5", `REAL "1.5"`},
		{"BOOLEAN", "2", `INTEGER "2"`},
		{"DOUBLE", "'x'", `TEXT "x"`},
		{"DECIMAL(4,2)", "1.125", `REAL "1.125"`},
		{"DECIMAL(4,2)", "100", `INTEGER "100"`},
		{"DECIMAL(4,2)", "''", `TEXT ""`},
		{"FLOAT(24)", "0.1", `REAL "0.1"`},
		{"TEXT", "x'ff'", `BLOB "ff"`},
		{"TEXT", "CAST(x'ff' AS TEXT)", `TEXT "\xff"`},
		{"BLOB", "5", `INTEGER "5"`},
		{"DATE TEXT", "'31.1.2024'", `TEXT "31.1.2024"`},
		{"DATE TEXT", "' '", `TEXT " "`},
		{"TIMESTAMP TEXT(6)", "'2024-01-01 00:00:00.000000001'", `TEXT "2024-01-01 00:00:00.000000001"`},
	}
	for _, test := range tests {
		t.Run(test.declared+" "+test.value, func(t *testing.T) {
			url, _ := newFile(t, "CREATE TABLE bad (id INTEGER PRIMARY KEY, c "+test.declared+")",
				"INSERT INTO bad VALUES (41, NULL), (42, "+test.value+")")
			s := kit.OpenSource(t, plugintest.Options("url", url, "table_path", "bad"))
			err := jdbctest.ReadAll(t, s, jdbctest.SplitsOf(t, s), &jdbctest.Collector{})
			var e *plugin.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if e.Code != plugin.CodeData || e.Table.Name != "bad" || e.Retry || e.Fix == "" {
				t.Errorf("error %#v", e)
			}
			for _, part := range []string{"bad", "column c", "rowid = 42", test.shown} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not name %s", err, part)
				}
			}
		})
	}
}

func TestUnknownTypesAreReportedTogether(t *testing.T) {
	url, _ := newFile(t, "CREATE TABLE t (a GEOMETRY, b INT, c INTERVAL(3))")
	_, err := kit.OpenSource(t, plugintest.Options("url", url, "table_path", "t")).Tables(t.Context())
	for _, part := range []string{"column a has the unknown type GEOMETRY", "column c has the unknown type INTERVAL(3)",
		"CAST(a AS TEXT)"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want %q", err, part)
		}
	}
}

func TestTypesWithoutAForm(t *testing.T) {
	tab := jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "nested"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "list", Type: plugin.ArrayOf(plugin.TypeOf(plugin.Int))}}})
	url, _ := newFile(t)
	s := kit.OpenSink(t, plugintest.Options("url", url), tab)
	err := s.Prepare(t.Context(), []*plugin.Table{tab})
	var e *plugin.Error
	if !errors.As(err, &e) || e.Code != plugin.CodeType || !strings.Contains(err.Error(), "column list") {
		t.Errorf("error %v", err)
	}
}

// TestNaN checks that a NaN is refused: SQLite would make it a null.
func TestNaN(t *testing.T) {
	tab := jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "f"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "d", Type: plugin.TypeOf(plugin.Double)}}, Key: []int{0}})
	url, path := newFile(t)
	var rows []jdbctest.Row
	for i := range 200 {
		rows = append(rows, jdbctest.Insert(i, 1.5))
	}
	rows[150].Values[1] = math.NaN()
	err := jdbctest.TryLoad(t, kit.SinkFor(t, tab, "url", url), jdbctest.Batch(t, tab, rows...))
	var refused *plugin.RowErrors
	if !errors.As(err, &refused) || len(refused.Rows) != 1 || refused.Rows[0].Index != 150 {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(refused.Rows[0].Err.Error(), "id = 150") {
		t.Errorf("%v does not name the key", refused.Rows[0].Err)
	}
	if got := query(t, path, "SELECT count(*), count(d) FROM f"); got[0] != "199|199" {
		t.Errorf("%s rows", got)
	}
}

func TestWholeDecimalsInIntegerColumns(t *testing.T) {
	tab := jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "d"},
		Columns: []plugin.Column{{Name: "d", Type: plugin.DecimalOf(20, 0)}}})
	url, path := newFile(t, "CREATE TABLE d (d BIGINT)")
	err := jdbctest.TryLoad(t, kit.SinkFor(t, tab, "url", url),
		jdbctest.Batch(t, tab, jdbctest.Insert("-123456789012345678"), jdbctest.Insert("12345678901234567891")))
	var refused *plugin.RowErrors
	if !errors.As(err, &refused) || len(refused.Rows) != 1 || refused.Rows[0].Index != 1 {
		t.Errorf("error %v", err)
	}
	if got := query(t, path, "SELECT typeof(d), d FROM d"); len(got) != 1 || got[0] != "integer|-123456789012345678" {
		t.Errorf("rows %q", got)
	}
}

// TestDecimalsInNumericColumns checks that digits which SQLite would drop silently are refused, and others written.
func TestDecimalsInNumericColumns(t *testing.T) {
	tab := jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "d"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "d", Type: plugin.DecimalOf(38, 10)}}, Key: []int{0}})
	tests := []struct {
		declared string
		refused  int
	}{{"DECIMAL(38,10)", 1}, {"NUMERIC", 1}, {"REAL", 1}, {"POINT TEXT", 1}, {"TEXT", 0}, {"", 0}, {"VARCHAR(50)", 0}}
	for _, test := range tests {
		for _, exactly := range []bool{false, true} {
			url, path := newFile(t, "CREATE TABLE d (id INTEGER PRIMARY KEY, d "+test.declared+")")
			err := jdbctest.TryLoad(t, kit.SinkFor(t, tab, "url", url, "is_exactly_once", exactly), jdbctest.Batch(t, tab,
				jdbctest.Insert(1, "123456789012345"), jdbctest.Insert(2, "0.1234567890"),
				jdbctest.Insert(3, "-1234567890123456.5"), jdbctest.Insert(4, nil)))
			var refused *plugin.RowErrors
			if errors.As(err, &refused) != (test.refused > 0) {
				t.Errorf("%s: error %v", test.declared, err)
				continue
			}
			if refused == nil {
				continue
			}
			if refused.Rows[0].Index != 2 || !strings.Contains(err.Error(), "id = 3") {
				t.Errorf("%s: error %v", test.declared, err)
			}
			if got := query(t, path, "SELECT count(*) FROM d"); !exactly && got[0] != "3" {
				t.Errorf("%s: %s rows", test.declared, got)
			}
		}
	}
}
