package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
)

// Target is a column of the server's table and where its values come from.
type Target struct {
	Column
	// From is the type of the values.
	From plugin.Type
	// Index is the position of the column in a batch.
	Index int
	// Fill, if it is not nil, appends the values of n rows in place of those of a batch.
	Fill func(dst []byte, n int) []byte
	// Exempt, if it is not nil, says of a row whether its value may be null though the column is not Nullable; the
	// value is then the type's default, or anything else that is valid.
	Exempt func(row int) bool
}

// Encoder appends blocks. It is not safe for several goroutines.
type Encoder struct {
	columns []encodedColumn
}

type encodedColumn struct {
	head   []byte // name, type, and what comes before the values
	name   string
	index  int
	encode encode
}

// encode appends the values from up to to of an array. An error about one value is an *at.
type encode func(dst []byte, a arrow.Array, from, to int) ([]byte, error)

// at is an error about the value at a position in an array.
type at struct {
	index int
	err   error
}

func (e *at) Error() string { return e.err.Error() }
func (e *at) Unwrap() error { return e.err }

// NewEncoder returns an encoder of blocks with these columns. loc is the zone of times whose type names none. The error
// names the column whose values do not convert.
func NewEncoder(columns []Target, loc *time.Location) (*Encoder, error) {
	e := &Encoder{}
	var errs []error
	for _, c := range columns {
		enc, err := c.encode(loc)
		if err != nil {
			errs = append(errs, fmt.Errorf("column %s: %w", c.Name, err))
			continue
		}
		head := appendText(nil, c.Name)
		head = appendText(head, c.Type.String())
		for range c.Type.dictionaries() {
			head = binary.LittleEndian.AppendUint64(head, dictionaryVersion)
		}
		index := c.Index
		if c.Fill != nil {
			index = -1
		}
		e.columns = append(e.columns, encodedColumn{head: head, name: c.Name, index: index, encode: enc})
	}
	return e, errors.Join(errs...)
}

func (c Target) encode(loc *time.Location) (encode, error) {
	if c.Fill != nil {
		return func(dst []byte, _ arrow.Array, from, to int) ([]byte, error) { return c.Fill(dst, to-from), nil }, nil
	}
	return newEncodeExempt(c.From, c.Type, loc, c.Exempt)
}

// AppendBlock appends all rows of a batch, which has some, as one block. After an error, which may be a *RowError, dst
// is to be cut to its old length.
func (e *Encoder) AppendBlock(dst []byte, rows arrow.RecordBatch) ([]byte, error) {
	n := int(rows.NumRows())
	dst = binary.AppendUvarint(dst, uint64(len(e.columns)))
	dst = binary.AppendUvarint(dst, uint64(n))
	for _, c := range e.columns {
		dst = append(dst, c.head...)
		var values arrow.Array
		if c.index >= 0 {
			values = rows.Column(c.index)
		}
		var err error
		if dst, err = c.encode(dst, values, 0, n); err != nil {
			var one *at
			if errors.As(err, &one) {
				return dst, &RowError{Row: int64(one.index), Column: c.name, Err: one.err}
			}
			return dst, fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return dst, nil
}

func appendText[T string | []byte](dst []byte, v T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
}

// newEncode returns the function that encodes values of a type as another.
func newEncode(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	return newEncodeExempt(from, t, loc, nil)
}

func newEncodeExempt(from plugin.Type, t Type, loc *time.Location, exempt func(int) bool) (encode, error) {
	bare, null := t.Bare()
	values, err := newValues(from, bare, loc)
	switch {
	case err != nil:
		return nil, err
	case t.Name == "LowCardinality":
		return dictionary(values, bare, null, exempt)
	case null:
		return nullMap(values), nil
	case bare.Name == "Nothing":
		return values, nil
	default:
		return required(values, exempt), nil
	}
}

var errNull = errors.New("the value is null, but the column is not Nullable")

// required refuses nulls, except where exempt allows them.
func required(values encode, exempt func(int) bool) encode {
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		if a.NullN() > 0 || a.DataType().ID() == arrow.NULL {
			for i := from; i < to; i++ {
				if (a.IsNull(i) || a.DataType().ID() == arrow.NULL) && (exempt == nil || !exempt(i)) {
					return dst, &at{i, errNull}
				}
			}
		}
		return values(dst, a, from, to)
	}
}

// nullMap puts a byte for each value in front of the values, 1 for null.
func nullMap(values encode) encode {
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		n := to - from
		dst = slices.Grow(dst, n)
		start := len(dst)
		dst = dst[:start+n]
		clear(dst[start:])
		if a.NullN() > 0 || a.DataType().ID() == arrow.NULL {
			for i := range n {
				if a.IsNull(from+i) || a.DataType().ID() == arrow.NULL {
					dst[start+i] = 1
				}
			}
		}
		return values(dst, a, from, to)
	}
}

const (
	dictionaryVersion = 1
	// ownKeys says that the entries of a dictionary come with the values and belong to this block only.
	ownKeys = 0x600
)

// dictionary encodes values as a dictionary and positions in it. Each value gets an entry of its own: it is the server
// that finds equal ones. The first entry stands for null where there are nulls, the next one for the default value.
func dictionary(values encode, t Type, null bool, exempt func(int) bool) (encode, error) {
	width, err := zeroWidth(t)
	if err != nil {
		return nil, err
	}
	first := 1
	if null {
		first = 2
	} else {
		values = required(values, exempt)
	}
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		n := to - from
		if n == 0 {
			return dst, nil
		}
		dst = binary.LittleEndian.AppendUint64(dst, ownKeys|2) // positions of 4 bytes
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n+first))
		dst = append(dst, make([]byte, first*width)...)
		dst, err := values(dst, a, from, to)
		if err != nil {
			return dst, err
		}
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
		for i := range n {
			at := uint32(i + first)
			if null && (a.IsNull(from+i) || a.DataType().ID() == arrow.NULL) {
				at = 0
			}
			dst = binary.LittleEndian.AppendUint32(dst, at)
		}
		return dst, nil
	}, nil
}
