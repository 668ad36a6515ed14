package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/internal/lines"
)

// parser finds the members of one object a line.
type parser struct {
	names []string
	types []plugin.Type
	index map[string]int
}

// Find implements lines.Parser.
func (p *parser) Find(g *lines.Group, final bool) (n, line int, err error) {
	for n < len(g.Data) && !g.Full() {
		end, next := len(g.Data), len(g.Data)
		if i := bytes.IndexByte(g.Data[n:], '\n'); i >= 0 {
			end, next = n+i, n+i+1
		}
		g.Begin(n, line)
		if start := skipSpace(g.Data[:end], n); start < end {
			if err := p.object(g, g.Data[:end], start); err != nil {
				return n, line, err
			}
			g.End(next, line+1)
		}
		n, line = next, line+1
	}
	return n, line, nil
}

var (
	errNoObject = errors.New("the line is no JSON object")
	errOpen     = errors.New("the JSON object does not end on its line")
)

// object notes where the values of the object at start are. b ends with the line.
func (p *parser) object(g *lines.Group, b []byte, start int) error {
	if b[start] != '{' {
		return lines.WithFix(errNoObject, "a json file has one object a line, no arrays and no line breaks inside")
	}
	for i := range p.names {
		g.Column(i)[g.Rows] = lines.NoValue
	}
	expect := 0
	at := skipSpace(b, start+1)
	if at < len(b) && b[at] == '}' {
		return end(b, at+1)
	}
	for {
		key, after, err := readKey(b, at)
		if err != nil {
			return err
		}
		if at, err = skipColon(b, after); err != nil {
			return err
		}
		stop, err := skipValue(b, at)
		if err != nil {
			return err
		}
		if i := p.column(key, expect); i >= 0 {
			expect = i + 1
			f := lines.NoValue
			if b[at] != 'n' {
				f = lines.Field{Start: uint32(at), Len: int32(stop - at)}
			}
			g.Column(i)[g.Rows] = f
		}
		switch at = skipSpace(b, stop); {
		case at == len(b):
			return lines.WithFix(errOpen, "a json file has one object a line, without line breaks inside")
		case b[at] == '}':
			return end(b, at+1)
		case b[at] != ',':
			return fmt.Errorf("the JSON is broken: %q where a comma or a closing brace should be", excerpt(b[at:]))
		}
		at = skipSpace(b, at+1)
	}
}

// column finds the column of a key. Members mostly come in the order of the schema.
func (p *parser) column(key []byte, expect int) int {
	if expect < len(p.names) && p.names[expect] == string(key) {
		return expect
	}
	if i, ok := p.index[string(key)]; ok {
		return i
	}
	return -1
}

func end(b []byte, at int) error {
	if at = skipSpace(b, at); at < len(b) {
		return fmt.Errorf("the JSON object is followed by %q", excerpt(b[at:]))
	}
	return nil
}

// readKey reads a member's name, without its quotes and escapes.
func readKey(b []byte, at int) (key []byte, after int, err error) {
	if at >= len(b) {
		return nil, 0, lines.WithFix(errOpen, "a json file has one object a line, without line breaks inside")
	}
	if b[at] != '"' {
		return nil, 0, fmt.Errorf("the JSON is broken: %q where a name in quotes should be", excerpt(b[at:]))
	}
	if after, err = skipString(b, at); err != nil {
		return nil, 0, err
	}
	key = b[at+1 : after-1]
	if bytes.IndexByte(key, '\\') < 0 {
		return key, after, nil
	}
	var name string
	if err := json.Unmarshal(b[at:after], &name); err != nil {
		return nil, 0, fmt.Errorf("the JSON is broken: name %s: %w", b[at:after], err)
	}
	return []byte(name), after, nil
}

func skipColon(b []byte, at int) (int, error) {
	at = skipSpace(b, at)
	if at >= len(b) || b[at] != ':' {
		return 0, fmt.Errorf("the JSON is broken: %q where a colon should be", excerpt(b[at:]))
	}
	return skipSpace(b, at+1), nil
}

func skipSpace(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t' || b[at] == '\r' || b[at] == '\n') {
		at++
	}
	return at
}

// skipString returns the end of the string that begins with the quote at at.
func skipString(b []byte, at int) (int, error) {
	for from := at + 1; ; {
		i := bytes.IndexByte(b[from:], '"')
		if i < 0 {
			return 0, lines.WithFix(errors.New("the JSON is broken: a text has no closing quote on its line"),
				"line breaks inside of a text are written \\n")
		}
		from += i + 1
		slashes := 0
		for b[from-2-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return from, nil
		}
	}
}

// skipValue returns the end of the value at at.
func skipValue(b []byte, at int) (int, error) {
	if at >= len(b) {
		return 0, lines.WithFix(errOpen, "a json file has one object a line, without line breaks inside")
	}
	switch b[at] {
	case '"':
		return skipString(b, at)
	case '{', '[':
		return skipNested(b, at)
	}
	stop := at
	for stop < len(b) && scalar[b[stop]] {
		stop++
	}
	if stop == at {
		return 0, fmt.Errorf("the JSON is broken: %q where a value should be", excerpt(b[at:]))
	}
	return stop, checkWord(b[at:stop])
}

// checkWord checks a value that is no text, object or array; numbers are checked where they are converted.
func checkWord(w []byte) error {
	switch c := w[0]; {
	case c == '-' || c >= '0' && c <= '9':
		return nil
	case string(w) == "null" || string(w) == "true" || string(w) == "false":
		return nil
	}
	return fmt.Errorf("the JSON is broken: %q is no value", excerpt(w))
}

// scalar marks the bytes of numbers and words.
var scalar = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	return t
}()

// skipNested returns the end of an object or array.
func skipNested(b []byte, at int) (int, error) {
	depth := 0
	for at < len(b) {
		switch b[at] {
		case '"':
			end, err := skipString(b, at)
			if err != nil {
				return 0, err
			}
			at = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		at++
		if depth == 0 {
			return at, nil
		}
	}
	return 0, lines.WithFix(errOpen, "a json file has one object a line, without line breaks inside")
}

// excerpt is the start of what was found.
func excerpt(b []byte) string {
	if len(b) > 20 {
		return string(b[:20]) + "..."
	}
	return string(b)
}

// Append implements lines.Parser.
func (p *parser) Append(g *lines.Group, rows, i int, c column.Column) (bad int, err error) {
	t, fields := p.types[i], g.Column(i)[:rows]
	text, _ := c.(*column.Text)
	if t.Kind != plugin.String {
		text = nil
	}
	for row, f := range fields {
		if f.Len < 0 {
			c.AppendNull()
			continue
		}
		raw := g.Text(f)
		if text != nil && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
			text.Append(raw[1 : len(raw)-1])
			continue
		}
		if err := column.AppendJSON(c, t, raw); err != nil {
			return row, err
		}
	}
	return rows, nil
}
