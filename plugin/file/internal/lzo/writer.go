package lzo

import (
	"encoding/binary"
	"hash/adler32"
	"io"
)

// blockSize is the size of the blocks that the tool makes.
const blockSize = 256 << 10

// Writer makes an lzop file.
type Writer struct {
	dst     io.Writer
	c       Compressor
	block   []byte
	out     []byte
	started bool
}

// NewWriter returns a writer that compresses what is written to it into w. Close ends the container.
func NewWriter(w io.Writer) *Writer { return &Writer{dst: w} }

// Write implements [io.Writer].
func (w *Writer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), blockSize-len(w.block))
		w.block = append(w.block, p[:n]...)
		p, written = p[n:], written+n
		if len(w.block) == blockSize {
			if err := w.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// Close writes what is buffered and the end mark. It does not close the underlying writer.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	_, err := w.dst.Write([]byte{0, 0, 0, 0})
	return err
}

func (w *Writer) flush() error {
	w.out = w.out[:0]
	if !w.started {
		w.out, w.started = appendHeader(w.out), true
	}
	if n := len(w.block); n > 0 {
		w.out = binary.BigEndian.AppendUint32(w.out, uint32(n))
		at := len(w.out)
		w.out = binary.BigEndian.AppendUint32(w.out, 0)
		w.out = binary.BigEndian.AppendUint32(w.out, adler32.Checksum(w.block))
		body := len(w.out)
		if w.out = w.c.Compress(w.out, w.block); len(w.out)-body >= n {
			w.out = append(w.out[:body], w.block...) // a block that does not get smaller is stored
		}
		binary.BigEndian.PutUint32(w.out[at:], uint32(len(w.out)-body))
		w.block = w.block[:0]
	}
	_, err := w.dst.Write(w.out)
	return err
}

func appendHeader(b []byte) []byte {
	b = append(b, Magic...)
	at := len(b)
	for _, v := range []uint16{0x1030, 0x20a0, levelVersion} { // version, library, needed to read
		b = binary.BigEndian.AppendUint16(b, v)
	}
	b = append(b, 1, 5) // LZO1X-1, level 5
	for _, v := range []uint32{flagAdlerData, 0o100644, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, 0) // no name
	return binary.BigEndian.AppendUint32(b, adler32.Checksum(b[at:]))
}
