package mysql_test

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

func TestSchemaChanges(t *testing.T) {
	var f *dbtest.Database
	changetest.Run(t, changetest.Case{
		Open: func(t *testing.T, tab *plugin.Table, pairs ...any) plugin.Sink {
			f = dbtest.MariaDB(t)
			return kit.OpenSink(t, f.Options(pairs...), tab)
		},
		Query:  func(_ *testing.T, sql string) []string { return f.Query(sql) },
		Task:   plugin.Task{Env: jdbctest.Env()},
		Places: true,
	})
}

func TestKillWhileTheTableChanges(t *testing.T) { changetest.Kill(t, dbtest.MariaDB) }
