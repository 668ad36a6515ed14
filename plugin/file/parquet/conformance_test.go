package parquet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file"
	"github.com/culvertdata/culvert/plugin/file/parquet"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connector(t *testing.T, role plugin.Role) plugin.Plugin {
	t.Helper()
	p, ok := plugin.NewRegistry(file.With(parquet.Format())).Lookup(role, file.Name)
	if !ok {
		t.Fatal("not registered")
	}
	return p
}

// TestSourceConformance reads two files of several row groups as lanes of the LocalFile source do.
func TestSourceConformance(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.parquet", "b.parquet"} {
		_, data, _ := groups(t)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plugintest.Source(t, plugintest.SourceCase{
		Plugin:  connector(t, plugin.SourceRole),
		Options: plugintest.Options("path", dir, "file_format_type", "parquet", "split.size", 1),
	})
}

// TestSinkConformance writes all types by the two-phase LocalFile sink.
func TestSinkConformance(t *testing.T) {
	for _, codec := range []string{"none", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			source := connector(t, plugin.SourceRole)
			plugintest.Sink(t, plugintest.SinkCase{
				Plugin: connector(t, plugin.SinkRole),
				Options: plugintest.Options("path", out, "tmp_path", filepath.Join(dir, "tmp"), "file_format_type", "parquet",
					"compress_codec", codec),
				Before: func(context.Context) error { return os.RemoveAll(out) },
				Read:   func(ctx context.Context, tab *plugin.Table) ([][]any, error) { return readBack(ctx, source, out, tab) },
			})
		})
	}
}

// rows is an Out that keeps rows as Go values.
type rows struct{ list [][]any }

func (r *rows) Batch(b plugin.Batch) error {
	defer b.Release()
	for i := range b.Len() {
		row := make([]any, len(b.Table.Columns))
		for j, c := range b.Table.Columns {
			row[j] = column.Value(b.Rows.Column(j), c.Type, i)
		}
		r.list = append(r.list, row)
	}
	return nil
}

func (r *rows) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.ErrUnsupported }
func (r *rows) Change(plugin.SchemaChange) error                { return errors.ErrUnsupported }
func (r *rows) Full() bool                                      { return false }
func (r *rows) Wake() <-chan struct{}                           { return nil }

// readBack reads the files of a directory. Their columns must be the first ones of the table: those of a file that is
// older than a schema change lack the last.
func readBack(ctx context.Context, p plugin.Plugin, dir string, tab *plugin.Table) ([][]any, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil {
		return nil, err
	}
	var all [][]any
	for _, file := range files {
		list, err := readFile(ctx, p, file, tab)
		if err != nil {
			return nil, err
		}
		for _, row := range list {
			all = append(all, append(row, make([]any, len(tab.Columns)-len(row))...))
		}
	}
	return all, nil
}

func readFile(ctx context.Context, p plugin.Plugin, path string, tab *plugin.Table) ([][]any, error) {
	env := plugin.Env{
		Vertex: "Source[0]-LocalFile", Parallelism: 1, Logger: hclog.NewNullLogger(),
		Alloc: memory.DefaultAllocator, Now: time.Now,
	}
	s, err := p.Source(ctx, plugintest.Options("path", path, "file_format_type", "parquet"), env)
	if err != nil {
		return nil, err
	}
	tables, err := s.Tables(ctx)
	if err != nil {
		return nil, err
	}
	columns := tables[0].Columns
	same := slices.EqualFunc(columns, tab.Columns[:min(len(columns), len(tab.Columns))], func(a, b plugin.Column) bool {
		return a.Name == b.Name && a.Type.Equal(b.Type)
	})
	if !same {
		return nil, fmt.Errorf("the columns are %v", columns)
	}
	sp, err := s.Splits(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer sp.Close()
	r, err := s.Reader(ctx, plugin.Task{Env: env})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := &rows{}
	for {
		splits, err := sp.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out.list, nil
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
