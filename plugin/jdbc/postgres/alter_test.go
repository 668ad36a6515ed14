package postgres_test

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

func TestSchemaChanges(t *testing.T) {
	var s *dbtest.Database
	changetest.Run(t, changetest.Case{
		Open: func(t *testing.T, tab *plugin.Table, pairs ...any) plugin.Sink {
			s = dbtest.Postgres(t)
			return kit.OpenSink(t, s.Options(pairs...), tab)
		},
		Query: func(_ *testing.T, sql string) []string { return s.Query(sql) },
		Task:  plugin.Task{Env: jdbctest.Env()},
	})
}

func TestKillWhileTheTableChanges(t *testing.T) { changetest.Kill(t, dbtest.Postgres) }
