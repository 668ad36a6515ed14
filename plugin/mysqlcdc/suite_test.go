package mysqlcdc_test

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// TestSuite runs the conformance suite over snapshots of tables with different keys, and over a log.
func TestSuite(t *testing.T) {
	f := newFixture(t,
		"CREATE TABLE one (id INT PRIMARY KEY, name VARCHAR(20))",
		"CREATE TABLE pair (a INT, b VARCHAR(20), PRIMARY KEY (a, b))",
		"CREATE TABLE texts (k VARCHAR(20) PRIMARY KEY, d DATETIME(6))",
		"CREATE TABLE bare (n INT)",
	)
	file, pos := f.place(t)
	f.Exec("INSERT INTO one SELECT seq, CONCAT('name ', seq) FROM seq_1_to_200",
		"INSERT INTO pair SELECT seq % 9, CONCAT('b', seq) FROM seq_1_to_100",
		"INSERT INTO texts SELECT CONCAT('k', seq), '2024-01-01' + INTERVAL seq HOUR FROM seq_1_to_100",
		"INSERT INTO bare SELECT seq FROM seq_1_to_50")
	p, ok := plugin.NewRegistry(mysqlcdc.Plugins).Lookup(plugin.SourceRole, "mysql-cdc")
	if !ok {
		t.Fatal("there is no MySQL-CDC")
	}
	base := func(tables string, pairs ...any) []any {
		return append([]any{"base-url", "jdbc:mysql://" + f.Host + "/" + f.from, "username", f.User, "password", f.Password,
			"table-pattern", f.from + `\.` + tables, "snapshot.split.size", 20}, pairs...)
	}
	for name, c := range map[string]struct {
		options []any
		rows    int
	}{
		"unique key":  {base("one"), 200},
		"text key":    {base("texts"), 100},
		"two columns": {base("pair"), 100},
		"no key":      {base("bare"), 50},
		"several":     {base("(one|pair|texts)"), 400},
		"log": {base("(one|pair)", "startup.mode", "specific", "startup.specific-offset.file", file,
			"startup.specific-offset.pos", pos), 300},
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.Source(t, plugintest.SourceCase{
				Plugin: p, Options: plugintest.Options(c.options...), Mode: plugin.Unbounded, Rows: c.rows,
				Secrets: []string{f.Password + "x"}, Restarts: 10,
			})
		})
	}
}
