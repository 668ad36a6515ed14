package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// session is one connection.
type session struct {
	*pgconn.PgConn
	d    *database
	wire *wire
}

// closeTimeout bounds saying goodbye to the server.
const closeTimeout = time.Second

// Close ends the connection. In the middle of a COPY it cuts it. Errors would only say that the connection was broken
// already, so there are none.
func (s *session) Close() error {
	if s.IsClosed() {
		select {
		case <-s.CleanupDone():
		case <-time.After(closeTimeout):
		}
		return nil
	}
	_ = s.Conn().SetDeadline(time.Now().Add(closeTimeout))
	s.Frontend().Send(&pgproto3.Terminate{})
	_ = s.Frontend().Flush()
	_ = s.Conn().Close()
	return nil
}

// exec runs statements without parameters in one go.
func (s *session) exec(ctx context.Context, sql string) error {
	return s.explained(ctx, s.Exec(ctx, sql).Close())
}

// query runs a statement with parameters in text form and returns its rows in text form; null is a nil slice.
func (s *session) query(ctx context.Context, sql string, args ...string) ([][][]byte, error) {
	params := make([][]byte, len(args))
	for i, a := range args {
		params[i] = []byte(a)
	}
	result := s.ExecParams(ctx, sql, params, nil, nil, nil).Read()
	return result.Rows, s.explained(ctx, result.Err)
}

// value returns the only value of a query, nil for null or no row.
func (s *session) value(ctx context.Context, sql string, args ...string) ([]byte, error) {
	rows, err := s.query(ctx, sql, args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0][0], nil
}

// transaction runs f between BEGIN and COMMIT, or ROLLBACK if it fails.
func (s *session) transaction(ctx context.Context, f func() error) error {
	if err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		return s.exec(ctx, "COMMIT")
	}
	return errors.Join(err, s.rollback(ctx))
}

// rollback ends a transaction; one that a broken connection ended needs nothing.
func (s *session) rollback(ctx context.Context) error {
	if s.IsClosed() {
		return nil
	}
	return s.exec(ctx, "ROLLBACK")
}

// explained is explain, except that an error that came because the context ended is the context's.
func (s *session) explained(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.d.explain(err)
}

// guard cuts the connection's reads and writes when the context ends, until stop is called.
func (s *session) guard(ctx context.Context) (stop func() bool) {
	conn := s.Conn()
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

// send sends a statement without waiting for its answer.
func (s *session) send(sql string) error {
	s.Frontend().SendQuery(&pgproto3.Query{String: sql})
	return s.Frontend().Flush()
}

// finish receives all messages up to the end of a statement and returns the error among them.
func (s *session) finish(ctx context.Context) error {
	var failure error
	for {
		msg, err := s.ReceiveMessage(ctx)
		if err != nil {
			return errors.Join(failure, err)
		}
		switch msg := msg.(type) {
		case *pgproto3.ErrorResponse:
			failure = pgconn.ErrorResponseToPgError(msg)
		case *pgproto3.ReadyForQuery:
			return failure
		}
	}
}

// copySignature begins every binary COPY; flags and the length of an extension, both 0, follow.
const copySignature = "PGCOPY\n\377\r\n\000" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// copyEnd is the trailer of a binary COPY.
const copyEnd = "\xff\xff"

// feedSize is about how many bytes of a COPY are sent at once; the first piece is small, so that the server need not
// wait.
const (
	feedSize  = 128 << 10
	firstFeed = 8 << 10
)

// feed is the sending side of a COPY.
type feed struct {
	conn net.Conn
	buf  []byte // a message of type d that is being filled
	size int    // at which it is sent
}

// copyIn runs COPY ... FROM STDIN (FORMAT BINARY). fill appends rows to f.buf and calls f.full after each.
//
// Nothing is waited for before all data is sent: a server that has refused the statement skips the data.
func (s *session) copyIn(ctx context.Context, buf []byte, sql string, fill func(f *feed) error) ([]byte, error) {
	f := &feed{conn: s.Conn(), buf: append(buf[:0], 'd', 0, 0, 0, 0), size: firstFeed}
	err := s.copyRows(ctx, f, sql, fill)
	return f.buf, s.explained(ctx, err)
}

func (s *session) copyRows(ctx context.Context, f *feed, sql string, fill func(f *feed) error) error {
	stop := s.guard(ctx)
	defer stop()
	if err := s.send(sql); err != nil {
		return err
	}
	f.buf = append(f.buf, copySignature...)
	refused := fill(f)
	if refused == nil {
		f.buf = append(f.buf, copyEnd...)
		refused = f.flush()
	}
	var network net.Error
	if errors.As(refused, &network) {
		// The server may have said why it hung up.
		return errors.Join(s.finish(ctx), refused)
	}
	if refused != nil {
		s.Frontend().Send(&pgproto3.CopyFail{Message: "a row cannot be written"})
	} else {
		s.Frontend().Send(&pgproto3.CopyDone{})
	}
	if err := s.Frontend().Flush(); err != nil {
		return errors.Join(refused, err)
	}
	err := s.finish(ctx)
	if refused != nil && !s.IsClosed() {
		return refused
	}
	return err
}

// full sends what the buffer holds if that is enough.
func (f *feed) full() error {
	if len(f.buf) < f.size {
		return nil
	}
	f.size = feedSize
	return f.flush()
}

func (f *feed) flush() error {
	binary.BigEndian.PutUint32(f.buf[1:], uint32(len(f.buf)-1))
	_, err := f.conn.Write(f.buf)
	f.buf = f.buf[:headerSize]
	return err
}
