package binlog

import (
	"context"
	"errors"
	"time"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// Options say how to read a server's log.
type Options struct {
	// ServerID is the number of this replica: not 0, and not that of any other replica or server of the topology.
	ServerID uint32
	// From is where to start: by its file and position, or by its GTIDs if ByGTID is set or it has no file. The zero
	// position is the start of the oldest log.
	From Position
	// ByGTID starts behind From.GTIDs, on whatever server this is.
	ByGTID bool
	// Heartbeat is how long the server may be silent when nothing changes; default 10 s. It sends an event then.
	Heartbeat time.Duration
	// NoVerify strips checksums without looking at them.
	NoVerify bool
	// NonBlocking ends the events with io.EOF at the end that the log has when it is reached.
	NonBlocking bool
	// Statements asks MariaDB for the texts of the statements that changed rows; MySQL sends them if it logs them.
	Statements bool
}

// Stream reads a server's log. It is for one goroutine, but for [Stream.Close].
type Stream struct{}

// Open starts reading on a connection that is used for nothing else from then on, and that the stream owns if there is
// no error. The context bounds opening only. Errors are those of [Stream.Next].
func Open(ctx context.Context, c *wire.Conn, o Options) (*Stream, error) {
	return nil, errors.ErrUnsupported
}

// Next returns the next event. It waits for one until the context ends, whose error it returns then; the stream can go
// on after that. Other errors end it: io.EOF (see Options.NonBlocking), [ErrPurged], [ErrServerID], [ErrPosition],
// [ErrDenied], [ErrIncident], [ErrCorrupt], or one with [wire.ErrLost] after which a new connection may go on.
//
// A stream takes checksums off, unpacks compressed events and transactions, and does not return what it reads for
// itself only: format descriptions come, heartbeats come.
func (s *Stream) Next(ctx context.Context) (Event, error) { return Event{}, errors.ErrUnsupported }

// Buffered reports that Next would return at once, without waiting for the network. A reader that holds rows back puts
// them out when it is false.
func (s *Stream) Buffered() bool { return false }

// Wait waits until an event is buffered and reports that; false if the time is over or wake was closed first. A wake of
// nil is never closed. Its errors are those of Next.
func (s *Stream) Wait(ctx context.Context, wake <-chan struct{}, most time.Duration) (bool, error) {
	return false, errors.ErrUnsupported
}

// Boundary returns the place behind the last transaction that ended among the events that Next has returned: where to
// open a stream again to get all others, and none twice. The GTIDs are a copy.
func (s *Stream) Boundary() Position { return Position{} }

// InTransaction reports whether the last event belongs to a transaction that has not ended with it.
func (s *Stream) InTransaction() bool { return false }

// GTID returns the GTID of the transaction that the last event belongs to or has ended; one without flavour if there
// is none.
func (s *Stream) GTID() GTID { return GTID{} }

// CommitTime returns when the transaction of the last event was committed, in microseconds since 1970, where the
// server tells (MySQL 8); else its GTID event's second; 0 if unknown.
func (s *Stream) CommitTime() int64 { return 0 }

// File returns the name of the log file that the last event is in, and the position behind it.
func (s *Stream) File() (name string, end uint64) { return "", 0 }

// Bytes returns how many bytes of events have come so far.
func (s *Stream) Bytes() int64 { return 0 }

// TableMap reads an event of type [TableMapEvent] and remembers it for the rows events behind it. The same table comes
// as the same pointer until it is altered, so that a caller may keep what it has derived from it.
func (s *Stream) TableMap(e Event) (*TableMap, error) { return nil, errors.ErrUnsupported }

// Rows reads the head of an event for which [Type.IsRows] is true.
func (s *Stream) Rows(e Event) (Rows, error) { return Rows{}, errors.ErrUnsupported }

// Close ends the connection. It may be called while another goroutine waits in Next, which fails then.
func (s *Stream) Close() error { return nil }
