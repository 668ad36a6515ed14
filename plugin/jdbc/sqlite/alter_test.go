package sqlite_test

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/changetest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestSchemaChanges(t *testing.T) {
	var path string
	changetest.Run(t, changetest.Case{
		Open: func(t *testing.T, tab *plugin.Table, pairs ...any) plugin.Sink {
			var url string
			url, path = newFile(t)
			return kit.OpenSink(t, plugintest.Options(append(pairs, "url", url)...), tab)
		},
		Query: func(t *testing.T, sql string) []string { return query(t, path, sql) },
		Task:  plugin.Task{Env: jdbctest.Env()},
	})
}

func TestKillWhileTheTableChanges(t *testing.T) { changetest.Kill(t, newDatabase) }
