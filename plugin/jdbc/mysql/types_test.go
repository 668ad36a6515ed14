package mysql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

// TestTypesAreRead reads columns of every type with the ends of their ranges.
func TestTypesAreRead(t *testing.T) {
	nines := strings.Repeat("9", 20) + "." + strings.Repeat("9", 18)
	tests := []struct {
		declared string
		literals []string
		kind     plugin.Type
		want     []string
	}{
		{"BIT(1)", []string{"b'1'", "b'0'"}, plugin.TypeOf(plugin.Boolean), []string{"true", "false"}},
		{"BIT(8)", []string{"b'10000001'"}, plugin.TypeOf(plugin.Bytes), []string{"[129]"}},
		{"BIT(64)", []string{"18446744073709551615"}, plugin.TypeOf(plugin.Bytes),
			[]string{"[255 255 255 255 255 255 255 255]"}},
		{"TINYINT(1)", []string{"0", "1"}, plugin.TypeOf(plugin.Boolean), []string{"false", "true"}},
		{"TINYINT", []string{"-128", "127"}, plugin.TypeOf(plugin.TinyInt), []string{"-128", "127"}},
		{"TINYINT UNSIGNED", []string{"0", "255"}, plugin.TypeOf(plugin.SmallInt), []string{"0", "255"}},
		{"SMALLINT", []string{"-32768", "32767"}, plugin.TypeOf(plugin.SmallInt), []string{"-32768", "32767"}},
		{"SMALLINT UNSIGNED", []string{"65535"}, plugin.TypeOf(plugin.Int), []string{"65535"}},
		{"MEDIUMINT", []string{"-8388608", "8388607"}, plugin.TypeOf(plugin.Int), []string{"-8388608", "8388607"}},
		{"MEDIUMINT UNSIGNED", []string{"16777215"}, plugin.TypeOf(plugin.Int), []string{"16777215"}},
		{"INT", []string{"-2147483648", "2147483647"}, plugin.TypeOf(plugin.Int), []string{"-2147483648", "2147483647"}},
		{"INT UNSIGNED", []string{"4294967295"}, plugin.TypeOf(plugin.BigInt), []string{"4294967295"}},
		{"BIGINT", []string{"-9223372036854775808", "9223372036854775807"}, plugin.TypeOf(plugin.BigInt),
			[]string{"-9223372036854775808", "9223372036854775807"}},
		{"BIGINT UNSIGNED", []string{"18446744073709551615", "0"}, plugin.DecimalOf(20, 0),
			[]string{"18446744073709551615", "0"}},
		{"FLOAT", []string{"3.25", "-1e-37"}, plugin.TypeOf(plugin.Float), []string{"3.25", "-1e-37"}},
		{"DOUBLE", []string{"0.1", "-1.7976931348623157e308"}, plugin.TypeOf(plugin.Double), []string{"0.1",
			"-1.7976931348623157e+308"}},
		{"DECIMAL(10,2)", []string{"-99999999.99", "0.05", "-0.05"}, plugin.DecimalOf(10, 2), []string{"-99999999.99",
			"0.05", "-0.05"}},
		{"DECIMAL(19,0)", []string{"9999999999999999999"}, plugin.DecimalOf(19, 0), []string{"9999999999999999999"}},
		{"DECIMAL(18,18)", []string{"0.999999999999999999"}, plugin.DecimalOf(18, 18), []string{"0.999999999999999999"}},
		{"DECIMAL(10,2) UNSIGNED", []string{"1.50"}, plugin.DecimalOf(11, 2), []string{"1.50"}},
		{"DECIMAL(38,18)", []string{nines, "-" + nines}, plugin.DecimalOf(38, 18), []string{nines, "-" + nines}},
		{"DECIMAL(65,10)", []string{"12345678901234567890.5"}, plugin.DecimalOf(38, 18),
			[]string{"12345678901234567890.500000000000000000"}},
		{"CHAR(5)", []string{"'ab'", "''"}, plugin.TypeOf(plugin.String), []string{"ab", ""}},
		{"VARCHAR(20)", []string{"'héllo 😀'", "'tab\\tnul\\0'"}, plugin.TypeOf(plugin.String), []string{"héllo 😀",
			"tab\tnul\x00"}},
		{"VARCHAR(20) CHARACTER SET latin1", []string{"'größe'"}, plugin.TypeOf(plugin.String), []string{"größe"}},
		{"TINYTEXT", []string{"'x'"}, plugin.TypeOf(plugin.String), []string{"x"}},
		{"LONGTEXT", []string{"'x'"}, plugin.TypeOf(plugin.String), []string{"x"}},
		{"JSON", []string{`'{"a": 1}'`}, plugin.TypeOf(plugin.String), []string{`{"a": 1}`}},
		{"ENUM('a','b')", []string{"'b'"}, plugin.TypeOf(plugin.String), []string{"b"}},
		{"SET('a','b')", []string{"'a,b'", "''"}, plugin.TypeOf(plugin.String), []string{"a,b", ""}},
		{"BINARY(3)", []string{"x'0001'"}, plugin.TypeOf(plugin.Bytes), []string{"[0 1 0]"}},
		{"VARBINARY(9)", []string{"x'ff00'", "''"}, plugin.TypeOf(plugin.Bytes), []string{"[255 0]", "[]"}},
		{"BLOB", []string{"x'ff'"}, plugin.TypeOf(plugin.Bytes), []string{"[255]"}},
		{"DATE", []string{"'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'0001-01-01'"}, plugin.TypeOf(plugin.Date),
			[]string{
				"1000-01-01 00:00:00 +0000 UTC", "9999-12-31 00:00:00 +0000 UTC", "2024-02-29 00:00:00 +0000 UTC",
				"0001-01-01 00:00:00 +0000 UTC"}},
		{"TIME", []string{"'23:59:59'"}, plugin.Type{Kind: plugin.Time}, []string{"23h59m59s"}},
		{"TIME(6)", []string{"'00:00:00.000001'"}, plugin.TypeOf(plugin.Time), []string{"1µs"}},
		{"DATETIME", []string{"'1969-12-31 23:59:59'"}, plugin.Type{Kind: plugin.Timestamp},
			[]string{"1969-12-31 23:59:59 +0000 UTC"}},
		{"DATETIME(6)", []string{"'9999-12-31 23:59:59.999999'", "'0001-01-01'"}, plugin.TypeOf(plugin.Timestamp), []string{
			"9999-12-31 23:59:59.999999 +0000 UTC", "0001-01-01 00:00:00 +0000 UTC"}},
		{"TIMESTAMP(3) NULL", []string{"'2024-06-30 12:00:00.125'"}, plugin.Type{Kind: plugin.Timestamp, Scale: 3},
			[]string{"2024-06-30 12:00:00.125 +0000 UTC"}},
		{"YEAR", []string{"1901", "2155"}, plugin.TypeOf(plugin.Int), []string{"1901", "2155"}},
		{"POINT", []string{"ST_GeomFromText('POINT(1 2)')"}, plugin.TypeOf(plugin.Bytes), []string{
			"[0 0 0 0 1 1 0 0 0 0 0 0 0 0 0 240 63 0 0 0 0 0 0 0 64]"}},
	}
	f := dbtest.MariaDB(t)
	for _, test := range tests {
		t.Run(test.declared, func(t *testing.T) {
			f.Exec("CREATE OR REPLACE TABLE v (id INT PRIMARY KEY, v " + test.declared + ")")
			for i, literal := range test.literals {
				f.Exec(fmt.Sprintf("INSERT INTO v VALUES (%d, %s)", i, literal))
			}
			f.Exec("INSERT INTO v VALUES (99, NULL)")
			want := append(append([]string{}, test.want...), "NULL")
			for _, pairs := range [][]any{{"table_path", f.Name + ".v"}, {"query", "SELECT v FROM v ORDER BY id"}} {
				s := kit.OpenSource(t, f.Options(pairs...))
				tables, err := s.Tables(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				last := tables[0].Columns[len(tables[0].Columns)-1]
				if !last.Type.Equal(test.kind) {
					t.Errorf("%v: type %s, want %s", pairs[0], last.Type, test.kind)
				}
				var got []string
				for _, row := range kit.Read(t, f.Pairs(pairs...)...) {
					got = append(got, row[strings.LastIndex(row, "|")+1:])
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%v: %s", pairs[0], d)
				}
			}
			copied(t, f)
		})
	}
}

// copied copies the table v with an auto-created target and compares both in the server's own words.
func copied(t *testing.T, f *dbtest.Database) {
	t.Helper()
	f.Exec("DROP TABLE IF EXISTS w")
	s := kit.OpenSource(t, f.Options("table_path", f.Name+".v"))
	out := &batches{}
	if err := jdbctest.ReadAll(t, s, jdbctest.SplitsOf(t, s), out); err != nil {
		t.Fatal(err)
	}
	tables, err := s.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	jdbctest.Load(t, kit.SinkFor(t, tables[0], f.Pairs("table", "w")...), out.list...)
	value := "HEX(v)"
	if tables[0].Columns[1].Type.Kind == plugin.String { // the target is in UTF-8
		value = "HEX(CONVERT(v USING utf8mb4))"
	}
	rows := "SELECT id, " + value + " FROM %s ORDER BY id"
	if d := cmp.Diff(f.Query(fmt.Sprintf(rows, "v")), f.Query(fmt.Sprintf(rows, "w"))); d != "" {
		t.Error(d)
	}
	const types = `SELECT column_type FROM information_schema.columns
		WHERE table_schema = DATABASE() AND column_name = 'v' AND table_name = `
	if d := cmp.Diff(f.Query(types+"'v'"), f.Query(types+"'w'")); d != "" {
		t.Error(d)
	}
}

// batches is an Out that keeps batches.
type batches struct {
	jdbctest.Collector
	list []plugin.Batch
}

func (c *batches) Batch(b plugin.Batch) error {
	c.list = append(c.list, b)
	return nil
}

// TestBadValuesAreNamed reads values that have no counterpart.
func TestBadValuesAreNamed(t *testing.T) {
	tests := []struct{ declared, literal, want, fix string }{
		{"TINYINT(1)", "2", `its value is "2"`, "tinyInt1isBit"},
		{"TIME", "'-01:00:00'", `"-01:00:00.000000"`, "CAST"},
		{"TIME", "'24:00:00'", `"24:00:00.000000"`, "CAST"},
		{"DATE", "'0000-00-00'", `"0000-00-00"`, "zeroDateTimeBehavior"},
		{"DATETIME", "'0000-00-00 00:00:00'", "0000-00-00", "CONVERT_TO_NULL"},
		{"DATE", "'2024-00-10'", "2024-00-10", "correct"},
		{"DECIMAL(65,0)", strings.Repeat("9", 40), "9999", "correct the value"},
	}
	f := dbtest.MariaDB(t)
	f.Exec("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
	for _, test := range tests {
		f.Exec("CREATE OR REPLACE TABLE v (id INT PRIMARY KEY, v "+test.declared+")",
			"INSERT INTO v VALUES (41, "+test.literal+")")
		s := kit.OpenSource(t, f.Options("table_path", f.Name+".v"))
		err := jdbctest.ReadAll(t, s, jdbctest.SplitsOf(t, s), &jdbctest.Collector{})
		var e *plugin.Error
		if !errors.As(err, &e) {
			t.Errorf("%s %s: error %v", test.declared, test.literal, err)
			continue
		}
		if e.Row != "row with id = 41" || e.Table.Name != "v" || !strings.Contains(e.Error(), test.want) ||
			!strings.Contains(e.Fix, test.fix) {
			t.Errorf("%s %s: error %v", test.declared, test.literal, e)
		}
	}
}

func TestDriverProperties(t *testing.T) {
	f := dbtest.MariaDB(t)
	f.Exec("SET SESSION sql_mode = ''",
		"CREATE TABLE v (id INT PRIMARY KEY, d DATE, b TINYINT(1), at TIMESTAMP(0) NULL)",
		"SET time_zone = '+00:00'", "INSERT INTO v VALUES (1, '0000-00-00', 5, '2024-01-01 12:00:00')")
	path := []any{"query", "SELECT d, b, at FROM v"}
	at := f.URL +
		"?zeroDateTimeBehavior=convertToNull&tinyInt1isBit=false&serverTimezone=UTC&useSSL=false" +
		"&rewriteBatchedStatements=true"
	got := kit.Read(t, append(path, "url", at, "user", f.User, "password", f.Password)...)
	if d := cmp.Diff([]string{"NULL|5|2024-01-01 12:00:00 +0000 UTC"}, got); d != "" {
		t.Error(d)
	}
	at = strings.Replace(at, "jdbc:mysql:", "jdbc:mariadb:", 1) + "&user=" + f.User + "&password=" + f.Password
	at = strings.NewReplacer("convertToNull", "ROUND", "serverTimezone=UTC", "serverTimezone=%2B02:00").Replace(at)
	got = kit.Read(t, append(path, "url", at)...)
	if d := cmp.Diff([]string{"0001-01-01 00:00:00 +0000 UTC|5|2024-01-01 14:00:00 +0000 UTC"}, got); d != "" {
		t.Error(d)
	}
}

// TestBigValues copies texts and bytes of 16 MB.
func TestBigValues(t *testing.T) {
	f := dbtest.MariaDB(t, "CREATE TABLE v (id INT PRIMARY KEY, v LONGTEXT, b LONGBLOB)",
		"INSERT INTO v VALUES (1, REPEAT('äb\\\\', 4000000), REPEAT(x'00ff0a09', 4000000))",
		"INSERT INTO v VALUES (2, '', '')")
	tab := jdbctest.Table(t, plugin.Table{
		ID: plugin.TableID{Name: "w"},
		Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "v",
			Type: plugin.TypeOf(plugin.String)}, {Name: "b", Type: plugin.TypeOf(plugin.Bytes)}},
	})
	s := kit.OpenSource(t, f.Options("table_path", f.Name+".v"))
	out := &batches{}
	if err := jdbctest.ReadAll(t, s, jdbctest.SplitsOf(t, s), out); err != nil {
		t.Fatal(err)
	}
	sink := kit.SinkFor(t, tab, f.Pairs()...)
	for _, b := range out.list {
		jdbctest.Load(t, sink, column.Select(b, tab, []int{0, 1, 2}))
	}
	const sums = "SELECT id, LENGTH(v), MD5(v), LENGTH(b), MD5(b) FROM "
	if d := cmp.Diff(f.Query(sums+"v ORDER BY id"), f.Query(sums+"w ORDER BY id")); d != "" {
		t.Error(d)
	}
}
