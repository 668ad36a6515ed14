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

	split string // that is open
	open  bool
	begun bool // at least one Read since it was opened
	halt  bool // the last barrier is through

	epoch   uint64   // of the last barrier
	results [][]byte // of splits that ended since the last barrier, for the acker
	toAck   map[uint64][][]byte
	empty   int // Reads in a row that put out nothing
	spare   []message
}

func newReadingSide(ctx context.Context, l *lane) *readingSide {
	o := l.env.options
	r := &readingSide{lane: l, epoch: l.env.epoch}
	r.out = &out{
		ctx: ctx, gate: l.gate, inbox: &l.inbox, alloc: l.source.Env.Alloc,
		meter: l.env.meters.meter(l.source.Name), maxRows: fullRows,
		limit: newLimiter(o.RowsPerSecond, o.BytesPerSecond),
	}
	if r.out.limit != nil {
		r.out.maxRows = r.out.limit.piece(fullRows, 0)
	}
	return r
}

func (r *readingSide) run(ctx context.Context) error {
	defer r.close()
	for {
		if !r.open || r.halt {
			select {
			case <-r.inbox.wake():
			case <-ctx.Done():
				return nil
			}
		}
		if r.inbox.full.Load() {
			if stop, err := r.obey(ctx); stop || err != nil {
				return err
			}
			continue
		}
		if err := r.read(ctx); err != nil {
			return err
		}
	}
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
	switch {
	case err == nil:
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

// obey does what the messages say; stop is true if the lane ends.
func (r *readingSide) obey(ctx context.Context) (stop bool, err error) {
	r.spare = r.inbox.take(r.spare)
	for _, m := range r.spare {
		switch m.order {
		case stopLane:
			return true, nil
		case assignSplit:
			err = r.begin(ctx, m.split)
		case raiseBarrier:
			err = r.barrier(m)
		case flushWriters:
			err = stopped(r.gate.put(item{flush: true}))
		case epochComplete:
			err = r.ack(ctx, m.epoch)
		}
		if err != nil {
			if ctx.Err() != nil {
				return true, nil
			}
			return true, err
		}
	}
	return false, nil
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
