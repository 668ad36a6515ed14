package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

// allTypes are the columns of a table with all types that have a counterpart, and some that are read as text, with two
// rows of extremes. A row of nulls is added.
var allTypes = []struct{ declared, low, high string }{
	{"boolean", "false", "true"},
	{"smallint", "-32768", "32767"},
	{"integer", "-2147483648", "2147483647"},
	{"bigint", "-9223372036854775808", "9223372036854775807"},
	{"real", "'-3.4028235e38'", "'1e-37'"},
	{"double precision", "'NaN'", "'-Infinity'"},
	{"numeric(38,18)", "-99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"},
	{"numeric(38,0)", "-99999999999999999999999999999999999999", "10000000000000000"},
	{"numeric(12,2)", "-0.01", "9999999999.99"},
	{"numeric(5,5)", "0.00001", "0.12300"},
	{"numeric", "0.000000000000000001", "12345678901234567890.5"},
	{"numeric(3,-2)", "99900", "-100"},
	{"money", "-92233720368547758.08", "1.5"},
	{"char(5)", "''", "'äé  '"},
	{"varchar(10)", "''", "'日本語😀'"},
	{"text", "''", "repeat('long ', 100000)"},
	{"uuid", "'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"},
	{"json", `'{"a" : [1, null]}'`, "'\"x\"'"},
	{"jsonb", `'{"a" : [1, null]}'`, "'null'"},
	{"xml", "'<a>b</a>'", "'<a/>'"},
	{"inet", "'10.0.0.1'", "'fe80::1/64'"},
	{"bytea", "''", `'\x00ff275c0a'`},
	{"date", "'4713-01-01 BC'", "'5874897-12-31'"},
	{"time", "'00:00'", "'23:59:59.999999'"},
	{"time(0)", "'00:00'", "'12:34:56'"},
	{"timestamp", "'4713-01-01 00:00 BC'", "'9999-12-31 23:59:59.999999'"},
	{"timestamp(3)", "'1969-12-31 23:59:59.999'", "'2024-02-29 12:00:00.001'"},
	{"timestamptz", "'0001-01-01 00:00+00'", "'2024-02-29 12:00:00.000001+05'"},
	{"boolean[]", "'{}'", "'{t,f,NULL}'"},
	{"smallint[]", "'{}'", "'{-1,NULL}'"},
	{"integer[]", "'{1}'", "'{-2147483648,NULL,3}'"},
	{"bigint[]", "'{}'", "'{9223372036854775807}'"},
	{"real[]", "'{1.5}'", "'{NULL}'"},
	{"double precision[]", "'{1.5}'", "'{NaN,2}'"},
	{"text[]", "'{}'", `'{"",NULL,"a,b"}'`},
	{"varchar(5)[]", "'{a}'", "'{bcdef}'"},
	{"numeric(10,2)[]", "'{1.25}'", "'{NULL,-3.00}'"},
	{"date[]", "'{2024-01-01}'", "'{}'"},
	{"interval", "'1 day 02:03:04'", "'-1 mon'"},
	{"bit(3)", "'101'", "'000'"},
	{"bit varying", "''", "'1'"},
	{"cidr", "'10.0.0.0/8'", "'::/0'"},
	{"macaddr", "'08:00:2b:01:02:03'", "'00:00:00:00:00:00'"},
	{"point", "'(1,2)'", "'(0,-1.5)'"},
	{"int4range", "'[1,5)'", "'empty'"},
	{"color", "'red'", "'green'"},
	{"positive", "1", "2147483647"},
}

func allTypesTable() []string {
	var columns, low, high []string
	for i, c := range allTypes {
		columns = append(columns, fmt.Sprintf("c%d %s", i, c.declared))
		low = append(low, c.low)
		high = append(high, c.high)
	}
	return []string{
		"CREATE TYPE color AS ENUM ('red', 'green'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
		"CREATE TABLE a (id int PRIMARY KEY, " + strings.Join(columns, ", ") + ")",
		"INSERT INTO a VALUES (1, " + strings.Join(low, ", ") + "), (2, " + strings.Join(high, ", ") + ")",
		"INSERT INTO a (id) VALUES (3)",
	}
}

// TestRoundTrip copies every type into a table of the same types and into one that the sink makes, in all ways of
// writing.
func TestRoundTrip(t *testing.T) {
	for _, test := range []struct {
		name, sink string
		many       bool // more rows than go by a statement for each
	}{
		{"few rows", "", false},
		{"copy", "", true},
		{"exactly once", "is_exactly_once = true", false},
		{"updates", "enable_upsert = false", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := dbtest.Postgres(t, allTypesTable()...)
			if test.many {
				var columns strings.Builder
				for i := range allTypes {
					fmt.Fprintf(&columns, ", c%d", i)
				}
				s.Exec("INSERT INTO a (id" + columns.String() + ") SELECT id + 10 * n" + columns.String() +
					" FROM a, generate_series(1, 40) n")
			}
			s.Exec("CREATE TABLE b (LIKE a INCLUDING ALL)")
			for range 2 { // the second time all keys are there
				if test.name == "updates" {
					s.Exec("DELETE FROM b")
				}
				kit.MustRunJob(t, fmt.Sprintf("source { Jdbc { %s, table_path = a } }\nsink { Jdbc { %s, table = b, %s } }",
					s.Access(), s.Access(), test.sink))
			}
			compare(t, s, "a", "b", "")
		})
	}
	t.Run("new table", func(t *testing.T) {
		s := dbtest.Postgres(t, allTypesTable()...)
		kit.MustRunJob(t, fmt.Sprintf("source { Jdbc { %s, table_path = a } }\nsink { Jdbc { %s, table = made } }",
			s.Access(), s.Access()))
		compare(t, s, "a", "made", "::text")
		want := s.Query(columnTypes("a"))
		for i, got := range s.Query(columnTypes("made")) {
			switch strings.SplitN(want[i], "|", 2)[1] {
			case "point", "int4range", "color", "positive", "numeric(3,-2)":
				continue // made as text or as what is below
			}
			if got != want[i] {
				t.Errorf("column %s, want %s", got, want[i])
			}
		}
	})
	t.Run("a statement", func(t *testing.T) {
		s := dbtest.Postgres(t, allTypesTable()...)
		s.Exec("CREATE TABLE b (LIKE a INCLUDING ALL)")
		marks := strings.Repeat(", ?", len(allTypes))
		for _, exactly := range []bool{false, true} {
			s.Exec("DELETE FROM b")
			kit.MustRunJob(t,
				fmt.Sprintf("source { Jdbc { %s, table_path = a } }\nsink { Jdbc { %s, query = %q, is_exactly_once = %v } }",
					s.Access(), s.Access(), "INSERT INTO b VALUES (?"+marks+")", exactly))
			compare(t, s, "a", "b", "")
		}
	})
}

func columnTypes(table string) string {
	return "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '" + table +
		"'::regclass AND attnum > 0 ORDER BY attnum"
}

// compare compares two tables, column by column; cast is put behind each.
func compare(t *testing.T, s *dbtest.Database, a, b, cast string) {
	t.Helper()
	for i, c := range allTypes {
		query := fmt.Sprintf("SELECT md5(c%d%s::text) || left(c%d%s::text, 60) FROM ", i, cast, i, cast)
		switch c.declared {
		case "inet":
			query = fmt.Sprintf("SELECT c%d::inet FROM ", i)
		case "numeric": // zeros behind the point are not kept apart
			query = fmt.Sprintf("SELECT trim_scale(c%d) FROM ", i)
		}
		if d := cmp.Diff(s.Query(query+a+" ORDER BY id"), s.Query(query+b+" ORDER BY id")); d != "" {
			t.Errorf("%s: %s", c.declared, d)
		}
	}
}

// TestValuesRead checks what the source makes of values.
func TestValuesRead(t *testing.T) {
	s := dbtest.Postgres(t)
	tests := []struct{ sql, want string }{
		{"'2024-01-01 12:00+02'::timestamptz", "2024-01-01 10:00:00 +0000 UTC"},
		{"'12:00:00+02'::timetz", "12h0m0s"},
		{"'10.0.0.1'::inet", "10.0.0.1"},
		{"1.50::numeric", "1.500000000000000000"},
		{"12.345::numeric(10,3)", "12.345"},
		{"'1.50'::money", "1.50"},
		{"'ab'::char(4)", "ab  "},
		{`'{"b":1,  "a":2}'::jsonb`, `{"a": 2, "b": 1}`},
		{"ARRAY[1,NULL,3]", "[1 <nil> 3]"},
		{"'1 year'::interval", "1 year"},
		{"NULL::numeric", "NULL"},
	}
	for _, test := range tests {
		got := jdbctest.Sorted(kit.Read(t, s.Pairs("query", "SELECT "+test.sql+" AS v")...))
		if d := cmp.Diff([]string{test.want}, got); d != "" {
			t.Errorf("%s: %s", test.sql, d)
		}
	}
}

// TestValuesWithoutCounterpart checks that values that a column cannot hold are errors which say where they are, or
// nulls where the job asks for it.
func TestValuesWithoutCounterpart(t *testing.T) {
	tests := []struct {
		typ, value, want string
		null             bool
	}{
		{"numeric", "'NaN'", "NaN has no counterpart", true},
		{"numeric", "'-Infinity'", "-Infinity has no counterpart", true},
		{"numeric", "1e20", "too large", false},
		{"numeric", "1e-19", "digits behind the point", false},
		{"numeric", "1e1000", "too large", false},
		{"date", "'infinity'", "infinity has no counterpart", true},
		{"timestamp", "'-infinity'", "-infinity has no counterpart", true},
		{"timestamptz", "'infinity'", "infinity has no counterpart", true},
		{"time", "'24:00'", "24:00:00 has no counterpart", true},
		{"int[]", "'{{1,2},{3,4}}'", "more than one dimension", false},
	}
	for _, test := range tests {
		t.Run(test.typ+" "+test.value, func(t *testing.T) {
			s := dbtest.Postgres(t, "CREATE TABLE a (k varchar(10) PRIMARY KEY, v "+test.typ+")",
				"INSERT INTO a VALUES ('one', NULL), ('two', "+test.value+")")
			src := kit.OpenSource(t, s.Options("table_path", "a"))
			err := jdbctest.ReadAll(t, src, jdbctest.SplitsOf(t, src), &jdbctest.Collector{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range []string{test.want, "table a", "column v", `row with k = "two"`} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if !test.null {
				return
			}
			got := jdbctest.Sorted(kit.Read(t, s.Pairs("table_path", "a", "special_values", "NULL")...))
			if d := cmp.Diff([]string{"one|NULL", "two|NULL"}, got); d != "" {
				t.Error(d)
			}
		})
	}
}
