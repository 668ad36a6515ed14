package hocon

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/culvertdata/culvert/plugin/config"
)

// scanner walks over a text and knows lines and columns.
type scanner struct {
	src  string
	off  int
	json bool
	// at replaces all positions, for texts that are not the job file itself.
	at *config.Pos

	line, start int // the current line and where it starts
	seen, col   int // col is the column of offset seen, on the current line
}

func newScanner(src string, json bool) scanner {
	return scanner{src: src, json: json, line: 1, col: 1}
}

// syntaxError ends the reading of a member, or of the whole file if fatal.
type syntaxError struct {
	problem config.Problem
	fatal   bool
	// stay says that nothing needs to be skipped before the next member.
	stay bool
}

func (e *syntaxError) Error() string { return e.problem.String() }

func failAt(pos config.Pos, format string, args ...any) error {
	return &syntaxError{problem: config.Problem{Pos: pos, Text: fmt.Sprintf(format, args...)}}
}

func fatalAt(pos config.Pos, format string, args ...any) error {
	return &syntaxError{problem: config.Problem{Pos: pos, Text: fmt.Sprintf(format, args...)}, fatal: true}
}

// pos returns the place of the current offset. It counts runes from the last place asked for, not from the line's
// start, so that long lines cost no more than short ones.
func (s *scanner) pos() config.Pos {
	if s.at != nil {
		return *s.at
	}
	if s.seen < s.start || s.seen > s.off {
		s.seen, s.col = s.start, 1
	}
	s.col += utf8.RuneCountInString(s.src[s.seen:s.off])
	s.seen = s.off
	return config.Pos{Line: s.line, Col: s.col}
}

// peek returns the byte at the current offset, 0 at the end.
func (s *scanner) peek() byte { return s.byteAt(0) }

func (s *scanner) byteAt(ahead int) byte {
	if s.off+ahead < len(s.src) {
		return s.src[s.off+ahead]
	}
	return 0
}

func (s *scanner) end() bool { return s.off >= len(s.src) }

func (s *scanner) has(prefix string) bool { return strings.HasPrefix(s.src[s.off:], prefix) }

func (s *scanner) newline() {
	s.off++
	s.line++
	s.start = s.off
}

// space returns the length of the white space at the current offset, newlines excluded.
func (s *scanner) space() int {
	c := s.peek()
	switch {
	case c == ' ' || c == '\t' || c == '\r':
		return 1
	case s.json || c == '\n':
		return 0
	case c == '\v' || c == '\f' || c >= 0x1c && c <= 0x1f:
		return 1
	case c < utf8.RuneSelf:
		return 0
	}
	r, size := utf8.DecodeRuneInString(s.src[s.off:])
	if unicode.IsSpace(r) || r == '\uFEFF' {
		return size
	}
	return 0
}

func (s *scanner) comment() bool {
	return !s.json && (s.peek() == '#' || s.peek() == '/' && s.byteAt(1) == '/')
}

// blanks skips white space within the line.
func (s *scanner) blanks() {
	for n := s.space(); n > 0; n = s.space() {
		s.off += n
	}
}

// gap skips white space, newlines and comments, and reports whether a newline was among them.
func (s *scanner) gap() bool {
	newline := false
	for !s.end() {
		s.blanks()
		switch {
		case s.peek() == '\n':
			s.newline()
			newline = true
		case s.comment():
			s.restOfLine()
		default:
			return newline
		}
	}
	return newline
}

// restOfLine skips to the end of the line and returns what it skipped.
func (s *scanner) restOfLine() string {
	rest := s.src[s.off:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	s.off += len(rest)
	return rest
}

// here describes what stands at the current offset, for messages.
func (s *scanner) here() string {
	switch {
	case s.end():
		return "the end of the file"
	case s.peek() == '\n':
		return "the end of the line"
	}
	r, _ := utf8.DecodeRuneInString(s.src[s.off:])
	return strconv.QuoteRune(r)
}

// quoted reads a text in double or triple quotes.
func (s *scanner) quoted() (string, error) {
	if !s.json && s.has(`"""`) {
		return s.tripleQuoted()
	}
	open := s.pos()
	s.off++
	from := s.off
	var b strings.Builder
	for !s.end() {
		switch c := s.peek(); {
		case c == '"':
			plain := s.src[from:s.off]
			s.off++
			if b.Len() == 0 {
				return plain, nil
			}
			b.WriteString(plain)
			return b.String(), nil
		case c == '\\':
			b.WriteString(s.src[from:s.off])
			if err := s.escape(&b); err != nil {
				return "", err
			}
			from = s.off
		case c == '\n':
			return "", fatalAt(open, "the quote is not closed on its line%s", s.tripleHint())
		case c < 0x20 && (s.json || c != '\t'):
			return "", fatalAt(s.pos(), "the control character 0x%02x must be written as \\u%04x", c, c)
		default:
			s.off++
		}
	}
	return "", fatalAt(open, "the quote is not closed")
}

func (s *scanner) tripleHint() string {
	if s.json {
		return `; write a newline as \n`
	}
	return `; write a newline as \n, or use """ for texts of several lines`
}

// tripleQuoted reads a raw text. Quotes beyond three at its end belong to it.
func (s *scanner) tripleQuoted() (string, error) {
	open := s.pos()
	s.off += 3
	i := strings.Index(s.src[s.off:], `"""`)
	if i < 0 {
		return "", fatalAt(open, `the text after """ is not closed with """`)
	}
	stop := s.off + i
	for stop+3 < len(s.src) && s.src[stop+3] == '"' {
		stop++
	}
	text := s.src[s.off:stop]
	if n := strings.Count(text, "\n"); n > 0 {
		s.line += n
		s.start = s.off + strings.LastIndexByte(text, '\n') + 1
	}
	s.off = stop + 3
	return text, nil
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads a backslash and what it stands for.
func (s *scanner) escape(b *strings.Builder) error {
	c := s.byteAt(1)
	if plain, ok := escapes[c]; ok {
		b.WriteByte(plain)
		s.off += 2
		return nil
	}
	if c != 'u' {
		pos := s.pos()
		s.off++
		return fatalAt(pos, `a backslash before %s means nothing; write \\ for a backslash`, s.here())
	}
	r, ok := s.hex4(2)
	if !ok {
		return fatalAt(s.pos(), `\u needs four hexadecimal digits`)
	}
	pos := s.pos()
	s.off += 6
	if !utf16.IsSurrogate(r) {
		b.WriteRune(r)
		return nil
	}
	low, ok := s.hex4(2)
	pair := utf16.DecodeRune(r, low)
	if !ok || s.peek() != '\\' || s.byteAt(1) != 'u' || pair == unicode.ReplacementChar {
		return fatalAt(pos, `\u%04x is half of a character; the other half must follow it`, r)
	}
	s.off += 6
	b.WriteRune(pair)
	return nil
}

func (s *scanner) hex4(ahead int) (rune, bool) {
	if s.off+ahead+4 > len(s.src) {
		return 0, false
	}
	n, err := strconv.ParseUint(s.src[s.off+ahead:s.off+ahead+4], 16, 16)
	return rune(n), err == nil
}

// special are the characters that unquoted texts cannot hold.
const special = "$\"{}[]:=,+#`^?!@*&\\"

// unquoted reads text up to a special character, a comment or the end of the line; white space is part of it.
func (s *scanner) unquoted() string {
	from := s.off
	for !s.end() {
		c := s.peek()
		switch {
		case c == '\n' || c == '/' && s.byteAt(1) == '/':
			return s.src[from:s.off]
		case c == '+' && exponent(s.src[from:s.off]):
		case c < utf8.RuneSelf && strings.IndexByte(special, c) >= 0:
			return s.src[from:s.off]
		}
		s.off++
	}
	return s.src[from:s.off]
}

// exponent reports whether a number is read up to its exponent, so that a plus may follow.
func exponent(text string) bool {
	if text == "" || text[len(text)-1]|0x20 != 'e' {
		return false
	}
	_, err := strconv.ParseFloat(text[:len(text)-1], 64)
	return err == nil && (text[0] == '-' || text[0] >= '0' && text[0] <= '9')
}

// classify returns what an unquoted text is. Only what JSON takes for a number is one: 007 is a text.
func classify(text string) config.Kind {
	switch text {
	case "true", "false":
		return config.Bool
	case "null":
		return config.Null
	}
	if isNumber(text) {
		return config.Number
	}
	return config.String
}

func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, rest := digits(s)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if strings.HasPrefix(rest, ".") {
		fraction, after := digits(rest[1:])
		if fraction == "" {
			return false
		}
		rest = after
	}
	if rest != "" && rest[0]|0x20 == 'e' {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		exp, after := digits(rest)
		return exp != "" && after == ""
	}
	return rest == ""
}

func digits(s string) (head, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}
