package mysqlcdc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
)

// disconnect leaves the connection; the next one goes on where this one stood.
func (l *logReader) disconnect() error {
	if l.stream == nil {
		return nil
	}
	l.state.At = l.stream.Boundary()
	l.skip = max(l.taken, l.skip)
	l.taken, l.inside = 0, false
	_ = l.stream.Close() // nothing was asked that could fail
	l.stream, l.maps = nil, nil
	return nil
}

// leaveTorn goes on behind a file that ends within an event: nothing behind its last whole transaction was committed.
func (l *logReader) leaveTorn(ctx context.Context, torn error) error {
	file, _ := l.stream.File()
	next, err := l.source.after(ctx, file)
	if err != nil {
		return errors.Join(torn, err)
	}
	if l.inside || l.skip > 0 { // rows to skip are of this transaction, and of none in the next file
		if err := l.void(); err != nil {
			return err
		}
	}
	l.source.env.Logger.Warn("the server crashed while it wrote a file of its log; going on with the next one",
		"vertex", l.task.Vertex, "file", file, "next", next.File)
	if err := l.disconnect(); err != nil {
		return err
	}
	l.state.At.File, l.state.At.Pos = next.File, next.Pos
	return nil
}

// after returns the start of the file behind a log file.
func (s *Source) after(ctx context.Context, file string) (next place, err error) {
	session, err := s.connect(ctx)
	if err != nil {
		return next, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	var files []string
	err = session.Run(ctx, func(c *wire.Conn) (err error) {
		files, err = binlog.Files(c)
		return err
	})
	if err != nil {
		return next, err
	}
	at := slices.Index(files, file) + 1
	if at == 0 || at == len(files) {
		return next, fmt.Errorf("the server has no file behind %s", file)
	}
	return binlog.StartOf(files[at]), nil
}

func (l *logReader) close() error {
	err := l.disconnect()
	for _, t := range l.tables {
		t.close()
	}
	l.behind.close()
	return err
}

// connect opens the stream where the reader stands.
func (l *logReader) connect(ctx context.Context) error {
	return l.source.retry(ctx, func() error {
		session, err := l.source.server.Connect(ctx)
		if err != nil {
			return err
		}
		o := binlog.Options{ServerID: l.source.serverID(l.state.Number), From: l.state.At}
		err = session.Run(ctx, func(c *wire.Conn) error { return l.settle(c, &o) })
		if err != nil {
			return errors.Join(err, session.Close())
		}
		stream, err := binlog.Open(ctx, session.Conn(), o)
		if err != nil {
			return errors.Join(l.source.explain(err), session.Close())
		}
		l.stream, l.maps, l.inside = stream, map[*binlog.TableMap]*binding{}, false
		l.state.At = o.From
		return nil
	})
}

// settle finds out how to go on with the server that the session has found: by file and position if it is the one that
// the place belongs to, else by GTIDs.
func (l *logReader) settle(c *wire.Conn, o *binlog.Options) error {
	identity, err := readIdentity(c)
	if err != nil {
		return err
	}
	if identity == l.state.Server || l.state.Server == "" {
		l.state.Server = identity
		if o.From.GTIDs == nil && o.From.File != "" {
			o.From, err = binlog.WithGTIDs(c, o.From)
		}
		return err
	}
	pending := slices.ContainsFunc(l.tables, func(t *followed) bool { return t.filter != nil })
	if o.From.GTIDs == nil || pending || l.state.Stop != nil || l.state.Until != nil {
		return &plugin.Error{
			Code: plugin.CodeConfig, Err: errors.New("this is another server than the one that the job's position belongs to"),
			Fix: "connect to the server that the job has read before, or start the job afresh: going on with another one " +
				"takes GTIDs, and a snapshot whose changes are all read",
		}
	}
	l.source.env.Logger.Warn("going on with another server by GTID", "vertex", l.task.Vertex, "server", identity,
		"gtids", o.From.GTIDs.String())
	o.ByGTID = true
	l.state.Server = identity
	for _, t := range l.tables { // places of the other server mean nothing here
		t.Since = place{}
	}
	l.fixed = nil
	return nil
}

// serverID returns the number of a reader of the log as a replica.
func (s *Source) serverID(number int) uint32 {
	if n := s.options.ServerID.size(); n > 0 {
		return s.options.ServerID.first + uint32(number%n)
	}
	const lowest = 1 << 30 // few people number their servers like that
	return lowest + rand.Uint32N(lowest)
}
