package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func idName(t testing.TB) *plugin.Table {
	return tableOf(t, "people", []int{0}, col("id", plugin.TypeOf(plugin.BigInt)),
		col("name", plugin.TypeOf(plugin.String)))
}

const (
	ins, del = plugin.Insert, plugin.Delete
	old, upd = plugin.UpdateBefore, plugin.UpdateAfter
)

// TestChanges applies a stream of changes, whole, and in bulks of one batch.
func TestChanges(t *testing.T) {
	first := [][]any{{ins, 1, "a"}, {ins, 2, "b"}, {ins, 3, "c"}, {ins, 4, "it's \\"}}
	second := [][]any{{old, 1, "a"}, {upd, 1, "a2"}, {del, 2, "b"}, {ins, 5, "e"}, {del, 5, "e"},
		{del, 3, "c"}, {ins, 3, "c2"}}
	third := [][]any{{old, 4, "it's \\"}, {upd, 40, "moved"}, {upd, 6, "new"}, {del, 99, "never was"}}
	engines := map[string]string{
		"replacing":       "ReplacingMergeTree ORDER BY id",
		"merge tree":      "MergeTree ORDER BY tuple()",
		"other order":     "ReplacingMergeTree ORDER BY (id, name)",
		"made by the job": "",
	}
	for name, engine := range engines {
		for _, bulk := range []int{1, 1000} {
			t.Run(fmt.Sprintf("%s, bulks of %d", name, bulk), func(t *testing.T) {
				d := newDB(t)
				if engine != "" {
					d.exec("CREATE TABLE @.people (id Int64, name String) ENGINE = " + engine)
				}
				table := idName(t)
				w := newWriter(t, d.options("primary_key", "id", "bulk_size", bulk), table)
				err := write(t, w, batchOf(t, table, first...), batchOf(t, table, second...), batchOf(t, table, third...))
				if err != nil {
					t.Fatal(err)
				}
				sql := "SELECT id, name FROM @.people ORDER BY id"
				if engine != "MergeTree ORDER BY tuple()" {
					sql = "SELECT id, name FROM @.people FINAL ORDER BY id"
				}
				if diff := cmp.Diff("1\ta2\n3\tc2\n6\tnew\n40\tmoved", d.query(sql)); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestTwoKeyColumns(t *testing.T) {
	d := newDB(t)
	table := tableOf(t, "pairs", []int{0, 1}, col("a", plugin.TypeOf(plugin.Int)), col("b", plugin.TypeOf(plugin.String)),
		col("v", plugin.TypeOf(plugin.Int)))
	d.exec("CREATE TABLE @.pairs (a Int32, b String, v Nullable(Int32)) ENGINE = MergeTree ORDER BY tuple()")
	w := newWriter(t, d.options("primary_key", "${primary_key}"), table)
	err := write(t, w, batchOf(t, table, []any{ins, 1, "x", 1}, []any{ins, 1, "y", 2}, []any{ins, 2, "x", 3}),
		batchOf(t, table, []any{upd, 1, "x", nil}, []any{del, 2, "x", 3}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("1\tx\t\\N\n1\ty\t2", d.query("SELECT * FROM @.pairs ORDER BY a, b")); diff != "" {
		t.Error(diff)
	}
}

// TestWithoutKey inserts every row, whatever its kind is.
func TestWithoutKey(t *testing.T) {
	d := newDB(t)
	table := idName(t)
	w := newWriter(t, d.options("table", "all"), table)
	if err := write(t, w, batchOf(t, table, []any{ins, 1, "a"}, []any{old, 2, "b"}, []any{upd, 3, "c"},
		[]any{del, 4, "d"})); err != nil {
		t.Fatal(err)
	}
	if got := d.query("SELECT count() FROM @.all"); got != "4" {
		t.Errorf("%s rows, want 4", got)
	}
}

func TestRefusedRows(t *testing.T) {
	for _, key := range []string{"", "id"} {
		t.Run("key "+key, func(t *testing.T) {
			d := newDB(t)
			d.exec("CREATE TABLE @.people (id UInt8, name String) ENGINE = MergeTree ORDER BY id")
			table := idName(t)
			w := newWriter(t, d.options("primary_key", key), table)
			b := batchOf(t, table, []any{1, "a"}, []any{256, "b"}, []any{3, nil}, []any{4, "d"})
			err := w.Write(t.Context(), b)
			b.Release()
			var refused *plugin.RowErrors
			if !errors.As(err, &refused) || len(refused.Rows) != 2 || refused.Rows[0].Index != 1 || refused.Rows[1].Index != 2 {
				t.Fatalf("got error %v, want the rows 1 and 2 refused", err)
			}
			for i, want := range []string{"id=256: column id: 256 is out of range", "id=3: column name: the value is null"} {
				if !strings.Contains(refused.Rows[i].Err.Error(), want) {
					t.Errorf("got %v, want %q", refused.Rows[i].Err, want)
				}
			}
			if err := write(t, w); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("1\ta\n4\td", d.query("SELECT * FROM @.people ORDER BY id")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSaveModes(t *testing.T) {
	d := newDB(t)
	table := idName(t)
	prepare := func(o config.Value) error {
		s, err := lookup(t, plugin.SinkRole).Sink(t.Context(), o, env(table))
		if err != nil {
			t.Fatal(err)
		}
		return s.Prepare(t.Context(), []*plugin.Table{table})
	}
	steps := []struct {
		name    string
		options []any
		err     string
		sql     string
		want    string
	}{
		{"missing", []any{"schema_save_mode", "ERROR_WHEN_SCHEMA_NOT_EXIST"}, "does not exist", "SELECT 0", "0"},
		{"created", nil, "", "SELECT engine, replaceAll(replaceAll(sorting_key, '(', ''), ')', '') FROM system.tables " +
			"WHERE database = '@'", "ReplacingMergeTree\tid"},
		{"kept", nil, "", "INSERT INTO @.people VALUES (1, 'a')", ""},
		{"has rows", []any{"data_save_mode", "ERROR_WHEN_DATA_EXISTS"}, "holds rows", "SELECT count() FROM @.people", "1"},
		{"append", nil, "", "SELECT count() FROM @.people", "1"},
		{"custom", []any{"data_save_mode", "CUSTOM_PROCESSING", "custom_sql",
			"INSERT INTO " + d.name + ".${table_name} SELECT 2, 'b'"}, "", "SELECT count() FROM @.people", "2"},
		{"emptied", []any{"data_save_mode", "DROP_DATA"}, "", "SELECT count() FROM @.people", "0"},
		{"empty is fine", []any{"data_save_mode", "ERROR_WHEN_DATA_EXISTS"}, "",
			"ALTER TABLE @.people ADD COLUMN x Int8", ""},
		{"recreated", []any{"schema_save_mode", "RECREATE_SCHEMA"}, "",
			"SELECT count() FROM system.columns WHERE database = '@'", "2"},
		{"other database", []any{"database", d.name + "_new", "table", "t"}, "", "EXISTS TABLE @_new.t", "1"},
	}
	t.Cleanup(func() {
		if _, err := d.ask(context.Background(), "DROP DATABASE IF EXISTS "+d.name+"_new"); err != nil {
			t.Error(err)
		}
	})
	for _, s := range steps {
		err := prepare(d.options(s.options...))
		if s.err == "" && err != nil || s.err != "" && (err == nil || !strings.Contains(err.Error(), s.err)) {
			t.Fatalf("%s: got error %v, want %q", s.name, err, s.err)
		}
		if got := d.query(s.sql); got != s.want {
			t.Errorf("%s: %s gives %q, want %q", s.name, s.sql, got, s.want)
		}
	}
}

func TestColumns(t *testing.T) {
	d := newDB(t)
	d.exec("CREATE TABLE @.people (id Int64, made Int64 MATERIALIZED id * 2, other Int64 ALIAS id, dflt Int64 " +
		"DEFAULT 7, " +
		"name String) ENGINE = MergeTree ORDER BY id")
	table := tableOf(t, "people", nil, col("name", plugin.TypeOf(plugin.String)), col("made", plugin.TypeOf(plugin.Int)),
		col("id", plugin.TypeOf(plugin.BigInt)))
	if err := write(t, newWriter(t, d.options(), table), batchOf(t, table, []any{"a", 99, 5})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("5\t10\t5\t7\ta", d.query("SELECT id, made, other, dflt, name FROM @.people")); diff != "" {
		t.Error(diff)
	}
}

func TestManyTables(t *testing.T) {
	d := newDB(t)
	var tables []*plugin.Table
	for i := range 20 {
		tables = append(tables, tableOf(t, fmt.Sprintf("t%d", i), nil, col("id", plugin.TypeOf(plugin.Int))))
	}
	s, err := lookup(t, plugin.SinkRole).Sink(t.Context(), d.options("table", "x_${table_name}"), env(tables...))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), plugin.Task{Env: env(tables...)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	for i := range 100 {
		b := batchOf(t, tables[i%20], []any{i})
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	if err := write(t, w); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		want := fmt.Sprint([]int{i, i + 20, i + 40, i + 60, i + 80})
		got := d.query(fmt.Sprintf("SELECT groupArray(id) FROM (SELECT id FROM @.x_t%d ORDER BY id)", i))
		if got != strings.ReplaceAll(want, " ", ",") {
			t.Errorf("table %d holds %s, want %s", i, got, want)
		}
	}
}

// TestShards sends rows straight to the tables behind a Distributed one.
func TestShards(t *testing.T) {
	if host(t); os.Getenv(newServer) != "" {
		t.Skip("needs a server with a cluster")
	}
	for _, key := range []string{"", "id"} {
		t.Run("sharding key "+key, func(t *testing.T) {
			d := newDB(t)
			d.exec("CREATE TABLE @.local (id Int64, name String) ENGINE = MergeTree ORDER BY id",
				"CREATE TABLE @.people (id Int64, name String) ENGINE = Distributed(test_shard_localhost, '@', 'local', rand())")
			table := idName(t)
			w := newWriter(t, d.options("split_mode", true, "sharding_key", key), table)
			if err := write(t, w, batchOf(t, table, []any{1, "a"}, []any{2, "b"}, []any{3, "c"})); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("1\n2\n3", d.query("SELECT id FROM @.local ORDER BY id")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSinkErrors(t *testing.T) {
	d := newDB(t)
	d.exec("CREATE TABLE @.people (id Int64) ENGINE = MergeTree ORDER BY id",
		"CREATE TABLE @.mem (id Int64, name String) ENGINE = Memory",
		"CREATE TABLE @.clash (id Int64, name Array(Int8)) ENGINE = MergeTree ORDER BY id")
	table := idName(t)
	cases := []struct {
		name    string
		options []any
		code    plugin.Code
		want    string
	}{
		{"wrong password", []any{"password", "geheim"}, plugin.CodeDenied, "check username and password"},
		{"unknown user", []any{"username", "bob", "password", "x"}, plugin.CodeDenied, "of user bob"},
		{"no server", []any{"host", "127.0.0.1:1"}, plugin.CodeUnavailable, "no answer from 127.0.0.1:1"},
		{"missing column", nil, plugin.CodeNotFound, "the table has no column name"},
		{"type clash", []any{"table", "clash"}, plugin.CodeType, "column name: a STRING cannot become a Array(Int8)"},
		{"no such key", []any{"primary_key", "idd"}, plugin.CodeConfig, `did you mean "id"`},
		{"no such setting", []any{"clickhouse.config", plugintest.Options("no_such_setting", "1")}, plugin.CodeConfig,
			"clickhouse.config"},
		{"missing table", []any{"table", "gone", "schema_save_mode", "IGNORE"}, plugin.CodeNotFound,
			"check the name of the table"},
		{"missing database", []any{"database", "gone", "schema_save_mode", "IGNORE"}, plugin.CodeNotFound,
			"check the database"},
		{"deletes in memory", []any{"table", "mem", "primary_key", "id"}, plugin.CodeConfig, "MergeTree family"},
		{"not distributed", []any{"table", "mem", "split_mode", true}, plugin.CodeConfig, "needs a Distributed table"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if (c.code == plugin.CodeDenied || c.name == "deletes in memory") && os.Getenv(newServer) != "" {
				t.Skip("not so with the engine of today as a library")
			}
			err := func() error {
				s, err := lookup(t, plugin.SinkRole).Sink(t.Context(), d.options(c.options...), env(table))
				if err != nil {
					return err
				}
				if err := s.Prepare(t.Context(), []*plugin.Table{table}); err != nil {
					return err
				}
				w, err := s.Writer(t.Context(), plugin.Task{Env: env(table)})
				if err != nil {
					return err
				}
				defer func() { _ = w.Close() }()
				return write(t, w, batchOf(t, table, []any{del, 1, "a"}))
			}()
			var e *plugin.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "geheim") {
				t.Errorf("got %v, want %s with %q", err, c.code, c.want)
			}
		})
	}
}
