// Package linetest helps to test the line formats: it reads contents held in memory, in any ranges.
package linetest

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
)

// Table makes a table of columns given as name, kind, name, kind ...
func Table(columns ...any) *plugin.Table {
	t := plugin.Table{ID: plugin.TableID{Name: "t"}}
	for i := 0; i < len(columns); i += 2 {
		c := plugin.Column{Name: columns[i].(string)}
		switch k := columns[i+1].(type) {
		case plugin.Kind:
			c.Type = plugin.TypeOf(k)
		case plugin.Type:
			c.Type = k
		}
		t.Columns = append(t.Columns, c)
	}
	table, err := plugin.NewTable(t)
	if err != nil {
		panic(err)
	}
	return table
}

// Input is a file with the given content.
func Input(content string) format.Input {
	return format.Input{
		Name: "mem", Size: int64(len(content)), ReaderAt: bytes.NewReader([]byte(content)),
		Stream: func(offset int64) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte(content[offset:]))), nil
		},
	}
}

// Row is one row: its values joined by a bar, null as <nil>.
func Row(b plugin.Batch, i int) string {
	var text []byte
	for k, c := range b.Table.Columns {
		if k > 0 {
			text = append(text, '|')
		}
		text = fmt.Append(text, column.Value(b.Rows.Column(k), c.Type, i))
	}
	return string(text)
}

// Options completes options with what a test always needs.
func Options(o format.ReadOptions) format.ReadOptions {
	if o.Alloc == nil {
		o.Alloc = column.NewPool()
	}
	if o.Table == nil {
		o.Table = o.File
	}
	return o
}

// Read reads one range to its end. stop, if not nil, is asked after each batch whether to go on with a new reader, as
// after a restart.
func Read(f format.Format, content string, o format.ReadOptions, r format.Range, stop func() bool) ([]string, error) {
	ctx := context.Background()
	in := Input(content)
	var rows []string
	var from *format.Position
	for {
		reader, err := f.NewReader(Options(o))
		if err != nil {
			return nil, err
		}
		again, err := readSome(ctx, reader, in, r, from, stop, &rows)
		at := reader.Position()
		from = &at
		if closed := reader.Close(); err == nil {
			err = closed
		}
		if err != nil || !again {
			return rows, err
		}
	}
}

func readSome(ctx context.Context, reader format.Reader, in format.Input, r format.Range, from *format.Position,
	stop func() bool, rows *[]string) (again bool, err error) {
	if err := reader.Open(ctx, in, r, from); err != nil {
		return false, err
	}
	for {
		b, err := reader.Next(ctx)
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for i := range b.Len() {
			*rows = append(*rows, Row(b, i))
		}
		b.Release()
		if stop != nil && stop() {
			return true, nil
		}
	}
}

// ReadAll reads a whole file as the format cuts it.
func ReadAll(f format.Format, content string, o format.ReadOptions) ([]string, error) {
	ranges, err := f.Ranges(context.Background(), Input(content), Options(o))
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, r := range ranges {
		some, err := Read(f, content, o, r, nil)
		rows = append(rows, some...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}
