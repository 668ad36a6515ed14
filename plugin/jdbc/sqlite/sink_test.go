package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// people is a table with a key and a column to change.
func people(t testing.TB, key ...int) *plugin.Table {
	return jdbctest.Table(t, plugin.Table{ID: plugin.TableID{Database: "app", Name: "people"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "Name", Type: plugin.TypeOf(plugin.String), Length: 50},
		{Name: "age", Type: plugin.TypeOf(plugin.SmallInt)},
	}, Key: key})
}

var changes = []jdbctest.Row{
	jdbctest.Insert(1, "ann", 30), jdbctest.Insert(2, "bob", 40), jdbctest.Insert(3, "cid", 50),
	jdbctest.Before(2, "bob", 40), jdbctest.After(2, "bert", 41), jdbctest.Remove(3, nil, nil),
	jdbctest.Insert(3, "cleo", 51), jdbctest.Insert(1, "anna", nil),
	jdbctest.Remove(4, "nobody", 1), jdbctest.After(5, "eve", 20), jdbctest.Remove(1, "anna", nil),
	jdbctest.After(1, "ann again", 31),
}

// TestWriteModes applies the same changes by each way of writing, at once and by way of staging tables.
func TestWriteModes(t *testing.T) {
	create := `CREATE TABLE people (id INT, "Name" TEXT, age INT, extra TEXT DEFAULT 'kept', UNIQUE (id))`
	noKey := `CREATE TABLE people (id INT, "Name" TEXT, age INT, extra TEXT DEFAULT 'kept')`
	tests := []struct {
		name   string
		create string
		key    []int
		block  []any
		rows   []jdbctest.Row
		want   []string
	}{
		{"upserts by the table's key", create, []int{0}, nil, changes,
			[]string{"1|ann again|31|kept", "2|bert|41|kept", "3|cleo|51|kept", "5|eve|20|kept"}},
		{"upserts by the job's key", create, nil, []any{"primary_keys", []string{"id"}}, changes,
			[]string{"1|ann again|31|kept", "2|bert|41|kept", "3|cleo|51|kept", "5|eve|20|kept"}},
		{"inserts and updates", create, []int{0}, []any{"enable_upsert", "false"},
			[]jdbctest.Row{jdbctest.Insert(1, "ann", 30), jdbctest.Insert(2, "bob", 40), jdbctest.After(2, "bert", 41),
				jdbctest.After(9, "nobody", 1), jdbctest.Remove(1, nil, nil), jdbctest.Insert(1, "new", 1),
				jdbctest.After(1, "newer", 2)},
			[]string{"1|newer|2|kept", "2|bert|41|kept"}},
		{"without a key all are inserts", noKey, nil, nil,
			[]jdbctest.Row{jdbctest.Insert(1, "ann", 30), jdbctest.Before(1, "ann", 30), jdbctest.After(1, "anna", 31),
				jdbctest.Remove(1, "anna", 31)},
			[]string{"1|anna|31|kept", "1|anna|31|kept", "1|ann|30|kept", "1|ann|30|kept"}},
		{"plain inserts", noKey, []int{0}, []any{"support_upsert_by_insert_only", "true"},
			[]jdbctest.Row{jdbctest.Insert(1, "a", 1), jdbctest.Before(1, "a", 1), jdbctest.After(1, "b", 2),
				jdbctest.Insert(2, "c", 3), jdbctest.Remove(2, nil, nil)},
			[]string{"1|a|1|kept", "1|b|2|kept"}},
		{"a statement with marks", create, []int{0},
			[]any{"query", "INSERT INTO people (id, \"Name\", age, extra) VALUES (?, upper(?), ? + 1, '?')"},
			[]jdbctest.Row{jdbctest.Insert(1, "ann", 30), jdbctest.Insert(2, "bob", 40)}, []string{"1|ANN|31|?", "2|BOB|41|?"}},
		{"a statement with names", create, []int{0},
			[]any{"query", "INSERT OR REPLACE INTO people (id, age, extra) VALUES (:id, :age, :age || ':x' || :Name)"},
			[]jdbctest.Row{jdbctest.Insert(1, "ann", 30), jdbctest.Remove(1, "bob", 40)}, []string{"1|NULL|40|40:xbob"}},
	}
	for _, test := range tests {
		for _, exactly := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, exactly once %v", test.name, exactly), func(t *testing.T) {
				url, path := newFile(t, test.create)
				tab := people(t, test.key...)
				s := kit.SinkFor(t, tab, append([]any{"url", url, "is_exactly_once", exactly}, test.block...)...)
				jdbctest.Load(t, s, jdbctest.Batch(t, tab, test.rows...))
				if d := cmp.Diff(jdbctest.Sorted(test.want), jdbctest.Sorted(query(t, path, "SELECT * FROM people"))); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func TestCreateTable(t *testing.T) {
	unique := []plugin.Constraint{
		{Name: "u", Kind: plugin.UniqueKey, Columns: []plugin.ConstraintColumn{{Name: "Name"}, {Name: "age", Desc: true}}},
		{Name: "i", Kind: plugin.IndexKey, Columns: []plugin.ConstraintColumn{{Name: "age"}}},
		{Name: "f", Kind: plugin.ForeignKey, Columns: []plugin.ConstraintColumn{{Name: "age"}}},
	}
	tests := []struct {
		name  string
		key   []int
		block []any
		want  []string
	}{
		{"one integer", []int{0}, nil, []string{
			`CREATE TABLE "people" ( "id" INTEGER PRIMARY KEY, "Name" VARCHAR(50), "age" SMALLINT )`,
			`CREATE UNIQUE INDEX "people_index_1" ON "people" ("Name", "age" DESC)`,
			`CREATE INDEX "people_index_2" ON "people" ("age")`}},
		{"two columns", []int{1, 0}, nil, []string{
			`CREATE TABLE "people" ( "id" INT NOT NULL, "Name" VARCHAR(50) NOT NULL, "age" SMALLINT, PRIMARY KEY ("Name", ` +
				`"id") ) WITHOUT ROWID`,
			`CREATE UNIQUE INDEX "people_index_1" ON "people" ("Name", "age" DESC)`,
			`CREATE INDEX "people_index_2" ON "people" ("age")`}},
		{"no indexes", []int{0}, []any{"create_index", "false"},
			[]string{`CREATE TABLE "people" ( "id" INT, "Name" VARCHAR(50), "age" SMALLINT )`}},
		{"names", nil, []any{"table", "main.copy_of_${table_name}", "tablePrefix", "p_", "tableSuffix", "_s", "field_ide",
			"UPPERCASE", "create_index", "false"},
			[]string{`CREATE TABLE "P_COPY_OF_PEOPLE_S" ( "ID" INT, "NAME" VARCHAR(50), "AGE" SMALLINT )`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url, path := newFile(t)
			tab := *people(t, test.key...)
			tab.Constraints = unique
			kit.SinkFor(t, jdbctest.Table(t, tab), append([]any{"url", url}, test.block...)...)
			var got []string
			for _, sql := range query(t, path, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid") {
				got = append(got, strings.Join(strings.Fields(sql), " "))
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSeveralCustomStatements(t *testing.T) {
	url, path := newFile(t, `CREATE TABLE people (id INT, "Name" TEXT, age INT)`,
		"INSERT INTO people VALUES (9, 'old', 9)")
	tab := people(t)
	kit.SinkFor(t, tab, "url", url, "data_save_mode", "CUSTOM_PROCESSING",
		"custom_sql", "DELETE FROM ${table_name}; INSERT INTO ${table_name} (id) VALUES (77)")
	if d := cmp.Diff([]string{"77|NULL|NULL"}, query(t, path, "SELECT * FROM people")); d != "" {
		t.Error(d)
	}
}

func TestSeveralTables(t *testing.T) {
	url, path := newFile(t)
	var tables []*plugin.Table
	for _, name := range []string{"a", "b"} {
		tab := *people(t, 0)
		tab.ID.Name = name
		tables = append(tables, jdbctest.Table(t, tab))
	}
	s := kit.OpenSink(t, plugintest.Options("url", url, "table", "${database_name}_${table_name}", "primary_keys",
		[]string{"${primary_key}"}), tables...)
	if err := s.Prepare(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	jdbctest.Load(t, s, jdbctest.Batch(t, tables[0], jdbctest.Insert(1, "x", 1)),
		jdbctest.Batch(t, tables[1], jdbctest.Insert(1, "y", 1)), jdbctest.Batch(t, tables[0], jdbctest.Insert(1, "z", 1)))
	if got := query(t, path, `SELECT a."Name", b."Name" FROM app_a a, app_b b`); !slices.Equal(got, []string{"z|y"}) {
		t.Errorf("rows %q", got)
	}
}

// TestRefusedRows checks that rows that break a constraint are named, and all others written.
func TestRefusedRows(t *testing.T) {
	url, path := newFile(t, "CREATE TABLE people (id INT PRIMARY KEY, \"Name\" TEXT NOT NULL, age INT CHECK (age < 150))")
	tab := people(t, 0)
	s := kit.SinkFor(t, tab, "url", url)
	var rows []jdbctest.Row
	for i := range 500 {
		rows = append(rows, jdbctest.Insert(i, "x", i%100))
	}
	rows[100] = jdbctest.Insert(100, nil, 1)
	rows[333] = jdbctest.Insert(333, "old", 200)
	rows[499] = jdbctest.Insert(499, nil, nil)
	err := jdbctest.TryLoad(t, s, jdbctest.Batch(t, tab, rows...))
	var refused *plugin.RowErrors
	if !errors.As(err, &refused) {
		t.Fatalf("error %v", err)
	}
	var got []int
	for _, r := range refused.Rows {
		got = append(got, r.Index)
	}
	if !slices.Equal(got, []int{100, 333, 499}) {
		t.Errorf("rows %v were refused", got)
	}
	jdbctest.CheckError(t, refused.Rows[1].Err, plugin.CodeData, "people", "id = 333", "CHECK constraint failed")
	if n := query(t, path, "SELECT count(*) FROM people")[0]; n != "497" {
		t.Errorf("%s rows were written", n)
	}
}

func TestSinkErrors(t *testing.T) {
	tab := people(t, 0)
	tests := []struct {
		name  string
		sql   []string
		block []any
		code  plugin.Code
		want  []string
	}{
		{"upsert without an index", []string{`CREATE TABLE people (id INT, "Name" TEXT, age INT)`}, nil, plugin.CodeConfig,
			[]string{"people", "enable_upsert = false"}},
		{"statement of a missing table", nil, []any{"query", "INSERT INTO nowhere VALUES (?)"}, plugin.CodeNotFound,
			[]string{"no such table: nowhere"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url, _ := newFile(t, test.sql...)
			err := jdbctest.TryLoad(t, kit.SinkFor(t, tab, append([]any{"url", url}, test.block...)...),
				jdbctest.Batch(t, tab, jdbctest.Insert(1, "x", 1)))
			jdbctest.CheckError(t, err, test.code, test.want...)
		})
	}
}

func TestBadOptions(t *testing.T) {
	tab := people(t, 0)
	tests := []struct {
		block []any
		want  []string
	}{
		{[]any{"url", "jdbc:mysql://u:secret@host/db"}, []string{`"jdbc:mysql"`, "known are SQLite (jdbc:sqlite:)"}},
		{[]any{"url", "jdbc:sqlite:x.db", "primary_keys", []string{"nme"}},
			[]string{"primary_keys", `"nme"`, `did you mean "Name"?`}},
		{[]any{"url", "jdbc:sqlite:x.db", "query", "INSERT INTO t VALUES (:agee)"},
			[]string{"query", `"agee"`, `did you mean "age"?`}},
		{[]any{"url", "jdbc:sqlite:x.db", "query", "INSERT INTO t VALUES (?, ?, ?, ?)"},
			[]string{"4 parameters for 3 columns"}},
		{[]any{"url", "jdbc:sqlite:x.db", "query", "INSERT INTO t VALUES (?, :id)"}, []string{"both ? and :name"}},
		{[]any{"url", "jdbc:sqlite:x.db", "query", "INSERT INTO t VALUES (1)"}, []string{"no parameters"}},
		{[]any{"url", "jdbc:sqlite:x.db?journal_mode=a;b"}, []string{"url"}},
		{[]any{"url", "jdbc:sqlite:x.db", "properties", config.Value{Kind: config.Object}.Set("cache_size",
			config.TextValue("1); DROP"))}, []string{"cache_size", "no value of a pragma"}},
		{[]any{"url", "jdbc:sqlite:x.db", "use_kerberos", "true"}, []string{"use_kerberos"}},
		{[]any{"url", "jdbc:sqlite:x.db", "data_save_mode", "custom_processing"}, []string{"custom_sql"}},
	}
	for _, test := range tests {
		_, err := kit.Lookup(t, plugin.SinkRole).Sink(t.Context(), plugintest.Options(test.block...), jdbctest.Env(tab))
		if err == nil {
			t.Errorf("%v: no error", test.block)
			continue
		}
		for _, part := range test.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q shows a password", err)
		}
	}
}

func TestReadOnlyFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("the superuser may write everywhere")
	}
	url, path := newFile(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, "Name" TEXT, age INT)`)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	tab := people(t, 0)
	err := kit.OpenSink(t, plugintest.Options("url", url), tab).Prepare(t.Context(), []*plugin.Table{tab})
	jdbctest.CheckError(t, err, plugin.CodeDenied, "allow writing to the file")
}

func TestMissingDirectory(t *testing.T) {
	tab := people(t, 0)
	s := kit.OpenSink(t, plugintest.Options("url", "jdbc:sqlite:/nowhere/at/all.db"), tab)
	jdbctest.CheckError(t, s.Prepare(t.Context(), []*plugin.Table{tab}), plugin.CodeNotFound, "/nowhere/at/all.db")
}

func TestInMemory(t *testing.T) {
	tab := people(t, 0)
	s := kit.SinkFor(t, tab, "url", "jdbc:sqlite::memory:")
	jdbctest.Load(t, s, jdbctest.Batch(t, tab, jdbctest.Insert(1, "x", 1)))
	s = kit.OpenSink(t, plugintest.Options("url", "jdbc:sqlite:", "is_exactly_once", "true"), tab)
	_, err := s.Writer(t.Context(), plugin.Task{Env: jdbctest.Env()})
	jdbctest.CheckError(t, err, plugin.CodeConfig, "does not survive the process")
}

// TestWriteWhileLocked checks waiting for another program's lock, its end, and that a cancel is not kept waiting.
func TestWriteWhileLocked(t *testing.T) {
	tab := people(t, 0)
	url, path := newFile(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, "Name" TEXT, age INT)`)
	s := kit.SinkFor(t, tab, "url", url, "connection_check_timeout_sec", "0.05")
	b := jdbctest.Batch(t, tab, jdbctest.Insert(1, "x", 1))
	release := lock(t, path)
	err := jdbctest.TryLoad(t, s, b)
	jdbctest.CheckError(t, err, plugin.CodeUnavailable, "locked")

	patient := kit.OpenSink(t, plugintest.Options("url", url, "connection_check_timeout_sec", 600), tab)
	w, err := patient.Writer(t.Context(), plugin.Task{Env: jdbctest.Env()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := w.Write(ctx, b); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("the cancel took %v", d)
	}
	release()
	if err := w.Write(t.Context(), b); err != nil {
		t.Error(err)
	}
}

// TestCancelLongStatements checks that a context ends statements that would run for a long time.
func TestCancelLongStatements(t *testing.T) {
	endless := "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	url, _ := newFile(t)
	s := kit.OpenSource(t, plugintest.Options("url", url, "query", endless))
	start := time.Now()
	_, err := s.Tables(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	tab := people(t, 0)
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	sink := kit.OpenSink(t, plugintest.Options("url", url, "data_save_mode", "CUSTOM_PROCESSING", "custom_sql", endless),
		tab)
	if err := sink.Prepare(ctx, []*plugin.Table{tab}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("the cancels took %v", d)
	}
}

func TestDelivery(t *testing.T) {
	tests := []struct {
		key   []int
		block []any
		want  plugin.Delivery
	}{
		{[]int{0}, nil, plugin.Idempotent},
		{nil, nil, plugin.Repeats},
		{nil, []any{"primary_keys", "id"}, plugin.Idempotent},
		{[]int{0}, []any{"enable_upsert", "false"}, plugin.Repeats},
		{[]int{0}, []any{"support_upsert_by_insert_only", "true"}, plugin.Repeats},
		{[]int{0}, []any{"query", "INSERT INTO t VALUES (?)"}, plugin.Repeats},
		{nil, []any{"is_exactly_once", "true"}, plugin.TwoPhase},
	}
	for _, test := range tests {
		tab := people(t, test.key...)
		s := kit.OpenSink(t, plugintest.Options(append([]any{"url", "jdbc:sqlite:x.db"}, test.block...)...), tab)
		if got := s.(plugin.Deliverer).Delivery([]*plugin.Table{tab}); got != test.want {
			t.Errorf("%v: delivery %d, want %d", test.block, got, test.want)
		}
	}
}

func TestPing(t *testing.T) {
	tab := people(t, 0)
	url, path := newFile(t, "CREATE TABLE t (a INT)")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := kit.OpenSink(t, plugintest.Options("url", url), tab).(plugin.Pinger).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := kit.OpenSink(t, plugintest.Options("url", url+".new"), tab).(plugin.Pinger).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("a ping has made a file")
	}
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("a ping has changed the file, error %v", err)
	}
	err = kit.OpenSink(t, plugintest.Options("url", "jdbc:sqlite:/nowhere/x.db"), tab).(plugin.Pinger).Ping(t.Context())
	jdbctest.CheckError(t, err, plugin.CodeNotFound)
}
