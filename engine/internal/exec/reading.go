package exec

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// readingSide calls the reader of a lane. It obeys messages between two Reads.
type readingSide struct {
	*lane
	out    *out
	reader plugin.Reader // made for the first split
	acker  plugin.Acker  // nil if the reader is none
	lagger plugin.Lagger // the same
	lagAt  time.Time     // when it was asked last

	split   string // that is open
	open    bool
	begun   bool // at least one Read since it was opened
	halt    bool // the last barrier is through
	stopped bool // the lane ends
	waits   bool // with a schema change, inside Read

	epoch   uint64   // of the last barrier
	results [][]byte // of splits that ended since the last barrier, for the acker
	toAck   map[uint64][][]byte
	durable []uint64 // epochs that became complete inside Read
	empty   int      // Reads in a row that put out nothing
	spare   []message
}

func newReadingSide(ctx context.Context, l *lane) *readingSide {
	o := l.env.options
	r := &readingSide{lane: l, epoch: l.env.epoch}
	r.out = &out{
		ctx: ctx, gate: l.gate, inbox: &l.inbox, alloc: l.source.Env.Alloc,
		meter: l.env.meters.meter(l.source.Name), maxRows: fullRows,
		limit: newLimiter(o.RowsPerSecond, o.BytesPerSecond), change: r.change,
	}
	if r.out.limit != nil {
		r.out.maxRows = r.out.limit.piece(fullRows, 0)
	}
	return r
}

func (r *readingSide) run(ctx context.Context) error {
	defer r.close()
	for !r.stopped {
		if !r.open || r.halt {
			select {
			case <-r.inbox.wake():
			case <-ctx.Done():
				return nil
			}
		}
		if r.inbox.full.Load() {
			if err := r.obey(ctx); err != nil {
				return err
			}
			continue
		}
		if err := r.read(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *readingSide) close() {
	r.out.close()
	if r.reader == nil {
		return
	}
	if err := r.reader.Close(); err != nil {
		r.env.options.Logger.Warn("closing a reader failed", "vertex", r.source.Name, "error", err)
	}
}

// read calls Read once.
func (r *readingSide) read(ctx context.Context) error {
	if r.out.limit != nil {
		if r.out.pause(); r.inbox.full.Load() {
			return nil
		}
	}
	r.out.begin()
	r.begun = true
	err := r.reader.Read(ctx, r.out)
	if full := r.out.end(); full != nil && (err == nil || err == io.EOF) {
		err = full
	}
	for _, epoch := range r.durable {
		if failed := r.ack(ctx, epoch); failed != nil {
			return failed
		}
	}
	r.durable = r.durable[:0]
	switch {
	case r.halt: // inside Change
		return nil
	case err == nil:
		r.askLag()
		r.rest(ctx)
		return nil
	case errors.Is(err, errStopped) || ctx.Err() != nil:
		r.halt = true // whoever stops the lane knows why, and says so
		return nil
	case err == io.EOF: // an error that wraps it is a failure, such as that of a broken connection
		return r.finish()
	default:
		return at(r.source, err)
	}
}

// lagEvery is how often a reader is asked how far behind it is.
const lagEvery = time.Second

func (r *readingSide) askLag() {
	if r.lagger == nil {
		return
	}
	if now := time.Now(); now.Sub(r.lagAt) >= lagEvery {
		r.lagAt = now
		r.env.follow.lag(r.source.Name, r.task.Index, r.lagger.Lag(), now)
	}
}

// rest keeps a reader that returns at once, with nothing, from spinning.
func (r *readingSide) rest(ctx context.Context) {
	if r.out.rows > 0 {
		r.empty = 0
		return
	}
	if r.empty++; r.empty < 16 {
		return
	}
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.inbox.wake():
	case <-ctx.Done():
	}
}

// finish reports the end of the open split.
func (r *readingSide) finish() error {
	result, err := r.reader.Position()
	if err != nil {
		return at(r.source, err)
	}
	r.open = false
	if r.acker != nil {
		r.results = append(r.results, result)
	}
	r.report(splitRead{lane: r.number, split: r.split, result: result, after: r.epoch})
	return stopped(r.gate.put(item{end: &splitEnd{r.split}}))
}

// stopped hides that the gate was closed: whoever stops the lane knows why.
func stopped(err error) error {
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// obey does what the messages say.
func (r *readingSide) obey(ctx context.Context) error {
	r.spare = r.inbox.take(r.spare)
	for _, m := range r.spare {
		var err error
		switch m.order {
		case stopLane:
			r.stopped = true
			return nil
		case assignSplit:
			err = r.begin(ctx, m.split)
		case raiseBarrier:
			err = r.barrier(m)
		case changeApplied:
			r.waits = false
		case epochComplete:
			if r.waits {
				r.durable = append(r.durable, m.epoch) // a reader is told between two Reads
				continue
			}
			err = r.ack(ctx, m.epoch)
		}
		if err != nil {
			r.stopped = true
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return nil
}

// change reports a schema change and waits until the sinks have it. The reader stands right before it meanwhile, so
// barriers can pass.
func (r *readingSide) change(ctx context.Context, c plugin.SchemaChange) error {
	r.waits = true
	r.report(changeReached{r.number, c})
	for r.waits {
		select {
		case <-r.inbox.wake():
		case <-ctx.Done():
			return errStopped
		}
		if err := r.obey(ctx); err != nil {
			return err
		}
		if r.halt || r.stopped {
			return errStopped
		}
	}
	return nil
}

// begin opens a split.
func (r *readingSide) begin(ctx context.Context, s plugin.Split) error {
	if r.reader == nil {
		reader, err := r.source.Source.Reader(ctx, r.task)
		if err != nil {
			return at(r.source, err)
		}
		r.reader = reader
		r.acker, _ = reader.(plugin.Acker)
		r.lagger, _ = reader.(plugin.Lagger)
	}
	if err := r.reader.Open(ctx, s); err != nil {
		return at(r.source, err)
	}
	r.split, r.open, r.begun, r.empty = s.ID, true, false, 0
	return nil
}

// barrier puts a barrier into the gate, with the position of the open split.
func (r *readingSide) barrier(m message) error {
	b := &barrier{epoch: m.epoch, counts: r.out.meter.counts(nil)}
	if r.open && r.begun {
		position, err := r.reader.Position()
		if err != nil {
			return at(r.source, err)
		}
		b.split, b.position = r.split, position
		if r.acker != nil {
			r.results = append(r.results, position)
		}
	}
	if len(r.results) > 0 {
		if r.toAck == nil {
			r.toAck = map[uint64][][]byte{}
		}
		r.toAck[m.epoch] = r.results
		r.results = nil
		b.acks = true
	}
	r.epoch, r.halt = m.epoch, m.last
	return stopped(r.gate.put(item{barrier: b}))
}

// ack tells the reader which positions are safe.
func (r *readingSide) ack(ctx context.Context, epoch uint64) error {
	positions := r.toAck[epoch]
	delete(r.toAck, epoch)
	for _, p := range positions {
		if err := r.acker.Ack(ctx, p); err != nil {
			return at(r.source, err)
		}
	}
	return nil
}
