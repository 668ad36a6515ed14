package binlog

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"testing"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// fakeServer plays a server that has one log: it says yes to everything and sends prepared events.
type fakeServer struct {
	version string
	events  [][]byte
	// queries are the statements that came, dump the request for the log, with its number in front.
	queries []string
	dump    []byte
	done    chan struct{}
}

// open starts the server and opens a stream on it.
func (f *fakeServer) open(t *testing.T, o Options) *Stream {
	t.Helper()
	client, server := net.Pipe()
	f.done = make(chan struct{})
	go func() {
		defer close(f.done)
		defer server.Close()
		f.serve(server)
	}()
	dial := func(context.Context, string, string) (net.Conn, error) { return client, nil }
	c, err := wire.Connect(t.Context(), wire.Config{User: "u", Password: "p", Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		<-f.done
	})
	if o.ServerID == 0 {
		o.ServerID = 7
	}
	s, err := Open(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fakeServer) serve(nc net.Conn) {
	hello := append([]byte{10}, f.version+"\x00"...)
	hello = append(hello, 1, 0, 0, 0)
	hello = append(hello, "12345678\x00"...)
	hello = append(hello, 0xff, 0xff, 45, 2, 0, 0xff, 0xff, 21)
	hello = append(hello, make([]byte, 10)...)
	hello = append(hello, "123456789012\x00mysql_native_password\x00"...)
	ok := []byte{0, 0, 0, 2, 0, 0, 0}
	if send(nc, 0, hello) != nil {
		return
	}
	if _, err := receive(nc); err != nil || send(nc, 2, ok) != nil {
		return
	}
	for {
		command, err := receive(nc)
		if err != nil || len(command) == 0 {
			return
		}
		switch command[0] {
		case 0x03:
			f.queries = append(f.queries, string(command[1:]))
		case 0x12, 0x1e:
			f.dump = command
			f.play(nc)
			return
		}
		if send(nc, 1, ok) != nil {
			return
		}
	}
}

// play sends the events, and the end behind them, while what the client says is dropped.
func (f *fakeServer) play(nc net.Conn) {
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, nc)
	}()
	defer func() {
		_ = nc.Close()
		<-read
	}()
	seq := byte(1)
	for _, e := range append(f.events, nil) {
		packet := append([]byte{0}, e...)
		if e == nil {
			packet = []byte{0xfe, 0, 0, 2, 0}
		}
		if send(nc, seq, packet) != nil {
			return
		}
		seq++
	}
}

func send(nc net.Conn, seq byte, payload []byte) error {
	head := []byte{byte(len(payload)), byte(len(payload) >> 8), byte(len(payload) >> 16), seq}
	_, err := nc.Write(append(head, payload...))
	return err
}

func receive(nc net.Conn) ([]byte, error) {
	var head [4]byte
	if err := readFull(nc, head[:]); err != nil {
		return nil, err
	}
	payload := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	return payload, readFull(nc, payload)
}

func readFull(nc net.Conn, b []byte) error {
	for len(b) > 0 {
		n, err := nc.Read(b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// logWriter makes the events of a log.
type logWriter struct {
	at     uint32
	events [][]byte
}

// newLog starts a log as MySQL 8 does: a rotate event that the server makes up, and the description of the format.
func newLog() *logWriter {
	w := &logWriter{at: 4}
	w.events = append(w.events, checked(event(Rotate, 0, 0x20, append(u64(4), "binlog.000042"...))))
	format := append([]byte{4, 0}, make([]byte, 50)...)
	format = append(format, 0, 0, 0, 0, 19)
	format = append(format, make([]byte, 41)...)
	w.add(FormatDescription, append(format, 1))
	return w
}

// add appends an event with its checksum.
func (w *logWriter) add(t Type, body []byte) {
	w.at += uint32(headSize + len(body) + checksumSize)
	w.events = append(w.events, checked(event(t, w.at, 0, body)))
}

// event makes an event of the second 1700000000.
func event(t Type, end uint32, flags uint16, body []byte) []byte {
	e := binary.LittleEndian.AppendUint32(nil, 1_700_000_000)
	e = append(e, byte(t))
	e = binary.LittleEndian.AppendUint32(e, 1)
	e = binary.LittleEndian.AppendUint32(e, uint32(headSize+len(body)))
	e = binary.LittleEndian.AppendUint32(e, end)
	e = binary.LittleEndian.AppendUint16(e, flags)
	return append(e, body...)
}

// checked appends the checksum.
func checked(e []byte) []byte {
	binary.LittleEndian.PutUint32(e[9:], uint32(len(e)+checksumSize))
	return binary.LittleEndian.AppendUint32(e, crc32.ChecksumIEEE(e))
}

func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

// cat joins bytes and texts.
func cat(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case []byte:
			b = append(b, p...)
		case string:
			b = append(b, p...)
		case byte:
			b = append(b, p)
		case int:
			b = append(b, byte(p))
		}
	}
	return b
}

// query is the body of a query event.
func query(schema, text string) []byte {
	return cat(make([]byte, 8), len(schema), 0, 0, 0, 0, schema, 0, text)
}

// gtid is the body of a GTID event of MySQL 8.
func gtid(uuid [16]byte, number uint64, committed uint64) []byte {
	return cat(0, uuid[:], u64(number), 2, u64(1), u64(2), u64(committed)[:7])
}

const tableNumber = "\x6c\x00\x00\x00\x00\x00"

// tableMap is the body of a table map of types, each with its metadata, and optional metadata.
func tableMap(schema, name string, types, metas []byte, optional ...[]byte) []byte {
	nulls := make([]byte, (len(types)+7)/8)
	for i := range nulls {
		nulls[i] = 0xff
	}
	b := cat(tableNumber, 1, 0, len(schema), schema, 0, len(name), name, 0, len(types), types, len(metas), metas, nulls)
	for _, o := range optional {
		b = append(b, o...)
	}
	return b
}

// meta is a field of optional metadata.
func meta(kind byte, parts ...any) []byte {
	data := cat(parts...)
	return cat(kind, len(data), data)
}
