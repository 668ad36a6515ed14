package engine

import (
	"context"
	"sync"
	"time"
)

// Event is something that happened to a job: one of StateChanged, CheckpointDone, Restarted, RowsRejected,
// SchemaChanged.
type Event interface {
	// Job returns the id of the job.
	Job() int64
	// Time returns when it happened.
	Time() time.Time
}

type eventBase struct {
	id int64
	at time.Time
}

// Job returns the id of the job.
func (e eventBase) Job() int64 { return e.id }

// Time returns when it happened.
func (e eventBase) Time() time.Time { return e.at }

// StateChanged says that a job has entered a state.
type StateChanged struct {
	eventBase
	From, To State
	// Reason is the error's text for FAILING and FAILED.
	Reason string
}

// CheckpointDone says that a checkpoint of a pipeline is committed, or has failed.
type CheckpointDone struct {
	eventBase
	Pipeline int
	Epoch    uint64
	Duration time.Duration
	// Err is set if it failed.
	Err error
}

// Restarted says that a pipeline starts again after a failure.
type Restarted struct {
	eventBase
	Pipeline int
	// Attempt counts from 1.
	Attempt int
	Err     error
}

// RowsRejected says that a sink refused rows and the job's error policy let it go on.
type RowsRejected struct {
	eventBase
	Vertex string
	Rows   int
	// Err names the first row.
	Err error
}

// SchemaChanged says that a change of a table's columns was applied.
type SchemaChanged struct {
	eventBase
	Table     string
	Statement string
}

const subscriberBuffer = 256

// hub hands events to subscribers. A subscriber that does not keep up loses events; nothing ever waits for one.
type hub struct {
	mu     sync.Mutex
	closed bool
	subs   map[chan Event]struct{}
}

// Subscribe returns the events of all jobs from now on. The channel is closed when ctx ends or the engine closes. It
// holds 256 events; a subscriber that is slower than that loses the newest ones.
func (e *Engine) Subscribe(ctx context.Context) <-chan Event {
	ch := make(chan Event, subscriberBuffer)
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	if e.hub.closed {
		close(ch)
		return ch
	}
	if e.hub.subs == nil {
		e.hub.subs = make(map[chan Event]struct{})
	}
	e.hub.subs[ch] = struct{}{}
	context.AfterFunc(ctx, func() { e.hub.remove(ch) })
	return ch
}

func (h *hub) publish(ev Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.subs {
		select {
		case ch <- ev:
		default:
		}
	}
}

func (h *hub) remove(ch chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.subs[ch]; ok {
		delete(h.subs, ch)
		close(ch)
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for ch := range h.subs {
		close(ch)
	}
	h.subs = nil
}
