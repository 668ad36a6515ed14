package postgrescdc_test

import (
	"context"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestSourceConformance(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, s text)",
		"INSERT INTO a SELECT i, 'x' FROM generate_series(1, 90) i",
		"CREATE TABLE b (k text, n int, PRIMARY KEY (k, n))",
		"INSERT INTO b SELECT 'k' || i % 5, i FROM generate_series(1, 60) i",
		"CREATE TABLE c (n int)", "ALTER TABLE c REPLICA IDENTITY FULL",
		"INSERT INTO c SELECT i FROM generate_series(1, 50) i")
	plugintest.Source(t, plugintest.SourceCase{
		Plugin: lookup(t), Mode: plugin.Unbounded, Rows: 200,
		Options: s.options(t, "snapshot.split.size = 20", "a", "b", "c"),
		Before: func(context.Context) error {
			s.released()
			s.dropSlots()
			return nil
		},
		Secrets: []string{"geheim"},
		Broken: []config.Value{
			parse(t, `base-url = "jdbc:postgresql://127.0.0.1:1/x", username = u, password = geheim, table-names = ["public.a"],
				connect.timeout.ms = 500`),
			s.options(t, "", "a").Set("password", value("geheim")),
			s.options(t, "", "missing"),
		},
	})
}
