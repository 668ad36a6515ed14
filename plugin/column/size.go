package column

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/culvertdata/culvert/plugin"
)

// Size returns the bytes of all rows as SeaTunnel's metrics count them: 1 for Boolean and TinyInt, 2 for SmallInt, 4
// for Int and Float, 8 for BigInt and Double, 36 for Decimal, 24 for Date, 12 for Time, 48 for Timestamp, the UTF-16
// length of a String, the length of Bytes, the sum of the parts of nested values, and 0 for nulls.
func Size(b plugin.Batch) int64 {
	var total int64
	for i, c := range b.Table.Columns {
		total += sizeOf(b.Rows.Column(i), c.Type, 0, b.Len())
	}
	return total
}

// javaSize returns the size of each value of a type that has a fixed one.
func javaSize(t plugin.Type) (int64, bool) {
	switch t.Kind {
	case plugin.Null:
		return 0, true
	case plugin.Boolean, plugin.TinyInt:
		return 1, true
	case plugin.SmallInt:
		return 2, true
	case plugin.Int, plugin.Float:
		return 4, true
	case plugin.BigInt, plugin.Double:
		return 8, true
	case plugin.Decimal:
		return 36, true
	case plugin.Date:
		return 24, true
	case plugin.Time:
		return 12, true
	case plugin.Timestamp:
		return 48, true
	default:
		return 0, false
	}
}

// sizeOf returns the size of the values from up to to.
func sizeOf(a arrow.Array, t plugin.Type, from, to int) int64 {
	if from >= to {
		return 0
	}
	if each, ok := javaSize(t); ok {
		return each * int64(to-from-nulls(a, from, to))
	}
	total := varyingSize(a, t, from, to)
	if nulls(a, from, to) == 0 {
		return total
	}
	for i := from; i < to; i++ { // a null may cover values that do not count
		if a.IsNull(i) {
			total -= varyingSize(a, t, i, i+1)
		}
	}
	return total
}

func nulls(a arrow.Array, from, to int) int {
	bitmap := a.NullBitmapBytes()
	if len(bitmap) == 0 {
		return 0
	}
	return to - from - bitutil.CountSetBits(bitmap, a.Data().Offset()+from, to-from)
}

func varyingSize(a arrow.Array, t plugin.Type, from, to int) int64 {
	switch a := a.(type) {
	case *array.String:
		ends := offsetsOf(a)
		return utf16Len(a.Data().Buffers()[2].Bytes()[ends[from]:ends[to]])
	case *array.Binary:
		ends := offsetsOf(a)
		return int64(ends[to] - ends[from])
	case *array.Map:
		keys, items := mapParts(a)
		start, end := span(a.List, from, to)
		return sizeOf(keys, *t.Key, start, end) + sizeOf(items, *t.Elem, start, end)
	case *array.List:
		start, end := span(a, from, to)
		return sizeOf(a.ListValues(), *t.Elem, start, end)
	case *array.Struct:
		var total int64
		for i, f := range t.Fields {
			total += sizeOf(a.Field(i), f.Type, from, to)
		}
		return total
	}
	return 0
}

// span returns which elements the lists from up to to hold.
func span(a *array.List, from, to int) (start, end int) {
	first, _ := a.ValueOffsets(from)
	_, last := a.ValueOffsets(to - 1)
	return int(first), int(last)
}

// offsetsOf returns the offsets of a text, list or map array that is not empty: one more than it has values.
func offsetsOf(a arrow.Array) []int32 {
	data := a.Data()
	all := arrow.Int32Traits.CastFromBytes(data.Buffers()[1].Bytes())
	return all[data.Offset() : data.Offset()+data.Len()+1]
}

// utf16Len returns the length of UTF-8 text in UTF-16 units, which is what Java counts.
func utf16Len(s []byte) int64 {
	n := int64(len(s))
	i := 0
	for ; i+8 <= len(s); i += 8 {
		word := binary.LittleEndian.Uint64(s[i:])
		if word&highBits != 0 {
			n -= int64(uncounted(s[i : i+8]))
		}
	}
	return n - int64(uncounted(s[i:]))
}

const highBits = 0x8080808080808080

// uncounted returns how many bytes of a piece of text stand for no unit of their own: all bytes after the first of a
// character, except that characters of four bytes have two units.
func uncounted(s []byte) int {
	n := 0
	for _, c := range s {
		switch {
		case c&0xc0 == 0x80:
			n++
		case c >= 0xf0:
			n--
		}
	}
	return n
}
