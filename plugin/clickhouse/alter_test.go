package clickhouse_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// changing makes the sink of a streaming job that follows schema changes.
func changing(t *testing.T, o config.Value, tables ...*plugin.Table) plugin.SchemaApplier {
	t.Helper()
	s, err := lookup(t, plugin.SinkRole).Sink(t.Context(), o, streaming(time.Now(), tables...))
	if err != nil {
		t.Fatal(err)
	}
	return s.(plugin.SchemaApplier)
}

// next is the version of a table that comes after old.
func next(t *testing.T, old *plugin.Table, columns ...plugin.Column) *plugin.Table {
	t.Helper()
	n := *old
	n.Version++
	n.Columns = columns
	table, err := plugin.NewTable(n)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func withDefault(c plugin.Column, text string) plugin.Column {
	c.Default = &text
	return c
}

func required(c plugin.Column) plugin.Column {
	c.NotNull = true
	return c
}

// TestSchemaChange follows a table through changes, each of which is applied twice, and writes rows in between.
func TestSchemaChange(t *testing.T) {
	d := newDB(t)
	id, name := required(col("id", plugin.TypeOf(plugin.BigInt))), col("name", plugin.TypeOf(plugin.String))
	n := required(col("n", plugin.TypeOf(plugin.Int)))
	table := tableOf(t, "people", []int{0}, id, name, n)
	w := writerIn(t, streaming(time.Now(), table), d.options())
	steps := []struct {
		name    string
		columns []plugin.Column
		renamed []plugin.Rename
		row     []any
		query   string
		want    string
	}{
		{"none", []plugin.Column{id, name, n}, nil, []any{1, "a", 1}, "id, name, n", "1\ta\t1"},
		{"add", []plugin.Column{id, withDefault(col("five", plugin.TypeOf(plugin.Int)), "5"), name, n,
			withDefault(required(col("d", plugin.DecimalOf(9, 2))), "1.5"), withDefault(required(col("s", plugin.TypeOf(plugin.String))), "it's"),
			withDefault(col("at", plugin.TypeOf(plugin.Timestamp)), "CURRENT_TIMESTAMP")}, nil,
			[]any{2, nil, "b", 2, "2.25", "", nil}, "id, five, name, n, d, s, at", "1\t5\ta\t1\t1.50\tit\\'s\t\\N\n2\t\\N\tb\t2\t2.25\t\t\\N"},
		{"drop and widen", []plugin.Column{id, name, col("n", plugin.TypeOf(plugin.BigInt)), col("five", plugin.DecimalOf(20, 2))}, nil,
			[]any{3, "c", nil, "1.25"}, "id, name, n, five", "1\ta\t1\t5.00\n2\tb\t2\t\\N\n3\tc\t\\N\t1.25"},
		{"rename", []plugin.Column{id, col("called", name.Type), col("n", plugin.TypeOf(plugin.BigInt)), col("five", plugin.DecimalOf(20, 2))},
			[]plugin.Rename{{From: "name", To: "called"}}, []any{4, "d", 4, nil}, "id, called", "1\ta\n2\tb\n3\tc\n4\td"},
		{"chain", []plugin.Column{id, col("first", name.Type), col("called", plugin.TypeOf(plugin.BigInt)), col("five", plugin.DecimalOf(20, 2))},
			[]plugin.Rename{{From: "called", To: "first"}, {From: "n", To: "called"}}, []any{5, "e", 5, nil}, "id, first, called",
			"1\ta\t1\n2\tb\t2\n3\tc\t\\N\n4\td\t4\n5\te\t5"},
		{"drop and rename", []plugin.Column{id, col("called", name.Type), col("five", plugin.DecimalOf(9, 1))},
			[]plugin.Rename{{From: "first", To: "called"}}, []any{6, "f", "0.5"}, "id, called, five",
			"1\ta\t5.00\n2\tb\t\\N\n3\tc\t1.25\n4\td\t\\N\n5\te\t\\N\n6\tf\t0.50"},
		{"to text", []plugin.Column{required(col("id", plugin.TypeOf(plugin.Int))), col("called", name.Type), col("five", plugin.TypeOf(plugin.String))}, nil,
			[]any{7, "g", "much"}, "id, called", "1\ta\n2\tb\n3\tc\n4\td\n5\te\n6\tf\n7\tg"},
	}
	for _, s := range steps {
		to := next(t, table, s.columns...)
		for range 2 {
			err := changing(t, d.options(), to).ApplyChange(t.Context(), plugin.SchemaChange{Old: table, New: to, Renamed: s.renamed})
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
		}
		table = to
		if err := write(t, w, batchOf(t, table, s.row)); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if diff := cmp.Diff(s.want, d.query(final(s.query))); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestSchemaChangeRefused(t *testing.T) {
	id, name := col("id", plugin.TypeOf(plugin.BigInt)), col("name", plugin.TypeOf(plugin.Int))
	table := tableOf(t, "people", []int{0}, id, name, col("x", name.Type))
	cases := []struct {
		name    string
		columns []plugin.Column
		renamed []plugin.Rename
		code    plugin.Code
		want    string
	}{
		{"key renamed", []plugin.Column{col("key", id.Type), name, col("x", name.Type)}, []plugin.Rename{{From: "id", To: "key"}},
			plugin.CodeConfig, "the column id is to be renamed, but rows are ordered by it"},
		{"other kind", []plugin.Column{id, col("name", plugin.ArrayOf(name.Type)), col("x", name.Type)}, nil,
			plugin.CodeType, "column name: a Int32 cannot become a Array"},
		{"swap", []plugin.Column{id, col("x", name.Type), name}, []plugin.Rename{{From: "name", To: "x"}, {From: "x", To: "name"}},
			plugin.CodeConfig, "swap their names"},
		{"no type", []plugin.Column{id, name, col("x", name.Type), col("y", plugin.TypeOf(plugin.Null))}, nil, plugin.CodeType, "column y"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := newDB(t)
			writerIn(t, streaming(time.Now(), table), d.options())
			to := next(t, table, c.columns...)
			err := changing(t, d.options(), table).ApplyChange(t.Context(), plugin.SchemaChange{Old: table, New: to, Renamed: c.renamed})
			var e *plugin.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(err.Error(), c.want) || e.Table.Name != "people" {
				t.Errorf("got %v, want %s with %q", err, c.code, c.want)
			}
		})
	}
}
