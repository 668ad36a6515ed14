package mysql_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

// people is a table with a key and a column of text and of numbers.
func people(t testing.TB, key ...int) *plugin.Table {
	return newTable(t, plugin.Table{
		ID: plugin.TableID{Name: "people"}, Key: key,
		Columns: []plugin.Column{
			{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "na`me", Type: plugin.TypeOf(plugin.String), Length: 10},
			{Name: "n", Type: plugin.TypeOf(plugin.BigInt)},
		},
	})
}

// TestChangesAgainstModel writes random changes and compares the target with a map after each batch.
func TestChangesAgainstModel(t *testing.T) {
	for _, pairs := range [][]any{
		{}, {"is_exactly_once", "true"}, {"enable_upsert", "false"}, {"is_primary_key_updated", "false"},
		{"enable_upsert", "false", "is_exactly_once", "true"},
	} {
		t.Run(fmt.Sprint(pairs), func(t *testing.T) {
			f := newFixture(t)
			tab := people(t, 0)
			s := sinkFor(t, tab, f.access(pairs...)...)
			random := rand.New(rand.NewPCG(1, 2))
			model := map[int]string{}
			for epoch := 1; epoch <= 12; epoch++ {
				var rows []row
				for range 150 {
					if epoch < 12 {
						rows = append(rows, change(random, model))
					}
				}
				for id := range maps.Clone(model) { // the last batch is of one kind only
					if epoch == 12 {
						rows = append(rows, row{plugin.Delete, []any{id, nil, nil}})
						delete(model, id)
					}
				}
				load(t, s, batch(t, tab, rows...))
				var want []string
				for _, id := range slices.Sorted(maps.Keys(model)) {
					want = append(want, model[id])
				}
				if d := cmp.Diff(want, f.query(t, "SELECT * FROM people ORDER BY id")); d != "" {
					t.Fatalf("epoch %d: %s", epoch, d)
				}
				f.run(t, "DROP TABLE IF EXISTS culvert_commits") // load begins with epoch 1 each time
			}
			if left := f.query(t, "SHOW TABLES LIKE 'culvert\\_stage\\_%'"); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
		})
	}
}

// change returns a change that fits the model, and makes it there.
func change(random *rand.Rand, model map[int]string) row {
	id := random.IntN(60)
	text := func() ([]any, string) {
		n := random.IntN(1000)
		return []any{id, fmt.Sprint("ä", n), n}, fmt.Sprintf("%d|ä%d|%[2]d", id, n)
	}
	if _, ok := model[id]; !ok {
		values, line := text()
		model[id] = line
		return row{plugin.Insert, values}
	}
	switch random.IntN(3) {
	case 0:
		delete(model, id)
		return row{plugin.Delete, []any{id, nil, nil}}
	case 1:
		return row{plugin.UpdateBefore, []any{id, "before", 0}}
	default:
		values, line := text()
		model[id] = line
		return row{plugin.UpdateAfter, values}
	}
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
		f := newFixture(t)
		tab := people(t)
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s %s %v", test.columns, test.key, sqlOnly), func(t *testing.T) {
				if sqlOnly && !strings.Contains(test.columns, "VARCHAR(3)") {
					t.Skip("one of them is enough")
				}
				f.run(t, "CREATE OR REPLACE TABLE people ("+test.columns+")")
				o := f.access()
				if test.key != "" {
					o = append(o, "primary_keys", []string{test.key})
				}
				good := func(id int) row { return row{plugin.Insert, []any{id, "1", 1}} }
				if strings.Contains(test.columns, "DATE") {
					good = func(id int) row { return row{plugin.Insert, []any{id, "2024-02-29", 1}} }
				}
				s := openSink(t, block(o...), tab)
				if sqlOnly {
					withoutLocalFiles(t, f)
				}
				bad := row{plugin.Insert, test.bad}
				err := tryLoad(t, s, batch(t, tab, good(1), good(2), bad, good(3), bad, good(4)))
				var refused *plugin.RowErrors
				if !errors.As(err, &refused) || len(refused.Rows) != 2 ||
					refused.Rows[0].Index != 2 || refused.Rows[1].Index != 4 ||
					!strings.Contains(refused.Error(), test.want) {
					t.Errorf("error %v, want %s", err, test.want)
				}
				if d := cmp.Diff([]string{"1", "2", "3", "4"}, f.query(t, "SELECT id FROM people ORDER BY id")); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// withoutLocalFiles makes the server refuse LOAD DATA LOCAL for a moment.
func withoutLocalFiles(t testing.TB, f *fixture) {
	t.Helper()
	f.run(t, "SET GLOBAL local_infile = OFF")
	t.Cleanup(func() { f.run(t, "SET GLOBAL local_infile = ON") })
}

// TestFractionsAreKept refuses fractions of seconds that a column would cut off.
func TestFractionsAreKept(t *testing.T) {
	tab := newTable(t, plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: []plugin.Column{
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
	f := newFixture(t)
	for _, test := range tests {
		f.run(t, "CREATE OR REPLACE TABLE t ("+test.columns+")")
		err := tryLoad(t, sinkFor(t, tab, f.access()...), batch(t, tab, row{plugin.Insert, test.values}))
		if (err == nil) != test.ok {
			t.Errorf("%s %v: error %v; there is %q", test.columns, test.values, err, f.query(t, "SELECT * FROM t"))
		}
	}
}

func TestSaveModes(t *testing.T) {
	seed := "INSERT INTO people VALUES (1, 'old', 1)"
	made := "CREATE TABLE people (id INT, `na``me` VARCHAR(20), n BIGINT)"
	tests := []struct {
		name   string
		before []string
		pairs  []any
		want   string
		err    string
	}{
		{"creates", nil, nil, "2", ""},
		{"appends", []string{made, seed}, nil, "1 2", ""},
		{"recreates", []string{made, seed}, []any{"schema_save_mode", "RECREATE_SCHEMA"}, "2", ""},
		{"no table", nil, []any{"schema_save_mode", "ERROR_WHEN_SCHEMA_NOT_EXIST"}, "", "does not exist"},
		{"drops rows", []string{made, seed}, []any{"data_save_mode", "DROP_DATA"}, "2", ""},
		{"rows there", []string{made, seed}, []any{"data_save_mode", "ERROR_WHEN_DATA_EXISTS"}, "", "holds rows"},
		{"no rows there", []string{made}, []any{"data_save_mode", "ERROR_WHEN_DATA_EXISTS"}, "2", ""},
		{"custom", []string{made, seed}, []any{
			"data_save_mode", "CUSTOM_PROCESSING", "custom_sql", "UPDATE ${table_name} SET id = 5;"}, "2 5", ""},
		{"a column is missing", []string{"CREATE TABLE people (id INT)"}, nil, "", "no column na`me, n"},
		{"parents", []string{made, seed, "ALTER TABLE people ADD PRIMARY KEY (id)",
			"CREATE TABLE child (p INT REFERENCES people(id))"},
			[]any{"data_save_mode", "DROP_DATA"}, "2", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, test.before...)
			tab := people(t)
			s := openSink(t, block(f.access(test.pairs...)...), tab)
			err := s.Prepare(t.Context(), []*plugin.Table{tab})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			load(t, s, batch(t, tab, row{plugin.Insert, []any{2, "new", 0}}))
			if got := strings.Join(f.query(t, "SELECT id FROM people ORDER BY id"), " "); got != test.want {
				t.Errorf("rows %s, want %s", got, test.want)
			}
		})
	}
}

// TestCreatedTable looks at the table that the sink makes, in a database that it makes, too.
func TestCreatedTable(t *testing.T) {
	f := newFixture(t)
	value := "it's"
	tab := newTable(t, plugin.Table{
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
	other := f.name + "_new"
	t.Cleanup(func() { f.run(t, "DROP DATABASE IF EXISTS "+other) })
	o := f.access("database", other, "tablePrefix", "p_", "field_ide", "LOWERCASE")
	s := openSink(t, block(o...), tab)
	if err := s.Prepare(t.Context(), []*plugin.Table{tab}); err != nil {
		t.Fatal(err)
	}
	got := f.query(t, "SHOW CREATE TABLE "+other+".p_orders")[0]
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
		f := newFixture(t, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9), n INT)")
		tab := people(t, 0)
		s := openSink(t, block(f.access("is_exactly_once", once,
			"query",
			"INSERT INTO people (n, id, name) VALUES (:n, :id, 'x') ON DUPLICATE KEY UPDATE n = people.n + 10;")...), tab)
		var rows []row
		for id := range 200 {
			rows = append(rows, row{plugin.Insert, []any{id, "?", id}})
		}
		rows = append(rows, row{plugin.Delete, []any{3, "?", 3}}) // every kind runs the statement
		load(t, s, batch(t, tab, rows...))
		if got := f.query(t, "SELECT COUNT(*), SUM(n), MAX(name) FROM people")[0]; got != "200|19910|x" {
			t.Errorf("is_exactly_once = %s: %s", once, got)
		}
	}
}

// TestOwnStatementRefused keeps the rows beside one that the server refuses.
func TestOwnStatementRefused(t *testing.T) {
	f := newFixture(t, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9), n TINYINT)")
	tab := people(t)
	s := openSink(t, block(f.access("query", "INSERT INTO people VALUES (?, ?, ?)")...), tab)
	var rows []row
	for id := range 300 {
		rows = append(rows, row{plugin.Insert, []any{id, "x", id % 129}})
	}
	var refused *plugin.RowErrors
	if err := tryLoad(t, s, batch(t, tab, rows...)); !errors.As(err, &refused) || len(refused.Rows) != 2 ||
		refused.Rows[1].Index != 257 {
		t.Errorf("error %v", err)
	}
	if got := f.query(t, "SELECT COUNT(*) FROM people")[0]; got != "298" {
		t.Errorf("%s rows", got)
	}
}

// TestUpsertNeedsKey refuses upserts that would become inserts.
func TestUpsertNeedsKey(t *testing.T) {
	f := newFixture(t, "CREATE TABLE people (id INT, `na``me` VARCHAR(9), n INT, KEY (id))")
	tab := people(t, 0)
	err := tryLoad(t, openSink(t, block(f.access()...), tab), batch(t, tab, row{plugin.Insert, []any{1, "x", 1}}))
	if err == nil || !strings.Contains(err.Error(), "unique index on exactly id") {
		t.Errorf("error %v", err)
	}
}

// TestZeroKey does not turn a zero into the next generated key.
func TestZeroKey(t *testing.T) {
	f := newFixture(t, "CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, `na``me` VARCHAR(9), n INT)")
	tab := people(t)
	load(t, openSink(t, block(f.access()...), tab), batch(t, tab, row{plugin.Insert, []any{0, "x", 1}}))
	if got := f.query(t, "SELECT id FROM people"); got[0] != "0" {
		t.Errorf("id %s", got)
	}
}

// TestBits writes numbers, booleans and bytes into columns of bits.
func TestBits(t *testing.T) {
	tab := newTable(t, plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: []plugin.Column{
		{Name: "a", Type: plugin.TypeOf(plugin.Boolean)}, {Name: "b", Type: plugin.TypeOf(plugin.Int)}, {Name: "c",
			Type: plugin.TypeOf(plugin.Bytes)},
	}})
	f := newFixture(t, "CREATE TABLE t (a BIT(1), b BIT(8), c BIT(16))")
	load(t, sinkFor(t, tab, f.access()...), batch(t, tab, row{plugin.Insert, []any{true, 5, []byte{1, 2}}},
		row{plugin.Insert, []any{nil, nil, nil}}))
	if d := cmp.Diff([]string{"1|5|258", "NULL|NULL|NULL"}, f.query(t,
		"SELECT a+0, b+0, c+0 FROM t ORDER BY a DESC")); d != "" {
		t.Error(d)
	}
}
