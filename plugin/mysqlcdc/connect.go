package mysqlcdc

import (
	"context"
	"errors"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
)

// firstPause is the time before the second try to connect; it doubles with each.
const (
	firstPause = 500 * time.Millisecond
	mostPause  = 10 * time.Second
)

// connect starts a session for consistent views. It tries again as often as the job allows.
func (s *Source) connect(ctx context.Context) (*mysql.Session, error) {
	var session *mysql.Session
	err := s.retry(ctx, func() error {
		var err error
		if session, err = s.server.Connect(ctx); err != nil {
			return err
		}
		err = session.Run(ctx, func(c *wire.Conn) error {
			_, err := c.Exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
			return err
		})
		if err != nil {
			return errors.Join(err, session.Close())
		}
		return nil
	})
	return session, err
}

// retry calls f until it succeeds, fails for good, or has failed too often.
func (s *Source) retry(ctx context.Context, f func() error) error {
	pause := firstPause
	for try := 0; ; try++ {
		err := f()
		if err == nil || try >= s.options.MaxRetries || !lost(err) || ctx.Err() != nil {
			return err
		}
		s.env.Logger.Warn("the connection is lost; trying again", "vertex", s.env.Vertex, "in", pause, "error", err)
		if err := plugin.Sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, mostPause)
	}
}

// lost reports whether an error may go away by connecting again.
func lost(err error) bool {
	var e *plugin.Error
	if errors.As(err, &e) {
		return e.Retry
	}
	return errors.Is(err, wire.ErrLost)
}

// viewer returns what opens views on this server.
func (s *Source) viewer() viewer {
	return viewer{exact: s.options.ExactlyOnce, plain: s.facts.plain || s.plain, connect: s.connect}
}

// currentPlace returns where the log ends.
func currentPlace(c *wire.Conn) (place, error) {
	at, err := binlog.Current(c)
	at.GTIDs = nil
	return at, err
}
