package mysql

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// errValue is part of an error about a value that cannot be written.
var errValue = errors.New("the value cannot be written")

// form is how values are written: as fields of a file for LOAD DATA, or as literals of a statement.
type form uint8

const (
	asFile form = iota
	asSQL
)

// field writes the values of one column of a batch.
type field struct {
	nulls arrow.Array // nil: the column has no nulls
	put   func(dst []byte, row int) []byte
}

// fieldsOf returns the writers of a batch's columns.
func fieldsOf(b plugin.Batch, f form, fields []field) ([]field, error) {
	fields = fields[:0]
	for i, c := range b.Table.Columns {
		values := b.Rows.Column(i)
		put, err := putter(values, c.Type, f)
		if err != nil {
			return nil, &plugin.Error{
				Code: plugin.CodeType, Table: b.Table.ID, Err: fmt.Errorf("column %s: %w", c.Name, err),
				Fix: "turn it into a string with a transform, or leave it out",
			}
		}
		to := field{put: put}
		if values.NullN() > 0 {
			to.nulls = values
		}
		fields = append(fields, to)
	}
	return fields, nil
}

// append writes a value, or the null of the form.
func (c *field) append(dst []byte, row int, null string) []byte {
	if c.nulls != nil && c.nulls.IsNull(row) {
		return append(dst, null...)
	}
	return c.put(dst, row)
}

func putter(values arrow.Array, t plugin.Type, f form) (func([]byte, int) []byte, error) {
	switch a := values.(type) {
	case *array.Null:
		null := nullOf(f)
		return func(dst []byte, _ int) []byte { return append(dst, null...) }, nil
	case *array.Boolean:
		return func(dst []byte, row int) []byte {
			if a.Value(row) {
				return append(dst, '1')
			}
			return append(dst, '0')
		}, nil
	case *array.Int8:
		return putInts(a.Int8Values()), nil
	case *array.Int16:
		return putInts(a.Int16Values()), nil
	case *array.Int32:
		return putInts(a.Int32Values()), nil
	case *array.Int64:
		return putInts(a.Int64Values()), nil
	case *array.Float32:
		return quoted(f, func(dst []byte, row int) []byte { return appendFloat(dst, a.Value(row)) }), nil
	case *array.Float64:
		return quoted(f, func(dst []byte, row int) []byte { return strconv.AppendFloat(dst, a.Value(row), 'e', -1, 64) }), nil
	case *array.String:
		if f == asSQL {
			return func(dst []byte, row int) []byte { return appendQuoted(dst, bytesAt(a.ValueBytes(), a, row)) }, nil
		}
		return func(dst []byte, row int) []byte { return appendEscaped(dst, bytesAt(a.ValueBytes(), a, row)) }, nil
	case *array.Binary:
		return putBytes(a, f), nil
	}
	switch t.Kind {
	case plugin.Decimal:
		return func(dst []byte, row int) []byte { return column.FormatText(dst, values, t, row, nil) }, nil
	case plugin.Date, plugin.Time, plugin.Timestamp:
		return quoted(f, func(dst []byte, row int) []byte { return column.FormatText(dst, values, t, row, nil) }), nil
	}
	return nil, fmt.Errorf("MySQL has no type for values of %s", t)
}

// appendFloat appends the shortest digits of a number. The server reads them as a double: the largest numbers need all
// digits, or they would be out of a FLOAT's range.
func appendFloat(dst []byte, v float32) []byte {
	bits := 32
	if v > 3.4e38 || v < -3.4e38 {
		bits = 64
	}
	return strconv.AppendFloat(dst, float64(v), 'e', -1, bits)
}

// bytesAt returns a text of an array without making a string of it. data is a.ValueBytes, which begins at the array's
// first value.
func bytesAt(data []byte, a *array.String, row int) []byte {
	first := a.ValueOffset(0)
	return data[a.ValueOffset(row)-first : a.ValueOffset(row)-first+a.ValueLen(row)]
}

func putInts[T int8 | int16 | int32 | int64](values []T) func([]byte, int) []byte {
	return func(dst []byte, row int) []byte { return strconv.AppendInt(dst, int64(values[row]), 10) }
}

// putBytes writes hexadecimal digits. In a file they need UNHEX to be bytes again; see [loader.columnList].
func putBytes(a *array.Binary, f form) func([]byte, int) []byte {
	if f == asSQL {
		return func(dst []byte, row int) []byte {
			return append(hex.AppendEncode(append(dst, "x'"...), a.Value(row)), '\'')
		}
	}
	return func(dst []byte, row int) []byte { return hex.AppendEncode(dst, a.Value(row)) }
}

// quoted puts values in quotes where they are literals. NaN is refused by the server then, as every text that is no
// number.
func quoted(f form, put func([]byte, int) []byte) func([]byte, int) []byte {
	if f == asFile {
		return put
	}
	return func(dst []byte, row int) []byte { return append(put(append(dst, '\''), row), '\'') }
}

// nullOf returns the null of a form.
func nullOf(f form) string {
	if f == asFile {
		return `\N`
	}
	return "NULL"
}

// appendEscaped appends a text as a field of a file.
func appendEscaped(dst, text []byte) []byte {
	from := 0
	for i, c := range text {
		if c > '\\' || c != '\\' && c != '\t' && c != '\n' && c != 0 {
			continue
		}
		dst = append(append(dst, text[from:i]...), '\\')
		if c == 0 {
			c = '0'
		}
		dst = append(dst, c)
		from = i + 1
	}
	return append(dst, text[from:]...)
}

// bindRow binds the columns of one row to the parameters of the job's own statement.
func bindRow(b *wire.Binder, batch plugin.Batch, columns []int, row int, buf []byte) []byte {
	for _, i := range columns {
		t := batch.Table.Columns[i].Type
		values := batch.Rows.Column(i)
		if column.IsNull(values, row) {
			b.Null()
			continue
		}
		switch a := values.(type) {
		case *array.Boolean:
			n := int64(0)
			if a.Value(row) {
				n = 1
			}
			b.Int(n)
		case *array.Int8:
			b.Int(int64(a.Value(row)))
		case *array.Int16:
			b.Int(int64(a.Value(row)))
		case *array.Int32:
			b.Int(int64(a.Value(row)))
		case *array.Int64:
			b.Int(a.Value(row))
		case *array.Float32: // as text: the nearest double has other digits
			buf = appendFloat(buf[:0], a.Value(row))
			b.Text(buf)
		case *array.Float64:
			b.Float(a.Value(row))
		case *array.Binary:
			b.Bytes(a.Value(row))
		case *array.String:
			b.Text(bytesAt(a.ValueBytes(), a, row))
		default:
			buf = column.FormatText(buf[:0], values, t, row, nil)
			b.Text(buf)
		}
	}
	return buf
}
