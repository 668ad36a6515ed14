package column

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

var errJSON = errors.New("not valid JSON")

// maxDepth bounds how deep JSON may nest.
const maxDepth = 512

// scanner walks over JSON text in place.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errJSON, what, s.at)
}

// peek skips blanks and returns the next character, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take skips blanks and the character c if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// value returns the text of the next value, which is checked, without blanks around it.
func (s *scanner) value(depth int) ([]byte, error) {
	c := s.peek()
	from := s.at
	var err error
	switch {
	case c == '"':
		_, _, err = s.quoted()
	case c == '{' || c == '[':
		err = s.skipNested(c, depth)
	case c == '-' || c >= '0' && c <= '9':
		err = s.skipNumber()
	default:
		err = s.skipWord()
	}
	return s.text[from:s.at], err
}

func (s *scanner) skipWord() error {
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(s.text[s.at:], view(word)) {
			s.at += len(word)
			return nil
		}
	}
	if s.at == len(s.text) {
		return s.fail("it ends too early")
	}
	return s.fail("no value starts here")
}

func (s *scanner) skipDigits() bool {
	from := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > from
}

func (s *scanner) next(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) skipNumber() error {
	s.next('-')
	if !s.next('0') && !s.skipDigits() {
		return s.fail("a digit is missing")
	}
	if s.next('.') && !s.skipDigits() {
		return s.fail("a digit is missing")
	}
	if s.next('e') || s.next('E') {
		if !s.next('-') {
			s.next('+')
		}
		if !s.skipDigits() {
			return s.fail("a digit is missing")
		}
	}
	return nil
}

func (s *scanner) skipNested(open byte, depth int) error {
	if depth >= maxDepth {
		return s.fail("it nests too deep")
	}
	s.at++
	end := byte('}')
	if open == '[' {
		end = ']'
	}
	if s.take(end) {
		return nil
	}
	for {
		if open == '{' {
			if _, _, err := s.key(); err != nil {
				return err
			}
		}
		if _, err := s.value(depth + 1); err != nil {
			return err
		}
		if s.take(end) {
			return nil
		}
		if !s.take(',') {
			return s.fail("a comma is missing")
		}
	}
}

// key reads a member's name and the colon behind it. The name is still escaped if escaped is set.
func (s *scanner) key() (name []byte, escaped bool, err error) {
	if s.peek() != '"' {
		return nil, false, s.fail("a member's name is missing")
	}
	if name, escaped, err = s.quoted(); err != nil {
		return nil, false, err
	}
	if !s.take(':') {
		return nil, false, s.fail("a colon is missing")
	}
	return name, escaped, nil
}

// quoted reads a text and returns what is between its quotes.
func (s *scanner) quoted() (inner []byte, escaped bool, err error) {
	from := s.at + 1
	for i := from; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return s.text[from:i], escaped, nil
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			s.at = i
			return nil, false, s.fail("a control character is not escaped")
		}
	}
	s.at = len(s.text)
	return nil, false, s.fail("a quote is missing")
}

// unescape appends the text that inner stands for.
func unescape(dst, inner []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(inner, '\\')
		if i < 0 {
			return append(dst, inner...), nil
		}
		dst = append(dst, inner[:i]...)
		inner = inner[i+1:]
		if len(inner) == 0 {
			return dst, fmt.Errorf("%w: an escape is not complete", errJSON)
		}
		if inner[0] == 'u' {
			r, n, err := unescapeRune(inner)
			if err != nil {
				return dst, err
			}
			dst = utf8.AppendRune(dst, r)
			inner = inner[n:]
			continue
		}
		c, ok := escapeOf(inner[0])
		if !ok {
			return dst, fmt.Errorf("%w: unknown escape \\%c", errJSON, inner[0])
		}
		dst = append(dst, c)
		inner = inner[1:]
	}
}

func escapeOf(c byte) (byte, bool) {
	switch c {
	case '"', '\\', '/':
		return c, true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

// unescapeRune reads uXXXX, or two of them for characters beyond U+FFFF, and returns how many bytes it took.
func unescapeRune(s []byte) (rune, int, error) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0, fmt.Errorf("%w: an escape is not complete", errJSON)
	}
	if !utf16.IsSurrogate(r) {
		return r, 5, nil
	}
	if len(s) >= 11 && s[5] == '\\' {
		if low, ok := hex4(s[6:]); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return full, 11, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("%w: half of a surrogate pair is no character", errJSON)
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 5 || s[0] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[1:5] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// appendCompact appends checked JSON without the blanks between its parts.
func appendCompact(dst, text []byte) []byte {
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\\':
			dst = append(dst, c)
			i++
			c = text[i]
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
