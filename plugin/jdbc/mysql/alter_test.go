package mysql_test

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
)

func TestSchemaChanges(t *testing.T) {
	var f *fixture
	changetest.Run(t, changetest.Case{
		Open: func(t *testing.T, tab *plugin.Table, pairs ...any) plugin.Sink {
			f = newFixture(t)
			return openSink(t, block(f.access(pairs...)...), tab)
		},
		Query:  func(t *testing.T, sql string) []string { return f.query(t, sql) },
		Task:   plugin.Task{Env: env()},
		Places: true,
	})
}
