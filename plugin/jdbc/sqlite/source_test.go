package sqlite_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// shapes are tables and ways to read them.
var shapes = []struct {
	name  string
	sql   []string
	block []any
	all   string // what must come, by SQLite's own answer
}{
	{"row ids with gaps", []string{
		"CREATE TABLE t (a INT, b TEXT)", fill(1000, "INSERT INTO t VALUES (%d, 'row')"), "DELETE FROM t WHERE rowid % 7 = 0",
	}, []any{"table_path", "t"}, "SELECT a, b FROM t"},
	{"few row ids far apart", []string{
		"CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)", fill(300, "INSERT INTO t VALUES (%[1]d * 1000003, %[1]d)"),
	}, []any{"query", "SELECT id + 0 AS id, a FROM t", "table_path", "t"}, "SELECT id, a FROM t"},
	{"a column is called rowid", []string{
		"CREATE TABLE t (rowid TEXT, _rowid_ INT)", fill(300, "INSERT INTO t VALUES ('x%d', 1)"),
	}, []any{"table_path", "main.t"}, "SELECT * FROM t"},
	{"extreme keys", []string{
		"CREATE TABLE t (k BIGINT)",
		"INSERT INTO t VALUES (-9223372036854775808), (-1), (0), (1), (9223372036854775807), (9223372036854775806)",
	}, []any{"table_path", "t", "partition_column", "k", "split.size", 2}, "SELECT * FROM t"},
	{"text key without row ids", []string{
		"CREATE TABLE t (k TEXT PRIMARY KEY, a INT) WITHOUT ROWID",
		fill(500, "INSERT INTO t VALUES ('k' || (%[1]d * 7919 %% 500), %[1]d)"),
	}, []any{"table_path", "t"}, "SELECT * FROM t"},
	{"key of two columns without row ids", []string{
		"CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID",
		fill(500, "INSERT INTO t VALUES (%[1]d / 100, %[1]d)"),
	}, []any{"table_path", "t"}, "SELECT * FROM t"},
	{"many equal keys and nulls", []string{
		"CREATE TABLE t (k INT, a INT)",
		fill(500, "INSERT INTO t VALUES (CASE %[1]d %% 10 WHEN 0 THEN NULL ELSE %[1]d %% 3 END, %[1]d)"),
	}, []any{"table_path", "t", "partition_column", "K"}, "SELECT * FROM t"},
	{"all keys null", []string{
		"CREATE TABLE t (k INT, a INT)", fill(200, "INSERT INTO t VALUES (NULL, %d)"),
	}, []any{"table_path", "t", "partition_column", "k"}, "SELECT * FROM t"},
	{"real keys", []string{
		"CREATE TABLE t (k DOUBLE)", fill(500, "INSERT INTO t VALUES (%d / 7.0)"),
	}, []any{"table_path", "t", "partition_column", "k"}, "SELECT * FROM t"},
	{"date keys", []string{
		"CREATE TABLE t (k DATE)", fill(500, "INSERT INTO t VALUES (date('2024-01-01', '+%d days'))"),
	}, []any{"table_path", "t", "partition_column", "k"}, "SELECT * FROM t"},
	{"keys without regard to case", []string{
		"CREATE TABLE t (k TEXT COLLATE NOCASE)", fill(500,
			"INSERT INTO t VALUES (CASE %[1]d %% 2 WHEN 0 THEN 'K' ELSE 'k' END || %[1]d / 4)"),
	}, []any{"table_path", "t", "partition_column", "k"}, "SELECT * FROM t"},
	{"keys of several classes", []string{
		"CREATE TABLE t (k, a TEXT)",
		fill(300, "INSERT INTO t VALUES (CASE %[1]d %% 3 WHEN 0 THEN %[1]d WHEN 1 THEN 'x%[1]d' ELSE NULL END, 'a%[1]d')"),
	}, []any{"query", "SELECT a, k || '' AS k FROM t", "partition_column", "k"}, "SELECT a, k FROM t"},
	{"no rows", []string{"CREATE TABLE t (a INT)"}, []any{"table_path", "t"}, "SELECT * FROM t"},
	{"one row", []string{"CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)"}, []any{"table_path", "t"},
		"SELECT * FROM t"},
	{"a view", []string{
		"CREATE TABLE t (a INT)", fill(300, "INSERT INTO t VALUES (%d)"), "CREATE VIEW v AS SELECT a FROM t WHERE a % 2 = 0",
	}, []any{"table_path", "v"}, "SELECT * FROM v"},
	{"a query", []string{"CREATE TABLE t (a INT)", fill(300, "INSERT INTO t VALUES (%d)")},
		[]any{"query", "SELECT a, count(*) AS n FROM t GROUP BY a;"}, "SELECT a, 1 FROM t"},
	{"a query that ends in a comment", []string{"CREATE TABLE t (a INT)", fill(30, "INSERT INTO t VALUES (%d)")},
		[]any{"query", "SELECT a FROM t -- all of it", "partition_column", "a"}, "SELECT a FROM t"},
	{"fixed parts", []string{"CREATE TABLE t (a INT)", fill(300, "INSERT INTO t VALUES (%d)"),
		"INSERT INTO t VALUES (NULL)"},
		[]any{"query", "SELECT a FROM t", "partition_column", "a", "partition_num", 7}, "SELECT a FROM t"},
	{"fixed parts of texts", []string{"CREATE TABLE t (a TEXT)", fill(300, "INSERT INTO t VALUES ('x%d')")},
		[]any{"query", "SELECT a FROM t", "partition_column", "a", "partition_num", 7}, "SELECT a FROM t"},
	{"fixed parts within bounds", []string{"CREATE TABLE t (a INT)", fill(300, "INSERT INTO t VALUES (%d)"),
		"INSERT INTO t VALUES (NULL)"},
		[]any{"query", "SELECT a FROM t", "partition_column", "a", "partition_num", 7, "partition_lower_bound", 20,
			"partition_upper_bound", "99.5"},
		"SELECT a FROM t WHERE a BETWEEN 20 AND 99"},
	{"more parts than values", []string{"CREATE TABLE t (a INT)", fill(3, "INSERT INTO t VALUES (%d)")},
		[]any{"query", "SELECT a FROM t", "partition_column", "a", "partition_num", 50}, "SELECT a FROM t"},
	{"a condition", []string{"CREATE TABLE t (a INT)", fill(300, "INSERT INTO t VALUES (%d)")},
		[]any{"table_path", "t", "where_condition", "where a > 100 and a < 200"},
		"SELECT a FROM t WHERE a > 100 AND a < 200"},
	{"a condition with an end of its own", []string{"CREATE TABLE t (a INT)", fill(300, "INSERT INTO t VALUES (%d)")},
		[]any{"query", "SELECT a FROM t", "where_condition", "WHERE a > 100 ORDER BY a LIMIT 50"},
		"SELECT a FROM t WHERE a BETWEEN 101 AND 150"},
	{"names in need of quotes", []string{`CREATE TABLE "my ""t" ("a b" INT, "select" TEXT)`,
		fill(300, `INSERT INTO "my ""t" VALUES (%d, 'x')`)},
		[]any{"table_path", `my "t`}, `SELECT * FROM "my ""t"`},
}

// fill returns one statement that runs another for the numbers 0 to n-1.
func fill(n int, insert string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, insert+";\n", i)
	}
	return "BEGIN;\n" + b.String() + "COMMIT"
}

// TestSplitsCoverEachRowOnce reads the splits in random order with several readers, for several sizes.
func TestSplitsCoverEachRowOnce(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			url, path := newFile(t, shape.sql...)
			want := jdbctest.Sorted(query(t, path, shape.all))
			for _, size := range []int{8096, 64, 1} {
				options := append([]any{"url", url, "split.size", size}, shape.block...)
				s := kit.OpenSource(t, plugintest.Options(options...))
				splits := jdbctest.SplitsOf(t, s)
				rand.Shuffle(len(splits), func(i, j int) { splits[i], splits[j] = splits[j], splits[i] })
				half := len(splits) / 2
				out := &jdbctest.Collector{}
				for _, part := range [][]plugin.Split{splits[:half], splits[half:]} {
					if err := jdbctest.ReadAll(t, s, part, out); err != nil {
						t.Fatal(err)
					}
				}
				if d := cmp.Diff(want, jdbctest.Sorted(out.Rows)); d != "" {
					t.Fatalf("split.size %d, %d splits: %s", size, len(splits), d)
				}
				checkSplits(t, splits)
			}
		})
	}
}

func checkSplits(t *testing.T, splits []plugin.Split) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range splits {
		if seen[s.ID] || s.ID == "" {
			t.Errorf("two splits are called %q", s.ID)
		}
		seen[s.ID] = true
	}
}

func TestNumberOfSplits(t *testing.T) {
	url, _ := newFile(t, "CREATE TABLE t (a INT)", fill(100, "INSERT INTO t VALUES (%d)"))
	tests := []struct {
		block []any
		want  int
	}{
		{[]any{"table_path", "t", "split.size", 10}, 10},
		{[]any{"table_path", "t", "split.size", 100}, 1},
		{[]any{"table_path", "t", "split.size", 30}, 4},
		{[]any{"query", "SELECT * FROM t", "partition_column", "a", "partition_num", 4}, 4},
		{[]any{"query", "SELECT * FROM t", "partition_column", "a"}, 10},
		{[]any{"query", "SELECT * FROM t", "split.size", 10}, 1},
	}
	for _, test := range tests {
		splits := jdbctest.SplitsOf(t, kit.OpenSource(t, plugintest.Options(append([]any{"url", url}, test.block...)...)))
		if len(splits) != test.want {
			t.Errorf("%v: %d splits, want %d", test.block, len(splits), test.want)
		}
	}
}

// TestRestoreAtEveryPosition stops after each batch and goes on with a new reader at the position.
func TestRestoreAtEveryPosition(t *testing.T) {
	const rows = 120_000
	insert := "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO t SELECT %s FROM n"
	tests := []struct {
		name  string
		sql   []string
		block []any
	}{
		{"row ids", []string{"CREATE TABLE t (a INT)", fmt.Sprintf(insert, rows-1, "i")}, []any{"table_path", "t"}},
		{"text keys", []string{"CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID", fmt.Sprintf(insert, rows-1, "'k' || i")},
			[]any{"table_path", "t"}},
		{"equal keys and nulls", []string{"CREATE TABLE t (a INT, k INT)",
			fmt.Sprintf(insert, rows-1, "i, nullif(i % 3, 2)")},
			[]any{"table_path", "t", "partition_column", "k"}},
		{"a query", []string{"CREATE TABLE t (a INT)", fmt.Sprintf(insert, rows-1, "i")}, []any{"query", "SELECT a FROM t"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url, path := newFile(t, test.sql...)
			s := kit.OpenSource(t, plugintest.Options(append([]any{"url", url, "split.size", rows * 2}, test.block...)...))
			out := &jdbctest.Collector{Stop: true}
			stops := 0
			for _, split := range jdbctest.SplitsOf(t, s) {
				for done := false; !done; stops++ {
					split.State, done = readOnce(t, s, split, out)
				}
				if _, done := readOnce(t, s, split, &jdbctest.Collector{}); !done {
					t.Errorf("split %s goes on after its end", split.ID)
				}
			}
			if stops < rows/jdbc.FullRows {
				t.Errorf("only %d stops", stops)
			}
			names := query(t, path, "SELECT group_concat(name) FROM pragma_table_info('t')")[0]
			if d := cmp.Diff(jdbctest.Sorted(query(t, path, "SELECT "+names+" FROM t")), jdbctest.Sorted(out.Rows)); d != "" {
				t.Error(d)
			}
		})
	}
}

// readOnce calls Read once with a new reader.
func readOnce(t *testing.T, s plugin.Source, split plugin.Split, out plugin.Out) (position []byte, done bool) {
	t.Helper()
	r, err := s.Reader(t.Context(), plugin.Task{Env: jdbctest.Env()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Open(t.Context(), split); err != nil {
		t.Fatal(err)
	}
	err = r.Read(t.Context(), out)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	position, perr := r.Position()
	if perr != nil {
		t.Fatal(perr)
	}
	return position, err != nil
}

// TestSplitterState starts a new splitter from the state after each Next; together they make the same splits.
func TestSplitterState(t *testing.T) {
	for _, shape := range shapes {
		url, _ := newFile(t, shape.sql...)
		s := kit.OpenSource(t, plugintest.Options(append([]any{"url", url, "split.size", 3}, shape.block...)...))
		want := jdbctest.SplitsOf(t, s)
		var got []plugin.Split
		var state []byte
		for {
			sp, err := s.Splits(t.Context(), state)
			if err != nil {
				t.Fatal(err)
			}
			some, err := sp.Next(t.Context())
			if err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			got = append(got, some...)
			var serr error
			if state, serr = sp.State(); serr != nil {
				t.Fatal(serr)
			}
			if err := sp.Close(); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", shape.name, d)
		}
	}
}

func TestTables(t *testing.T) {
	url, _ := newFile(t,
		`CREATE TABLE t (b VARCHAR(20) DEFAULT 'it''s', a BIGINT NOT NULL, c INT DEFAULT 5, d TEXT DEFAULT (upper('x')),
		PRIMARY KEY (a, b), UNIQUE (c, d))`, "CREATE UNIQUE INDEX partly ON t (c) WHERE c > 5")
	s := kit.OpenSource(t, plugintest.Options("url", url, "table_list",
		jdbctest.Blocks([]any{"table_path", "t"}, []any{"query", "SELECT c, a, b || '' AS e FROM t", "table_path", "t"})))
	_, err := s.Tables(t.Context())
	if err == nil || !strings.Contains(err.Error(), "two elements of table_list have this name") {
		t.Errorf("error %v", err)
	}
	s = kit.OpenSource(t, plugintest.Options("url", url, "table_path", "t"))
	tables, err := s.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	its, five := "it's", "5"
	want := []plugin.Column{
		{Name: "b", Type: plugin.TypeOf(plugin.String), Length: 20, Default: &its, SourceType: "VARCHAR(20)"},
		{Name: "a", Type: plugin.TypeOf(plugin.BigInt), NotNull: true, SourceType: "BIGINT"},
		{Name: "c", Type: plugin.TypeOf(plugin.Int), Default: &five, SourceType: "INT"},
		{Name: "d", Type: plugin.TypeOf(plugin.String), SourceType: "TEXT"},
	}
	if d := cmp.Diff(want, tables[0].Columns); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a", "b"}, tables[0].KeyNames()); d != "" {
		t.Error(d)
	}
	if c := tables[0].Constraints; len(c) != 1 || c[0].Kind != plugin.UniqueKey || len(c[0].Columns) != 2 {
		t.Errorf("constraints %v", c)
	}
	if tables[0].ID != (plugin.TableID{Name: "t"}) {
		t.Errorf("name %s", tables[0].ID)
	}
}

func TestTableList(t *testing.T) {
	url, _ := newFile(t, "CREATE TABLE a (x INT)", "CREATE TABLE b (y TEXT)", fill(100, "INSERT INTO a VALUES (%d)"),
		"INSERT INTO b VALUES ('only')")
	s := kit.OpenSource(t, plugintest.Options("url", url, "split.size", 9, "where_condition",
		"WHERE rowid > 10 or rowid = 1", "table_list",
		jdbctest.Blocks([]any{"table_path", "a"}, []any{"table_path", "b"})))
	out := &jdbctest.Collector{}
	if err := jdbctest.ReadAll(t, s, jdbctest.SplitsOf(t, s), out); err != nil {
		t.Fatal(err)
	}
	if len(out.ByName["a"]) != 91 || len(out.ByName["b"]) != 1 {
		t.Errorf("%d rows of a, %d of b", len(out.ByName["a"]), len(out.ByName["b"]))
	}
}

func TestSourceErrors(t *testing.T) {
	url, path := newFile(t, "CREATE TABLE orders (id INT, total INT)", "INSERT INTO orders VALUES (1, 2)")
	tests := []struct {
		name  string
		block []any
		code  plugin.Code
		want  []string
	}{
		{"no such table", []any{"url", url, "table_path", "order"}, plugin.CodeNotFound,
			[]string{"table order", "no such table", "did you mean orders?"}},
		{"no such table in a query", []any{"url", url, "query", "SELECT * FROM x"}, plugin.CodeNotFound,
			[]string{"no such table: x"}},
		{"no such column in a query", []any{"url", url, "query", "SELECT totl FROM orders"}, plugin.CodeNotFound,
			[]string{"no such column: totl"}},
		{"bad SQL", []any{"url", url, "query", "SELEC 1"}, plugin.CodeConfig, []string{`near "SELEC": syntax error`}},
		{"not a query", []any{"url", url, "query", "DELETE FROM orders"}, plugin.CodeConfig, []string{"must return rows"}},
		{"two queries", []any{"url", url, "query", "SELECT 1; SELECT 2"}, plugin.CodeConfig,
			[]string{"not exactly one statement"}},
		{"no such key", []any{"url", url, "table_path", "orders", "partition_column", "totel"}, plugin.CodeConfig,
			[]string{"partition_column", `"totel"`, `"total"`}},
		{"no such key in a query", []any{"url", url, "query", "SELECT id FROM orders", "partition_column", "total"},
			plugin.CodeConfig, []string{"partition_column", `"total"`}},
		{"no such file", []any{"url", url + ".missing", "table_path", "orders"}, plugin.CodeNotFound,
			[]string{path + ".missing"}},
		{"no database", []any{"url", "jdbc:sqlite:" + notADatabase(t), "table_path", "orders"}, plugin.CodeData,
			[]string{"is no SQLite database"}},
		{"bad table path", []any{"url", url, "table_path", "a.b.c.d"}, plugin.CodeConfig, []string{"table path"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := kit.OpenSource(t, plugintest.Options(test.block...)).Tables(t.Context())
			jdbctest.CheckError(t, err, test.code, test.want...)
		})
	}
}

// TestReadWhileLocked checks that a lock of another program is waited for, as long as the job says.
func TestReadWhileLocked(t *testing.T) {
	url, path := newFile(t, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
	other := lock(t, path)
	s := kit.OpenSource(t, plugintest.Options("url", url, "table_path", "t", "connection_check_timeout_sec", "0.05"))
	_, err := s.Tables(t.Context())
	jdbctest.CheckError(t, err, plugin.CodeUnavailable, "locked", "connection_check_timeout_sec")
	var e *plugin.Error
	if errors.As(err, &e) && !e.Retry {
		t.Error("a retry would help")
	}
	s = kit.OpenSource(t, plugintest.Options("url", url, "table_path", "t", "connection_check_timeout_sec", 30))
	timer := time.AfterFunc(30*time.Millisecond, other)
	defer timer.Stop()
	if _, err := s.Tables(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPositionsAreStable(t *testing.T) {
	// A checkpoint of an older version must stay readable: these are its words.
	var r jdbc.Range
	old := `{"from":{"i":"9223372036854775807"},"to":{"s":"ä"},"nulls":true,"after":{"f":0.5},"skip":7,"done":true}`
	if err := json.Unmarshal([]byte(old), &r); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != old {
		t.Errorf("%s became %s", old, again)
	}
}
