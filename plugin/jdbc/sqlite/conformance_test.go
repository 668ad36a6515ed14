package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestSourceConformance(t *testing.T) {
	url, _ := newFile(t, "CREATE TABLE a (id INTEGER PRIMARY KEY, s TEXT)", fill(90, "INSERT INTO a VALUES (%d, 'x')"),
		"CREATE TABLE b (k INT, t DATE TEXT)", fill(60, "INSERT INTO b VALUES (CASE %[1]d %% 4 WHEN 0 THEN NULL ELSE %[1]d %% 5 END, '2024-01-01')"))
	list := config.Value{Kind: config.List, Items: []config.Value{
		plugintest.Options("table_path", "a"), plugintest.Options("table_path", "b", "partition_column", "k"),
		plugintest.Options("query", "SELECT id, s FROM a WHERE id > 70"),
	}}
	broken := []config.Value{
		plugintest.Options("url", url+".missing", "table_path", "a", "password", "geheim"),
		plugintest.Options("url", url, "table_path", "c", "password", "geheim"),
		plugintest.Options("url", "jdbc:other:geheim", "table_path", "c", "password", "geheim"),
	}
	plugintest.Source(t, plugintest.SourceCase{
		Plugin:  lookup(t, plugin.SourceRole),
		Options: plugintest.Options("url", url, "split.size", 20, "password", "geheim").Set("table_list", list),
		Secrets: []string{"geheim"}, Broken: broken,
	})
}

func TestSinkConformance(t *testing.T) {
	for _, exactly := range []bool{false, true} {
		t.Run(fmt.Sprintf("exactly once %v", exactly), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "target.db")
			url := "jdbc:sqlite:" + path
			source := lookup(t, plugin.SourceRole)
			plugintest.Sink(t, plugintest.SinkCase{
				Plugin:  lookup(t, plugin.SinkRole),
				Options: plugintest.Options("url", url, "is_exactly_once", exactly, "password", "geheim"),
				Types:   plugintest.ScalarTypes(),
				Read: func(ctx context.Context, tab *plugin.Table) ([][]any, error) {
					return readBack(ctx, source, url, tab)
				},
				Before: func(context.Context) error {
					files, err := filepath.Glob(path + "*")
					for _, f := range files {
						err = errors.Join(err, os.Remove(f))
					}
					return err
				},
				Upserts: true,
				Secrets: []string{"geheim"},
				Broken: []config.Value{
					plugintest.Options("url", "jdbc:sqlite:/nowhere/x.db", "password", "geheim"),
					plugintest.Options("url", url, "table", "a.b.c.d", "password", "geheim"),
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
func readBack(ctx context.Context, p plugin.Plugin, url string, tab *plugin.Table) ([][]any, error) {
	s, err := p.Source(ctx, plugintest.Options("url", url, "query", `SELECT * FROM "`+tab.ID.Name+`"`), env())
	if err != nil {
		return nil, err
	}
	sp, err := s.Splits(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer sp.Close()
	r, err := s.Reader(ctx, plugin.Task{Env: env()})
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
