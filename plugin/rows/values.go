package rows

import (
	"context"
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// none are the options of an endpoint that is a Go value.
type none struct{}

// FromSeq makes a source of a sequence. It cannot go back: after a restart the sequence is run again, and what it
// yields then is read. A job has such a source once.
func FromSeq[T any](name string, seq iter.Seq2[T, error]) plugin.Plugin {
	return Source(plugin.Info{Name: name, Summary: "rows of a Go iterator", Volatile: true},
		func(context.Context, none, int64) iter.Seq2[T, error] { return seq })
}

// FromChan makes a source of a channel, which ends when the channel is closed. It cannot go back: rows that were
// received and are not part of a checkpoint are lost with a restart.
func FromChan[T any](name string, c <-chan T) plugin.Plugin {
	return Source(plugin.Info{Name: name, Summary: "rows of a Go channel", Volatile: true},
		func(ctx context.Context, _ none, _ int64) iter.Seq2[T, error] {
			return func(yield func(T, error) bool) {
				for {
					select {
					case <-ctx.Done():
						return
					case row, ok := <-c:
						if !ok || !yield(row, nil) {
							return
						}
					}
				}
			}
		})
}

// FromReader makes a source of an Arrow record reader, which stays the caller's to release. Its schema must have types
// that [plugin.FromArrow] knows. It cannot go back: after a restart it goes on where the reader stands.
func FromReader(name string, r array.RecordReader) plugin.Plugin {
	return Frames(plugin.Info{Name: name, Summary: "batches of an Arrow record reader", Volatile: true},
		func(context.Context, none) (*plugin.Table, error) {
			return TableOf(plugin.TableID{Name: name}, r.Schema())
		},
		func(context.Context, none, int64) iter.Seq2[arrow.RecordBatch, error] {
			return func(yield func(arrow.RecordBatch, error) bool) {
				for r.Next() {
					if !yield(r.RecordBatch(), nil) {
						return
					}
				}
				if err := r.Err(); err != nil {
					yield(nil, err)
				}
			}
		})
}

// TableOf returns the table that an Arrow schema describes.
func TableOf(id plugin.TableID, s *arrow.Schema) (*plugin.Table, error) {
	columns := make([]plugin.Column, s.NumFields())
	for i, f := range s.Fields() {
		t, err := plugin.FromArrow(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		columns[i] = plugin.Column{Name: f.Name, Type: t, NotNull: !f.Nullable}
	}
	return plugin.NewTable(plugin.Table{ID: id, Columns: columns})
}

// ToFunc makes a sink of a function, which several lanes may call at the same time. Its errors count as in [Each].
func ToFunc[T any](name string, write func(row T) error) plugin.Plugin {
	return Each(plugin.Info{Name: name, Summary: "calls a Go function for each row"},
		func(_ context.Context, _ none, row T) error { return write(row) })
}

// ToChan makes a sink of a channel. It sends every row and waits while the channel is full; a full channel that nobody
// reads holds up the job, and a cancel ends that. The channel is not closed: wait for the job, then close it.
func ToChan[T any](name string, c chan<- T) plugin.Plugin {
	return Each(plugin.Info{Name: name, Summary: "sends each row to a Go channel"},
		func(ctx context.Context, _ none, row T) error {
			select {
			case c <- row:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
}
