package delimited

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// delimiter finds where a field ends.
type delimiter struct {
	single bool
	one    byte           // the delimiter, if it is a single byte
	many   []byte         // the delimiter, if it is a fixed text of several bytes
	regex  *regexp.Regexp // nil with all others nil: the line is one field
}

// find returns the bounds of the first delimiter in b, or len(b) twice.
func (d *delimiter) find(b []byte) (start, end int) {
	if d.single {
		if i := bytes.IndexByte(b, d.one); i >= 0 {
			return i, i + 1
		}
		return len(b), len(b)
	}
	return d.findOther(b)
}

func (d *delimiter) findOther(b []byte) (start, end int) {
	if d.regex != nil {
		if m := d.regex.FindIndex(b); m != nil {
			return m[0], m[1]
		}
	} else if d.many != nil {
		if i := bytes.Index(b, d.many); i >= 0 {
			return i, i + len(d.many)
		}
	}
	return len(b), len(b)
}

func literal(text string) delimiter {
	if len(text) == 1 {
		return delimiter{single: true, one: text[0]}
	}
	return delimiter{many: []byte(text)}
}

// textDelimiter reads field_delimiter of the format text, which SeaTunnel takes for a regular expression. One that
// stands for a fixed text, such as \\| or \t, is searched as such.
func textDelimiter(option string) (delimiter, error) {
	if option == "" {
		return literal("\x01"), nil
	}
	if text, ok := fixedText(option); ok && text != "" {
		return literal(text), nil
	}
	re, err := regexp.Compile(option)
	if err != nil {
		return delimiter{}, fmt.Errorf("field_delimiter %q is no regular expression: %w", option, err)
	}
	if re.MatchString("") {
		return delimiter{}, fmt.Errorf("field_delimiter %q also matches nothing at all; characters like | are written \\\\|",
			option)
	}
	return delimiter{regex: re}, nil
}

// fixedText resolves the escapes of an expression that matches one text only.
func fixedText(expr string) (string, bool) {
	var text strings.Builder
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		if c != '\\' {
			if strings.IndexByte(`.|()[]{}*+?^$`, c) >= 0 {
				return "", false
			}
			text.WriteByte(c)
			continue
		}
		if i++; i == len(expr) {
			return "", false
		}
		switch c := expr[i]; c {
		case 't', 'n', 'r', 'f', 'a', 'e':
			text.WriteByte(map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': 7, 'e': 27}[c])
		case 'x', 'u':
			digits := map[byte]int{'x': 2, 'u': 4}[c]
			r, ok := hexRune(expr[i+1:], digits)
			if !ok {
				return "", false
			}
			text.WriteRune(r)
			i += digits
		default:
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
				return "", false // a class or a reference
			}
			text.WriteByte(c)
		}
	}
	return text.String(), true
}

func hexRune(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:digits], 16, 32)
	return rune(n), err == nil
}

// csvDelimiter reads field_delimiter of the format csv: its first character, a comma by default.
func csvDelimiter(option string) (delimiter, error) {
	if option == "" {
		return literal(","), nil
	}
	r, size := utf8.DecodeRuneInString(option)
	if r == '"' || r == '\n' || r == '\r' {
		return delimiter{}, fmt.Errorf("field_delimiter of csv cannot be %q", r)
	}
	return literal(option[:size]), nil
}
