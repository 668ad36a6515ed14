package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// ahead is how many rows an iterator may be ahead of its reader.
const ahead = 1024

// Tabled is implemented by options that name the table that a source makes. Without it the table has the plugin's
// name.
type Tabled interface {
	TableID() plugin.TableID
}

func tableID(info plugin.Info, options any) plugin.TableID {
	if t, ok := options.(Tabled); ok {
		return t.TableID()
	}
	return plugin.TableID{Name: info.Name}
}

// Source makes a source of an iterator over rows of the struct T. read gets the number of rows to leave out: 0 at the
// start, and after a restart those that are part of the last checkpoint. The same rows must come again in the same
// order, else set info.Volatile.
func Source[O, T any](info plugin.Info, read func(ctx context.Context, options O, skip int64) iter.Seq2[T, error]) plugin.Plugin {
	return plugin.NewSource(info, func(_ context.Context, options O, _ plugin.Env) (plugin.Source, error) {
		s, err := structs[T](info, tableID(info, options), nil)
		if err != nil {
			return nil, err
		}
		s.open = func(ctx context.Context, from position) (iter.Seq2[T, error], error) {
			return read(ctx, options, from.Rows), nil
		}
		return s, nil
	})
}

// Cursor makes a source of an iterator over rows of the struct T that goes on behind a value of the last row, for
// example its key or its time. cursor takes that value from a row; it is saved as JSON. read gets the value of the
// last row that is part of the checkpoint, or nil at the start, and yields the rows after it.
func Cursor[O, T, C any](info plugin.Info, read func(ctx context.Context, options O, after *C) iter.Seq2[T, error],
	cursor func(row T) C) plugin.Plugin {
	return plugin.NewSource(info, func(_ context.Context, options O, _ plugin.Env) (plugin.Source, error) {
		s, err := structs[T](info, tableID(info, options), func(row T) (json.RawMessage, error) { return json.Marshal(cursor(row)) })
		if err != nil {
			return nil, err
		}
		s.open = func(ctx context.Context, from position) (iter.Seq2[T, error], error) {
			if from.Cursor == nil {
				return read(ctx, options, nil), nil
			}
			var after C
			if err := json.Unmarshal(from.Cursor, &after); err != nil {
				return nil, fmt.Errorf("the saved cursor %s is no %T: %w", from.Cursor, after, err)
			}
			return read(ctx, options, &after), nil
		}
		return s, nil
	})
}

// structs returns a stream of structs, to which open must be added. cursor may be nil.
func structs[T any](info plugin.Info, id plugin.TableID, cursor func(T) (json.RawMessage, error)) (*stream[T], error) {
	m, err := column.NewMapper[T]()
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", info.Name, err)
	}
	table, err := m.Table(id)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", info.Name, err)
	}
	put := func(out plugin.Out, b *column.Builder, rows []T, at *position) (int, error) {
		return putStructs(m, out, b, rows, at, cursor)
	}
	return &stream[T]{table: table, limit: ahead, keep: func(T) {}, drop: func(T) {}, put: put}, nil
}

// putStructs appends rows to the batch until it is full.
func putStructs[T any](m *column.Mapper[T], out plugin.Out, b *column.Builder, rows []T, at *position,
	cursor func(T) (json.RawMessage, error)) (int, error) {
	n := 0
	for n < len(rows) && !b.Full() {
		if err := m.Append(b, rows[n]); err != nil {
			return n, atRow(err, at.Rows+int64(n))
		}
		n++
	}
	if n == 0 {
		return 0, nil
	}
	at.Rows += int64(n)
	if cursor == nil {
		return n, nil
	}
	value, err := cursor(rows[n-1])
	if err != nil {
		return n, fmt.Errorf("the cursor of row %d: %w", at.Rows-1, err)
	}
	at.Cursor = value
	return n, nil
}

// atRow puts the row's number in the source in place of its number in the batch.
func atRow(err error, row int64) error {
	var e *plugin.Error
	if !errors.As(err, &e) {
		return err
	}
	placed := *e
	placed.Row = fmt.Sprintf("row %d", row)
	return &placed
}
