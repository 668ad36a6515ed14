package mysql

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// database is one server, and the database in it that the url names.
type database struct {
	config   wire.Config // without Addr
	addrs    []string    // tried in order
	setup    []string    // assignments of session variables
	tinyBool bool        // tinyint(1) is a boolean
	zero     zeroDates
	timeout  time.Duration
	log      hclog.Logger
}

// zeroDates says what a date of zeros becomes.
type zeroDates uint8

const (
	zeroIsError zeroDates = iota
	zeroIsNull
	zeroIsRounded // to the first day of the year 1
)

func nullLogger() hclog.Logger { return hclog.NewNullLogger() }

// Ping implements [jdbc.Database].
func (d *database) Ping(ctx context.Context) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	return s.Close()
}

// session is a connection with the job's settings.
type session struct {
	*wire.Conn
	d *database
}

// session settings. A source may wait for a slow sink, and a sink for a slow source: the server must have patience. Bad
// values are errors in every table, zero is no request for a generated key, and a backslash in a text escapes.
const sessionSettings = `SET SESSION net_write_timeout = 86400, net_read_timeout = 86400, wait_timeout = 604800,
	sql_mode = CONCAT_WS(',', NULLIF(REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', ''), ''),
		'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO')`

// connect tries the hosts in order. All of it takes no longer than the timeout.
func (d *database) connect(ctx context.Context) (*session, error) {
	limited, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	var errs []error
	for _, addr := range d.addrs {
		s, err := d.connectTo(limited, addr)
		if err == nil {
			return s, nil
		}
		if over := jdbc.Over(ctx); over != nil {
			return nil, over
		}
		var refused *wire.Error
		if errors.As(err, &refused) {
			return nil, d.explain(err)
		}
		errs = append(errs, fmt.Errorf("%s: %w", addr, err))
	}
	return nil, d.unreachable(errors.Join(errs...))
}

func (d *database) connectTo(ctx context.Context, addr string) (*session, error) {
	cfg := d.config
	cfg.Addr = addr
	if cfg.TLS != nil {
		cfg.TLS = cfg.TLS.Clone()
		cfg.TLS.ServerName, _, _ = net.SplitHostPort(addr)
		cfg.TLS.MinVersion = tls.VersionTLS12
	}
	conn, err := wire.Connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	stop := conn.Watch(ctx)
	defer stop()
	settings := sessionSettings + fmt.Sprintf(", innodb_lock_wait_timeout = %d, lock_wait_timeout = %[1]d", max(1,
		int(d.timeout.Seconds())))
	if len(d.setup) > 0 {
		settings += ", " + strings.Join(d.setup, ", ")
	}
	if _, err := conn.Exec(settings); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &session{Conn: conn, d: d}, nil
}

// ended explains an error; one that came because the context has ended is the context's.
func (s *session) ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.d.explain(err)
}

// exec runs statements one after the other.
func (s *session) exec(statements ...string) error {
	for _, sql := range statements {
		if _, err := s.Exec(sql); err != nil {
			return err
		}
	}
	return nil
}

// one returns the first value of a query's first row, nil if there is none.
func (s *session) one(sql string, args ...any) (any, error) {
	rows, err := s.Rows(sql, args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0][0], nil
}

// transaction runs f in a transaction and commits it, or rolls back what f did if it fails.
func (s *session) transaction(f func() error) error {
	if err := s.exec("START TRANSACTION"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		return s.exec("COMMIT")
	}
	if errors.Is(err, wire.ErrLost) {
		return err
	}
	return errors.Join(err, s.exec("ROLLBACK"))
}

// quote writes a name so that any text may be one.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}

// quoteText writes a text as a literal.
func quoteText(text string) string { return string(appendQuoted(nil, []byte(text))) }

// appendQuoted appends a text as a literal of a session in which a backslash escapes.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '\'')
	for _, c := range text {
		switch c {
		case '\'', '\\':
			dst = append(dst, '\\', c)
		case 0:
			dst = append(dst, '\\', '0')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '\'')
}
