package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

const (
	comBinlogDump     = 0x12
	comRegisterSlave  = 0x15
	comBinlogDumpGTID = 0x1e
)

// The flags of a request for the binary log.
const (
	dumpNonBlocking = 1 << 0
	dumpAnnotate    = 1 << 1 // MariaDB
	dumpThroughGTID = 1 << 2 // MySQL
)

// Dump says which events of the binary log a replica wants.
type Dump struct {
	// ServerID is the replica's number, which no other replica of the server may have.
	ServerID uint32
	// File and Pos are where the first event starts. Without a file it is the first event of the oldest log.
	File string
	Pos  uint32
	// GTIDs asks MySQL for all transactions but those of this set, in the protocol's form; then File and Pos are not
	// used. nil asks by file and position. (MariaDB takes its GTIDs from a session variable.)
	GTIDs []byte
	// NonBlocking ends the events with [io.EOF] where the log ends now.
	NonBlocking bool
	// Annotate asks MariaDB for the texts of the statements that changed rows.
	Annotate bool
}

// RegisterReplica makes the connection known to the server as a replica's.
func (c *Conn) RegisterReplica(serverID uint32) error {
	c.begin(comRegisterSlave)
	c.out = binary.LittleEndian.AppendUint32(c.out, serverID)
	// Empty names of a host, a user and a password, port 0, rank 0, master 0.
	c.out = append(c.out, make([]byte, 3+2+4+4)...)
	if err := c.send(); err != nil {
		return err
	}
	_, err := c.result(nil)
	return err
}

// Replicate asks for the binary log. From then on the connection serves the [Feed] only.
func (c *Conn) Replicate(d Dump) (*Feed, error) {
	if d.GTIDs != nil {
		c.beginDumpGTID(d)
	} else {
		c.beginDump(d)
	}
	if err := c.send(); err != nil {
		return nil, err
	}
	f := &Feed{c: c, buf: make([]byte, max(feedBuffer, c.w-c.r)), seq: 1}
	f.w = copy(f.buf, c.buf[c.r:c.w])
	c.r, c.w = 0, 0
	return f, nil
}

func (c *Conn) beginDump(d Dump) {
	var flags uint16
	if d.NonBlocking {
		flags |= dumpNonBlocking
	}
	if d.Annotate && c.MariaDB {
		flags |= dumpAnnotate
	}
	c.begin(comBinlogDump)
	c.out = binary.LittleEndian.AppendUint32(c.out, d.Pos)
	c.out = binary.LittleEndian.AppendUint16(c.out, flags)
	c.out = binary.LittleEndian.AppendUint32(c.out, d.ServerID)
	c.out = append(c.out, d.File...)
}

// firstEvent is the position of the first event of every log.
const firstEvent = 4

func (c *Conn) beginDumpGTID(d Dump) {
	flags := uint16(dumpThroughGTID)
	if d.NonBlocking {
		flags |= dumpNonBlocking
	}
	c.begin(comBinlogDumpGTID)
	c.out = binary.LittleEndian.AppendUint16(c.out, flags)
	c.out = binary.LittleEndian.AppendUint32(c.out, d.ServerID)
	c.out = binary.LittleEndian.AppendUint32(c.out, 0) // no file
	c.out = binary.LittleEndian.AppendUint64(c.out, firstEvent)
	c.out = binary.LittleEndian.AppendUint32(c.out, uint32(len(d.GTIDs)))
	c.out = append(c.out, d.GTIDs...)
}

// feedBuffer is the size of a feed's buffer, which grows for longer packets and shrinks again.
const feedBuffer = 256 << 10

// Feed is an answer that has no end: packets that the server sends when it has something to say. A read that ends
// because of its deadline loses nothing: the next one goes on.
type Feed struct {
	c    *Conn
	buf  []byte // bytes that were read are r to w
	r, w int
	seq  byte
}

// Next returns the payload of the next packet behind its first byte, which says that it is one; it is valid until the
// next call. io.EOF says that the server has ended the answer, an [*Error] that it cannot go on. See [Feed.Fill].
func (f *Feed) Next() ([]byte, error) {
	if err := f.Fill(); err != nil {
		return nil, err
	}
	return f.take(f.whole())
}

// Fill waits until the next packet is in the buffer. os.ErrDeadlineExceeded is in its error when the time of
// [Feed.SetDeadline] has come.
func (f *Feed) Fill() error {
	for f.whole() == 0 {
		if err := f.more(); err != nil {
			return err
		}
	}
	return nil
}

// Buffered reports whether Next would return without waiting for the network.
func (f *Feed) Buffered() bool { return f.whole() > 0 }

// SetDeadline sets the time at which waiting ends; the zero time means never. Another goroutine may call it while this
// one waits.
func (f *Feed) SetDeadline(t time.Time) error { return f.c.nc.SetReadDeadline(t) }

// whole returns the size of the next payload with all of its heads, 0 if it has not come yet.
func (f *Feed) whole() int {
	for size := 0; ; {
		at := f.r + size
		if f.w-at < 4 {
			return 0
		}
		n := int(f.buf[at]) | int(f.buf[at+1])<<8 | int(f.buf[at+2])<<16
		size += 4 + n
		if f.w-f.r < size {
			return 0
		}
		if n < maxPacket {
			return size
		}
	}
}

// more reads from the network behind what is there, and makes room for it first.
func (f *Feed) more() error {
	switch {
	case f.r == f.w:
		f.r, f.w = 0, 0
		if len(f.buf) > 8*feedBuffer {
			f.buf = make([]byte, feedBuffer)
		}
	case f.w == len(f.buf) && f.r > 0:
		f.w = copy(f.buf, f.buf[f.r:f.w])
		f.r = 0
	}
	if f.w == len(f.buf) {
		f.buf = append(f.buf, make([]byte, len(f.buf))...)
	}
	n, err := f.c.nc.Read(f.buf[f.w:])
	f.w += n
	if n > 0 || err == nil {
		return nil
	}
	return lost(err)
}

// take returns the payload of size bytes that starts here. Its parts, if it has some, are moved together.
func (f *Feed) take(size int) ([]byte, error) {
	all := f.buf[f.r : f.r+size]
	f.r += size
	payload := all[:0:0]
	for rest := all; len(rest) > 0; {
		n := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
		if rest[3] != f.seq {
			return nil, lost(fmt.Errorf("packets came out of order: %d, not %d", rest[3], f.seq))
		}
		f.seq++
		if len(payload) == 0 {
			payload = rest[4 : 4+n : size]
		} else {
			payload = append(payload, rest[4:4+n]...)
		}
		rest = rest[4+n:]
	}
	return f.judge(payload)
}

func (f *Feed) judge(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return nil, errProtocol
	}
	switch payload[0] {
	case headOK:
		return payload[1:], nil
	case headErr:
		return nil, serverError(payload)
	case headEOF:
		return nil, io.EOF
	}
	return nil, errProtocol
}
