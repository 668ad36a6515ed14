package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// maxPacket is the largest payload of one packet; a longer one is cut.
const maxPacket = 1<<24 - 1

// readBuffer is the size of the buffer that packets are read into. Longer packets get memory of their own.
const readBuffer = 128 << 10

// ErrLost is part of every error after which the connection cannot be used any more.
var ErrLost = errors.New("the connection is lost")

// lost marks an error of the network. The end of the stream is always one: io.EOF means the end of a result's rows.
func lost(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// packets reads and writes packets.
type packets struct {
	nc   net.Conn
	buf  []byte // bytes that were read are r to w
	r, w int
	long []byte // a packet that the buffer cannot hold
	seq  byte
	out  []byte
}

// next returns the payload of the next packet, which is valid until the next call.
func (p *packets) next() ([]byte, error) {
	p.long = nil
	n, err := p.header()
	if err != nil {
		return nil, err
	}
	if n <= len(p.buf)-4 {
		if err := p.fill(n); err != nil {
			return nil, err
		}
		data := p.buf[p.r : p.r+n]
		p.r += n
		return data, nil
	}
	for {
		from := len(p.long)
		p.long = append(p.long, make([]byte, n)...)
		if err := p.read(p.long[from:]); err != nil {
			return nil, err
		}
		if n < maxPacket {
			return p.long, nil
		}
		if n, err = p.header(); err != nil {
			return nil, err
		}
	}
}

// header reads the head of a packet and returns the length of its payload.
func (p *packets) header() (int, error) {
	if err := p.fill(4); err != nil {
		return 0, err
	}
	head := p.buf[p.r : p.r+4]
	p.r += 4
	if head[3] != p.seq {
		return 0, lost(errors.New("packets came out of order"))
	}
	p.seq++
	return int(head[0]) | int(head[1])<<8 | int(head[2])<<16, nil
}

// fill reads until the buffer holds n unread bytes.
func (p *packets) fill(n int) error {
	if p.w-p.r >= n {
		return nil
	}
	if p.r+n > len(p.buf) || p.r == p.w {
		p.w = copy(p.buf, p.buf[p.r:p.w])
		p.r = 0
	}
	for p.w-p.r < n {
		got, err := p.nc.Read(p.buf[p.w:])
		p.w += got
		if err != nil && p.w-p.r < n {
			return lost(err)
		}
	}
	return nil
}

// read fills into from the buffer and the network.
func (p *packets) read(into []byte) error {
	n := copy(into, p.buf[p.r:p.w])
	p.r += n
	if _, err := io.ReadFull(p.nc, into[n:]); err != nil {
		return lost(err)
	}
	return nil
}

// begin starts the only packet of a command in the outgoing buffer.
func (p *packets) begin(command byte) {
	p.seq = 0
	p.out = append(p.out[:0], 0, 0, 0, 0, command)
}

// send writes the packet that is in the outgoing buffer behind four bytes for its head.
func (p *packets) send() error {
	if len(p.out)-4 < maxPacket {
		p.putHeader(p.out[:4], len(p.out)-4)
		return p.write(p.out)
	}
	return p.sendLong(p.out[4:])
}

// sendLong writes a payload of several packets; the last one is shorter than the others and may be empty.
func (p *packets) sendLong(payload []byte) error {
	var head [4]byte
	for {
		n := min(len(payload), maxPacket)
		p.putHeader(head[:], n)
		if err := p.write(head[:]); err != nil {
			return err
		}
		if err := p.write(payload[:n]); err != nil {
			return err
		}
		payload = payload[n:]
		if n < maxPacket {
			return nil
		}
	}
}

func (p *packets) putHeader(head []byte, n int) {
	head[0], head[1], head[2], head[3] = byte(n), byte(n>>8), byte(n>>16), p.seq
	p.seq++
}

func (p *packets) write(b []byte) error {
	if _, err := p.nc.Write(b); err != nil {
		return lost(err)
	}
	return nil
}

// Uint reads a length-encoded number and returns it and the bytes that it takes; 0 bytes if b is too short.
func Uint(b []byte) (uint64, int) {
	if len(b) == 0 {
		return 0, 0
	}
	switch c := b[0]; {
	case c < 0xfb:
		return uint64(c), 1
	case c == 0xfc && len(b) >= 3:
		return uint64(binary.LittleEndian.Uint16(b[1:])), 3
	case c == 0xfd && len(b) >= 4:
		return uint64(b[1]) | uint64(b[2])<<8 | uint64(b[3])<<16, 4
	case c == 0xfe && len(b) >= 9:
		return binary.LittleEndian.Uint64(b[1:]), 9
	}
	return 0, 0
}

// Text reads a text with its length in front and returns it and the bytes that both take; 0 bytes if b is too short.
func Text(b []byte) ([]byte, int) {
	n, head := Uint(b)
	if head == 0 || n > uint64(len(b)-head) {
		return nil, 0
	}
	return b[head : head+int(n)], head + int(n)
}

func appendUint(b []byte, v uint64) []byte {
	switch {
	case v < 0xfb:
		return append(b, byte(v))
	case v < 1<<16:
		return append(b, 0xfc, byte(v), byte(v>>8))
	case v < 1<<24:
		return append(b, 0xfd, byte(v), byte(v>>8), byte(v>>16))
	default:
		return binary.LittleEndian.AppendUint64(append(b, 0xfe), v)
	}
}
