package rows

import (
	"context"
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// framesAhead is how many record batches an iterator may be ahead of its reader.
const framesAhead = 2

// Frames makes a source of an iterator over Arrow record batches. table says at plan time what they hold; their
// columns must have the Arrow types of its columns, in order. read gets the number of rows to leave out, as in
// [Source]. A batch that was yielded is retained while it is needed, so the iterator may release its own reference.
func Frames[O any](info plugin.Info, table func(ctx context.Context, options O) (*plugin.Table, error),
	read func(ctx context.Context, options O, skip int64) iter.Seq2[arrow.RecordBatch, error]) plugin.Plugin {
	return plugin.NewSource(info, func(_ context.Context, options O, _ plugin.Env) (plugin.Source, error) {
		return &frames{
			find: func(ctx context.Context) (*plugin.Table, error) { return table(ctx, options) },
			open: func(ctx context.Context, from position) (iter.Seq2[arrow.RecordBatch, error], error) {
				return read(ctx, options, from.Rows), nil
			},
		}, nil
	})
}

// frames is a stream of record batches whose table is found when it is needed.
type frames struct {
	find   func(ctx context.Context) (*plugin.Table, error)
	open   func(ctx context.Context, from position) (iter.Seq2[arrow.RecordBatch, error], error)
	stream *stream[arrow.RecordBatch]
}

func (f *frames) prepare(ctx context.Context) (*stream[arrow.RecordBatch], error) {
	if f.stream != nil {
		return f.stream, nil
	}
	table, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	f.stream = &stream[arrow.RecordBatch]{table: table, limit: framesAhead, open: f.open, put: putFrame,
		keep: func(r arrow.RecordBatch) { r.Retain() }, drop: func(r arrow.RecordBatch) { r.Release() }}
	return f.stream, nil
}

// Tables returns the one table.
func (f *frames) Tables(ctx context.Context) ([]*plugin.Table, error) {
	s, err := f.prepare(ctx)
	if err != nil {
		return nil, err
	}
	return s.Tables(ctx)
}

// Splits hands out one split.
func (f *frames) Splits(ctx context.Context, state []byte) (plugin.Splitter, error) {
	s, err := f.prepare(ctx)
	if err != nil {
		return nil, err
	}
	return s.Splits(ctx, state)
}

// Reader makes a reader.
func (f *frames) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	s, err := f.prepare(ctx)
	if err != nil {
		return nil, err
	}
	return s.Reader(ctx, t)
}

// putFrame hands out one record batch.
func putFrame(out plugin.Out, b *column.Builder, items []arrow.RecordBatch, at *position) (int, error) {
	batch, err := framed(b.Table(), items[0])
	items[0].Release()
	if err != nil {
		return 1, err
	}
	if err := out.Batch(batch); err != nil {
		return 1, err
	}
	at.Rows += int64(batch.Len())
	return 1, nil
}

// framed checks that a record batch has the columns of a table and makes a batch of it.
func framed(t *plugin.Table, r arrow.RecordBatch) (plugin.Batch, error) {
	if int(r.NumCols()) != len(t.Columns) {
		return plugin.Batch{}, fmt.Errorf("table %s has %d columns, the record batch has %d", t.ID, len(t.Columns), r.NumCols())
	}
	for i, c := range r.Columns() {
		if want := t.Schema.Field(i).Type; !arrow.TypeEqual(want, c.DataType()) {
			return plugin.Batch{}, fmt.Errorf("table %s: column %s must be %s, the record batch has %s", t.ID,
				t.Columns[i].Name, want, c.DataType())
		}
	}
	return column.Assemble(t, r.Columns(), nil), nil
}
