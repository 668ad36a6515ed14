package fake

import (
	"context"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// pinned is FakeSource as for a job of two readers, in however many lanes the suite runs it: the number of rows
// follows from the parallelism that a job starts with.
func pinned() plugin.Plugin {
	return plugin.NewSource(Plugins()[0].Info, func(ctx context.Context, o Options, env plugin.Env) (*source, error) {
		env.Parallelism = 2
		return open(ctx, o, env)
	})
}

func TestConformance(t *testing.T) {
	cases := map[string]plugintest.SourceCase{
		"random rows":     {Options: parse(t, "row.num = 2500, split.num = 3\n"+everyType)},
		"several batches": {Options: parse(t, "row.num = 20000, schema { fields { a = int } }")},
		"streaming": {Options: parse(t, "row.num = 50, schema { fields { a = int } }"),
			Mode: plugin.Unbounded, Rows: 100},
		"several tables": {Options: parse(t, `tables_configs = [
			{ schema { table = a, fields { x = int } } }, { row.num = 7, schema { table = b, fields { y = string } } } ]`)},
		"listed rows": {
			Options: parse(t, `schema { table = a, fields { x = int, y = string } }, rows = [
				{ kind = INSERT, fields = [1, p] }, { kind = DELETE, fields = [1, null] } ]`),
			Want: []plugintest.Row{
				{Table: "a", Values: []any{1, "p"}}, {Table: "a", Kind: plugin.Delete, Values: []any{1, nil}},
				{Table: "a", Values: []any{1, "p"}}, {Table: "a", Kind: plugin.Delete, Values: []any{1, nil}},
			},
		},
	}
	for name, c := range cases {
		c.Plugin = pinned()
		t.Run(name, func(t *testing.T) { plugintest.Source(t, c) })
	}
}
