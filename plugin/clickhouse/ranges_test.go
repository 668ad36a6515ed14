package clickhouse_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

// TestRanges copies tables of several keys in several lanes, and counts the splits.
func TestRanges(t *testing.T) {
	const rows = "400000"
	cases := []struct {
		name   string
		key    string // type and value of the column k
		order  string
		sql    string
		splits int // at least; 1: exactly
	}{
		{"integers", "Int64, number * 7 - 1000000", "k", "SELECT * FROM src", 4},
		{"unsigned", "UInt64, 18446744073709551615 - number", "(k, v)", "select k , `v` from `@`.src", 4},
		{"texts", "String, concat('it\\'s \\\\ ', toString(cityHash64(number)))", "k", `SELECT "k",v FROM src;`, 4},
		{"bytes", "String, unhex(hex(cityHash64(number)))", "k", "SELECT v FROM src", 4},
		{"days", "Date, toDate('2020-01-01') + number % 300", "k", "SELECT * FROM src", 4},
		{"clocks", "DateTime('Europe/Berlin'), toDateTime('2024-10-26 00:00:00') + number", "k", "SELECT * FROM src", 4},
		{"two keys only", "UInt8, number % 2", "k", "SELECT * FROM src", 2},
		{"one key", "UInt8, 1", "k", "SELECT * FROM src", 1},
		{"no order", "Int64, number", "tuple()", "SELECT * FROM src", 1},
		{"floats", "Float64, number", "k", "SELECT * FROM src", 1},
		{"expression", "Int64, number", "intDiv(k, 2)", "SELECT * FROM src", 1},
		{"condition", "Int64, number", "k", "SELECT * FROM src WHERE k >= 0", 1},
		{"distinct", "Int64, number", "k", "SELECT DISTINCT k FROM src", 1},
		{"alias", "Int64, number", "k", "SELECT k a FROM src", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := newDB(t)
			typ, value, _ := strings.Cut(c.key, ", ")
			d.exec("CREATE TABLE @.src (k "+typ+", v UInt64) ENGINE = MergeTree ORDER BY "+c.order,
				"INSERT INTO @.src SELECT "+value+", number FROM numbers("+rows+")")
			e := env()
			e.Parallelism = 2
			source, err := lookup(t, plugin.SourceRole).Source(t.Context(),
				d.options("sql", strings.ReplaceAll(c.sql, "@", d.name)), e)
			if err != nil {
				t.Fatal(err)
			}
			sp, err := source.Splits(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			splits, err := sp.Next(t.Context())
			if err != nil || len(splits) < c.splits || len(splits) > 8 || c.splits == 1 && len(splits) != 1 {
				t.Fatalf("%d splits and error %v, want %d", len(splits), err, c.splits)
			}
			if state, err := sp.State(); err != nil || string(state) != "1" {
				t.Errorf("state %s, error %v", state, err)
			}
			if _, err := sp.Next(t.Context()); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want no more splits", err)
			}
			if c.name == "bytes" || c.splits == 1 {
				return
			}
			d.exec("CREATE TABLE @.dst AS @.src")
			run(t, d.job(`
env { parallelism = 3, job.mode = "BATCH", checkpoint.interval = 20 }
source { Clickhouse { host = "HOST", database = "DB", table_path = src, username = "default", password = "" } }
sink { Clickhouse { host = "HOST", database = "DB", table = dst, username = "default", password = "" } }
`))
			sum := func(table string) string {
				return d.query("SELECT count(), sum(cityHash64(toString(k), v)) FROM @." + table)
			}
			if diff := cmp.Diff(sum("src"), sum("dst")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRangeResumes goes on in the middle of a range.
func TestRangeResumes(t *testing.T) {
	d := newDB(t)
	d.exec("CREATE TABLE @.src (k Int64) ENGINE = MergeTree ORDER BY k",
		"INSERT INTO @.src SELECT number FROM numbers(100000)",
		"INSERT INTO @.src SELECT number FROM numbers(100000)", "INSERT INTO @.src SELECT number FROM numbers(100000)")
	e := env()
	e.Parallelism = 3
	s, err := lookup(t, plugin.SourceRole).Source(t.Context(), d.options("table_path", "src"), e)
	if err != nil {
		t.Fatal(err)
	}
	sp, err := s.Splits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	splits, err := sp.Next(t.Context())
	if err != nil || len(splits) != 3 {
		t.Fatalf("%d splits, %v", len(splits), err)
	}
	out := &values{wake: make(chan struct{})}
	for _, split := range splits {
		for err = nil; !errors.Is(err, io.EOF); { // a reader of its own for each batch
			r, rerr := s.Reader(t.Context(), plugin.Task{Env: e})
			if rerr != nil {
				t.Fatal(rerr)
			}
			if err := r.Open(t.Context(), split); err != nil {
				t.Fatal(err)
			}
			if err = r.Read(t.Context(), out); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if split.State, rerr = r.Position(); rerr != nil {
				t.Fatal(rerr)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var end struct{ Done bool }
		if err := json.Unmarshal(split.State, &end); err != nil || !end.Done {
			t.Errorf("the range ends with %s", split.State)
		}
	}
	seen := map[any]int{}
	for _, row := range out.rows {
		seen[row[0]]++
	}
	if len(out.rows) != 300_000 || len(seen) != 100_000 {
		t.Errorf("%d rows of %d keys, want 300,000 of 100,000", len(out.rows), len(seen))
	}
}
