package mysql

import (
	"context"
	"errors"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Server is a database with its sessions laid open, for the change data capture of the same servers.
type Server struct {
	jdbc.Database
	d *database
}

// Open takes the url of a connection apart, as the dialects do. Both jdbc:mysql: and jdbc:mariadb: will do.
func Open(c jdbc.Connection) (*Server, error) {
	of := dialect{"MySQL", "jdbc:mysql:"}
	if other := (dialect{"MariaDB", "jdbc:mariadb:"}); len(c.URL) >= len(other.prefix) &&
		c.URL[:len(other.prefix)] == other.prefix {
		of = other
	}
	db, err := of.Open(c)
	if err != nil {
		return nil, err
	}
	return &Server{Database: db, d: db.(*database)}, nil
}

// Name returns the database that the url names; it may be empty.
func (s *Server) Name() string { return s.d.config.Database }

// User returns the name that sessions log in with.
func (s *Server) User() string { return s.d.config.User }

// Hosts returns the addresses, host:port, that are tried in order.
func (s *Server) Hosts() []string { return s.d.addrs }

// Session is a connection with the job's settings. It belongs to one goroutine.
type Session struct{ s *session }

// Connect starts a session on the first host that answers.
func (s *Server) Connect(ctx context.Context) (*Session, error) {
	c, err := s.d.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Session{c}, nil
}

// Conn returns the session's connection.
func (s *Session) Conn() *wire.Conn { return s.s.Conn }

// Run runs f, whose commands fail when the context ends; then the session cannot be used any more. Errors of the
// server come with what to do.
func (s *Session) Run(ctx context.Context, f func(c *wire.Conn) error) error {
	stop := s.s.Watch(ctx)
	defer stop()
	return s.s.ended(ctx, f(s.s.Conn))
}

// Scanner returns a scanner that reads in this session, and so in its transaction. A range that is left before its end
// takes the session with it.
func (s *Session) Scanner() jdbc.Scanner { return &scanner{d: s.s.d, s: s.s, bound: true} }

// Close ends the session.
func (s *Session) Close() error { return s.s.Close() }

// errBound says that the session of a scanner is gone.
var errBound = &plugin.Error{Code: plugin.CodeUnavailable, Retry: true, Err: errors.New("the session has ended")}
