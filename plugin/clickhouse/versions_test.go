package clickhouse_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

// final is the query of the rows that a versioned table stands for.
func final(columns string) string {
	if os.Getenv(newServer) != "" {
		return "SELECT " + columns + " FROM @.people FINAL ORDER BY id"
	}
	return "SELECT " + columns + " FROM @.people FINAL WHERE _deleted = 0 ORDER BY id"
}

// stream makes changes of a table, and keeps what they leave in it.
type stream struct {
	random *rand.Rand
	rows   map[int]string
	log    [][]any
}

func newStream(seed uint64) *stream {
	return &stream{random: rand.New(rand.NewPCG(seed, 1)), rows: map[int]string{}}
}

// next adds one change: an insert, an update, an update of the key, a delete.
func (s *stream) next() {
	id, value := s.random.IntN(40), fmt.Sprint("v", len(s.log))
	was, there := s.rows[id]
	switch to := s.random.IntN(40); {
	case !there:
		s.log = append(s.log, []any{ins, id, value})
		s.rows[id] = value
	case s.random.IntN(4) == 0:
		s.log = append(s.log, []any{del, id, was})
		delete(s.rows, id)
	case s.random.IntN(4) == 0 && s.rows[to] == "":
		s.log = append(s.log, []any{old, id, was}, []any{upd, to, value})
		delete(s.rows, id)
		s.rows[to] = value
	default:
		s.log = append(s.log, []any{old, id, was}, []any{upd, id, value})
		s.rows[id] = value
	}
}

// text is what the server answers when the table holds the rows.
func (s *stream) text() string {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(s.rows)) {
		lines = append(lines, fmt.Sprintf("%d\t%s", id, s.rows[id]))
	}
	return strings.Join(lines, "\n")
}

// TestVersions writes streams of changes in batches that are cut anywhere, some in the middle of an update. Again and
// again the writer dies and another goes on at the last flush, on a host whose clock is behind.
func TestVersions(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			d := newDB(t)
			table, s := idName(t), newStream(seed)
			for range 600 {
				s.next()
			}
			now := time.Now()
			flushed, at := 0, 0
			w := writerIn(t, streaming(now, table), d.options("bulk_size", 30))
			for at < len(s.log) {
				n := min(1+s.random.IntN(25), len(s.log)-at)
				b := batchOf(t, table, s.log[at:at+n]...)
				if err := w.Write(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				b.Release()
				at += n
				switch s.random.IntN(12) {
				case 0, 1:
					if err := write(t, w); err != nil {
						t.Fatal(err)
					}
					flushed = at
				case 2:
					now = now.Add(-time.Hour)
					w = writerIn(t, streaming(now, table), d.options("bulk_size", 30))
					at = flushed
				}
			}
			if err := write(t, w); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.text(), d.query(final("id, name"))); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if got := d.query("SELECT id, name FROM (SELECT id, argMax(name, _version) AS name, argMax(_deleted, _version) " +
				"AS gone " +
				"FROM @.people GROUP BY id) WHERE gone = 0 ORDER BY id"); got != s.text() {
				t.Errorf("by version: %s", cmp.Diff(s.text(), got))
			}
		})
	}
}

// TestVersionedTables writes to tables that users make in several ways.
func TestVersionedTables(t *testing.T) {
	d := newDB(t)
	table := tableOf(t, "people", []int{0}, col("id", plugin.TypeOf(plugin.BigInt)),
		plugin.Column{Name: "name", Type: plugin.TypeOf(plugin.String), NotNull: true})
	const columns = "id Int64, name String, "
	cases := []struct {
		name    string
		recent  bool
		create  string
		options []any
		want    string // rows beside 1
		all     string // number of rows without FINAL
	}{
		{"version", false, columns + "ver UInt64) ENGINE = ReplacingMergeTree(ver) ORDER BY id",
			[]any{"primary_key", "id"}, "", "2"},
		{"version of the server's", false, columns +
			"ver DateTime DEFAULT now()) ENGINE = ReplacingMergeTree(ver) ORDER BY id",
			[]any{"primary_key", "id"}, "", "2"},
		{"mark", false, columns + "ver Int64, _deleted UInt8) ENGINE = ReplacingMergeTree(ver) ORDER BY id", nil,
			"2\t\t1", "4"},
		{"other key", false, columns + "ver UInt64, _deleted UInt8) ENGINE = ReplacingMergeTree(ver) ORDER BY (id, name)",
			[]any{"primary_key", "id"}, "", "2"},
		{"deleted", true, columns + "`v v` UInt64, gone UInt8) ENGINE = ReplacingMergeTree(`v v`, gone) ORDER BY id", nil,
			"", "4"},
		{"deleted for good", true, columns + "v UInt64, gone UInt8) ENGINE = ReplacingMergeTree(v, gone) ORDER BY id",
			[]any{"primary_key", "id", "allow_experimental_lightweight_delete", true}, "", "2"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.recent && os.Getenv(newServer) == "" {
				t.Skip("needs a server of today")
			}
			d.exec("DROP TABLE IF EXISTS @.people", "CREATE TABLE @.people ("+c.create)
			w := newWriter(t, d.options(c.options...), table)
			if err := write(t, w, batchOf(t, table, []any{ins, 1, "a"}, []any{ins, 2, "b"})); err != nil {
				t.Fatal(err)
			}
			if err := write(t, w, batchOf(t, table, []any{upd, 1, "c"}, []any{del, 2, nil})); err != nil {
				t.Fatal(err)
			}
			got := d.query("SELECT id, name FROM @.people FINAL WHERE id = 1")
			if got != "1\tc" {
				t.Errorf("row 1 is %q, want c", got)
			}
			deleted := "0"
			if strings.Contains(c.create, "_deleted") && c.want != "" {
				deleted = "_deleted"
			}
			if got := d.query("SELECT id, name, " + deleted + " FROM @.people FINAL WHERE id = 2"); got != c.want {
				t.Errorf("the deleted row is %q, want %q", got, c.want)
			}
		})
	}
}

// TestDeletedKeys deletes rows of which only the key is known, whatever types their other columns have.
func TestDeletedKeys(t *testing.T) {
	types := map[string]plugin.Type{
		"Enum8('x' = 1)": plugin.TypeOf(plugin.String), "UUID": plugin.TypeOf(plugin.String),
		"Date":           plugin.TypeOf(plugin.Date),
		"FixedString(3)": plugin.TypeOf(plugin.String), "DateTime": plugin.TypeOf(plugin.Timestamp),
		"Decimal(38, 2)": plugin.DecimalOf(38, 2), "Int8": plugin.TypeOf(plugin.BigInt),
		"LowCardinality(String)": plugin.TypeOf(plugin.String),
		"Array(Int32)":           plugin.ArrayOf(plugin.TypeOf(plugin.Int)), "Float32": plugin.TypeOf(plugin.Double),
	}
	d := newDB(t)
	for i, text := range slices.Sorted(maps.Keys(types)) {
		t.Run(text, func(t *testing.T) {
			table := tableOf(t, fmt.Sprint("t", i), []int{0}, col("id", plugin.TypeOf(plugin.BigInt)), col("v", types[text]))
			d.exec("CREATE TABLE @." + table.ID.Name + " (id Int64, v " + text + ", ver UInt64, _deleted UInt8) " +
				"ENGINE = ReplacingMergeTree(ver) ORDER BY id")
			w := newWriter(t, d.options(), table)
			if err := write(t, w, batchOf(t, table, []any{del, 1, nil})); err != nil {
				t.Fatal(err)
			}
			if got := d.query("SELECT id, _deleted, length(toString(v)) < 100 FROM @." + table.ID.Name); got != "1\t1\t1" {
				t.Errorf("got %q, want one row that is marked", got)
			}
			b := batchOf(t, table, []any{ins, 1, nil})
			defer b.Release()
			if err := w.Write(t.Context(), b); err == nil || !strings.Contains(err.Error(), "column v: the value is null") {
				t.Errorf("got error %v for a row that is not deleted, want one about the null", err)
			}
		})
	}
}
