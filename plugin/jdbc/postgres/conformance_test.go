package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestSourceConformance(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, s text)", "INSERT INTO a SELECT i, 'x' FROM generate_series(1, 90) i",
		"CREATE TABLE b (k int, t date)", `INSERT INTO b SELECT CASE i % 4 WHEN 0 THEN NULL ELSE i % 5 END, date '2024-01-01' + i
			FROM generate_series(1, 60) i`, "CREATE TABLE c (d date UNIQUE NOT NULL, n numeric)",
		"INSERT INTO c SELECT date '2024-01-01' + i, i / 8.0 FROM generate_series(1, 50) i",
		"CREATE TABLE d (n int)", "INSERT INTO d SELECT i FROM generate_series(1, 50) i")
	list := []config.Value{
		block("table_path", "a"), block("table_path", "public.b", "partition_column", "k"), block("table_path", "c"),
		block("table_path", "d"), block("query", "SELECT id, s FROM a WHERE id > 70"),
	}
	for _, snapshot := range []bool{false, true} {
		t.Run(fmt.Sprintf("snapshot %v", snapshot), func(t *testing.T) {
			plugintest.Source(t, plugintest.SourceCase{
				Plugin:  lookup(t, plugin.SourceRole),
				Options: s.options("split.size", 20, "snapshot.consistent", snapshot, "table_list", list),
				Secrets: []string{"geheim"},
				Broken: []config.Value{
					block("url", "jdbc:postgresql://127.0.0.1:1/x", "user", "u", "password", "geheim", "table_path", "a"),
					block("url", s.jdbc(), "user", "culvert", "password", "geheim", "table_path", "a"),
					s.options("table_path", "missing"),
				},
			})
		})
	}
}

func TestSinkConformance(t *testing.T) {
	for _, exactly := range []bool{false, true} {
		t.Run(fmt.Sprintf("exactly once %v", exactly), func(t *testing.T) {
			s := newServer(t)
			source := lookup(t, plugin.SourceRole)
			types := plugintest.ScalarTypes()
			for _, elem := range []plugin.Kind{plugin.String, plugin.Int, plugin.Boolean, plugin.Double, plugin.BigInt} {
				types = append(types, plugin.ArrayOf(plugin.TypeOf(elem)))
			}
			plugintest.Sink(t, plugintest.SinkCase{
				Plugin: lookup(t, plugin.SinkRole), Options: s.options("is_exactly_once", exactly), Types: types,
				Read: func(ctx context.Context, tab *plugin.Table) ([][]any, error) { return readBack(ctx, source, s, tab) },
				Before: func(context.Context) error {
					s.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
					return nil
				},
				Upserts: true,
				Secrets: []string{"geheim"},
				Broken: []config.Value{
					block("url", "jdbc:postgresql://127.0.0.1:1/x", "user", "u", "password", "geheim"),
					block("url", s.jdbc(), "user", "culvert", "password", "geheim"),
					s.options("table", "a.b.c.d"),
				},
			})
		})
	}
}

// values is an Out that keeps rows as Go values.
type values struct {
	collector
	rows [][]any
}

func (v *values) Batch(b plugin.Batch) error {
	defer b.Release()
	for i := range b.Len() {
		row := make([]any, len(b.Table.Columns))
		for j, c := range b.Table.Columns {
			row[j] = column.Value(b.Rows.Column(j), c.Type, i)
		}
		v.rows = append(v.rows, row)
	}
	return nil
}

// readBack reads a target by the source.
func readBack(ctx context.Context, p plugin.Plugin, s *server, tab *plugin.Table) ([][]any, error) {
	src, err := p.Source(ctx, s.options("query", `SELECT * FROM "`+tab.ID.Name+`"`), env())
	if err != nil {
		return nil, err
	}
	sp, err := src.Splits(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer sp.Close()
	r, err := src.Reader(ctx, plugin.Task{Env: env()})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := &values{}
	for {
		splits, err := sp.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out.rows, nil
		}
		if err != nil {
			return nil, err
		}
		for _, split := range splits {
			if err := r.Open(ctx, split); err != nil {
				return nil, err
			}
			for err = nil; err == nil; {
				err = r.Read(ctx, out)
			}
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
		}
	}
}
