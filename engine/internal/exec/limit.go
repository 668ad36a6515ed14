package exec

import (
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// limiter holds one source subtask to its rows and bytes per second. It works on credit: what went out is booked
// first and waited for afterwards, so that a barrier which cuts a wait short loses nothing of the limit. A tenth of a
// second's worth may go out at once.
type limiter struct {
	rows, bytes float64   // per second; 0 is no limit
	free        time.Time // when all that went out is paid for
}

// slack is how much may go out at once.
const slack = 100 * time.Millisecond

// newLimiter returns nil if there is no limit.
func newLimiter(rows, bytes int64) *limiter {
	if rows <= 0 && bytes <= 0 {
		return nil
	}
	return &limiter{rows: float64(max(rows, 0)), bytes: float64(max(bytes, 0))}
}

// book counts what goes out now.
func (l *limiter) book(now time.Time, rows int, bytes int64) {
	if l.free.Before(now) {
		l.free = now
	}
	var seconds float64
	if l.rows > 0 {
		seconds = float64(rows) / l.rows
	}
	if l.bytes > 0 {
		seconds = max(seconds, float64(bytes)/l.bytes)
	}
	l.free = l.free.Add(time.Duration(seconds * float64(time.Second)))
}

// wait returns how long the next rows have to wait, 0 if they need not.
func (l *limiter) wait(now time.Time) time.Duration { return max(0, l.free.Sub(now)-slack) }

// piece returns how many rows of a batch may go out at once, at least one.
func (l *limiter) piece(rows int, bytes int64) int {
	n := float64(rows)
	if l.rows > 0 {
		n = min(n, l.rows*slack.Seconds())
	}
	if l.bytes > 0 && bytes > 0 {
		n = min(n, float64(rows)*l.bytes*slack.Seconds()/float64(bytes))
	}
	return max(1, int(n))
}

// limited puts a batch into the gate piece by piece. A message from the coordinator ends the waiting, not the batch:
// a reader's position comes after all that it put out.
func (o *out) limited(b plugin.Batch, bytes int64) error {
	defer b.Release()
	rows := b.Len()
	piece := o.limit.piece(rows, bytes)
	for i := 0; i < rows; i += piece {
		n := min(piece, rows-i)
		size := bytes * int64(n) / int64(rows)
		o.pause()
		if err := o.send(b.Slice(i, i+n), size); err != nil {
			return err
		}
		o.limit.book(time.Now(), n, size)
	}
	return nil
}

// pause waits until the limit lets more rows out or the coordinator has something to say.
func (o *out) pause() {
	d := o.limit.wait(time.Now())
	if d == 0 || o.inbox.full.Load() {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-o.inbox.wake():
	case <-o.ctx.Done():
	}
}
