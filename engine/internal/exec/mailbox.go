package exec

import (
	"sync"
	"sync/atomic"
)

// mailbox takes messages from many goroutines for one. Posting never blocks, so nobody is held up by a receiver that
// is gone. What senders post is bounded by the protocol: a handful of messages for each lane.
type mailbox[T any] struct {
	full atomic.Bool // there are messages; may be read at any time
	mu   sync.Mutex
	box  []T
	bell chan struct{} // closed when a message comes; nil until somebody waits
}

func (m *mailbox[T]) post(v T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.box = append(m.box, v)
	m.full.Store(true)
	if m.bell != nil && len(m.box) == 1 {
		close(m.bell)
	}
}

// take empties the mailbox. The messages stay valid until the next take but one: two slices take turns.
func (m *mailbox[T]) take(spare []T) []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.box
	clear(spare)
	m.box = spare[:0]
	m.full.Store(false)
	if len(got) > 0 {
		m.bell = nil
	}
	return got
}

// wake returns a channel that is closed while there are messages. Ask anew after each take.
func (m *mailbox[T]) wake() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bell == nil {
		m.bell = make(chan struct{})
		if len(m.box) > 0 {
			close(m.bell)
		}
	}
	return m.bell
}
