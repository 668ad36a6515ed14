package ddl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // a name or a keyword without quotes
	nameToken             // a quoted name
	textToken             // a quoted text
	numberToken           // digits, perhaps with a point and an exponent, or 0x1f
	signToken             // any other character
)

type token struct {
	kind tokenKind
	text string // without quotes and escapes
	at   int    // where it starts
}

// lexer cuts a statement into tokens. Comments are left out, but for those with a version that the server runs.
type lexer struct {
	sql      string
	o        Options
	at       int
	versions int // version comments that are open
	tokens   []token
}

// tokens cuts a statement into tokens; the last one is the end.
func tokens(sql string, o Options) ([]token, error) {
	l := &lexer{sql: sql, o: o}
	for {
		if err := l.space(); err != nil {
			return nil, err
		}
		if l.at >= len(sql) {
			l.add(endToken, "", len(sql))
			return l.tokens, nil
		}
		if err := l.token(); err != nil {
			return nil, err
		}
	}
}

func (l *lexer) add(kind tokenKind, text string, at int) {
	l.tokens = append(l.tokens, token{kind, text, at})
}

func (l *lexer) has(prefix string) bool { return strings.HasPrefix(l.sql[l.at:], prefix) }

// space steps over white space and comments.
func (l *lexer) space() error {
	for l.at < len(l.sql) {
		c := l.sql[l.at]
		switch {
		case c == ' ' || c >= '\t' && c <= '\r' || c == 0:
			l.at++
		case c == '#' || l.has("--") && (l.at+2 == len(l.sql) || l.sql[l.at+2] <= ' '):
			l.line()
		case l.has("/*"):
			if err := l.comment(); err != nil {
				return err
			}
		case l.versions > 0 && l.has("*/"):
			l.versions--
			l.at += 2
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) line() {
	end := strings.IndexByte(l.sql[l.at:], '\n')
	if end < 0 {
		end = len(l.sql) - l.at
	}
	l.at += end
}

// comment steps over a comment, or into one that the server runs.
func (l *lexer) comment() error {
	if n, runs := l.version(); runs {
		l.at += n
		l.versions++
		return nil
	}
	end := strings.Index(l.sql[l.at+2:], "*/")
	if end < 0 {
		return notUnderstood("the comment at %d has no end", l.at)
	}
	l.at += 2 + end + 2
	return nil
}

// version reads the head of a comment such as /*!50701 or /*M!100100 and reports whether the server runs it. MariaDB
// leaves out those of MySQL 5.7 and later.
func (l *lexer) version() (size int, runs bool) {
	rest := l.sql[l.at+2:]
	switch {
	case strings.HasPrefix(rest, "!"):
		size = 3
	case strings.HasPrefix(rest, "M!"):
		if !l.o.MariaDB {
			return 0, false
		}
		size = 4
	default:
		return 0, false
	}
	mariaOnly := size == 4
	digits := l.sql[l.at+size:]
	n := 0
	for n < len(digits) && n < 6 && digits[n] >= '0' && digits[n] <= '9' {
		n++
	}
	if n < 5 {
		return size, true
	}
	version, err := strconv.Atoi(digits[:n])
	if err != nil {
		return 0, false
	}
	const firstOfMySQL, lastOfMySQL = 50700, 99999
	if l.o.MariaDB && !mariaOnly && version >= firstOfMySQL && version <= lastOfMySQL {
		return 0, false
	}
	return size + n, l.o.Version == 0 || version <= l.o.Version
}

// token reads one token.
func (l *lexer) token() error {
	from := l.at
	switch c := l.sql[l.at]; {
	case c == '`':
		return l.quoted(nameToken, from)
	case c == '"' && l.o.ANSIQuotes:
		return l.quoted(nameToken, from)
	case c == '\'' || c == '"':
		return l.quoted(textToken, from)
	case isDigit(c) || c == '.' && l.at+1 < len(l.sql) && isDigit(l.sql[l.at+1]) && !l.afterName():
		l.number()
	case isName(c):
		l.word()
	default:
		_, n := utf8.DecodeRuneInString(l.sql[l.at:])
		l.at += n
		l.add(signToken, l.sql[from:l.at], from)
	}
	return nil
}

// afterName reports whether the last token may be a name, so that a point behind it is no number's.
func (l *lexer) afterName() bool {
	if len(l.tokens) == 0 {
		return false
	}
	last := l.tokens[len(l.tokens)-1].kind
	return last == wordToken || last == nameToken
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isName(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// number reads a number, or a name that starts with digits.
func (l *lexer) number() {
	from := l.at
	for l.at < len(l.sql) && isDigit(l.sql[l.at]) {
		l.at++
	}
	if l.at < len(l.sql) && isName(l.sql[l.at]) && !l.exponent() {
		l.word()
		l.tokens[len(l.tokens)-1].text = l.sql[from:l.at]
		if strings.HasPrefix(l.sql[from:l.at], "0x") || strings.HasPrefix(l.sql[from:l.at], "0b") {
			l.tokens[len(l.tokens)-1].kind = numberToken
		}
		return
	}
	if l.at < len(l.sql) && l.sql[l.at] == '.' {
		l.at++
		for l.at < len(l.sql) && isDigit(l.sql[l.at]) {
			l.at++
		}
	}
	if l.exponent() {
		l.at += 2
		for l.at < len(l.sql) && isDigit(l.sql[l.at]) {
			l.at++
		}
	}
	l.add(numberToken, l.sql[from:l.at], from)
}

// exponent reports whether e5, e+5 or e-5 follows.
func (l *lexer) exponent() bool {
	rest := l.sql[l.at:]
	if len(rest) < 2 || rest[0]|0x20 != 'e' {
		return false
	}
	if rest[1] == '+' || rest[1] == '-' {
		return len(rest) > 2 && isDigit(rest[2])
	}
	return isDigit(rest[1])
}

// word reads a name or a keyword, or a text with a letter in front: N'text', x'ff', b'01', _utf8'text'.
func (l *lexer) word() {
	from := l.at
	for l.at < len(l.sql) && isName(l.sql[l.at]) {
		l.at++
	}
	l.add(wordToken, l.sql[from:l.at], from)
}

// quoted reads a quoted name or text. Quotes in it are doubled or, in texts, escaped.
func (l *lexer) quoted(kind tokenKind, from int) error {
	quote := l.sql[l.at]
	escapes := kind == textToken && !l.o.NoBackslash
	var b strings.Builder
	for l.at++; l.at < len(l.sql); l.at++ {
		c := l.sql[l.at]
		switch {
		case c == quote && l.at+1 < len(l.sql) && l.sql[l.at+1] == quote:
			l.at++
			b.WriteByte(quote)
		case c == quote:
			l.at++
			l.add(kind, b.String(), from)
			return nil
		case c == '\\' && escapes && l.at+1 < len(l.sql):
			l.at++
			b.WriteString(unescape(l.sql[l.at]))
		default:
			b.WriteByte(c)
		}
	}
	return notUnderstood("the quote at %d has no end", from)
}

// unescape returns what a character behind a backslash stands for.
func unescape(c byte) string {
	switch c {
	case '0':
		return "\x00"
	case 'b':
		return "\b"
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case 'Z':
		return "\x1a"
	case '%', '_':
		return `\` + string(rune(c))
	}
	return string([]byte{c})
}

func notUnderstood(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotUnderstood, fmt.Sprintf(format, args...))
}
