package column

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
)

// ErrText is the reason why bytes cannot become a String value.
var ErrText = errors.New("not valid UTF-8; declare the column as bytes to keep it as it is")

// ValidText returns [ErrText] if v is not valid UTF-8.
func ValidText(v []byte) error {
	if utf8.Valid(v) {
		return nil
	}
	return ErrText
}

// AppendValue appends a Go value to a column of type t. nil, nil pointers and the nulls of package database/sql are
// nulls. It accepts:
//
//   - for integers: every Go integer, floats without a fraction, text of digits;
//   - for Float and Double: Go floats, integers that the type holds exactly, text. A Float takes the nearest value;
//   - for Decimal: [Decimal], decimal128.Num (taken at the scale of t), *big.Int, integers, floats by their shortest
//     text, text, and types of other packages whose String method returns a number;
//   - for Boolean: bool, 0 and 1, the text true and false;
//   - for String: text, []byte that is valid UTF-8, numbers, booleans, and values with a String method;
//   - for Bytes: []byte, byte arrays, text;
//   - for Date, Time, Timestamp: time.Time as it shows in its own zone, time.Duration for a Time, text as in delimited
//     files. A clock in a Date or a day in a Time is an error;
//   - for Array: slices; for Map: maps, and [][2]any to keep an order; for Row: []any by position, and map[string]any
//     by name.
//
// What t cannot hold without loss is an error; the column is unchanged then except that a nested value may have left
// elements behind, which [Builder.Rollback] or the next value drops.
func AppendValue(c Column, t plugin.Type, v any) error {
	if v == nil {
		c.AppendNull()
		return nil
	}
	switch x := v.(type) {
	case json.Number:
		return AppendValue(c, t, string(x))
	case *big.Int:
		if x == nil {
			c.AppendNull()
			return nil
		}
	case Decimal, time.Time, decimal128.Num:
	case driver.Valuer:
		return appendValuer(c, t, x)
	default:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				c.AppendNull()
				return nil
			}
			return AppendValue(c, t, rv.Elem().Interface())
		}
	}
	if err := appendGo(c, t, v); err != nil {
		return badValue(v, t, err)
	}
	return nil
}

func appendValuer(c Column, t plugin.Type, v driver.Valuer) error {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
		c.AppendNull()
		return nil
	}
	inner, err := v.Value()
	if err != nil {
		return fmt.Errorf("value of %T: %w", v, err)
	}
	if again, ok := inner.(driver.Valuer); ok && reflect.TypeOf(again) == reflect.TypeOf(v) {
		return fmt.Errorf("value of %T holds itself", v)
	}
	return AppendValue(c, t, inner)
}

// badValue names a value and the type that cannot hold it. Errors of elements name the element already.
func badValue(v any, t plugin.Type, err error) error {
	switch t.Kind {
	case plugin.Array, plugin.Map, plugin.Row:
		return err
	}
	if b, ok := v.([]byte); ok {
		return badText(b, t, err)
	}
	return badText([]byte(fmt.Sprint(v)), t, err)
}

// badText names the text of a value and the type that cannot hold it.
func badText(text []byte, t plugin.Type, err error) error {
	const most = 64
	more := ""
	if len(text) > most {
		text, more = text[:most], "..."
	}
	return fmt.Errorf("%q%s cannot be a %s: %w", text, more, t, err)
}

func errGo(v any) error { return fmt.Errorf("a Go %T does not convert", v) }

func appendGo(c Column, t plugin.Type, v any) error {
	switch c := c.(type) {
	case *Fixed[int8]:
		return appendInteger(c, v, math.MinInt8, math.MaxInt8)
	case *Fixed[int16]:
		return appendInteger(c, v, math.MinInt16, math.MaxInt16)
	case *Fixed[int32]:
		if t.Kind == plugin.Date {
			return appendDate(c, v)
		}
		return appendInteger(c, v, math.MinInt32, math.MaxInt32)
	case *Fixed[int64]:
		switch t.Kind {
		case plugin.Time:
			return appendTime(c, t, v)
		case plugin.Timestamp:
			return appendTimestamp(c, t, v)
		}
		return appendInteger(c, v, math.MinInt64, math.MaxInt64)
	case *Fixed[float32]:
		return appendFloat(c, v, 32)
	case *Fixed[float64]:
		return appendFloat(c, v, 64)
	case *Fixed[decimal128.Num]:
		n, err := toDecimal(t, v)
		if err == nil {
			c.Append(n)
		}
		return err
	case *Bools:
		return appendBool(c, v)
	case *Text:
		return appendString(c, t, v)
	case *Nulls:
		return errors.New("the column holds nulls only")
	default:
		return appendNested(c, t, v)
	}
}

func appendInteger[T int8 | int16 | int32 | int64](c *Fixed[T], v any, min, max int64) error {
	n, err := toInt(v, min, max)
	if err == nil {
		c.Append(T(n))
	}
	return err
}

func toInt(v any, min, max int64) (int64, error) {
	var n int64
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n = rv.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if rv.Uint() > math.MaxInt64 {
			return 0, errRange
		}
		n = int64(rv.Uint())
	case reflect.Float32, reflect.Float64:
		f := rv.Float()
		if f != math.Trunc(f) {
			return 0, errWhole
		}
		if f < -1<<63 || f >= 1<<63 {
			return 0, errRange
		}
		n = int64(f)
	case reflect.String:
		return parseInt(view(rv.String()), min, max)
	default:
		if b, ok := v.([]byte); ok {
			return parseInt(b, min, max)
		}
		return 0, errGo(v)
	}
	if n < min || n > max {
		return 0, errRange
	}
	return n, nil
}

func appendFloat[T float32 | float64](c *Fixed[T], v any, bits int) error {
	f, err := toFloat(v, bits)
	if err == nil {
		c.Append(T(f))
	}
	return err
}

func toFloat(v any, bits int) (float64, error) {
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Float32, reflect.Float64:
		f := rv.Float()
		if bits == 32 && !math.IsInf(f, 0) && math.IsInf(float64(float32(f)), 0) {
			return 0, errRange
		}
		return f, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f := float64(rv.Int())
		if f >= 1<<63 || int64(f) != rv.Int() || bits == 32 && float64(float32(f)) != f {
			return 0, errors.New("more digits than the type holds")
		}
		return f, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f := float64(rv.Uint())
		if f >= 1<<64 || uint64(f) != rv.Uint() || bits == 32 && float64(float32(f)) != f {
			return 0, errors.New("more digits than the type holds")
		}
		return f, nil
	case reflect.String:
		return parseFloat(view(rv.String()), bits)
	}
	if b, ok := v.([]byte); ok {
		return parseFloat(b, bits)
	}
	if s, ok := v.(fmt.Stringer); ok {
		return parseFloat(view(s.String()), bits)
	}
	return 0, errGo(v)
}

// parseFloat reads a decimal number, NaN or an infinity.
func parseFloat(s []byte, bits int) (float64, error) {
	f, err := strconv.ParseFloat(str(s), bits)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, strconv.ErrRange):
		return 0, errRange
	default:
		return 0, errNumber
	}
}

func toDecimal(t plugin.Type, v any) (decimal128.Num, error) {
	switch x := v.(type) {
	case Decimal:
		return rescale(x, t)
	case decimal128.Num:
		return rescale(Decimal{x, t.Scale}, t)
	case *big.Int:
		return parseDecimal([]byte(x.String()), t)
	case []byte:
		return parseDecimal(x, t)
	case fmt.Stringer:
		return parseDecimal([]byte(x.String()), t)
	}
	var buf [32]byte
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return parseDecimal(strconv.AppendInt(buf[:0], rv.Int(), 10), t)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return parseDecimal(strconv.AppendUint(buf[:0], rv.Uint(), 10), t)
	case reflect.Float32:
		return parseDecimal(strconv.AppendFloat(buf[:0], rv.Float(), 'g', -1, 32), t)
	case reflect.Float64:
		return parseDecimal(strconv.AppendFloat(buf[:0], rv.Float(), 'g', -1, 64), t)
	case reflect.String:
		return parseDecimal(view(rv.String()), t)
	}
	return decimal128.Num{}, errGo(v)
}

func appendBool(c *Bools, v any) error {
	text := ""
	switch x := v.(type) {
	case bool:
		c.Append(x)
		return nil
	case string:
		text = x
	case []byte:
		text = string(x)
	default:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Bool {
			c.Append(rv.Bool())
			return nil
		}
		n, err := toInt(v, 0, 1)
		if err != nil {
			return errors.New("only true, false, 1 and 0 are booleans")
		}
		c.Append(n == 1)
		return nil
	}
	switch {
	case strings.EqualFold(text, "true") || text == "1":
		c.Append(true)
	case strings.EqualFold(text, "false") || text == "0":
		c.Append(false)
	default:
		return errors.New("only true, false, 1 and 0 are booleans")
	}
	return nil
}

func appendString(c *Text, t plugin.Type, v any) error {
	var text []byte
	switch x := v.(type) {
	case string:
		text = view(x)
	case []byte:
		if x == nil {
			c.AppendNull()
			return nil
		}
		text = x
	default:
		converted, err := toText(t, v)
		if err != nil {
			return err
		}
		text = converted
	}
	if t.Kind == plugin.String && !utf8.Valid(text) {
		return ErrText
	}
	if len(text) > math.MaxInt32-len(c.data.vals) {
		return errors.New("2 GiB of text in one batch")
	}
	c.Append(text)
	return nil
}

// toText returns the text of values that are neither text nor bytes.
func toText(t plugin.Type, v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.String {
		return []byte(rv.String()), nil
	}
	if t.Kind == plugin.Bytes {
		return toBytes(v, rv)
	}
	if s, ok := v.(fmt.Stringer); ok {
		if at, ok := v.(time.Time); ok {
			return []byte(at.Format(time.RFC3339Nano)), nil
		}
		return []byte(s.String()), nil
	}
	switch rv.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(nil, rv.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(nil, rv.Uint(), 10), nil
	case reflect.Float32:
		return strconv.AppendFloat(nil, rv.Float(), 'g', -1, 32), nil
	case reflect.Float64:
		return strconv.AppendFloat(nil, rv.Float(), 'g', -1, 64), nil
	case reflect.Bool:
		return strconv.AppendBool(nil, rv.Bool()), nil
	case reflect.Slice:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			return rv.Bytes(), nil
		}
	}
	return nil, errGo(v)
}

func toBytes(v any, rv reflect.Value) ([]byte, error) {
	switch {
	case rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8:
		return rv.Bytes(), nil
	case rv.Kind() == reflect.Array && rv.Type().Elem().Kind() == reflect.Uint8:
		b := make([]byte, rv.Len())
		reflect.Copy(reflect.ValueOf(b), rv)
		return b, nil
	}
	return nil, errGo(v)
}
