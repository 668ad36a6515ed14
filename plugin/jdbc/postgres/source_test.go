package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

// TestChunks cuts a table by keys of every type that has an order, unique and not, with nulls and without: each row
// must come once, and in several chunks.
func TestChunks(t *testing.T) {
	keys := map[string]string{
		"smallint": "i", "bigint": "i::bigint * 1000000007", "numeric": "i / 8.0", "numeric(10,2)": "i * 1.5",
		"real":             "i / 3.0",
		"double precision": "i / 3.0", "text": "'it''s ' || i", "varchar(20)": "chr(65 + i % 60) || i", "char(9)": "i::text",
		"uuid": "md5(i::text)::uuid", "date": "date '1999-12-01' + i", "time": "time '00:00' + i * interval '1 minute'",
		"timestamp": "timestamp '1999-12-31' + i * interval '1.5 hour'", "bytea": "decode(md5(i::text), 'hex')",
		"timestamptz": "timestamptz '1999-12-31' + i * interval '1.5 hour'",
		"color":       "(ARRAY['red', 'green', 'blue'])[i % 3 + 1]::color",
		"int":         "i % 4", // many of a kind
	}
	const n = 200
	s := dbtest.Postgres(t, "CREATE TYPE color AS ENUM ('red', 'green', 'blue')")
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i+1))
	}
	slices.Sort(want)
	for typ, expr := range keys {
		for _, unique := range []bool{false, true} {
			if unique && (typ == "int" || typ == "color") {
				continue
			}
			t.Run(fmt.Sprintf("%s unique %v", typ, unique), func(t *testing.T) {
				key, value := typ, "CASE WHEN i % 11 = 0 THEN NULL ELSE "+expr+" END"
				if unique {
					key, value = typ+" PRIMARY KEY", expr
				}
				s.Exec("DROP TABLE IF EXISTS a", "CREATE TABLE a (id int, k "+key+")",
					fmt.Sprintf("INSERT INTO a SELECT i, %s FROM generate_series(1, %d) i ORDER BY md5(i::text)", value, n))
				for _, query := range []bool{false, true} {
					o := s.Options("table_path", "a", "partition_column", "k", "split.size", 13)
					if query {
						o = s.Options("query", "SELECT * FROM a", "partition_column", "k", "partition_num", 7)
					}
					src := kit.OpenSource(t, o)
					splits := jdbctest.SplitsOf(t, src)
					if len(splits) < 3 {
						t.Errorf("%d splits", len(splits))
					}
					out := &ids{}
					if err := jdbctest.ReadAll(t, src, splits, out); err != nil {
						t.Fatal(err)
					}
					slices.Sort(out.list)
					if d := cmp.Diff(want, out.list); d != "" {
						t.Errorf("query %v: %s", query, d)
					}
				}
			})
		}
	}
}

// ids is an Out that keeps the first column.
type ids struct {
	jdbctest.Collector
	list []string
}

func (o *ids) Batch(b plugin.Batch) error {
	for i := range b.Len() {
		o.list = append(o.list, b.Rows.Column(0).ValueStr(i))
	}
	b.Release()
	return nil
}

// TestSnapshot changes a table between two chunks: with snapshot.consistent the change does not show.
func TestSnapshot(t *testing.T) {
	for _, consistent := range []bool{false, true} {
		s := dbtest.Postgres(t, "CREATE TABLE a (id int PRIMARY KEY, v text)",
			"INSERT INTO a SELECT i, 'old' FROM generate_series(1, 100) i")
		src := kit.OpenSource(t, s.Options("table_path", "a", "split.size", 10, "snapshot.consistent", consistent))
		sp, err := src.Splits(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		splits, err := sp.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := &jdbctest.Collector{}
		if err := jdbctest.ReadAll(t, src, splits[:1], out); err != nil {
			t.Fatal(err)
		}
		s.Exec("UPDATE a SET v = 'new'", "INSERT INTO a VALUES (0, 'new'), (101, 'new')")
		if err := jdbctest.ReadAll(t, src, splits[1:], out); err != nil {
			t.Fatal(err)
		}
		if err := sp.Close(); err != nil {
			t.Fatal(err)
		}
		changed := slices.ContainsFunc(out.Rows, func(r string) bool { return r[len(r)-3:] == "new" })
		if changed == consistent {
			t.Errorf("consistent %v: rows %q", consistent, out.Rows)
		}
		const open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
		for deadline := time.Now().Add(5 * time.Second); s.Query(open)[0] != "0"; {
			if time.Now().After(deadline) {
				t.Fatal("transactions are left open")
			}
		}
	}
}

// TestWhereAndLists reads conditions, several tables, and a query with the keys of a table.
func TestWhereAndLists(t *testing.T) {
	s := dbtest.Postgres(t, "CREATE TABLE a (id int PRIMARY KEY, v text)",
		"INSERT INTO a SELECT i, 'v' || i FROM generate_series(1, 9) i",
		"CREATE VIEW w AS SELECT id * 2 AS id FROM a", "CREATE TABLE p (id int, v text) PARTITION BY RANGE (id)",
		"CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (5)",
		"CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (5) TO (99)",
		"INSERT INTO p SELECT * FROM a")
	tests := []struct {
		pairs []any
		want  []string
	}{
		{[]any{"table_path", "a", "where_condition", "where id > 7"}, []string{"8|v8", "9|v9"}},
		{[]any{"table_path", "a", "where_condition", "where id > 7", "partition_column", "v", "split.size", 1},
			[]string{"8|v8", "9|v9"}},
		{[]any{"query", "select id from a;", "where_condition", "WHERE id = 1"}, []string{"1"}},
		{[]any{"table_path", "public.w", "where_condition", "where id > 16"}, []string{"18"}},
		{[]any{"table_path", "p", "where_condition", "where id > 3 and id < 7", "partition_column", "id", "split.size", 1},
			[]string{"4|v4", "5|v5", "6|v6"}},
		{[]any{"table_path", "a", "query", "SELECT v, id FROM a WHERE id < 3"}, []string{"v1|1", "v2|2"}},
		{[]any{"query", "SELECT id, id::text AS id2 FROM a -- a comment", "where_condition", "WHERE id = 3"},
			[]string{"3|3"}},
	}
	for _, test := range tests {
		if d := cmp.Diff(test.want, jdbctest.Sorted(kit.Read(t, s.Pairs(test.pairs...)...))); d != "" {
			t.Errorf("%v: %s", test.pairs, d)
		}
	}
}
