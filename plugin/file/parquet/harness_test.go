package parquet_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

func table(t testing.TB, columns ...plugin.Column) *plugin.Table {
	t.Helper()
	made, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func input(data []byte) format.Input {
	return format.Input{Name: "test.parquet", Size: int64(len(data)), ReaderAt: bytes.NewReader(data)}
}

func write(t testing.TB, o format.WriteOptions, batches ...plugin.Batch) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := parquet.Format().NewWriter(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func columns(t testing.TB, data []byte) []plugin.Column {
	t.Helper()
	c, err := parquet.Format().Columns(t.Context(), input(data))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ranges(t testing.TB, data []byte, splitSize int64) []format.Range {
	t.Helper()
	r, err := parquet.Format().Ranges(t.Context(), input(data), format.ReadOptions{SplitSize: splitSize})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// read returns the rows of a range as text, and where it stood after each batch.
func read(t testing.TB, data []byte, tab *plugin.Table, span format.Range, from *format.Position) (rows []string,
	at []format.Position) {
	t.Helper()
	r, err := parquet.Format().NewReader(format.ReadOptions{Table: tab, Alloc: memory.DefaultAllocator})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Open(t.Context(), input(data), span, from); err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return rows, at
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, texts(b)...)
		at = append(at, r.Position())
		b.Release()
	}
}

func texts(b plugin.Batch) []string {
	var rows []string
	for i := range b.Len() {
		var row []byte
		for j, c := range b.Table.Columns {
			if j > 0 {
				row = append(row, '|')
			}
			row = column.FormatJSON(row, b.Rows.Column(j), c.Type, i)
		}
		rows = append(rows, string(row))
	}
	return rows
}

func build(t testing.TB, tab *plugin.Table, rows ...[]any) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	for _, r := range rows {
		if err := b.AppendRow(plugin.Insert, r...); err != nil {
			t.Fatal(err)
		}
	}
	return b.Batch()
}
