package postgres

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// wireBuffer is how much is read from the network at once, and copyBuffer how much in the midst of a COPY. There a read
// that leaves room in the buffer is followed by a pause: the server sends 8 KiB at a time, and waking up for each of
// them costs both sides more than a pause does. The kernel's buffers take what comes meanwhile.
const (
	wireBuffer = 16 << 10
	copyBuffer = 256 << 10
	copyPause  = time.Millisecond
)

// wire stands between the network and pgconn's message reader. It hands pgconn one message at a time, so that nothing
// is read ahead there: rows of a COPY can be taken out of the buffer in place, and all other messages left to pgconn.
type wire struct {
	r      io.Reader
	buf    []byte
	rp, wp int
	left   int  // bytes of the present message that pgconn has not read yet
	copied int  // bytes of the present COPY
	ahead  bool // of the server, which had sent no more when the buffer was last filled
}

func newWire(r io.Reader) *wire { return &wire{r: r, buf: make([]byte, wireBuffer)} }

// headerSize is that of a message: its type, and its length without the type.
const headerSize = 5

// Read implements io.Reader for pgconn. It never returns bytes of two messages.
func (w *wire) Read(p []byte) (int, error) {
	if w.left == 0 {
		size, err := w.messageSize()
		if err != nil {
			return 0, err
		}
		w.left = size
	}
	if w.rp == w.wp {
		if err := w.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p[:min(len(p), w.left)], w.buf[w.rp:w.wp])
	w.rp += n
	w.left -= n
	return n, nil
}

// messageSize returns the size of the next message with its header.
func (w *wire) messageSize() (int, error) {
	if err := w.fill(headerSize); err != nil {
		return 0, err
	}
	n := int32(binary.BigEndian.Uint32(w.buf[w.rp+1:]))
	if n < 4 {
		return 0, fmt.Errorf("a message of %d bytes", n)
	}
	return int(n) + 1, nil
}

// fill makes at least n unread bytes available.
func (w *wire) fill(n int) error {
	have := w.wp - w.rp
	if have >= n {
		return nil
	}
	switch {
	case n > len(w.buf):
		w.resize(n + wireBuffer)
	case n <= copyBuffer && w.unfit():
		w.resize(copyBuffer)
	case have == 0:
		w.rp, w.wp = 0, 0
	case len(w.buf)-w.rp < n:
		w.wp = copy(w.buf, w.buf[w.rp:w.wp])
		w.rp = 0
	}
	if w.ahead && w.copied > copyBuffer {
		time.Sleep(copyPause)
	}
	read, err := io.ReadAtLeast(w.r, w.buf[w.wp:], n-have)
	w.wp += read
	w.ahead = w.wp < len(w.buf)
	return err
}

// unfit reports that the buffer should have the size for the midst of a COPY, and that the unread bytes allow it: one
// has begun, or a large value is over.
func (w *wire) unfit() bool {
	begun := len(w.buf) < copyBuffer && w.copied > copyBuffer
	return (begun || len(w.buf) > 4*copyBuffer) && w.wp-w.rp <= copyBuffer
}

func (w *wire) resize(size int) {
	next := make([]byte, size)
	w.wp = copy(next, w.buf[w.rp:w.wp])
	w.rp, w.buf = 0, next
}

// copyData returns the body of the next message if it is one of a COPY, valid until the next call; ok is false if it is
// another one, which pgconn is to receive.
func (w *wire) copyData() (body []byte, ok bool, err error) {
	size, err := w.messageSize()
	if err != nil || w.buf[w.rp] != 'd' {
		w.copied = 0
		return nil, false, err
	}
	w.copied += size
	if err := w.fill(size); err != nil {
		return nil, false, err
	}
	body = w.buf[w.rp+headerSize : w.rp+size]
	w.rp += size
	return body, true, nil
}
