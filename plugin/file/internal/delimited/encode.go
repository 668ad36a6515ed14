package delimited

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// encoder writes rows as lines of fields; it implements lines.Encoder.
type encoder struct {
	csv    bool
	delim  string
	format *column.TextFormat
	cols   []col
	quoted [256]bool // the bytes that make a csv value need quotes
}

// col is a column of the batch at hand, by its concrete type where that is worth it.
type col struct {
	typ   plugin.Type
	array arrow.Array
	nulls bool
	text  *array.String
	i64   []int64
	i32   []int32
	free  bool // values may hold any character
}

// Bind implements lines.Encoder.
func (e *encoder) Bind(b plugin.Batch) error {
	for i := range e.cols {
		c := &e.cols[i]
		c.array = b.Rows.Column(i)
		c.nulls = c.array.NullN() > 0
		c.text, c.i64, c.i32, c.free = nil, nil, nil, false
		switch a := c.array.(type) {
		case *array.String:
			c.text = a
		case *array.Int64:
			c.i64 = a.Int64Values()
		case *array.Int32:
			c.i32 = a.Int32Values()
		case *array.Binary, *array.List, *array.Map, *array.Struct:
			c.free = true
		}
	}
	return nil
}

// AppendRow implements lines.Encoder.
func (e *encoder) AppendRow(dst []byte, i int) ([]byte, error) {
	for k := range e.cols {
		if k > 0 {
			dst = append(dst, e.delim...)
		}
		c := &e.cols[k]
		if c.nulls && c.array.IsNull(i) {
			continue
		}
		switch {
		case c.i64 != nil:
			dst = strconv.AppendInt(dst, c.i64[i], 10)
		case c.i32 != nil:
			dst = strconv.AppendInt(dst, int64(c.i32[i]), 10)
		case c.text != nil:
			dst = e.text(append(dst, c.text.Value(i)...), len(dst))
		case c.free:
			dst = e.text(column.FormatText(dst, c.array, c.typ, i, e.format), len(dst))
		default:
			dst = column.FormatText(dst, c.array, c.typ, i, e.format)
		}
	}
	return dst, nil
}

// needQuotes notes the bytes that would end a csv value or its line.
func (e *encoder) needQuotes(rowDelimiter string) {
	for _, b := range []byte(",\"\r\n" + rowDelimiter) {
		e.quoted[b] = true
	}
}

// text puts the value that begins at from into quotes, if the format is csv and the value needs them: it is blank, or
// it holds a byte that means something.
func (e *encoder) text(dst []byte, from int) []byte {
	if !e.csv {
		return dst
	}
	quotes, plain := 0, true
	for _, b := range dst[from:] {
		if e.quoted[b] {
			plain = false
			if b == '"' {
				quotes++
			}
		}
	}
	if plain && (len(dst) > from && dst[from] > ' ' || !blank(dst[from:])) {
		return dst
	}
	end := len(dst)
	for range quotes + 2 {
		dst = append(dst, '"')
	}
	to := len(dst) - 2 // the last one stays as it is
	for i := end - 1; i >= from; i-- {
		dst[to] = dst[i]
		to--
		if dst[i] == '"' {
			dst[to] = '"'
			to--
		}
	}
	dst[from] = '"'
	return dst
}

// header returns the column names as a line.
func (e *encoder) header(t *plugin.Table) []byte {
	var line []byte
	for i, name := range t.Names() {
		if i > 0 {
			line = append(line, e.delim...)
		}
		line = e.text(append(line, name...), len(line))
	}
	return line
}
