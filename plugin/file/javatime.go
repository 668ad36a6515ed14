package file

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// javaTime is a pattern of Java's DateTimeFormatter, resolved: each part is text or a field of a time.
type javaTime []func(b []byte, t time.Time) []byte

// Format returns a time in the pattern's form.
func (j javaTime) Format(t time.Time) string {
	var b []byte
	for _, part := range j {
		b = part(b, t)
	}
	return string(b)
}

// parseJavaTime reads a pattern. It knows the letters y, u, M, d, H, h, m, s, S, a and E, text in single quotes, and
// all characters that are no letters.
func parseJavaTime(pattern string) (javaTime, error) {
	var j javaTime
	for rest := pattern; rest != ""; {
		c := rest[0]
		n := len(rest) - len(strings.TrimLeft(rest, string(c)))
		switch {
		case c == '\'':
			text, after, err := quotedText(rest)
			if err != nil {
				return nil, fmt.Errorf("time pattern %q: %w", pattern, err)
			}
			j, rest = append(j, text), after
			continue
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			field := timeField(c, n)
			if field == nil {
				return nil, fmt.Errorf("time pattern %q: %s is not supported; use yyyy, yy, MM, dd, HH, hh, mm, ss, SSS, a, "+
					"E or text in single quotes", pattern, rest[:n])
			}
			j = append(j, field)
		default:
			j = append(j, fixed(rest[:n]))
		}
		rest = rest[n:]
	}
	return j, nil
}

// quotedText reads text in single quotes, in which two of them are one.
func quotedText(s string) (part func([]byte, time.Time) []byte, rest string, err error) {
	if strings.HasPrefix(s, "''") {
		return fixed("'"), s[2:], nil
	}
	var text strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			text.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != '\'' {
			return fixed(text.String()), s[i+1:], nil
		}
		text.WriteByte('\'')
		i++
	}
	return nil, "", fmt.Errorf("a single quote is not closed")
}

func fixed(text string) func([]byte, time.Time) []byte {
	return func(b []byte, _ time.Time) []byte { return append(b, text...) }
}

// timeField returns what n times the letter c stand for, nil if that is not known.
func timeField(c byte, n int) func([]byte, time.Time) []byte {
	layout := map[string]string{"MMM": "Jan", "MMMM": "January", "a": "PM", "E": "Mon", "EE": "Mon", "EEE": "Mon",
		"EEEE": "Monday"}[strings.Repeat(string(c), n)]
	if layout != "" {
		return func(b []byte, t time.Time) []byte { return t.AppendFormat(b, layout) }
	}
	number := func(get func(t time.Time) int) func([]byte, time.Time) []byte {
		return func(b []byte, t time.Time) []byte { return padded(b, get(t), n) }
	}
	switch {
	case (c == 'y' || c == 'u') && n == 2:
		return number(func(t time.Time) int { return t.Year() % 100 })
	case (c == 'y' || c == 'u') && n <= 4:
		return number(time.Time.Year)
	case c == 'S' && n <= 9:
		return func(b []byte, t time.Time) []byte { return append(b, padded(nil, t.Nanosecond(), 9)[:n]...) }
	case n > 2:
		return nil
	case c == 'M':
		return number(func(t time.Time) int { return int(t.Month()) })
	case c == 'd':
		return number(time.Time.Day)
	case c == 'H':
		return number(time.Time.Hour)
	case c == 'h':
		return number(func(t time.Time) int { return (t.Hour()+11)%12 + 1 })
	case c == 'm':
		return number(time.Time.Minute)
	case c == 's':
		return number(time.Time.Second)
	}
	return nil
}

func padded(b []byte, v, digits int) []byte {
	text := strconv.Itoa(v)
	for i := len(text); i < digits; i++ {
		b = append(b, '0')
	}
	return append(b, text...)
}
