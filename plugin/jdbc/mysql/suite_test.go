package mysql_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// TestSourceSuite runs the conformance suite over tables with and without keys.
func TestSourceSuite(t *testing.T) {
	f := newFixture(t,
		"CREATE TABLE one (id INT PRIMARY KEY, name VARCHAR(20))",
		"INSERT INTO one SELECT seq, CONCAT('name ', seq) FROM seq_1_to_300",
		"CREATE TABLE nokey (a INT, b VARCHAR(20))",
		"INSERT INTO nokey SELECT IF(seq % 7 = 0, NULL, seq % 20), CONCAT('b', seq) FROM seq_1_to_100",
		"CREATE TABLE texts (k VARCHAR(20) PRIMARY KEY, d DATETIME(6))",
		"INSERT INTO texts SELECT CONCAT('k', seq), '2024-01-01' + INTERVAL seq HOUR FROM seq_1_to_100",
	)
	for name, pairs := range map[string][]any{
		"unique key": {"table_path", f.name + ".one", "split.size", 20},
		"several": {"split.size", 30, "table_list", any2s{{"table_path", f.name + ".one"}, {"table_path", f.name +
			".texts"}}.values()},
		"null keys": {"query", "SELECT * FROM nokey", "partition_column", "a", "partition_num", 4},
		"no key":    {"table_path", f.name + ".nokey"},
		"a query":   {"query", "SELECT id, name FROM one WHERE id < 60"},
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.Source(t, plugintest.SourceCase{
				Plugin: lookup(t, plugin.SourceRole), Options: block(f.access(pairs...)...), Secrets: []string{f.password + "x"},
			})
		})
	}
}

// TestSinkSuite runs the conformance suite in the three ways of writing.
func TestSinkSuite(t *testing.T) {
	f := newFixture(t)
	source := lookup(t, plugin.SinkRole)
	for name, pairs := range map[string][]any{
		"inserts":      {"schema_save_mode", "RECREATE_SCHEMA", "enable_upsert", "false", "create_index", "false"},
		"upserts":      {"schema_save_mode", "RECREATE_SCHEMA"},
		"exactly once": {"schema_save_mode", "RECREATE_SCHEMA", "is_exactly_once", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			p := source
			p.Commits = name == "exactly once"
			plugintest.Sink(t, plugintest.SinkCase{
				Plugin: p, Options: block(f.access(append([]any{"table", "rows"}, pairs...)...)...),
				Types: plugintest.ScalarTypes(), Upserts: name != "inserts", Accept: accept,
				Read:    func(ctx context.Context, tab *plugin.Table) ([][]any, error) { return readBack(ctx, t, f, tab) },
				Before:  func(context.Context) error { _, err := f.Exec("DROP TABLE IF EXISTS `rows`"); return err },
				Secrets: []string{f.password + "x"},
			})
		})
	}
}

// accept leaves out what the server cannot hold: floating point numbers near the ends of FLOAT.
func accept(_ plugin.Type, v any) bool {
	text, ok := v.(string)
	return !ok || !strings.HasPrefix(text, "-0")
}

// readBack reads the target with the source under test, whose types are those of the sink's tables.
func readBack(ctx context.Context, t *testing.T, f *fixture, tab *plugin.Table) ([][]any, error) {
	s, err := lookup(t, plugin.SourceRole).Source(ctx, block(f.access("table_path", f.name+".rows")...), env())
	if err != nil {
		return nil, err
	}
	tables, err := s.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for i, c := range tables[0].Columns {
		if want := tab.Columns[i].Type; c.Type.Kind != want.Kind {
			return nil, fmt.Errorf("column %s came back as %s, not %s", c.Name, c.Type, want)
		}
	}
	out := &valueCollector{}
	if err := readAll(t, s, splitsOf(t, s), out); err != nil {
		return nil, err
	}
	return slices.Clone(out.values), nil
}
