package lines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/charset"
)

// readSize is how much is asked of a file at a time.
const readSize = 512 << 10

// DefaultMaxRecord is the size in bytes above which a line is refused if the options say nothing else.
const DefaultMaxRecord = 64 << 20

var byteOrderMark = []byte("\xEF\xBB\xBF")

// Scanner finds the lines of a range. Its zero value is closed.
type Scanner struct {
	// MaxRecord bounds the bytes of one line; 0 means DefaultMaxRecord.
	MaxRecord int
	// Charset is the file's encoding; offsets count bytes of its text as UTF-8.
	Charset charset.Charset
	// Header is the number of lines to skip at the start of the file.
	Header int64

	name string
	src  io.ReadCloser
	read io.Reader
	buf  []byte
	at   int   // start of what is not consumed
	to   int   // end of the whole lines in buf, or of all data after the file's end
	fill int   // end of the data
	base int64 // offset in the file of buf[0]
	end  int64 // of the range, -1 for the file's end
	row  int64 // lines before at, -1 if unknown
	eof  bool
	last bool // the range's last line is in buf
}

// Open starts a range, at its start if from is nil, else there.
func (s *Scanner) Open(_ context.Context, in format.Input, r format.Range, from *format.Position) error {
	start, exact := r.Start, false
	s.row = -1
	switch {
	case from != nil:
		start, exact, s.row = from.At, true, from.Row
	case start == 0:
		exact, s.row = true, 0
	default:
		start-- // whether a line begins at the start is said by the byte before
	}
	if err := s.openAt(in, start); err != nil {
		return err
	}
	s.name, s.base, s.end = in.Name, start, r.End
	s.at, s.to, s.fill, s.eof, s.last = 0, 0, 0, false, false
	switch {
	case !exact:
		return s.skipLines(1)
	case start == 0:
		return s.skipStart()
	default:
		return nil
	}
}

func (s *Scanner) openAt(in format.Input, start int64) error {
	at := start
	if !s.Charset.UTF8() {
		at = 0 // offsets are those of the converted text
	}
	src, err := in.Stream(at)
	if err != nil {
		return err
	}
	s.src, s.read = src, s.Charset.Reader(src)
	if at == start {
		return nil
	}
	if _, err := io.CopyN(io.Discard, s.read, start); err != nil {
		return fmt.Errorf("%s: cannot go to offset %d: %w", in.Name, start, err)
	}
	return nil
}

// skipStart skips what a file has in front of its rows: a byte order mark and header lines.
func (s *Scanner) skipStart() error {
	for s.fill < len(byteOrderMark) && !s.eof {
		if err := s.More(); err != nil {
			return err
		}
	}
	if bytes.HasPrefix(s.buf[:s.fill], byteOrderMark) {
		s.at = len(byteOrderMark)
	}
	return s.skipLines(s.Header)
}

func (s *Scanner) skipLines(n int64) error {
	for ; n > 0; n-- {
		i := bytes.IndexByte(s.buf[s.at:s.fill], '\n')
		for i < 0 && !s.eof {
			if err := s.More(); err != nil {
				return err
			}
			i = bytes.IndexByte(s.buf[s.at:s.fill], '\n')
		}
		if i < 0 {
			s.at = s.fill
			break
		}
		s.at += i + 1
		if s.row >= 0 {
			s.row++
		}
	}
	s.limit()
	return nil
}

// limit finds the end of the whole lines in the buffer that belong to the range.
func (s *Scanner) limit() {
	s.to = s.fill
	if s.end >= 0 && s.base+int64(s.at) >= s.end {
		s.to, s.last = s.at, true
		return
	}
	if s.end >= 0 && s.base+int64(s.fill) >= s.end {
		from := int(s.end - 1 - s.base)
		if i := bytes.IndexByte(s.buf[from:s.fill], '\n'); i >= 0 {
			s.to, s.last = from+i+1, true
			return
		}
	}
	if s.eof {
		s.last = true
		return
	}
	s.to = s.at + bytes.LastIndexByte(s.buf[s.at:s.fill], '\n') + 1
}

// Data returns whole lines that were not consumed yet, each with its newline; only the file's last one may lack it.
// final says that nothing follows.
func (s *Scanner) Data() (lines []byte, final bool) { return s.buf[s.at:s.to], s.last }

// Advance consumes n bytes of Data, which are so many lines.
func (s *Scanner) Advance(n, lines int) {
	s.at += n
	if s.row >= 0 {
		s.row += int64(lines)
	}
}

// Position returns the place in front of Data.
func (s *Scanner) Position() format.Position {
	return format.Position{At: s.base + int64(s.at), Row: s.row}
}

// More reads on, so that Data returns more. At the file's end it changes nothing but final.
func (s *Scanner) More() error {
	s.makeRoom()
	if s.fill-s.at > s.maxRecord() {
		return s.Error(0, 0, fmt.Errorf("a line is longer than %d bytes", s.maxRecord()),
			"check row and field delimiters, or raise max.record.size")
	}
	n, err := io.ReadAtLeast(s.read, s.buf[s.fill:], 1)
	s.fill += n
	switch {
	case err == io.EOF:
		s.eof = true
	case err != nil:
		return s.readError(err)
	}
	s.limit()
	return nil
}

// makeRoom moves what is not consumed to the front of the buffer, which grows if that is most of it.
func (s *Scanner) makeRoom() {
	kept := s.fill - s.at
	if want := kept + readSize; want > len(s.buf) {
		bigger := make([]byte, 2*want)
		copy(bigger, s.buf[s.at:s.fill])
		s.buf = bigger
	} else {
		copy(s.buf, s.buf[s.at:s.fill])
	}
	s.base += int64(s.at)
	s.at, s.to, s.fill = 0, s.to-s.at, kept
}

func (s *Scanner) maxRecord() int {
	if s.MaxRecord > 0 {
		return s.MaxRecord
	}
	return DefaultMaxRecord
}

func (s *Scanner) readError(err error) error {
	fix := ""
	if errors.Is(err, charset.ErrCharacter) {
		fix = "set encoding to what the file is in"
	}
	return s.Error(s.fill-s.at, 0, err, fix)
}

// Error makes an error about a place in Data: so many bytes and lines behind its start.
func (s *Scanner) Error(offset, lines int, err error, fix string) error {
	where := fmt.Sprintf("%s, byte offset %d", s.name, s.base+int64(s.at+offset))
	if s.row >= 0 {
		where = fmt.Sprintf("%s, line %d", s.name, s.row+int64(lines)+1)
	}
	return &plugin.Error{Code: plugin.CodeData, Row: where, Err: err, Fix: fix}
}

// Close ends the range.
func (s *Scanner) Close() error {
	if s.src == nil {
		return nil
	}
	err := s.src.Close()
	s.src, s.read = nil, nil
	if len(s.buf) > 8*readSize {
		s.buf = nil
	}
	return err
}
