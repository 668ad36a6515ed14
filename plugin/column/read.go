package column

import (
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// Value returns value i of an array of type t as a Go value, which is a copy. It is the slow way to look at data. A
// null is nil, a Decimal is a [Decimal], a Date and a Timestamp are a time.Time in UTC, a Time is a time.Duration
// since midnight, an Array and a Row are []any, and a Map is [][2]any, its entries in order. [AppendValue] takes all
// of them back.
func Value(a arrow.Array, t plugin.Type, i int) any {
	if IsNull(a, i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return string(view(a.Value(i)))
	case *array.Binary:
		return append([]byte{}, a.Value(i)...)
	case *array.Boolean:
		return a.Value(i)
	case *array.Int8:
		return a.Value(i)
	case *array.Int16:
		return a.Value(i)
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float32:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.Decimal128:
		return Decimal{Num: a.Value(i), Scale: t.Scale}
	case *array.Date32:
		return time.Unix(int64(a.Value(i))*secondsOfDay, 0).UTC()
	case *array.Time64:
		return time.Duration(int64(a.Value(i)) * (1e9 / perSecond(t)))
	case *array.Timestamp:
		days, c := split(t, int64(a.Value(i)))
		return time.Unix(days*secondsOfDay+c.seconds, c.nanos).UTC()
	}
	return nestedValue(a, t, i)
}

func nestedValue(a arrow.Array, t plugin.Type, i int) any {
	switch a := a.(type) {
	case *array.Map:
		keys, items := mapParts(a)
		from, to := a.ValueOffsets(i)
		pairs := make([][2]any, 0, to-from)
		for j := int(from); j < int(to); j++ {
			pairs = append(pairs, [2]any{Value(keys, *t.Key, j), Value(items, *t.Elem, j)})
		}
		return pairs
	case *array.List:
		from, to := a.ValueOffsets(i)
		values := make([]any, 0, to-from)
		for j := int(from); j < int(to); j++ {
			values = append(values, Value(a.ListValues(), *t.Elem, j))
		}
		return values
	case *array.Struct:
		values := make([]any, len(t.Fields))
		for j, f := range t.Fields {
			values[j] = Value(a.Field(j), f.Type, i)
		}
		return values
	}
	return nil
}

// mapParts returns the key and value columns of a map array, into which its offsets point.
func mapParts(a *array.Map) (keys, items arrow.Array) {
	entries := a.ListValues().(*array.Struct)
	return entries.Field(0), entries.Field(1)
}

// Equal reports whether two values of type t are the same. Nulls are the same, NaN is the same as NaN, and maps are
// the same if they have the same entries in any order.
func Equal(a arrow.Array, i int, b arrow.Array, j int, t plugin.Type) bool {
	if IsNull(a, i) || IsNull(b, j) {
		return IsNull(a, i) && IsNull(b, j)
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i) == b.(*array.String).Value(j)
	case *array.Int64:
		return a.Value(i) == b.(*array.Int64).Value(j)
	case *array.Binary:
		return string(a.Value(i)) == string(b.(*array.Binary).Value(j))
	case *array.Boolean:
		return a.Value(i) == b.(*array.Boolean).Value(j)
	case *array.Int8:
		return a.Value(i) == b.(*array.Int8).Value(j)
	case *array.Int16:
		return a.Value(i) == b.(*array.Int16).Value(j)
	case *array.Int32:
		return a.Value(i) == b.(*array.Int32).Value(j)
	case *array.Float32:
		return sameNumber(float64(a.Value(i)), float64(b.(*array.Float32).Value(j)))
	case *array.Float64:
		return sameNumber(a.Value(i), b.(*array.Float64).Value(j))
	case *array.Decimal128:
		return a.Value(i) == b.(*array.Decimal128).Value(j)
	case *array.Date32:
		return a.Value(i) == b.(*array.Date32).Value(j)
	case *array.Time64:
		return a.Value(i) == b.(*array.Time64).Value(j)
	case *array.Timestamp:
		return a.Value(i) == b.(*array.Timestamp).Value(j)
	}
	return equalNested(a, i, b, j, t)
}

func sameNumber(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func equalNested(a arrow.Array, i int, b arrow.Array, j int, t plugin.Type) bool {
	switch a := a.(type) {
	case *array.Map:
		return equalMaps(a, i, b.(*array.Map), j, t)
	case *array.List:
		b := b.(*array.List)
		from, to := a.ValueOffsets(i)
		other, end := b.ValueOffsets(j)
		if to-from != end-other {
			return false
		}
		for k := range int(to - from) {
			if !Equal(a.ListValues(), int(from)+k, b.ListValues(), int(other)+k, *t.Elem) {
				return false
			}
		}
		return true
	case *array.Struct:
		b := b.(*array.Struct)
		for k, f := range t.Fields {
			if !Equal(a.Field(k), i, b.Field(k), j, f.Type) {
				return false
			}
		}
		return true
	}
	return false
}

func equalMaps(a *array.Map, i int, b *array.Map, j int, t plugin.Type) bool {
	aKeys, aItems := mapParts(a)
	bKeys, bItems := mapParts(b)
	from, to := a.ValueOffsets(i)
	other, end := b.ValueOffsets(j)
	n := int(to - from)
	if n != int(end-other) {
		return false
	}
	for k := range n {
		at := int(from) + k
		found := false
		for m := range n { // from the same place on: equal maps mostly have one order
			to := int(other) + (k+m)%n
			if Equal(aKeys, at, bKeys, to, *t.Key) {
				found = Equal(aItems, at, bItems, to, *t.Elem)
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// IsNull reports whether value i is null. Other than the method of Arrow's arrays it knows that all values of the Null
// type are.
func IsNull(a arrow.Array, i int) bool {
	if a.IsNull(i) {
		return true
	}
	_, ok := a.(*array.Null)
	return ok
}
