package binlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// Buffered reports that Next would return at once, without waiting for the network. A reader that holds rows back puts
// them out when it is false.
func (s *Stream) Buffered() bool { return s.packed.open || s.feed.Buffered() }

// Wait waits until an event is buffered and reports that; false if the time is over or wake was closed first. A wake of
// nil is never closed, a time of 0 never over. Its errors are those of Next.
func (s *Stream) Wait(ctx context.Context, wake <-chan struct{}, most time.Duration) (bool, error) {
	if s.Buffered() {
		return true, nil
	}
	err := s.wait.fill(ctx, wake, most)
	return err == nil && s.Buffered(), err
}

// waiter waits for the network. A connection knows only deadlines, so whatever ends a wait sets one that has passed.
type waiter struct {
	feed    *wire.Feed
	silence time.Duration // after that the connection counts as lost

	quiet    time.Time // since when nothing has come, while waiting
	deadline time.Time // of the connection
	watched  context.Context
	unwatch  func() bool
}

// fill waits until an event is buffered, the time is over, or wake is closed; it may also return for no reason.
func (w *waiter) fill(ctx context.Context, wake <-chan struct{}, most time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := w.arm(most); err != nil {
		return fmt.Errorf("%w: %w", wire.ErrLost, err)
	}
	w.watch(ctx)
	stop := w.interruptBy(wake)
	err := w.feed.Fill()
	stop()
	switch {
	case err == nil:
		w.quiet = time.Time{}
		return nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	w.deadline = time.Time{}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case time.Since(w.quiet) >= w.silence:
		return fmt.Errorf("%w: the server has been silent for %s", wire.ErrLost, w.silence)
	}
	return nil
}

// arm sets the deadline. One for silence only is left as it is for a while: that is cheaper than to set it each time.
func (w *waiter) arm(most time.Duration) error {
	now := time.Now()
	if w.quiet.IsZero() {
		w.quiet = now
	}
	end := w.quiet.Add(w.silence)
	until := end
	switch {
	case most > 0 && now.Add(most).Before(end):
		until = now.Add(most)
	case w.deadline.After(end.Add(-w.silence/2)) && !w.deadline.After(end):
		return nil
	}
	w.deadline = until
	return w.feed.SetDeadline(until)
}

// watch ends waits when the context ends. A reader waits often with the same context, so it stays watched.
func (w *waiter) watch(ctx context.Context) {
	if w.watched == ctx {
		return
	}
	w.forget()
	w.watched = ctx
	w.unwatch = context.AfterFunc(ctx, w.interrupt)
}

// forget ends the watch of a context.
func (w *waiter) forget() {
	if w.unwatch != nil {
		w.unwatch()
	}
	w.watched, w.unwatch = nil, nil
}

func (w *waiter) interrupt() {
	_ = w.feed.SetDeadline(time.Unix(1, 0)) // it fails on a closed connection only
}

// interruptBy ends a wait when wake is closed, until stop is called.
func (w *waiter) interruptBy(wake <-chan struct{}) (stop func()) {
	if wake == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
		case <-wake:
			w.interrupt()
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
