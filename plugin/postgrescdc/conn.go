package postgrescdc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// statusInterval is how often the server is told that the reader lives, also while a slow sink holds the reader up. The
// server gives up a reader that is silent for wal_sender_timeout, a minute by default.
const statusInterval = 10 * time.Second

// connection receives the stream. Its receiving side belongs to one goroutine.
type connection struct {
	session *postgres.Session
	conn    net.Conn
	now     func() time.Time

	mu       sync.Mutex // of what is sent
	received pgoutput.LSN
	durable  pgoutput.LSN
	buf      []byte

	stop   chan struct{}
	ticked sync.WaitGroup
}

// connect starts receiving at a position.
func connect(ctx context.Context, s *Source, from pgoutput.LSN, binary bool) (*connection, error) {
	session, err := s.server.Replication(ctx)
	if err != nil {
		return nil, err
	}
	c := &connection{session: session, conn: session.Conn().Conn(), now: s.env.Now, received: from, durable: from,
		stop: make(chan struct{})}
	options := "proto_version '1', publication_names " + postgres.Literal(postgres.Quote(s.options.publication()))
	if binary {
		options += ", binary 'true'"
	}
	slot := postgres.Quote(s.options.Slot)
	err = session.Send(fmt.Sprintf("START_REPLICATION SLOT %s LOGICAL %s (%s)", slot, from, options))
	if err == nil {
		err = c.begun(ctx)
	}
	if err != nil {
		_ = session.Close()
		return nil, session.Explain(ctx, err)
	}
	c.ticked.Add(1)
	go c.tick()
	return c, nil
}

// begun waits until the stream has begun.
func (c *connection) begun(ctx context.Context) error {
	for {
		msg, err := c.session.Conn().ReceiveMessage(ctx)
		if err != nil {
			return err
		}
		switch msg := msg.(type) {
		case *pgproto3.CopyBothResponse:
			return nil
		case *pgproto3.ErrorResponse:
			return pgconn.ErrorResponseToPgError(msg)
		}
	}
}

// tick sends a status now and then.
func (c *connection) tick() {
	defer c.ticked.Done()
	ticker := time.NewTicker(statusInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.status(0)
		case <-c.stop:
			return
		}
	}
}

// status tells the server what was received and what is durable. A broken connection shows when the next message is
// received.
func (c *connection) status(durable pgoutput.LSN) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.durable = max(c.durable, durable)
	c.received = max(c.received, c.durable)
	c.buf = pgoutput.AppendStatus(c.buf[:0], c.received, c.durable, c.now())
	_, _ = c.conn.Write(c.buf)
}

// note notes what was received.
func (c *connection) note(received pgoutput.LSN) {
	c.mu.Lock()
	c.received = max(c.received, received)
	c.mu.Unlock()
}

var errNothing = errors.New("nothing has come")

// receive returns the body of the next message, valid until the next call. errNothing says that the deadline has
// passed.
func (c *connection) receive(ctx context.Context) ([]byte, error) {
	body, ok, err := c.session.CopyData()
	switch {
	case err == nil && ok:
		return body, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errNothing
	case err == nil:
		err = c.ended(ctx)
	}
	return nil, c.session.Explain(ctx, err)
}

// ended returns why the server has ended the stream.
func (c *connection) ended(ctx context.Context) error {
	if err := c.conn.SetReadDeadline(c.now().Add(closeTimeout)); err != nil {
		return err
	}
	for {
		msg, err := c.session.Conn().ReceiveMessage(ctx)
		if err != nil {
			return err
		}
		switch msg := msg.(type) {
		case *pgproto3.ErrorResponse:
			return pgconn.ErrorResponseToPgError(msg)
		case *pgproto3.CopyDone, *pgproto3.CommandComplete, *pgproto3.ReadyForQuery:
			return io.ErrUnexpectedEOF // the server is shut down
		}
	}
}

// closeTimeout bounds waiting for the server's last words.
const closeTimeout = time.Second

// close ends the stream.
func (c *connection) close() {
	close(c.stop)
	c.ticked.Wait()
	_ = c.session.Close()
}
