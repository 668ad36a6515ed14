package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

var kit = jdbctest.Kit{Plugins: postgres.Plugins}

func TestMain(m *testing.M) { jdbctest.Main(m, withLogs) }

// withLogs are the plugins under test and sources that play the readers of a log.
func withLogs() []plugin.Plugin {
	return slices.Concat(postgres.Plugins(), changesPlugin(), changetest.Evolving())
}

// mixed are the columns of a table of mixed types.
const mixed = `id bigint PRIMARY KEY, n integer, name varchar(40), note text, score double precision, amount numeric(12,2),
	at timestamp, ok boolean`

// fill makes rows of the table a of mixed types.
func fill(n int) string {
	return fmt.Sprintf(
		`INSERT INTO a SELECT i, i %% 1000, 'name ' || i, CASE WHEN i %% 10 = 0 THEN NULL ELSE md5(i::text) END,
		i / 7.0, (i %% 100000) / 100.0 - 300, timestamp '2024-01-01' + i * interval '1.000001 second', i %% 3 = 0
		FROM generate_series(1, %d) i`, n)
}

// mixedTable makes the table a of mixed types with n rows.
func mixedTable(n int) []string {
	return []string{"CREATE TABLE a (" + mixed + ")", fill(n), "ANALYZE a"}
}

func TestSuite(t *testing.T) {
	types := plugintest.ScalarTypes()
	for _, elem := range []plugin.Kind{plugin.String, plugin.Int, plugin.Boolean, plugin.Double, plugin.BigInt} {
		types = append(types, plugin.ArrayOf(plugin.TypeOf(elem)))
	}
	jdbctest.Suite{
		Kit: kit, Open: dbtest.Postgres, Variable: dbtest.PostgresVariable, OpenAt: dbtest.PostgresAt,
		Quote:    func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` },
		Path:     func(_ *dbtest.Database, table string) string { return "public." + table },
		LeftOver: leftOver,
		Sources:  sources(),
		Types:    types,
		Broken:   [][]any{{}, {"url", "jdbc:postgresql://127.0.0.1:1/x"}},
		Mixed:    mixed, Fill: fill, KillRows: 250_000, KillRate: 12_000,
	}.Run(t)
}

func leftOver(d *dbtest.Database) []string {
	return d.Query(`SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'culvert\_%'
		AND relname <> 'culvert_commits' UNION ALL SELECT gid FROM pg_prepared_xacts`)
}

func sources() map[string]jdbctest.SourceCase {
	tables := []string{
		"CREATE TABLE a (id int PRIMARY KEY, s text)", "INSERT INTO a SELECT i, 'x' FROM generate_series(1, 90) i",
		"CREATE TABLE b (k int, t date)", `INSERT INTO b SELECT CASE i % 4 WHEN 0 THEN NULL ELSE i % 5 END,
			date '2024-01-01' + i FROM generate_series(1, 60) i`,
		"CREATE TABLE c (d date UNIQUE NOT NULL, n numeric)",
		"INSERT INTO c SELECT date '2024-01-01' + i, i / 8.0 FROM generate_series(1, 50) i",
		"CREATE TABLE d (n int)", "INSERT INTO d SELECT i FROM generate_series(1, 50) i",
	}
	cases := map[string]jdbctest.SourceCase{}
	for _, snapshot := range []bool{false, true} {
		cases[fmt.Sprintf("snapshot %v", snapshot)] = jdbctest.SourceCase{
			SQL: tables,
			Pairs: func(*dbtest.Database) []any {
				return []any{"split.size", 20, "snapshot.consistent", snapshot, "table_list", jdbctest.Blocks(
					[]any{"table_path", "a"}, []any{"table_path", "public.b", "partition_column", "k"},
					[]any{"table_path", "c"}, []any{"table_path", "d"}, []any{"query", "SELECT id, s FROM a WHERE id > 70"})}
			},
		}
	}
	return cases
}
