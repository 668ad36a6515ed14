package postgres_test

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
)

func TestSchemaChanges(t *testing.T) {
	var s *server
	changetest.Run(t, changetest.Case{
		Open: func(t *testing.T, tab *plugin.Table, pairs ...any) plugin.Sink {
			s = newServer(t)
			return openSink(t, s.options(pairs...), tab)
		},
		Query: func(_ *testing.T, sql string) []string { return s.query(sql) },
		Task:  plugin.Task{Env: env()},
	})
}
