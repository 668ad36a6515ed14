package assert

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// typeTest tests that values of a column of type have are of type want, by SeaTunnel's rule: what counts is the class
// of each value. A null has the type null only; a decimal must have exactly the scale and at most the digits.
func typeTest(have, want plugin.Type) test {
	if want.Kind == have.Kind && isScalar(have) && have.Kind != plugin.Decimal {
		return firstNull
	}
	return firstWhere(func(a arrow.Array, i int) bool { return !conforms(a, i, have, want) })
}

func isScalar(t plugin.Type) bool {
	switch t.Kind {
	case plugin.Array, plugin.Map, plugin.Row, plugin.Null:
		return false
	}
	return true
}

// conforms reports whether one value is of type want.
func conforms(a arrow.Array, i int, have, want plugin.Type) bool {
	if column.IsNull(a, i) {
		return want.Kind == plugin.Null
	}
	if have.Kind != want.Kind {
		return false
	}
	switch a := a.(type) {
	case *array.Decimal128:
		return have.Scale == want.Scale && a.Value(i).FitsInPrecision(int32(want.Precision))
	case *array.Map:
		from, to := a.ValueOffsets(i)
		return allConform(a.Keys(), from, to, *have.Key, *want.Key) && allConform(a.Items(), from, to, *have.Elem, *want.Elem)
	case *array.List:
		from, to := a.ValueOffsets(i)
		return allConform(a.ListValues(), from, to, *have.Elem, *want.Elem)
	case *array.Struct:
		if len(have.Fields) > len(want.Fields) {
			return false
		}
		for f := range have.Fields {
			if !conforms(a.Field(f), i, have.Fields[f].Type, want.Fields[f].Type) {
				return false
			}
		}
	}
	return true
}

func allConform(a arrow.Array, from, to int64, have, want plugin.Type) bool {
	for i := from; i < to; i++ {
		if !conforms(a, int(i), have, want) {
			return false
		}
	}
	return true
}
