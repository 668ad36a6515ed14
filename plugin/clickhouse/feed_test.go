package clickhouse_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// numbered returns rows first to last, of which every batch but the last holds as many as a batch may.
func numbered(t testing.TB, table *plugin.Table, first, last int) []plugin.Batch {
	t.Helper()
	text := strings.Repeat("x", 100)
	var batches []plugin.Batch
	for from := first; from <= last; from += column.FullRows {
		var rows [][]any
		for i := from; i <= min(last, from+column.FullRows-1); i++ {
			rows = append(rows, []any{i, text})
		}
		batches = append(batches, batchOf(t, table, rows...))
	}
	return batches
}

// TestLongInsert: rows of many bulks become one part of a table that would not know them if they came again.
func TestLongInsert(t *testing.T) {
	for _, compression := range []string{"none", "lz4"} {
		t.Run(compression, func(t *testing.T) {
			if compression != "none" {
				noFrames(t)
			}
			d := newDB(t)
			d.exec("CREATE TABLE @.people (id Int64, name String) ENGINE = MergeTree ORDER BY id")
			table := idName(t)
			w := newWriter(t, d.options("bulk_size", 1000, "compression", compression), table)
			const rows = 100_000
			if err := write(t, w, numbered(t, table, 1, rows)...); err != nil {
				t.Fatal(err)
			}
			got := d.query("SELECT count(), sum(id), sum(length(name)) FROM @.people")
			if want := fmt.Sprintf("%d\t%d\t%d", rows, rows*(rows+1)/2, rows*100); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := d.query("SELECT count() FROM system.parts WHERE database = '@' AND level = 0"); got != "1" {
				t.Errorf("%s parts were made, want 1", got)
			}
		})
	}
}

// TestLongInserts lets the rows of several tables alternate.
func TestLongInserts(t *testing.T) {
	d := newDB(t)
	var tables []*plugin.Table
	for i := range 5 {
		table := *idName(t)
		table.ID.Name = fmt.Sprint("t", i)
		made, err := plugin.NewTable(table)
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, made)
		d.exec(fmt.Sprintf("CREATE TABLE @.t%d (id Int64, name String) ENGINE = MergeTree ORDER BY id", i))
	}
	w := writerIn(t, env(tables...), d.options("bulk_size", 1000))
	const rounds, each = 4, 20_000
	for round := range rounds {
		for _, table := range tables {
			for _, b := range numbered(t, table, round*each+1, (round+1)*each) {
				if err := w.Write(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				b.Release()
			}
		}
	}
	if err := write(t, w); err != nil {
		t.Fatal(err)
	}
	for i := range tables {
		got := d.query(fmt.Sprintf("SELECT count(), uniqExact(id), max(id) FROM @.t%d", i))
		if want := fmt.Sprintf("%[1]d\t%[1]d\t%[1]d", rounds*each); got != want {
			t.Errorf("t%d: got %s, want %s", i, got, want)
		}
	}
}

// TestLongInsertFails: what the server says about a row shows while rows are still written, or at the flush at the
// latest.
func TestLongInsertFails(t *testing.T) {
	d := newDB(t)
	d.exec("CREATE TABLE @.people (id Int64, name String, n Int64 MATERIALIZED intDiv(1, id - 5000)) ENGINE = MergeTree " +
		"ORDER BY id")
	table := idName(t)
	w := newWriter(t, d.options("bulk_size", 1000), table)
	err := write(t, w, numbered(t, table, 1, 1_000_000)...)
	var e *plugin.Error
	if !errors.As(err, &e) || e.Table.Name != "people" || !strings.Contains(err.Error(), "ivision by zero") {
		t.Fatalf("got error %v, want the server's", err)
	}
	if again := w.Write(t.Context(), batchOf(t, table, []any{1, "a"})); !errors.Is(again, e) {
		t.Errorf("the next write gave %v, want the same error", again)
	}
}

// TestCutLongInsert cuts the connection when some megabytes have passed, and names no rows as written.
func TestCutLongInsert(t *testing.T) {
	d := newDB(t)
	d.exec("CREATE TABLE @.people (id Int64, name String) ENGINE = MergeTree ORDER BY id")
	p := newProxy(t, d.host, 1, 5<<20, -1)
	table := idName(t)
	w := newWriter(t, d.options("host", p.listener.Addr().String(), "bulk_size", 1000), table)
	err := write(t, w, numbered(t, table, 1, 200_000)...)
	var e *plugin.Error
	if !errors.As(err, &e) || !e.Retry || e.Code != plugin.CodeUnavailable || e.Table.Name != "people" {
		t.Errorf("got error %v, want one that a retry may help", err)
	}
}
