package column

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// assign stores value i of an array, which is not null, in a Go value, if nothing is lost by it.
func assign(dst reflect.Value, a arrow.Array, t plugin.Type, i int) error {
	if dst.Kind() == reflect.String {
		return assignString(dst, a, t, i)
	}
	v := Value(a, t, i)
	rv := reflect.ValueOf(v)
	if rv.Type() == dst.Type() {
		dst.Set(rv)
		return nil
	}
	switch {
	case dst.Type() == reflect.TypeFor[Decimal]() || dst.Type() == reflect.TypeFor[time.Time]() ||
		dst.Type() == reflect.TypeFor[time.Duration]():
		return errFit(v, t, dst)
	case dst.CanInt() || dst.CanUint():
		return assignInt(dst, v, t)
	case dst.CanFloat():
		f, err := toFloat(v, dst.Type().Bits())
		if err == nil && dst.OverflowFloat(f) || err != nil {
			return errFit(v, t, dst)
		}
		if dst.Kind() == reflect.Float32 && float64(float32(f)) != f && !math.IsNaN(f) {
			return errFit(v, t, dst)
		}
		dst.SetFloat(f)
		return nil
	case dst.Kind() == reflect.Bool && rv.Kind() == reflect.Bool:
		dst.SetBool(rv.Bool())
		return nil
	case dst.Kind() == reflect.Slice && rv.Type().ConvertibleTo(dst.Type()):
		dst.Set(rv.Convert(dst.Type()))
		return nil
	case dst.Kind() == reflect.Array:
		if b, ok := v.([]byte); ok && len(b) == dst.Len() {
			reflect.Copy(dst, rv)
			return nil
		}
	}
	return errFit(v, t, dst)
}

func errFit(v any, t plugin.Type, dst reflect.Value) error {
	return fmt.Errorf("the %s %v does not fit into a Go %s", t, v, dst.Type())
}

// assignString stores texts as they are and other scalars as delimited text shows them.
func assignString(dst reflect.Value, a arrow.Array, t plugin.Type, i int) error {
	switch a := a.(type) {
	case *array.String:
		dst.SetString(string(view(a.Value(i))))
		return nil
	case *array.Binary:
		if err := ValidText(a.Value(i)); err != nil {
			return errors.New("the bytes are no text; use a []byte field")
		}
	}
	dst.SetString(string(FormatText(nil, a, t, i, nil)))
	return nil
}

func assignInt(dst reflect.Value, v any, t plugin.Type) error {
	if d, ok := v.(Decimal); ok {
		return assignDecimal(dst, d, t)
	}
	if _, ok := v.(string); ok {
		return errFit(v, t, dst)
	}
	n, err := toInt(v, -1<<63, 1<<63-1)
	if err != nil {
		return errFit(v, t, dst)
	}
	if dst.CanUint() {
		if n < 0 || dst.OverflowUint(uint64(n)) {
			return errFit(v, t, dst)
		}
		dst.SetUint(uint64(n))
		return nil
	}
	if dst.OverflowInt(n) {
		return errFit(v, t, dst)
	}
	dst.SetInt(n)
	return nil
}

func assignDecimal(dst reflect.Value, d Decimal, t plugin.Type) error {
	n, err := rescale(d, plugin.DecimalOf(plugin.MaxPrecision, 0))
	if err != nil {
		return errFit(d, t, dst)
	}
	whole := n.BigInt()
	switch {
	case dst.CanUint() && whole.IsUint64() && !dst.OverflowUint(whole.Uint64()):
		dst.SetUint(whole.Uint64())
	case dst.CanInt() && whole.IsInt64() && !dst.OverflowInt(whole.Int64()):
		dst.SetInt(whole.Int64())
	default:
		return errFit(d, t, dst)
	}
	return nil
}
