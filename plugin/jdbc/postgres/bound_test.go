package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// TestManyTargets writes few and many rows of more tables than a session keeps statements and staging tables for,
// twice.
func TestManyTargets(t *testing.T) {
	const tables = maxTemporaries + 200
	d := dbtest.Postgres(t)
	for i := range tables {
		d.Exec(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY, v int)", i))
	}
	server, err := NewServer(jdbc.Connection{URL: d.URL, User: d.User, Password: d.Password})
	if err != nil {
		t.Fatal(err)
	}
	made, err := server.JDBC().Loader(t.Context(), jdbc.Owner{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	ld := made.(*loader)
	t.Cleanup(func() { ld.Close() })
	targets := make([]*jdbc.Target, tables)
	write := func(i int, version uint32, rows, from int, ops ...jdbc.Op) {
		t.Helper()
		if targets[i] == nil || targets[i].Source.Version != version {
			targets[i] = target(t, fmt.Sprintf("t%d", i), version)
		}
		b := column.NewBuilder(targets[i].Source, memory.DefaultAllocator)
		defer b.Release()
		var runs []jdbc.Run
		for _, op := range ops {
			at := b.Len()
			for k := range rows {
				if err := b.AppendRow(plugin.Insert, from+k, int(op)); err != nil {
					t.Fatal(err)
				}
			}
			runs = append(runs, jdbc.Run{Op: op, From: at, To: b.Len()})
		}
		batch := b.Batch()
		defer batch.Release()
		if err := ld.Load(t.Context(), targets[i], batch, runs); err != nil {
			t.Fatal(i, err)
		}
	}
	for round := range 2 {
		for i := range tables {
			write(i, 0, 2, 1, jdbc.Upsert)
			write(i, 0, 1, 2, jdbc.Delete)
			write(i, 0, 150, 100, jdbc.Upsert, jdbc.Delete)
			write(i, 0, 150, 1000, jdbc.Upsert)
		}
		for what, bound := range map[string]struct {
			query string
			most  int
		}{
			"statements":     {"SELECT count(*)::text FROM pg_prepared_statements", maxPrepared},
			"staging tables": {"SELECT count(*)::text FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'", maxTemporaries},
		} {
			n, err := ld.s.value(t.Context(), bound.query)
			if err != nil {
				t.Fatal(err)
			}
			var got int
			if _, err := fmt.Sscan(string(n), &got); err != nil || got > bound.most || got == 0 {
				t.Errorf("round %d: the session has %s %s, more than 0 and at most %d are right", round, n, what, bound.most)
			}
		}
	}
	if _, err := ld.Flush(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 100, tables - 1} {
		got := strings.Join(d.Query(fmt.Sprintf("SELECT count(*) || ' ' || min(id) || ' ' || max(id) FROM t%d", i)), "")
		if got != "151 1 1149" {
			t.Errorf("table %d has %s", i, got)
		}
	}
	for version := range uint32(50) { // as a table that is truncated again and again
		write(0, version, 1, 1, jdbc.Upsert)
	}
	if len(ld.layouts) != tables || len(ld.states) != tables {
		t.Errorf("%d layouts and %d states of %d tables", len(ld.layouts), len(ld.states), tables)
	}
}

func target(t *testing.T, name string, version uint32) *jdbc.Target {
	t.Helper()
	table, err := plugin.NewTable(plugin.Table{
		ID: plugin.TableID{Name: name}, Version: version, Key: []int{0},
		Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "v", Type: plugin.TypeOf(plugin.Int)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &jdbc.Target{
		Source: table, ID: plugin.TableID{Schema: "public", Name: name}, Columns: table.Names(), Key: []int{0}, Upserts: true,
		KeyUpdated: true,
	}
}
