package native

import (
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"
)

// errForm is what a stream gives that is not in the Native format.
var errForm = errors.New("the server's answer is not in the Native format")

const (
	bufferSize = 256 << 10
	// longest is the size of the longest text that is read.
	longest = 1 << 30
)

// stream reads bytes and hashes those that were consumed.
type stream struct {
	src    io.Reader
	buf    []byte
	r, w   int // unread bytes are buf[r:w]
	hashed int // consumed bytes are hashed up to here
	hash   *xxhash.Digest
	clean  bool // the source came to its end, and was not cut
}

func newStream(src io.Reader) *stream {
	return &stream{src: src, buf: make([]byte, bufferSize), hash: xxhash.New()}
}

// more makes at least n unread bytes available in the buffer.
func (s *stream) more(n int) error {
	s.note()
	if s.r > 0 {
		copy(s.buf, s.buf[s.r:s.w])
		s.w, s.r, s.hashed = s.w-s.r, 0, 0
	}
	for s.w < n {
		if s.w == len(s.buf) { // grown as bytes come, so that a wrong length costs nothing
			s.buf = append(s.buf, make([]byte, len(s.buf))...)
		}
		got, err := s.src.Read(s.buf[s.w:])
		s.w += got
		if err != nil && s.w < n {
			if errors.Is(err, io.EOF) {
				s.clean = true
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// note hashes what was consumed.
func (s *stream) note() {
	if s.r > s.hashed {
		_, _ = s.hash.Write(s.buf[s.hashed:s.r])
		s.hashed = s.r
	}
}

// sum returns the hash of all bytes that were consumed.
func (s *stream) sum() uint64 {
	s.note()
	return s.hash.Sum64()
}

// ended reports whether nothing is left.
func (s *stream) ended() (bool, error) {
	if s.r < s.w {
		return false, nil
	}
	err := s.more(1)
	if err != nil && s.clean {
		return true, nil
	}
	return false, err
}

// take returns the next n bytes, which are good until the next call.
func (s *stream) take(n int) ([]byte, error) {
	if s.w-s.r < n {
		if err := s.more(n); err != nil {
			return nil, err
		}
	}
	b := s.buf[s.r : s.r+n]
	s.r += n
	return b, nil
}

// fill reads into dst, past the buffer where that saves a copy.
func (s *stream) fill(dst []byte) error {
	n := copy(dst, s.buf[s.r:s.w])
	s.r += n
	if n == len(dst) {
		return nil
	}
	s.note()
	if _, err := io.ReadFull(s.src, dst[n:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	_, _ = s.hash.Write(dst[n:])
	return nil
}

func (s *stream) uvarint() (uint64, error) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if s.r == s.w {
			if err := s.more(1); err != nil {
				return 0, err
			}
		}
		b := s.buf[s.r]
		s.r++
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, errForm
}

// text reads a length and so many bytes, which are good until the next call.
func (s *stream) text() ([]byte, error) {
	n, err := s.uvarint()
	if err != nil {
		return nil, err
	}
	if n > longest {
		return nil, fmt.Errorf("%w: a text of %d bytes", errForm, n)
	}
	return s.take(int(n))
}

// rest returns up to n of the bytes that are left, for a message.
func (s *stream) rest(n int) []byte {
	_ = s.more(n) // whatever there is
	return s.buf[s.r:min(s.w, s.r+n)]
}
