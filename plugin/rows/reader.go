package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// pause is how long a reader waits for a row before it hands out what it has.
const pause = 5 * time.Millisecond

// position is where a source stands: what it saves in checkpoints, as JSON.
type position struct {
	// Rows counts the rows that were put out.
	Rows int64 `json:"rows"`
	// Cursor is what the last of them left, for sources that have one.
	Cursor json.RawMessage `json:"cursor,omitempty"`
}

// stream is a source of one table and one split.
type stream[T any] struct {
	table *plugin.Table
	limit int // items that may wait between the iterator and the reader
	open  func(ctx context.Context, from position) (iter.Seq2[T, error], error)
	keep  func(T)
	drop  func(T)
	// put hands items out until out is full, moves the position past them, and says how many it took.
	put func(out plugin.Out, b *column.Builder, items []T, at *position) (int, error)
}

// Tables returns the one table.
func (s *stream[T]) Tables(context.Context) ([]*plugin.Table, error) {
	return []*plugin.Table{s.table}, nil
}

// Splits hands out one split; state says that it was.
func (s *stream[T]) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return &single{table: s.table.ID, handed: len(state) > 0}, nil
}

// Reader makes a reader.
func (s *stream[T]) Reader(_ context.Context, t plugin.Task) (plugin.Reader, error) {
	return &reader[T]{stream: s, b: column.NewBuilder(s.table, t.Alloc)}, nil
}

// single is the splitter of a source that is one split.
type single struct {
	table  plugin.TableID
	handed bool
}

// Next returns the split once.
func (s *single) Next(context.Context) ([]plugin.Split, error) {
	if s.handed {
		return nil, io.EOF
	}
	s.handed = true
	return []plugin.Split{{ID: "all", Table: s.table, Rows: -1}}, nil
}

// Done does nothing.
func (s *single) Done(plugin.Split, []byte) error { return nil }

// State says whether the split was handed out.
func (s *single) State() ([]byte, error) {
	if s.handed {
		return []byte("handed"), nil
	}
	return nil, nil
}

// Close does nothing.
func (s *single) Close() error { return nil }

// reader reads the split of a stream.
type reader[T any] struct {
	stream *stream[T]
	b      *column.Builder
	feed   *feed[T]
	at     position
	items  []T // taken from the feed
	next   int // the first of them that was not put out
}

// Open starts the iterator at the split's position.
func (r *reader[T]) Open(ctx context.Context, s plugin.Split) error {
	r.stop()
	r.at = position{}
	if len(s.State) > 0 {
		if err := json.Unmarshal(s.State, &r.at); err != nil {
			return fmt.Errorf("split %s: its position is damaged: %w", s.ID, err)
		}
	}
	var failed error
	from := r.at
	r.feed = startFeed(context.WithoutCancel(ctx), r.stream.limit, func(ctx context.Context) iter.Seq2[T, error] {
		seq, err := r.stream.open(ctx, from)
		if err != nil {
			failed = err
			return func(yield func(T, error) bool) {
				var none T
				yield(none, failed)
			}
		}
		return seq
	}, r.stream.keep, r.stream.drop)
	return nil
}

// Read puts out what the iterator yields until out is full or no row comes for a while.
func (r *reader[T]) Read(ctx context.Context, out plugin.Out) error {
	if r.feed == nil {
		return errors.New("read before open")
	}
	err := r.fill(ctx, out)
	if r.b.Len() > 0 {
		if handed := out.Batch(r.b.Batch()); handed != nil {
			return handed
		}
	}
	return err
}

func (r *reader[T]) fill(ctx context.Context, out plugin.Out) error {
	for !out.Full() && !r.b.Full() {
		if r.next == len(r.items) {
			if more, err := r.more(ctx, out); err != nil || !more {
				return err
			}
		}
		n, err := r.stream.put(out, r.b, r.items[r.next:], &r.at)
		r.next += n
		if err != nil {
			return err
		}
	}
	return nil
}

// more takes items from the feed. It waits a moment for them, less if a barrier waits.
func (r *reader[T]) more(ctx context.Context, out plugin.Out) (bool, error) {
	var timeout <-chan time.Time
	for {
		items, err := r.feed.take(r.items)
		r.items, r.next = items, 0
		if len(items) > 0 || err != nil {
			return true, err
		}
		if timeout == nil {
			timer := time.NewTimer(pause)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-r.feed.ready:
		case <-timeout:
			return false, nil
		case <-out.Wake():
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// Position returns where the split stands.
func (r *reader[T]) Position() ([]byte, error) { return json.Marshal(r.at) }

// Close ends the iterator and waits for it.
func (r *reader[T]) Close() error {
	r.stop()
	r.b.Release()
	return nil
}

func (r *reader[T]) stop() {
	if r.feed == nil {
		return
	}
	r.feed.close()
	for _, item := range r.items[r.next:] {
		r.stream.drop(item)
	}
	r.feed, r.items, r.next = nil, nil, 0
}
