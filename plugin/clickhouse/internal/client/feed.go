package client

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// Feed is the body of an insert that is sent while its rows are made: the server sees one insert, however long it is,
// and nobody holds more of it than a few parts. What was sent is gone, so such an insert cannot be made again.
type Feed struct {
	parts chan []byte
	sent  func(part []byte)
	whole atomic.Bool   // all parts were sent
	over  chan struct{} // closed when the request has ended
}

// NewFeed returns a feed for one request. The function gets the parts back, in a goroutine of the request, once the
// client has no more use for them.
func NewFeed(sent func(part []byte)) *Feed {
	return &Feed{parts: make(chan []byte, 1), sent: sent, over: make(chan struct{})}
}

// Over reports whether the request has ended; why it did is told by [Client.Exec].
func (f *Feed) Over() bool {
	select {
	case <-f.over:
		return true
	default:
		return false
	}
}

// Put hands over a part, which belongs to the feed from then on. It waits for room, and drops the part if the request
// has ended.
func (f *Feed) Put(ctx context.Context, part []byte) error {
	select {
	case f.parts <- part:
	case <-f.over:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// End says that no more parts come. It is called once, after the last Put.
func (f *Feed) End() { close(f.parts) }

// body is what one attempt to make the request sends.
func (f *Feed) body(ctx context.Context, c Compression) *feedBody {
	return &feedBody{feed: f, compression: c, ended: ctx.Done(), closed: make(chan struct{})}
}

type feedBody struct {
	feed        *Feed
	compression Compression
	part, left  []byte
	ended       <-chan struct{} // net/http waits for a Read before it gives up a request
	closing     sync.Once
	closed      chan struct{}
}

var errEnded = errors.New("the request has ended")

// Read waits for the next part when one is sent.
func (b *feedBody) Read(p []byte) (int, error) {
	for len(b.left) == 0 {
		if b.part != nil {
			b.feed.sent(b.part)
			b.part = nil
		}
		select {
		case part, ok := <-b.feed.parts:
			if !ok {
				b.feed.whole.Store(true)
				return 0, io.EOF
			}
			b.part, b.left = part, b.compression.pack(part)
		case <-b.ended:
			return 0, errEnded
		case <-b.closed:
			return 0, errEnded
		}
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// Close ends a Read that waits.
func (b *feedBody) Close() error {
	b.closing.Do(func() { close(b.closed) })
	return nil
}
