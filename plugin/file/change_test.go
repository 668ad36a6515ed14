package file

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// widened is the next version of the numbered table, without the column text and with one in front.
func widened(t *testing.T) *plugin.Table {
	t.Helper()
	old := numberedTable(t)
	next := *old
	next.Version = 1
	next.Columns = []plugin.Column{{Name: "more", Type: plugin.TypeOf(plugin.Int)}, old.Columns[0], old.Columns[1]}
	made, err := plugin.NewTable(next)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func rowOf(t *testing.T, table *plugin.Table, values ...any) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(table, column.NewPool())
	if err := b.AppendRow(plugin.Insert, values...); err != nil {
		t.Fatal(err)
	}
	return b.Batch()
}

// TestSchemaChange has the new version begin new files, in the middle of a transaction too.
func TestSchemaChange(t *testing.T) {
	old, next := numberedTable(t), widened(t)
	for _, tt := range []struct {
		name, options string
		want          map[string]string
	}{
		{"csv", "file_format_type = csv, enable_header_write = true", map[string]string{
			"T_42_#_3_1_0.csv": "n,part,text\n0,p0,text of 0", "T_42_#_3_2_1.csv": "n,part,text\n1,p1,text of 1",
			"T_42_#_3_2_2.csv": "more,n,part\n7,2,p2"}},
		{"partitions", "file_format_type = json, partition_by = [part]", map[string]string{
			"part=p0/T_42_#_3_1_0.json": `{"n":0,"text":"text of 0"}`,
			"part=p1/T_42_#_3_2_1.json": `{"n":1,"text":"text of 1"}`,
			"part=p2/T_42_#_3_2_2.json": `{"more":7,"n":2}`}},
		{"the columns that were named", "file_format_type = csv, sink_columns = [part, n]", map[string]string{
			"T_42_#_3_1_0.csv": "p0,0", "T_42_#_3_2_1.csv": "p1,1", "T_42_#_3_2_2.csv": "p2,2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, text := paths(t)
			s, err := openTestSink(t, text+tt.options, old)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := s.ApplyChange(t.Context(), plugin.SchemaChange{Old: old, New: next}); err != nil {
					t.Fatal(err)
				}
			}
			w, err := s.Writer(t.Context(), plugin.Task{Env: testEnv(old), Index: 3})
			if err != nil {
				t.Fatal(err)
			}
			var tokens [][]byte
			for epoch, batches := range [][]plugin.Batch{{numbered(old, 0, 1)},
				{numbered(old, 1, 2), rowOf(t, next, 7, 2, "p2")}} {
				for _, b := range batches {
					if err := w.Write(t.Context(), b); err != nil {
						t.Fatal(err)
					}
					b.Release()
				}
				token, err := w.Flush(t.Context(), uint64(epoch+1))
				if err != nil {
					t.Fatal(err)
				}
				tokens = append(tokens, token)
			}
			if err := errors.Join(w.Close(), s.Commit(t.Context(), 2, tokens)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, tree(t, filepath.Join(dir, "out"))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSchemaChangeThatDoesNotFit(t *testing.T) {
	for _, options := range []string{"sink_columns = [n, text]", "partition_by = [text]"} {
		_, text := paths(t)
		old := numberedTable(t)
		s, err := openTestSink(t, text+options, old)
		if err != nil {
			t.Fatal(err)
		}
		err = s.ApplyChange(t.Context(), plugin.SchemaChange{Old: old, New: widened(t)})
		var known *plugin.Error
		if !errors.As(err, &known) || known.Retry || known.Fix == "" || !strings.Contains(err.Error(), `text`) {
			t.Errorf("%s: %v", options, err)
		}
	}
}
