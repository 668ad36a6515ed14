package binlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
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
	// Heartbeat is how long the server may be silent when nothing changes; default 10 s. It sends an event then. A
	// connection that is silent for three times that and 5 s more counts as lost.
	Heartbeat time.Duration
	// NoVerify strips checksums without looking at them.
	NoVerify bool
	// NonBlocking ends the events with io.EOF at the end that the log has when it is reached.
	NonBlocking bool
	// Statements asks MariaDB for the texts of the statements that changed rows; MySQL sends them if it logs them.
	Statements bool
}

const (
	defaultHeartbeat = 10 * time.Second
	firstEvent       = 4 // position of the first event of a log
	headSize         = 19
	checksumSize     = 4
)

// Stream reads a server's log. It is for one goroutine; what waits ends with its context.
type Stream struct {
	track
	conn *wire.Conn
	feed *wire.Feed
	o    Options

	checksums bool // events end with one
	wait      waiter
	bytes     int64
	tables    tables
	packed    packed  // the rest of a compressed transaction
	scratch   scratch // the body of an unpacked event
}

// Open starts reading on a connection that is used for nothing else from then on, and that the stream owns if there is
// no error. The context bounds opening only. Errors are those of [Stream.Next].
func Open(ctx context.Context, c *wire.Conn, o Options) (*Stream, error) {
	if o.ServerID == 0 {
		return nil, errors.New("a replica needs a server id other than 0")
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = defaultHeartbeat
	}
	o.ByGTID = o.ByGTID || o.From.File == "" && o.From.GTIDs != nil
	stop := c.Watch(ctx)
	defer stop()
	s := &Stream{conn: c, o: o}
	err := s.open()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, explain(err)
	}
	return s, nil
}

func (s *Stream) open() error {
	settings, err := s.settings()
	if err != nil {
		return err
	}
	for _, sql := range settings {
		if _, err := s.conn.Exec(sql); err != nil {
			return err
		}
	}
	if err := s.conn.RegisterReplica(s.o.ServerID); err != nil {
		return err
	}
	d := wire.Dump{ServerID: s.o.ServerID, Pos: firstEvent, NonBlocking: s.o.NonBlocking, Annotate: s.o.Statements}
	from := s.o.From
	switch {
	case s.o.ByGTID && !s.conn.MariaDB:
		d.GTIDs = from.GTIDs.encode()
	case !s.o.ByGTID && from.File != "":
		if from.Pos > math.MaxUint32 {
			return fmt.Errorf("%w: the protocol has none above 4 GiB, this is %s; start from a GTID", ErrPosition, from)
		}
		d.File, d.Pos = from.File, max(firstEvent, uint32(from.Pos))
	}
	s.start(from, s.o.ByGTID)
	if s.feed, err = s.conn.Replicate(d); err != nil {
		return err
	}
	s.wait = waiter{feed: s.feed, silence: 3*s.o.Heartbeat + 5*time.Second}
	return nil
}

// settings returns the statements by which a server learns what this replica can and wants.
func (s *Stream) settings() ([]string, error) {
	period := s.o.Heartbeat.Nanoseconds()
	list := []string{
		"SET SESSION net_write_timeout = 86400",
		fmt.Sprintf("SET @master_heartbeat_period = %d, @source_heartbeat_period = %[1]d", period),
		"SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum",
	}
	if s.conn.MariaDB {
		list = append(list, "SET @mariadb_slave_capability = 4")
	}
	if !s.o.ByGTID {
		return list, nil
	}
	set := s.o.From.GTIDs
	if set == nil {
		return nil, fmt.Errorf("%w: a start by GTID needs the GTIDs", ErrPosition)
	}
	flavour := MySQL
	if s.conn.MariaDB {
		flavour = MariaDB
	}
	if have := set.Flavour(); have != AnyFlavour && have != flavour {
		return nil, fmt.Errorf("%w: %s, on %s", errFlavours, set, s.conn.Version)
	}
	if flavour == MariaDB {
		list = append(list, "SET @slave_connect_state = '"+set.String()+"'", "SET @slave_gtid_strict_mode = 0",
			"SET @slave_gtid_ignore_duplicates = 0")
	}
	return list, nil
}

// Next returns the next event. It waits for one until the context ends, whose error it returns then; the stream can go
// on after that. Other errors end it: io.EOF (see [Options.NonBlocking]), [ErrPurged], [ErrServerID], [ErrPosition],
// [ErrDenied], [ErrIncident], [ErrTorn], [ErrCorrupt], or one with [wire.ErrLost] after which a new connection may go on.
//
// Every event of the log comes, also heartbeats and others that matter to the stream only, so that a caller sees time
// go by. Checksums are off, and compressed events and transactions come as the plain ones.
func (s *Stream) Next(ctx context.Context) (Event, error) {
	if s.packed.open {
		e, err := s.packed.next()
		if err != nil || s.packed.open {
			return s.accept(e, err)
		}
	}
	for !s.feed.Buffered() {
		if err := s.wait.fill(ctx, nil, 0); err != nil {
			return Event{}, err
		}
	}
	data, err := s.feed.Next()
	if err != nil {
		return Event{}, explain(err)
	}
	s.bytes += int64(len(data))
	e, err := s.event(data)
	if err == nil && e.Type == TransactionPacked {
		if err = s.packed.start(e); err == nil {
			e, err = s.packed.next()
		}
	}
	return s.accept(e, err)
}

// accept notes what an event means for the stream's own state.
func (s *Stream) accept(e Event, err error) (Event, error) {
	if err != nil {
		return Event{}, err
	}
	switch {
	case e.Type == Incident:
		return Event{}, incident(e)
	case e.Type >= queryCompressed && e.Type <= writeCompressedV2+2:
		if e, err = s.scratch.unpack(e); err != nil {
			return Event{}, err
		}
	}
	return e, s.note(e)
}

// event takes a packet apart: the head, the body, the checksum.
func (s *Stream) event(data []byte) (Event, error) {
	if len(data) < headSize {
		return Event{}, corrupt("an event of %d bytes", len(data))
	}
	if size := binary.LittleEndian.Uint32(data[9:]); int64(size) != int64(len(data)) {
		return Event{}, corrupt("an event of %d bytes that says it has %d", len(data), size)
	}
	e := headOf(data)
	switch e.Type {
	case FormatDescription:
		return e, s.format(e)
	case Rotate:
		// Rotate events that the server makes up may come without a checksum.
		if n := len(data) - checksumSize; s.checksumFits(data) {
			e.Body = data[headSize:n]
		}
		return e, nil
	}
	if !s.checksums {
		return e, nil
	}
	if len(e.Body) < checksumSize {
		return e, corrupt("a %s event without its checksum", e.Type)
	}
	if !s.o.NoVerify && !s.checksumFits(data) {
		return e, corrupt("the checksum of a %s event is wrong, in %s behind position %d", e.Type, s.file, s.end)
	}
	e.Body = e.Body[:len(e.Body)-checksumSize]
	return e, nil
}

func headOf(data []byte) Event {
	return Event{
		Type: Type(data[4]), Flags: binary.LittleEndian.Uint16(data[17:]), Seconds: binary.LittleEndian.Uint32(data),
		ServerID: binary.LittleEndian.Uint32(data[5:]), End: binary.LittleEndian.Uint32(data[13:]), Body: data[headSize:],
		size: uint32(len(data)),
	}
}

func (s *Stream) checksumFits(data []byte) bool {
	n := len(data) - checksumSize
	return n >= headSize && crc32.ChecksumIEEE(data[:n]) == binary.LittleEndian.Uint32(data[n:])
}

// format reads a format description: the algorithm of the checksums that follow, and whether heads have the known size.
func (s *Stream) format(e Event) error {
	const versionSize, knownVersion = 50, 4
	at := 2 + versionSize + 4
	if len(e.Body) < at+1+checksumSize+1 {
		return corrupt("a format description of %d bytes", len(e.Body))
	}
	if v := binary.LittleEndian.Uint16(e.Body); v != knownVersion || e.Body[at] != headSize {
		return corrupt("the log has format %d with heads of %d bytes; known is format %d with %d", v, e.Body[at],
			knownVersion, headSize)
	}
	switch algorithm := e.Body[len(e.Body)-checksumSize-1]; algorithm {
	case 0, 255:
		s.checksums = false
	case 1:
		s.checksums = true
	default:
		return corrupt("the log has checksums of the unknown kind %d", algorithm)
	}
	return nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

func incident(e Event) error {
	text := ""
	if len(e.Body) > 3 {
		text = strings.ToValidUTF8(string(e.Body[3:min(len(e.Body), 3+int(e.Body[2]))]), "?")
	}
	return fmt.Errorf("%w: %s", ErrIncident, text)
}

// Bytes returns how many bytes of events have come so far.
func (s *Stream) Bytes() int64 { return s.bytes }

// TableMap reads an event of type [TableMapEvent] and remembers it for the rows events behind it. The same table comes
// as the same pointer until it is altered, so that a caller may keep what it has derived from it.
func (s *Stream) TableMap(e Event) (*TableMap, error) { return s.tables.read(e) }

// Rows reads the head of an event for which [Type.IsRows] is true. Its table's map must have been read by TableMap.
func (s *Stream) Rows(e Event) (Rows, error) { return parseRows(e, &s.tables) }

// Close ends the connection.
func (s *Stream) Close() error {
	s.wait.forget()
	return s.conn.Close()
}
