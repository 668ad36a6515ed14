package assert

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// numberTest tests numbers as doubles. Nulls and values that are no numbers fail.
func numberTest(t plugin.Type, bad func(float64) bool) test {
	switch t.Kind {
	case plugin.TinyInt:
		return numbers[*array.Int8](bad)
	case plugin.SmallInt:
		return numbers[*array.Int16](bad)
	case plugin.Int:
		return numbers[*array.Int32](bad)
	case plugin.BigInt:
		return numbers[*array.Int64](bad)
	case plugin.Float:
		return numbers[*array.Float32](bad)
	case plugin.Double:
		return numbers[*array.Float64](bad)
	case plugin.Decimal:
		return firstWhere(func(a arrow.Array, i int) bool {
			return a.IsNull(i) || bad(a.(*array.Decimal128).Value(i).ToFloat64(int32(t.Scale)))
		})
	default:
		return always
	}
}

// numberArray is the Arrow arrays of plain numbers.
type numberArray[T int8 | int16 | int32 | int64 | float32 | float64] interface {
	arrow.Array
	Value(i int) T
}

func numbers[A numberArray[T], T int8 | int16 | int32 | int64 | float32 | float64](bad func(float64) bool) test {
	return func(a arrow.Array, limit int) int {
		values, nulls := a.(A), a.NullN() > 0
		for i := range limit {
			if nulls && a.IsNull(i) || bad(float64(values.Value(i))) {
				return i
			}
		}
		return limit
	}
}

// lengthTest tests the length of the text form, in UTF-16 units as in Java. A null has length 0.
func lengthTest(t plugin.Type, bad func(int) bool) test {
	if t.Kind == plugin.String {
		return func(a arrow.Array, limit int) int {
			texts := a.(*array.String)
			for i := range limit {
				length := 0
				if a.IsValid(i) {
					length = units(texts.Value(i))
				}
				if bad(length) {
					return i
				}
			}
			return limit
		}
	}
	var text []byte
	return firstWhere(func(a arrow.Array, i int) bool {
		text = column.FormatJava(text[:0], a, t, i)
		return bad(units(string(text)))
	})
}

// units returns the number of UTF-16 units of a text.
func units(text string) int {
	n := utf8.RuneCountInString(text)
	if n == len(text) {
		return n
	}
	for _, r := range text {
		if r > 0xffff {
			n++
		}
	}
	return n
}
