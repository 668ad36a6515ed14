package delimited

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/internal/lines"
)

// parser finds the fields of text and csv lines and fills columns from them.
type parser struct {
	delim     delimiter
	quotes    bool          // csv
	multiline bool          // quoted fields may hold newlines
	keepBlank bool          // a blank line is a row
	fields    []int         // the column of each field of a line, -1 for none
	types     []plugin.Type // of the columns
}

// errOpenQuote says that a quoted field goes on behind the data.
var errOpenQuote = errors.New("a quoted field has no closing quote on its line")

// Find implements lines.Parser.
func (p *parser) Find(g *lines.Group, final bool) (n, rows int, err error) {
	line := 0
	for n < len(g.Data) && !g.Full() {
		g.Begin(n, line)
		end, next := lineEnd(g.Data, n)
		if end == n && !p.keepBlank {
			n, line = next, line+1
			continue
		}
		if p.quotes {
			if end, next, err = p.splitQuoted(g, n, end, next); err != nil {
				break
			}
		} else {
			p.split(g, n, end)
		}
		line++
		if p.multiline {
			line += bytes.Count(g.Data[n:end], newline)
		}
		n = next
		g.End(n, line)
	}
	if err == errOpenQuote && p.multiline && !final {
		return n, line, nil // the rest comes with more data
	}
	return n, line, p.explain(err)
}

func (p *parser) explain(err error) error {
	if err == errOpenQuote && !p.multiline {
		return lines.WithFix(err, "set quoted.newlines = true if values hold line breaks")
	}
	return err
}

var newline = []byte{'\n'}

// lineEnd returns the end of the line at n without its line break, and the start of the next line.
func lineEnd(data []byte, n int) (end, next int) {
	i := bytes.IndexByte(data[n:], '\n')
	if i < 0 {
		end, next = len(data), len(data)
	} else {
		end, next = n+i, n+i+1
	}
	if end > n && data[end-1] == '\r' {
		end--
	}
	return end, next
}

// split finds the fields of a line without quotes.
func (p *parser) split(g *lines.Group, start, end int) {
	field := 0
	for ; field < len(p.fields) && start <= end; field++ {
		stop, after := end, end+1
		if i, j := p.delim.find(g.Data[start:end]); i < end-start {
			stop, after = start+i, start+j
		}
		p.put(g, field, start, stop)
		start = after
	}
	p.missing(g, field)
}

// splitQuoted finds the fields of a csv line. A quoted field with newlines moves the line's end.
func (p *parser) splitQuoted(g *lines.Group, start, end, next int) (lineStop, after int, err error) {
	field := 0
	for ; start <= end && (field < len(p.fields) || p.multiline); field++ {
		if start < end && g.Data[start] == '"' {
			if start, end, next, err = p.quoted(g, field, start, end, next); err != nil {
				return end, next, err
			}
			continue
		}
		stop, after := end, end+1
		if i, j := p.delim.find(g.Data[start:end]); i < end-start {
			stop, after = start+i, start+j
		}
		if field < len(p.fields) {
			p.put(g, field, start, stop)
		}
		start = after
	}
	p.missing(g, field)
	return end, next, nil
}

// quoted takes the field that begins with the quote at start and returns where the field behind it begins.
func (p *parser) quoted(g *lines.Group, field, start, end, next int) (after, lineStop, lineNext int, err error) {
	data := g.Data
	from := start + 1
	side, mark := g.Side()
	at := from
	for {
		i := bytes.IndexByte(data[at:end], '"')
		if i < 0 {
			if !p.multiline || next >= len(data) {
				return 0, end, next, errOpenQuote
			}
			at = end
			end, next = lineEnd(data, next)
			continue
		}
		at += i
		if at+1 >= end || data[at+1] != '"' {
			break
		}
		side = append(side, data[from:at+1]...) // with one of the two quotes
		at += 2
		from = at
	}
	f := lines.Field{Start: uint32(from), Len: int32(at - from)}
	if len(side) > mark {
		f = g.SetSide(append(side, data[from:at]...), mark)
	}
	if field < len(p.fields) && p.fields[field] >= 0 {
		g.Column(p.fields[field])[g.Rows] = f
	}
	for at++; at < end && (data[at] == ' ' || data[at] == '\t') && !(p.delim.single && data[at] == p.delim.one); at++ {
	}
	if at == end {
		return end + 1, end, next, nil
	}
	if i, j := p.delim.find(data[at:end]); i == 0 {
		return at + j, end, next, nil
	}
	return 0, end, next, errors.New("a quoted field is followed by text; a quote inside of one is written twice")
}

// put notes an unquoted field. A blank one is null, of whatever type.
func (p *parser) put(g *lines.Group, field, start, stop int) {
	col := p.fields[field]
	if col < 0 {
		return
	}
	f := lines.Field{Start: uint32(start), Len: int32(stop - start)}
	if start == stop || g.Data[start] <= ' ' && blank(g.Data[start:stop]) {
		f = lines.NoValue
	}
	g.Column(col)[g.Rows] = f
}

// missing makes the fields from the given one on null.
func (p *parser) missing(g *lines.Group, field int) {
	for ; field < len(p.fields); field++ {
		if col := p.fields[field]; col >= 0 {
			g.Column(col)[g.Rows] = lines.NoValue
		}
	}
}

func blank(b []byte) bool {
	for _, c := range b {
		if c > ' ' || c < '\t' || c > '\r' && c < 0x1c {
			return false
		}
	}
	return true
}

// Append implements lines.Parser.
func (p *parser) Append(g *lines.Group, rows, i int, c column.Column) (bad int, err error) {
	fields := g.Column(i)[:rows]
	t := p.types[i]
	if text, ok := c.(*column.Text); ok {
		return appendStrings(g, fields, text, t.Kind == plugin.String)
	}
	for row, f := range fields {
		if f.Len < 0 {
			c.AppendNull()
			continue
		}
		if err := column.AppendText(c, t, g.Text(f), nil); err != nil {
			return row, err
		}
	}
	return rows, nil
}

// appendStrings fills a column of text, or of bytes if they need not be valid.
func appendStrings(g *lines.Group, fields []lines.Field, c *column.Text, valid bool) (bad int, err error) {
	for row, f := range fields {
		if f.Len < 0 {
			c.AppendNull()
			continue
		}
		text := g.Text(f)
		if valid && !utf8.Valid(text) {
			return row, lines.WithFix(column.ErrText, "set encoding to what the file is in")
		}
		c.Append(text)
	}
	return len(fields), nil
}
