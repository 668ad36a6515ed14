package postgrescdc

import (
	"context"
	"errors"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// errReconnect says that the stream must be asked for anew, with other options.
var errReconnect = errors.New("the stream starts anew")

// connect starts the stream where it stands; ok is false if it is not time yet, or did not work and is to be tried
// again.
func (s *stream) connect(ctx context.Context, out plugin.Out) (ok bool, err error) {
	if wait := time.Until(s.again); wait > 0 {
		return false, pause(ctx, out, wait)
	}
	err = s.begun(ctx)
	if err == nil {
		s.relations, s.last, s.inside = map[uint32]*relation{}, nil, false
		return true, nil
	}
	var e *plugin.Error
	switch {
	case ctx.Err() != nil:
		return false, err
	case postgres.ServerCode(err) == slotInUse:
		now := time.Now()
		if s.busy.IsZero() {
			s.busy = now
		}
		if now.Sub(s.busy) > s.source.options.Timeout {
			return false, s.source.inUse(err)
		}
		s.again = now.Add(slotPoll)
		return false, nil
	case !errors.As(err, &e) || !e.Retry || s.lost >= s.source.options.MaxRetries:
		return false, err
	}
	s.dropped(err)
	return false, nil
}

// begun checks the slot and starts the stream.
func (s *stream) begun(ctx context.Context) error {
	c, err := s.session(ctx)
	if err != nil {
		return err
	}
	if err := s.source.checkSlot(ctx, c, s.state.From); err != nil {
		return err
	}
	s.conn, err = connect(ctx, s.source, s.state.From, !s.text)
	if err != nil && postgres.ServerCode(err) == slotLost {
		return errors.Join(s.source.lost(), err)
	}
	if err == nil {
		s.conn.status(s.durable)
	}
	return err
}

// session returns the session for questions, made anew if it was lost.
func (s *stream) session(ctx context.Context) (*postgres.Session, error) {
	if s.aux != nil && !s.aux.Conn().IsClosed() && s.aux.Conn().TxStatus() == 'I' {
		return s.aux, nil
	}
	if s.aux != nil {
		_ = s.aux.Close()
		s.aux = nil
	}
	c, err := s.source.server.Session(ctx)
	if err == nil {
		s.aux = c
	}
	return c, err
}

// dropped gives up the connection, to be made again soon.
func (s *stream) dropped(err error) {
	s.disconnect()
	s.inside = false
	if errors.Is(err, errReconnect) {
		return
	}
	s.lost++
	s.again = time.Now().Add(retryPause * time.Duration(s.lost))
	s.source.env.Logger.Warn("the connection was lost; trying again", "attempt", s.lost, "position", s.state.From,
		"error", err)
}

// lookInterval is how often the end of the server's log is asked for.
const lookInterval = time.Second

// lookAhead asks for the end of the server's log, now and then.
func (s *stream) lookAhead(ctx context.Context) error {
	now := time.Now()
	if s.conn == nil || now.Sub(s.endSeen) < lookInterval {
		return nil
	}
	s.endSeen = now
	c, err := s.session(ctx)
	if err != nil {
		return nil //nolint:nilerr // the stream's own connection tells whether the server is there
	}
	rows, err := c.Query(ctx, "SELECT pg_current_wal_flush_lsn()::text")
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	end, err := pgoutput.ParseLSN(string(rows[0][0]))
	s.end = max(s.end, end)
	return err
}

// pause waits, but not longer than until a barrier does.
func pause(ctx context.Context, out plugin.Out, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-out.Wake():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
