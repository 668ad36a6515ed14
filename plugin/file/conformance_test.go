package file

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func lookup(t testing.TB, role plugin.Role) plugin.Plugin {
	t.Helper()
	p, ok := plugin.NewRegistry(Plugins).Lookup(role, Name)
	if !ok {
		t.Fatal("not registered")
	}
	return p
}

func TestSourceConformance(t *testing.T) {
	const lines = 40_000
	dir := t.TempDir()
	put(t, dir, "a.csv", bigFile(lines))
	put(t, dir, "b.csv", "id,name\n")
	put(t, dir, "c.csv", "id,name\n-1,\n")
	want := []plugintest.Row{{Table: "db.people", Values: []any{-1, nil}}}
	for i := range lines {
		want = append(want, plugintest.Row{Table: "db.people", Values: []any{i, fmt.Sprintf("name of %d", i)}})
	}
	text := fmt.Sprintf("path = %q, file_format_type = csv, split.size = 100000, skip_header_row_number = 1, "+
		"parse_partition_from_path = false\n%s", dir, idName)
	plugintest.Source(t, plugintest.SourceCase{
		Plugin:  lookup(t, plugin.SourceRole),
		Options: options(t, text),
		Want:    want,
		Broken:  []config.Value{options(t, strings.Replace(text, dir, dir+"/none", 1))},
	})
}

func TestSinkConformance(t *testing.T) {
	for _, tc := range []struct {
		name, more string
		types      []plugin.Type
	}{
		{"csv", "", plugintest.ScalarTypes()}, // delimited text cannot tell all nested values apart
		{"csv", "compress_codec = gzip, batch_size = 100", plugintest.ScalarTypes()},
		{"json", "", nil},
		{"json", "batch_size = 3, partition_by = [c_boolean], is_partition_field_write_in_file = true", nil},
	} {
		t.Run(tc.name+" "+tc.more, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			plugintest.Sink(t, plugintest.SinkCase{
				Plugin: lookup(t, plugin.SinkRole),
				Options: options(t, fmt.Sprintf("path = %q, tmp_path = \"%s/tmp\", file_format_type = %s, %s", out, dir, tc.name,
					tc.more)),
				Types:  tc.types,
				Before: func(context.Context) error { return os.RemoveAll(out) },
				Read:   func(ctx context.Context, in *plugin.Table) ([][]any, error) { return readBack(ctx, out, tc.name, in) },
				Broken: []config.Value{options(t, fmt.Sprintf("path = %q, tmp_path = /dev/null/x", out))},
			})
		})
	}
}

// readBack reads the files of a directory with the source, by the columns of a table.
func readBack(ctx context.Context, dir, name string, in *plugin.Table) ([][]any, error) {
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return nil, nil
	}
	env := testEnv()
	t, err := newTable(TableOptions{Path: dir, Format: name, Archive: "none", Newlines: true}, linked())
	if err != nil {
		return nil, err
	}
	t.file, t.read, t.out = in, in, in
	s := &source{env: env, tables: []*table{t}, ready: true}
	splits, err := splitsOf(ctx, s)
	if err != nil {
		return nil, err
	}
	r, err := s.Reader(ctx, plugin.Task{Env: env})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := &valueCollector{}
	for _, split := range splits {
		if err := r.Open(ctx, split); err != nil {
			return nil, err
		}
		if err := r.Read(ctx, out); err != io.EOF {
			return nil, err
		}
	}
	return out.rows, nil
}

// valueCollector is an Out that keeps rows as Go values.
type valueCollector struct {
	collector
	rows [][]any
}

func (c *valueCollector) Batch(b plugin.Batch) error {
	defer b.Release()
	for i := range b.Len() {
		row := make([]any, len(b.Table.Columns))
		for k, col := range b.Table.Columns {
			row[k] = column.Value(b.Rows.Column(k), col.Type, i)
		}
		c.rows = append(c.rows, row)
	}
	return nil
}
