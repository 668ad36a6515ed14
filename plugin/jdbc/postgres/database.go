package postgres

import (
	"context"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// database is one database of a server.
type database struct {
	config  *pgconn.Config
	timeout time.Duration
	log     hclog.Logger
	// nullSpecials reads numbers and times that have no counterpart as null.
	nullSpecials bool
	snapshot     snapshot

	mu    sync.Mutex
	plans map[*jdbc.Relation]*plan // how relations are read
}

func newDatabase(config *pgconn.Config, c jdbc.Connection) *database {
	d := &database{
		config: config, timeout: c.Timeout, log: c.Logger, nullSpecials: c.NullSpecials,
		snapshot: snapshot{wanted: c.Snapshot}, plans: map[*jdbc.Relation]*plan{},
	}
	if d.log == nil {
		d.log = hclog.NewNullLogger()
	}
	return d
}

// cancelDelay is how long a canceled statement may take to end before the connection is cut.
const cancelDelay = 2 * time.Second

// sessionSetup makes every session mean the same, whatever the server's, the role's and the database's settings are.
const sessionSetup = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
	SET extra_float_digits = 1; SET bytea_output = 'hex'; SET standard_conforming_strings = on;
	SET client_min_messages = error; SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0;
	SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0`

// connect starts a session.
func (d *database) connect(ctx context.Context) (*session, error) { return d.connectWith(ctx, nil) }

// connectWith starts a session with parameters beyond those of the url.
func (d *database) connectWith(ctx context.Context, params map[string]string) (*session, error) {
	s := &session{d: d}
	config := d.config.Copy()
	maps.Copy(config.RuntimeParams, params)
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		s.wire = newWire(r)
		return pgproto3.NewFrontend(s.wire, w)
	}
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: cancelDelay}
	}
	limited := ctx
	if d.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, d.timeout)
		defer cancel()
	}
	conn, err := pgconn.ConnectConfig(limited, config)
	if err != nil {
		if over := jdbc.Over(ctx); over != nil {
			return nil, over
		}
		return nil, d.explainConnect(err)
	}
	s.PgConn = conn
	if err := s.exec(limited, sessionSetup); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Ping implements [jdbc.Database].
func (d *database) Ping(ctx context.Context) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	return s.Close()
}

// snapshot is an exported snapshot that sessions share. It lives while any of them does.
type snapshot struct {
	wanted bool

	mu    sync.Mutex
	owner *session // its open transaction has exported the snapshot
	id    string
	users int
}

// connectReading starts a session for reading, in the shared snapshot if one is wanted. release ends both.
func (d *database) connectReading(ctx context.Context) (*session, func() error, error) {
	if !d.snapshot.wanted {
		s, err := d.connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	}
	id, err := d.snapshot.acquire(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	s, err := d.connect(ctx)
	if err == nil {
		err = s.exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT "+literal(id))
		if err == nil {
			return s, func() error { return d.snapshot.release(s) }, nil
		}
	}
	_ = d.snapshot.release(s)
	return nil, nil, err
}

// acquire returns the snapshot's name, and exports it if nobody has.
func (n *snapshot) acquire(ctx context.Context, d *database) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.owner == nil {
		s, err := d.connect(ctx)
		if err != nil {
			return "", err
		}
		if err := s.exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
			s.Close()
			return "", err
		}
		id, err := s.value(ctx, "SELECT pg_export_snapshot()")
		if err != nil {
			s.Close()
			return "", err
		}
		n.owner, n.id = s, string(id)
	}
	n.users++
	return n.id, nil
}

// release ends a session that used the snapshot, and the snapshot with its last user.
func (n *snapshot) release(s *session) error {
	if s != nil {
		_ = s.Close()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.users--; n.users > 0 {
		return nil
	}
	owner := n.owner
	n.owner = nil
	return owner.Close()
}
