package rows

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// Writer is what a [Sink] writes with in one lane.
type Writer[T any] struct {
	// Write takes rows, now or into a buffer of its own; it may keep them. A *plugin.RowErrors says which were refused
	// while the others were taken.
	Write func(ctx context.Context, rows []T) error
	// Flush makes everything durable that was written; nil if Write does.
	Flush func(ctx context.Context) error
	// Close may be nil.
	Close func() error
}

// Sink makes a sink of functions that take rows of the struct T. open is called for each lane. The tables that arrive
// must have a column for every field of T; see [column.Mapper.Bind].
func Sink[O, T any](info plugin.Info, open func(ctx context.Context, options O, t plugin.Task) (Writer[T], error)) plugin.Plugin {
	return plugin.NewSink(info, func(_ context.Context, options O, env plugin.Env) (plugin.Sink, error) {
		m, err := column.NewMapper[T]()
		if err != nil {
			return nil, fmt.Errorf("sink %s: %w", info.Name, err)
		}
		for _, t := range env.Inputs {
			if _, err := m.Bind(t); err != nil {
				return nil, err
			}
		}
		return &sink{open: func(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
			w, err := open(ctx, options, t)
			return &structWriter[T]{mapper: m, to: w}, err
		}}, nil
	})
}

// Each makes a sink that calls write for every row. Its error fails the job, except that a *plugin.Error with
// [plugin.CodeData] refuses the one row: the job's error policy decides then.
func Each[O, T any](info plugin.Info, write func(ctx context.Context, options O, row T) error) plugin.Plugin {
	return Sink(info, func(_ context.Context, options O, _ plugin.Task) (Writer[T], error) {
		return Writer[T]{Write: func(ctx context.Context, rows []T) error {
			return writeEach(ctx, rows, func(row T) error { return write(ctx, options, row) })
		}}, nil
	})
}

func writeEach[T any](ctx context.Context, rows []T, write func(T) error) error {
	var refused plugin.RowErrors
	for i, row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := write(row); isData(err) {
			refused.Rows = append(refused.Rows, plugin.RowError{Index: i, Err: err})
		} else if err != nil {
			return err
		}
	}
	return orNil(&refused)
}

func isData(err error) bool {
	var e *plugin.Error
	return errors.As(err, &e) && e.Code == plugin.CodeData
}

func orNil(e *plugin.RowErrors) error {
	if len(e.Rows) == 0 {
		return nil
	}
	return e
}

// EachBatch makes a sink that calls write for every batch, which it borrows.
func EachBatch[O any](info plugin.Info, write func(ctx context.Context, options O, b plugin.Batch) error) plugin.Plugin {
	return plugin.NewSink(info, func(_ context.Context, options O, _ plugin.Env) (plugin.Sink, error) {
		return &sink{open: func(context.Context, plugin.Task) (plugin.Writer, error) {
			return batchWriter(func(ctx context.Context, b plugin.Batch) error { return write(ctx, options, b) }), nil
		}}, nil
	})
}

// sink is a sink that prepares nothing.
type sink struct {
	open func(ctx context.Context, t plugin.Task) (plugin.Writer, error)
}

// Prepare does nothing.
func (s *sink) Prepare(context.Context, []*plugin.Table) error { return nil }

// Writer makes a writer.
func (s *sink) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	return s.open(ctx, t)
}

type batchWriter func(ctx context.Context, b plugin.Batch) error

// Write hands the batch on.
func (w batchWriter) Write(ctx context.Context, b plugin.Batch) error { return w(ctx, b) }

// Flush does nothing.
func (w batchWriter) Flush(context.Context, uint64) ([]byte, error) { return nil, nil }

// Close does nothing.
func (w batchWriter) Close() error { return nil }

// structWriter turns batches into structs.
type structWriter[T any] struct {
	mapper  *column.Mapper[T]
	to      Writer[T]
	table   *plugin.Table
	binding *column.Binding[T]
}

// Write reads the rows of the batch and hands them on. Rows that do not fit T are refused, the others go through.
func (w *structWriter[T]) Write(ctx context.Context, b plugin.Batch) error {
	if w.table != b.Table {
		binding, err := w.mapper.Bind(b.Table)
		if err != nil {
			return err
		}
		w.binding, w.table = binding, b.Table
	}
	rows, err := w.binding.Read(nil, b)
	if err != nil {
		return w.writeFitting(ctx, b)
	}
	return w.to.Write(ctx, rows)
}

// writeFitting hands on the rows that fit T and reports the others, by their places in the batch.
func (w *structWriter[T]) writeFitting(ctx context.Context, b plugin.Batch) error {
	var refused plugin.RowErrors
	var rows []T
	var places []int
	for i := range b.Len() {
		one := b.Slice(i, i+1)
		more, err := w.binding.Read(rows, one)
		one.Release()
		if err != nil {
			refused.Rows = append(refused.Rows, plugin.RowError{Index: i, Err: err})
			continue
		}
		rows, places = more, append(places, i)
	}
	err := w.to.Write(ctx, rows)
	var more *plugin.RowErrors
	switch {
	case errors.As(err, &more):
		for _, r := range more.Rows {
			refused.Rows = append(refused.Rows, plugin.RowError{Index: places[r.Index], Err: r.Err})
		}
	case err != nil:
		return err
	}
	return orNil(&refused)
}

// Flush calls the function of that name.
func (w *structWriter[T]) Flush(ctx context.Context, _ uint64) ([]byte, error) {
	if w.to.Flush == nil {
		return nil, nil
	}
	return nil, w.to.Flush(ctx)
}

// Close calls the function of that name.
func (w *structWriter[T]) Close() error {
	if w.to.Close == nil {
		return nil
	}
	return w.to.Close()
}
