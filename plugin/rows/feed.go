package rows

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/culvertdata/culvert/plugin"
)

// feed runs an iterator on a goroutine and hands over what it yields.
type feed[T any] struct {
	limit int     // number of items that may wait
	keep  func(T) // called for each item that is taken from the iterator
	drop  func(T) // called for each item that nobody will take

	cancel context.CancelFunc
	done   chan struct{}
	ready  chan struct{} // has an item when take has something to say
	room   chan struct{} // has an item when there is room again

	mu      sync.Mutex
	waiting []T
	err     error // io.EOF at the end
	stopped bool
}

// startFeed starts an iterator, which open makes.
func startFeed[T any](ctx context.Context, limit int, open func(ctx context.Context) iter.Seq2[T, error],
	keep, drop func(T)) *feed[T] {
	ctx, cancel := context.WithCancel(ctx)
	f := &feed[T]{limit: limit, keep: keep, drop: drop, cancel: cancel, done: make(chan struct{}),
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	go f.run(ctx, open)
	return f
}

func (f *feed[T]) run(ctx context.Context, open func(ctx context.Context) iter.Seq2[T, error]) {
	defer close(f.done)
	defer func() {
		if r := recover(); r != nil {
			f.finish(&plugin.Error{Code: plugin.CodeInternal, Err: fmt.Errorf("the iterator panicked: %v", r)})
		}
	}()
	for item, err := range open(ctx) {
		if err != nil {
			f.finish(err)
			return
		}
		if !f.put(ctx, item) {
			return
		}
	}
	f.finish(io.EOF)
}

// put adds an item, waiting for room. It returns false when the feed is closed.
func (f *feed[T]) put(ctx context.Context, item T) bool {
	for {
		f.mu.Lock()
		if f.stopped {
			f.mu.Unlock()
			return false
		}
		if len(f.waiting) < f.limit {
			f.keep(item)
			f.waiting = append(f.waiting, item)
			f.mu.Unlock()
			signal(f.ready)
			return true
		}
		f.mu.Unlock()
		select {
		case <-f.room:
		case <-ctx.Done():
			return false
		}
	}
}

func (f *feed[T]) finish(err error) {
	f.mu.Lock()
	f.err = err
	f.mu.Unlock()
	signal(f.ready)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take returns the items that wait and leaves into, emptied, for later ones. The error comes after the last item.
func (f *feed[T]) take(into []T) ([]T, error) {
	f.mu.Lock()
	items := f.waiting
	f.waiting = into[:0]
	err := f.err
	f.mu.Unlock()
	if len(items) > 0 {
		signal(f.room)
		return items, nil
	}
	return items, err
}

// close ends the iterator and waits for it.
func (f *feed[T]) close() {
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	f.cancel()
	<-f.done
	for _, item := range f.waiting {
		f.drop(item)
	}
	f.waiting = nil
}
