package mysql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
)

var kit = jdbctest.Kit{Plugins: mysql.Plugins}

func TestMain(m *testing.M) {
	jdbctest.Main(m, func() []plugin.Plugin { return slices.Concat(mysql.Plugins(), changetest.Evolving()) })
}

// mixed are the columns of a table of mixed types.
const mixed = `id BIGINT PRIMARY KEY, n INT, name VARCHAR(40), note VARCHAR(80), score DOUBLE, amount DECIMAL(12,2),
	at DATETIME(6), ok BOOLEAN`

// fill makes rows of the table a of mixed types.
func fill(n int) string {
	return fmt.Sprintf(
		`INSERT INTO a SELECT seq, seq %% 1000, CONCAT('name ', seq), CONCAT('a longer text, number ', seq * 7),
		seq / 7e0, seq %% 100000 / 100, '2024-01-01' + INTERVAL seq * 1001 MICROSECOND, seq %% 2 FROM seq_1_to_%d`, n)
}

// mixedTable makes the table a of mixed types with n rows.
func mixedTable(n int) []string { return []string{"CREATE TABLE a (" + mixed + ")", fill(n)} }

func TestSuite(t *testing.T) {
	jdbctest.Suite{
		Kit: kit, Open: dbtest.MariaDB, Variable: dbtest.MariaDBVariable, OpenAt: dbtest.MariaDBAt,
		Quote:    func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" },
		Path:     func(d *dbtest.Database, table string) string { return d.Name + "." + table },
		LeftOver: leftOver,
		Sources:  sources(),
		Accept:   accept, SameKinds: true,
		Broken: [][]any{{}, {"url", "jdbc:mysql://127.0.0.1:1/x"}},
		Mixed:  mixed, Fill: fill, KillRows: 100_000, KillRate: 4_000,
	}.Run(t)
}

func leftOver(d *dbtest.Database) []string {
	rest := d.Query("SHOW TABLES LIKE 'culvert\\_stage\\_%'")
	if len(d.Query("SHOW TABLES LIKE 'culvert_stages'")) > 0 {
		rest = append(rest, d.Query("SELECT id FROM culvert_stages")...)
	}
	return append(rest, d.Query("XA RECOVER")...)
}

// accept leaves out what the server cannot hold: floating point numbers near the ends of FLOAT.
func accept(_ plugin.Type, v any) bool {
	text, ok := v.(string)
	return !ok || !strings.HasPrefix(text, "-0")
}

// sources are tables with and without keys.
func sources() map[string]jdbctest.SourceCase {
	tables := []string{
		"CREATE TABLE one (id INT PRIMARY KEY, name VARCHAR(20))",
		"INSERT INTO one SELECT seq, CONCAT('name ', seq) FROM seq_1_to_300",
		"CREATE TABLE nokey (a INT, b VARCHAR(20))",
		"INSERT INTO nokey SELECT IF(seq % 7 = 0, NULL, seq % 20), CONCAT('b', seq) FROM seq_1_to_100",
		"CREATE TABLE texts (k VARCHAR(20) PRIMARY KEY, d DATETIME(6))",
		"INSERT INTO texts SELECT CONCAT('k', seq), '2024-01-01' + INTERVAL seq HOUR FROM seq_1_to_100",
	}
	type pairs = func(*dbtest.Database) []any
	cases := map[string]jdbctest.SourceCase{}
	for name, p := range map[string]pairs{
		"unique key": func(d *dbtest.Database) []any { return []any{"table_path", d.Name + ".one", "split.size", 20} },
		"several": func(d *dbtest.Database) []any {
			return []any{"split.size", 30, "table_list",
				jdbctest.Blocks([]any{"table_path", d.Name + ".one"}, []any{"table_path", d.Name + ".texts"})}
		},
		"null keys": func(*dbtest.Database) []any {
			return []any{"query", "SELECT * FROM nokey", "partition_column", "a", "partition_num", 4}
		},
		"no key":  func(d *dbtest.Database) []any { return []any{"table_path", d.Name + ".nokey"} },
		"a query": func(*dbtest.Database) []any { return []any{"query", "SELECT id, name FROM one WHERE id < 60"} },
	} {
		cases[name] = jdbctest.SourceCase{SQL: tables, Pairs: p}
	}
	return cases
}
