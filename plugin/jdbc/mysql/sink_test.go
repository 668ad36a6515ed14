package mysql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// people is a table with a key and a column of text and of numbers.
func people(t testing.TB, key ...int) *plugin.Table {
	return jdbctest.Table(t, plugin.Table{
		ID: plugin.TableID{Name: "people"}, Key: key,
		Columns: []plugin.Column{
			{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "na`me", Type: plugin.TypeOf(plugin.String), Length: 10},
			{Name: "n", Type: plugin.TypeOf(plugin.BigInt)},
		},
	})
}

// TestRefusedRows writes rows of which some do not fit: they are named, and all others are there unchanged.
func TestRefusedRows(t *testing.T) {
	const id = "id INT, "
	tests := []struct {
		columns, key string
		bad          []any
		want         string
	}{
		{id + "`na``me` VARCHAR(3), n BIGINT", "", []any{7, "toolong", 1}, "'na`me'"},
		{id + "`na``me` VARCHAR(3) CHARACTER SET latin1, n BIGINT", "", []any{7, "日", 1}, "Incorrect string value"},
		{id + "`na``me` VARCHAR(9), n TINYINT", "", []any{7, "x", 128}, "Out of range value for column 'n'"},
		{id + "`na``me` VARCHAR(9), n BIGINT NOT NULL", "", []any{7, "x", nil}, "'n'"},
		{id + "`na``me` VARCHAR(9), n BIGINT UNSIGNED", "", []any{7, "x", -1}, "Out of range"},
		{id + "`na``me` INT, n BIGINT", "", []any{7, "12x", -1}, "na`me would not hold"},
		{id + "`na``me` DATE, n BIGINT", "", []any{7, "2024-02-30", -1}, "'na`me'"},
		{id + "`na``me` DECIMAL(5,1), n BIGINT", "", []any{7, "1.25", -1}, "'na`me'"},
		{id + "`na``me` ENUM('x','1'), n BIGINT", "", []any{7, "z", -1}, "'na`me'"},
		{id + "`na``me` VARCHAR(9), n BIGINT CHECK (n < 5)", "", []any{7, "x", 5}, "CONSTRAINT"},
		{"id INT PRIMARY KEY, `na``me` VARCHAR(9), n BIGINT", "", []any{1, "x", 5}, "Duplicate entry '1'"},
		{"id INT PRIMARY KEY, `na``me` VARCHAR(9), n BIGINT CHECK (n < 5)", "id", []any{7, "x", 5}, "CONSTRAINT"},
		{"id INT PRIMARY KEY, `na``me` VARCHAR(3), n BIGINT", "id", []any{7, "long", 5}, "'na`me'"},
	}
	for _, sqlOnly := range []bool{false, true} {
		f := database(t, sqlOnly)
		tab := people(t)
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s %s %v", test.columns, test.key, sqlOnly), func(t *testing.T) {
				if sqlOnly && !strings.Contains(test.columns, "VARCHAR(3)") {
					t.Skip("one of them is enough")
				}
				f.Exec("CREATE OR REPLACE TABLE people (" + test.columns + ")")
				o := f.Pairs()
				if test.key != "" {
					o = append(o, "primary_keys", []string{test.key})
				}
				good := func(id int) jdbctest.Row { return jdbctest.Insert(id, "1", 1) }
				if strings.Contains(test.columns, "DATE") {
					good = func(id int) jdbctest.Row { return jdbctest.Insert(id, "2024-02-29", 1) }
				}
				s := kit.OpenSink(t, plugintest.Options(o...), tab)
				bad := jdbctest.Row{Kind: plugin.Insert, Values: test.bad}
				err := jdbctest.TryLoad(t, s, jdbctest.Batch(t, tab, good(1), good(2), bad, good(3), bad, good(4)))
				var refused *plugin.RowErrors
				if !errors.As(err, &refused) || len(refused.Rows) != 2 ||
					refused.Rows[0].Index != 2 || refused.Rows[1].Index != 4 ||
					!strings.Contains(refused.Error(), test.want) {
					t.Errorf("error %v, want %s", err, test.want)
				}
				if d := cmp.Diff([]string{"1", "2", "3", "4"}, f.Query("SELECT id FROM people ORDER BY id")); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// database makes a database. With sqlOnly it is on a server of its own, which refuses LOAD DATA LOCAL.
func database(t *testing.T, sqlOnly bool, statements ...string) *dbtest.Database {
	t.Helper()
	if !sqlOnly {
		return dbtest.MariaDB(t, statements...)
	}
	f := dbtest.MariaDBAt(t, dbtest.StartService(t, dbtest.MariaDBVariable).URL, statements...)
	f.Exec("SET GLOBAL local_infile = OFF")
	return f
}

// TestFractionsAreKept refuses fractions of seconds that a column would cut off.
func TestFractionsAreKept(t *testing.T) {
	tab := jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: []plugin.Column{
		{Name: "at", Type: plugin.TypeOf(plugin.Timestamp)}, {Name: "clock", Type: plugin.TypeOf(plugin.Time)},
		{Name: "x", Type: plugin.TypeOf(plugin.Double)},
	}})
	tests := []struct {
		columns string
		values  []any
		ok      bool
	}{
		{"at DATETIME(6), clock TIME(6), x DOUBLE", []any{"2024-01-01 00:00:00.000001", "01:00:00.5", 0.5}, true},
		{"at DATETIME, clock TIME, x INT", []any{"2024-01-01 00:00:00", "01:00:00", 5.0}, true},
		{"at DATETIME, clock TIME, x INT", []any{"2024-01-01 00:00:00.5", "01:00:00", 5.0}, false},
		{"at DATETIME, clock TIME, x INT", []any{"2024-01-01 00:00:00", "01:00:00.5", 5.0}, false},
		{"at DATETIME, clock TIME, x INT", []any{"2024-01-01 00:00:00", "01:00:00", 5.5}, false},
		{"at VARCHAR(30), clock TIME(2), x FLOAT", []any{"2024-01-01 00:00:00.123456", "01:00:00.25", 0.5}, true},
		{"at DATETIME(6), clock TIME, x FLOAT", []any{"2024-01-01 00:00:00", "01:00:00", 0.1}, false},
		{"at DATE, clock TIME, x DOUBLE", []any{"2024-01-01 00:00:00", "01:00:00", 5.5}, true},
		{"at DATE, clock TIME, x DOUBLE", []any{"2024-01-01 10:00:00", "01:00:00", 5.5}, false},
	}
	f := dbtest.MariaDB(t)
	for _, test := range tests {
		f.Exec("CREATE OR REPLACE TABLE t (" + test.columns + ")")
		err := jdbctest.TryLoad(t, kit.SinkFor(t, tab, f.Pairs()...),
			jdbctest.Batch(t, tab, jdbctest.Row{Kind: plugin.Insert, Values: test.values}))
		if (err == nil) != test.ok {
			t.Errorf("%s %v: error %v; there is %q", test.columns, test.values, err, f.Query("SELECT * FROM t"))
		}
	}
}

// TestReferredTable empties a table that another one refers to.
func TestReferredTable(t *testing.T) {
	f := dbtest.MariaDB(t, "CREATE TABLE people (id INT PRIMARY KEY, `na``me` VARCHAR(20), n BIGINT)",
		"INSERT INTO people VALUES (1, 'old', 1)", "CREATE TABLE child (p INT REFERENCES people(id))")
	tab := people(t)
	jdbctest.Load(t, kit.SinkFor(t, tab, f.Pairs("data_save_mode", "DROP_DATA")...),
		jdbctest.Batch(t, tab, jdbctest.Insert(2, "new", 0)))
	if d := cmp.Diff([]string{"2|new|0"}, f.Query("SELECT * FROM people")); d != "" {
		t.Error(d)
	}
}

// TestCreatedTable looks at the table that the sink makes, in a database that it makes, too.
func TestCreatedTable(t *testing.T) {
	f := dbtest.MariaDB(t)
	value := "it's"
	tab := jdbctest.Table(t, plugin.Table{
		ID: plugin.TableID{Database: "src", Name: "Orders"}, Key: []int{1, 0}, Comment: "all 'orders'",
		Columns: []plugin.Column{
			{Name: "Id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "code", Type: plugin.TypeOf(plugin.String)},
			{Name: "note", Type: plugin.TypeOf(plugin.String), Length: 200, Default: &value, Comment: "free \\ text"},
			{Name: "big", Type: plugin.TypeOf(plugin.String), Length: 30000}, {Name: "blob", Type: plugin.TypeOf(plugin.Bytes)},
			{Name: "d", Type: plugin.DecimalOf(38, 18), NotNull: true}, {Name: "at",
				Type: plugin.Type{Kind: plugin.Timestamp, Scale: 9}},
		},
		Constraints: []plugin.Constraint{
			{Name: "u", Kind: plugin.UniqueKey, Columns: []plugin.ConstraintColumn{{Name: "note"}}},
			{Kind: plugin.IndexKey, Columns: []plugin.ConstraintColumn{{Name: "at", Desc: true}}},
		},
	})
	other := f.Name + "_new"
	t.Cleanup(func() { f.Exec("DROP DATABASE IF EXISTS " + other) })
	o := f.Pairs("database", other, "tablePrefix", "p_", "field_ide", "LOWERCASE")
	s := kit.OpenSink(t, plugintest.Options(o...), tab)
	if err := s.Prepare(t.Context(), []*plugin.Table{tab}); err != nil {
		t.Fatal(err)
	}
	got := f.Query("SHOW CREATE TABLE " + other + ".p_orders")[0]
	for _, want := range []string{
		"`id` bigint(20) NOT NULL", "`code` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL",
		"`note` varchar(200)", "DEFAULT 'it''s'", `COMMENT 'free \\ text'`, "`big` mediumtext", "`blob` longblob",
		"`d` decimal(38,18) NOT NULL", "`at` datetime(6)", "PRIMARY KEY (`code`,`id`)", "UNIQUE KEY `u` (`note`)",
		"KEY `p_orders_index_2` (`at`", "COMMENT='all ''orders'''", "InnoDB",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
}

func TestOwnStatement(t *testing.T) {
	for _, once := range []string{"false", "true"} {
		f := dbtest.MariaDB(t, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9), n INT)")
		tab := people(t, 0)
		s := kit.OpenSink(t, f.Options("is_exactly_once", once,
			"query",
			"INSERT INTO people (n, id, name) VALUES (:n, :id, 'x') ON DUPLICATE KEY UPDATE n = people.n + 10;"), tab)
		var rows []jdbctest.Row
		for id := range 200 {
			rows = append(rows, jdbctest.Insert(id, "?", id))
		}
		rows = append(rows, jdbctest.Remove(3, "?", 3)) // every kind runs the statement
		jdbctest.Load(t, s, jdbctest.Batch(t, tab, rows...))
		if got := f.Query("SELECT COUNT(*), SUM(n), MAX(name) FROM people")[0]; got != "200|19910|x" {
			t.Errorf("is_exactly_once = %s: %s", once, got)
		}
	}
}

// TestOwnStatementRefused keeps the rows beside one that the server refuses.
func TestOwnStatementRefused(t *testing.T) {
	f := dbtest.MariaDB(t, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9), n TINYINT)")
	tab := people(t)
	s := kit.OpenSink(t, f.Options("query", "INSERT INTO people VALUES (?, ?, ?)"), tab)
	var rows []jdbctest.Row
	for id := range 300 {
		rows = append(rows, jdbctest.Insert(id, "x", id%129))
	}
	var refused *plugin.RowErrors
	if err := jdbctest.TryLoad(t, s, jdbctest.Batch(t, tab, rows...)); !errors.As(err, &refused) ||
		len(refused.Rows) != 2 ||
		refused.Rows[1].Index != 257 {
		t.Errorf("error %v", err)
	}
	if got := f.Query("SELECT COUNT(*) FROM people")[0]; got != "298" {
		t.Errorf("%s rows", got)
	}
}

// TestUpsertNeedsKey refuses upserts that would become inserts.
func TestUpsertNeedsKey(t *testing.T) {
	f := dbtest.MariaDB(t, "CREATE TABLE people (id INT, `na``me` VARCHAR(9), n INT, KEY (id))")
	tab := people(t, 0)
	err := jdbctest.TryLoad(t, kit.OpenSink(t, f.Options(), tab), jdbctest.Batch(t, tab, jdbctest.Insert(1, "x", 1)))
	if err == nil || !strings.Contains(err.Error(), "unique index on exactly id") {
		t.Errorf("error %v", err)
	}
}

// TestUpsertsOfAllKinds writes batches of new keys, of keys that are there, and of both, also with a key twice and with
// a second unique column: whether or not a batch can go straight into the table, the last row of each key is there.
func TestUpsertsOfAllKinds(t *testing.T) {
	for _, sqlOnly := range []bool{false, true} {
		f := database(t, sqlOnly, "CREATE TABLE people (id INT PRIMARY KEY, `na``me` VARCHAR(9), n INT UNIQUE)")
		tab := people(t, 0)
		s := kit.OpenSink(t, f.Options(), tab)
		batch := func(rows ...jdbctest.Row) plugin.Batch { return jdbctest.Batch(t, tab, rows...) }
		jdbctest.Load(t, s,
			batch(jdbctest.Insert(1, "a", 1), jdbctest.Insert(2, "a", 2)),
			batch(jdbctest.Insert(2, "b", 2), jdbctest.Insert(3, "b", 3)),
			batch(jdbctest.Insert(4, "c", 4)),
			batch(jdbctest.Insert(5, "d", 5), jdbctest.Insert(5, "e", 5), jdbctest.Insert(6, "d", 6)),
			batch(jdbctest.After(1, "f", 10), jdbctest.After(7, "f", 7)))
		want := []string{"1|f|10", "2|b|2", "3|b|3", "4|c|4", "5|e|5", "6|d|6", "7|f|7"}
		if d := cmp.Diff(want, f.Query("SELECT * FROM people ORDER BY id")); d != "" {
			t.Errorf("without local files: %t: %s", sqlOnly, d)
		}
	}
}

// TestZeroKey does not turn a zero into the next generated key.
func TestZeroKey(t *testing.T) {
	f := dbtest.MariaDB(t, "CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(9), n INT)")
	tab := people(t)
	jdbctest.Load(t, kit.OpenSink(t, f.Options(), tab), jdbctest.Batch(t, tab, jdbctest.Insert(0, "x", 1)))
	if got := f.Query("SELECT id FROM people"); got[0] != "0" {
		t.Errorf("id %s", got)
	}
}

// TestBits writes numbers, booleans and bytes into columns of bits.
func TestBits(t *testing.T) {
	tab := jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: []plugin.Column{
		{Name: "a", Type: plugin.TypeOf(plugin.Boolean)}, {Name: "b", Type: plugin.TypeOf(plugin.Int)}, {Name: "c",
			Type: plugin.TypeOf(plugin.Bytes)},
	}})
	f := dbtest.MariaDB(t, "CREATE TABLE t (a BIT(1), b BIT(8), c BIT(16))")
	jdbctest.Load(t, kit.SinkFor(t, tab, f.Pairs()...), jdbctest.Batch(t, tab, jdbctest.Insert(true, 5, []byte{1, 2}),
		jdbctest.Insert(nil, nil, nil)))
	if d := cmp.Diff([]string{"1|5|258", "NULL|NULL|NULL"},
		f.Query("SELECT a+0, b+0, c+0 FROM t ORDER BY a DESC")); d != "" {
		t.Error(d)
	}
}

// TestWithoutTemporaryTables upserts and deletes as a user who may make no temporary tables, into a table whose name
// leaves no room for more.
func TestWithoutTemporaryTables(t *testing.T) {
	name := strings.Repeat("p", 64)
	f := dbtest.MariaDB(t, "CREATE TABLE "+name+" (id INT PRIMARY KEY, `na``me` VARCHAR(9), n INT)",
		"CREATE OR REPLACE USER culvert_weak@'%' IDENTIFIED BY 'weak'",
		"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, ALTER ON *.* TO culvert_weak@'%'")
	t.Cleanup(func() { f.Exec("DROP USER culvert_weak@'%'") })
	tab := people(t, 0)
	for _, user := range []string{"", "culvert_weak"} {
		f.Exec("TRUNCATE TABLE " + name)
		o := f.Options("table", name)
		if user != "" {
			o = o.Set("user", config.TextValue(user)).Set("password", config.TextValue("weak"))
		}
		s := kit.OpenSink(t, o, tab)
		row := func(kind plugin.RowKind, values ...any) jdbctest.Row { return jdbctest.Row{Kind: kind, Values: values} }
		jdbctest.Load(t, s, jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", 1), jdbctest.Insert(2, "b", 2)),
			jdbctest.Batch(t, tab, row(plugin.Delete, 1, "a", 1), row(plugin.UpdateAfter, 2, "c", 3)),
			jdbctest.Batch(t, tab, row(plugin.UpdateAfter, 2, "d", 4), row(plugin.Insert, 5, "e", 5),
				row(plugin.Delete, 5, "e", 5)))
		if d := cmp.Diff([]string{"2|d|4"}, f.Query("SELECT * FROM "+name)); d != "" {
			t.Errorf("user %q: %s", user, d)
		}
		if left := f.Query("SHOW TABLES LIKE 'culvert%'"); len(left) > 0 {
			t.Errorf("user %q: left over: %q", user, left)
		}
	}
}
