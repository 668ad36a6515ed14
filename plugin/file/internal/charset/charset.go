// Package charset turns text of other encodings into UTF-8 and back, for the option encoding of files. What one
// encoding cannot say in the other is an error: no character is ever replaced.
package charset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Charset is an encoding of text. The zero value is UTF-8.
type Charset struct {
	name string
	enc  encoding.Encoding // nil for UTF-8
}

// Lookup finds an encoding by any of its usual names, in any case: utf-8, gbk, gb18030, iso-8859-1, utf-16le ...
// Java's older names, such as ISO8859_1, are usual too. No name is UTF-8.
func Lookup(name string) (Charset, error) {
	name = strings.TrimSpace(name)
	for _, spelling := range []string{name, strings.ReplaceAll(name, "_", "-")} {
		if enc, ok := find(spelling); ok {
			return Charset{name, enc}, nil
		}
	}
	return Charset{}, fmt.Errorf("encoding %q is not known; usual ones are utf-8, gbk, gb18030, iso-8859-1, utf-16", name)
}

// find returns the encoding of a name, nil for UTF-8.
func find(name string) (enc encoding.Encoding, ok bool) {
	name = strings.ToLower(name)
	switch name {
	case "", "utf-8", "utf8":
		return nil, true
	case "utf-16", "utf16":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), true
	case "ascii":
		name = "us-ascii" // the web's index takes ascii and iso8859-1 for windows-1252
	}
	if part, ok := strings.CutPrefix(name, "iso8859-"); ok {
		name = "iso-8859-" + part
	}
	enc, err := ianaindex.IANA.Encoding(name)
	if err != nil || enc == nil {
		enc, err = htmlindex.Get(name)
	}
	return enc, err == nil
}

// UTF8 reports whether text needs no conversion.
func (c Charset) UTF8() bool { return c.enc == nil }

// ErrCharacter says that text holds a character that the encoding lacks, or bytes that are none of its characters.
var ErrCharacter = errors.New("not in the encoding")

// Reader returns r's text as UTF-8.
func (c Charset) Reader(r io.Reader) io.Reader {
	if c.enc == nil {
		return r
	}
	return &strictReader{transform.NewReader(r, c.enc.NewDecoder()), c.name, nil}
}

// strictReader fails at U+FFFD, which decoders put in for bytes that are no character.
type strictReader struct {
	r    io.Reader
	name string
	tail []byte // up to two bytes of a character that the last read cut
}

var replacement = []byte("\uFFFD")

// Read implements io.Reader.
func (s *strictReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	seam := append(s.tail, p[:min(n, len(replacement)-1)]...)
	if bytes.Contains(seam, replacement) || bytes.Contains(p[:n], replacement) {
		return 0, fmt.Errorf("the file holds bytes that are no %s characters: %w", s.name, ErrCharacter)
	}
	if n >= len(replacement) {
		seam = append(seam[:0], p[n-len(replacement)+1:n]...)
	}
	s.tail = seam[max(0, len(seam)-len(replacement)+1):]
	return n, err
}

// Encoder converts UTF-8 text. It belongs to one goroutine.
type Encoder struct {
	name string
	t    transform.Transformer
}

// NewEncoder returns an encoder, nil for UTF-8.
func (c Charset) NewEncoder() *Encoder {
	if c.enc == nil {
		return nil
	}
	return &Encoder{c.name, c.enc.NewEncoder()}
}

// Append converts text and appends it to dst. The text holds whole characters.
func (e *Encoder) Append(dst, text []byte) ([]byte, error) {
	for {
		n, read, err := e.t.Transform(dst[len(dst):cap(dst)], text, false)
		dst, text = dst[:len(dst)+n], text[read:]
		switch {
		case errors.Is(err, transform.ErrShortDst):
			dst = append(dst, make([]byte, 2*len(text)+16)...)[:len(dst)]
		case err != nil:
			return dst, fmt.Errorf("%q cannot be written in %s: %w", excerpt(text), e.name, ErrCharacter)
		default:
			return dst, nil
		}
	}
}

// excerpt is the first few characters of text.
func excerpt(text []byte) string {
	runes := []rune(string(text[:min(len(text), 32)]))
	return string(runes[:min(len(runes), 8)])
}
