package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// database is one file, or one database in memory.
type database struct {
	name    string
	pragmas []pragma
	timeout time.Duration
	log     hclog.Logger

	// turn holds one token, which whoever uses the connection for writing takes out.
	turn   chan struct{}
	writer *session // guarded by turn, as are the others; shared by all lanes
	users  int      // sessions that share it
	dirty  bool     // there are commits that may not be on the disk yet
}

func newDatabase(name string, c jdbc.Connection) *database {
	d := &database{name: name, timeout: c.Timeout, log: c.Logger, turn: make(chan struct{}, 1)}
	d.turn <- struct{}{}
	if d.log == nil {
		d.log = hclog.NewNullLogger()
	}
	return d
}

func (d *database) inMemory() bool {
	return strings.Contains(d.name, ":memory:") || strings.Contains(d.name, "mode=memory")
}

// Ping implements [jdbc.Database]: it reads the file's header. A file that is not there yet can be made, if its
// directory is.
func (d *database) Ping(ctx context.Context) error {
	s, err := d.connect(ctx, lite.ReadOnly)
	if err == nil {
		return s.Close()
	}
	if lite.CodeOf(err) == lite.CantOpen && !strings.HasPrefix(d.name, "file:") {
		_, file := os.Stat(d.name)
		if dir, _ := os.Stat(filepath.Dir(d.name)); dir != nil && dir.IsDir() && os.IsNotExist(file) {
			return nil
		}
	}
	return err
}

// session is a connection with the job's settings.
type session struct {
	*lite.Conn
	d *database
}

// connect opens the file and applies the settings.
func (d *database) connect(ctx context.Context, access lite.Access) (*session, error) {
	conn, err := lite.Open(d.name, access)
	if err != nil {
		return nil, d.explain(err)
	}
	s := &session{Conn: conn, d: d}
	err = s.patient(ctx, func() error { return s.configure(access) })
	if err != nil {
		return nil, errors.Join(d.explain(err), conn.Close())
	}
	return s, nil
}

// configure sets up a connection. Reading the schema version makes SQLite look at the file.
func (s *session) configure(access lite.Access) error {
	defaults := []pragma{{"cache_size", "-16384"}}
	if access != lite.ReadOnly && !s.d.inMemory() {
		defaults = append(defaults, pragma{"journal_mode", "wal"}, pragma{"wal_autocheckpoint", "8192"})
	}
	for _, p := range append(defaults, s.d.pragmas...) {
		if access == lite.ReadOnly && p.name == "journal_mode" {
			continue
		}
		if err := s.Exec("PRAGMA " + p.name + " = " + p.value); err != nil {
			return fmt.Errorf("PRAGMA %s: %w", p.name, err)
		}
	}
	_, err := s.Row("PRAGMA schema_version")
	return err
}

// lockPause is how often a locked database is tried again.
const lockPause = 5 * time.Millisecond

// patient runs f again while the database is locked, up to the timeout.
func (s *session) patient(ctx context.Context, f func() error) error {
	var over <-chan time.Time
	for {
		err := f()
		if code := lite.CodeOf(err); code != lite.Busy && code != lite.Locked {
			return err
		}
		if over == nil {
			timer := time.NewTimer(s.d.timeout)
			defer timer.Stop()
			over = timer.C
		}
		pause := time.NewTimer(lockPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-over:
			pause.Stop()
			return err
		case <-pause.C:
		}
	}
}

// transaction runs f in a write transaction and commits it, or rolls back what f did if it fails.
func (s *session) transaction(ctx context.Context, f func() error) error {
	stop := s.Watch(ctx)
	defer stop()
	if err := s.patient(ctx, func() error { return s.Exec("BEGIN IMMEDIATE") }); err != nil {
		return s.ended(ctx, err)
	}
	err := f()
	if err == nil {
		err = s.patient(ctx, func() error { return s.Exec("COMMIT") })
	}
	if err != nil && s.InTransaction() {
		err = errors.Join(err, s.Exec("ROLLBACK"))
	}
	return s.ended(ctx, err)
}

// ended explains an error; one that came because the context has ended is the context's.
func (s *session) ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.d.explain(err)
}

// acquire takes the connection for writing, which it makes if need be, and runs f with it.
func (d *database) acquire(ctx context.Context, f func(*session) error) error {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.turn <- struct{}{} }()
	if d.writer == nil {
		s, err := d.connect(ctx, lite.Create)
		if err != nil {
			return err
		}
		d.writer = s
	}
	err := f(d.writer)
	return errors.Join(err, d.closeUnused())
}

// leave ends one use of the connection for writing: it runs f, which frees what belongs to it. It waits for its turn,
// which is never long.
func (d *database) leave(f func()) error {
	<-d.turn
	defer func() { d.turn <- struct{}{} }()
	f()
	d.users--
	return d.closeUnused()
}

// closeUnused closes the connection for writing when nobody uses it. What is in memory lives as long as its
// connection, so that one stays.
func (d *database) closeUnused() error {
	if d.users > 0 || d.writer == nil || d.inMemory() {
		return nil
	}
	err := d.writer.Close()
	d.writer = nil
	return err
}

// quote writes a name so that any text may be one.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
