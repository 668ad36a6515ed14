package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// offsets returns where the elements of values are.
type offsets func(i int) (start, end int64)

// appendEnds appends where each value ends, counted from the first, and returns the range of all elements.
func appendEnds(dst []byte, at offsets, from, to int) (_ []byte, first, last int) {
	if from == to {
		return dst, 0, 0
	}
	start, _ := at(from)
	_, end := at(to - 1)
	for i := from; i < to; i++ {
		_, e := at(i)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(e-start))
	}
	return dst, int(start), int(end)
}

// inRow says of an error about an element which value the element is in.
func inRow(err error, offsets offsets, from, to int) error {
	var one *at
	if !errors.As(err, &one) {
		return err
	}
	for i := from; i < to; i++ {
		if start, end := offsets(i); int64(one.index) >= start && int64(one.index) < end {
			return &at{i, fmt.Errorf("element %d: %w", int64(one.index)-start+1, one.err)}
		}
	}
	return err
}

func newArrayValues(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	if from.Kind != plugin.Array {
		return nil, fmt.Errorf("a %s cannot become a %s", from, t)
	}
	elem, err := newEncode(*from.Elem, t.Args[0], loc)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		list := a.(*array.List)
		dst, first, last := appendEnds(dst, list.ValueOffsets, from, to)
		dst, err := elem(dst, list.ListValues(), first, last)
		return dst, inRow(err, list.ValueOffsets, from, to)
	}, nil
}

func newMapValues(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	if from.Kind != plugin.Map {
		return nil, fmt.Errorf("a %s cannot become a %s", from, t)
	}
	key, err := newEncode(*from.Key, t.Args[0], loc)
	if err != nil {
		return nil, err
	}
	elem, err := newEncode(*from.Elem, t.Args[1], loc)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		m := a.(*array.Map)
		dst, first, last := appendEnds(dst, m.ValueOffsets, from, to)
		dst, err := key(dst, m.Keys(), first, last)
		if err == nil {
			dst, err = elem(dst, m.Items(), first, last)
		}
		return dst, inRow(err, m.ValueOffsets, from, to)
	}, nil
}

func newTupleValues(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	if from.Kind != plugin.Row || len(from.Fields) != len(t.Args) {
		return nil, fmt.Errorf("a %s cannot become a %s", from, t)
	}
	fields := make([]encode, len(t.Args))
	for i, f := range from.Fields {
		var err error
		if fields[i], err = newEncode(f.Type, t.Args[i], loc); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		row := a.(*array.Struct)
		var err error
		for i, f := range fields {
			if dst, err = f(dst, row.Field(i), from, to); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}, nil
}
