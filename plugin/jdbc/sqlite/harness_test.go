package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

var kit = jdbctest.Kit{Plugins: sqlite.Plugins}

func TestMain(m *testing.M) {
	jdbctest.Main(m, func() []plugin.Plugin { return slices.Concat(sqlite.Plugins(), changetest.Evolving()) })
}

func TestSuite(t *testing.T) {
	jdbctest.Suite{
		Kit: kit, Open: newDatabase,
		Quote:    func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` },
		Path:     func(_ *dbtest.Database, table string) string { return table },
		LeftOver: func(d *dbtest.Database) []string { return leftOvers(t, d.Name) },
		Sources: map[string]jdbctest.SourceCase{"several": {
			SQL: []string{
				"CREATE TABLE a (id INTEGER PRIMARY KEY, s TEXT)", fill(90, "INSERT INTO a VALUES (%d, 'x')"),
				"CREATE TABLE b (k INT, t DATE TEXT)",
				fill(60, "INSERT INTO b VALUES (CASE %[1]d %% 4 WHEN 0 THEN NULL ELSE %[1]d %% 5 END, '2024-01-01')"),
			},
			Pairs: func(*dbtest.Database) []any {
				return []any{"split.size", 20, "table_list", jdbctest.Blocks([]any{"table_path", "a"},
					[]any{"table_path", "b", "partition_column", "k"},
					[]any{"query", "SELECT id, s FROM a WHERE id > 70"})}
			},
		}},
		Broken: [][]any{{"url", "jdbc:sqlite:/nowhere/x.db"}},
		Mixed: `id INTEGER PRIMARY KEY, n INT, name VARCHAR(40), score DOUBLE, amount DECIMAL(12,2), at TIMESTAMP TEXT(6),
			ok BOOLEAN, b BLOB`,
		Fill: func(n int) string {
			return fmt.Sprintf(`WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d)
				INSERT INTO a SELECT i, i %% 1000, 'name ' || i, i / 7.0, i %% 100000 / 100.0,
				datetime('2024-01-01', i || ' seconds'), i %% 2, nullif(CAST(i AS BLOB), x'37') FROM s`, n)
		},
		KillRows: 100_000, KillRate: 5_000,
	}.Run(t)
}

// newDatabase makes a database in a file, whose path is its name, and runs statements in it.
func newDatabase(t testing.TB, sql ...string) *dbtest.Database {
	t.Helper()
	url, path := newFile(t, append([]string{"PRAGMA journal_mode = wal"}, sql...)...)
	return &dbtest.Database{
		Name: path, URL: url,
		Exec:  func(sql ...string) { execute(t, path, sql...) },
		Query: func(sql string) []string { return query(t, path, sql) },
	}
}

func notADatabase(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lock takes a file's write lock, in a way that keeps readers out too, until release is called.
func lock(t testing.TB, path string) (release func()) {
	t.Helper()
	c, err := lite.Open(path, lite.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		if err := errors.Join(c.Exec("ROLLBACK"), c.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(release)
	return release
}

// newFile returns the url of a database that some statements have filled.
func newFile(t testing.TB, sql ...string) (url, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.db")
	execute(t, path, sql...)
	return "jdbc:sqlite:" + path, path
}

func execute(t testing.TB, path string, sql ...string) {
	t.Helper()
	c, err := lite.Open(path, lite.Create)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sql {
		if err := c.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// query returns the rows of a query, each printed.
func query(t testing.TB, path, sql string) []string {
	t.Helper()
	c, err := lite.Open(path, lite.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	stmt, err := c.Prepare(sql)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var rows []string
	for {
		more, err := stmt.Step()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return rows
		}
		rows = append(rows, dbtest.Join(stmt.Values()))
	}
}

// leftOvers are the staging tables of a file.
func leftOvers(t testing.TB, path string) []string {
	const listed = "culvert_stages"
	names := query(t, path, `SELECT name FROM sqlite_schema WHERE name LIKE 'culvert\_stage\_%' ESCAPE '\'`)
	if len(query(t, path, "SELECT 1 FROM sqlite_schema WHERE name = '"+listed+"'")) == 0 {
		return names
	}
	return append(names, query(t, path, "SELECT 'row ' || id FROM "+listed)...)
}
