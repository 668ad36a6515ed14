package binlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// hintError is a bad value with something better to do than to correct it.
type hintError struct{ text, fix string }

func (e *hintError) Error() string { return e.text }

var (
	errShort = errors.New("the row ends too soon")
	errList  = errors.New("the column has no name for it: the table was altered")
	errRange = errors.New("the number does not fit into the column")
	errTime  = &hintError{
		"a time of day is not negative and shorter than 24 hours", "declare the column as a number or a text",
	}
	errZeroDate = &hintError{
		"it is no day of the calendar",
		"set the driver property zeroDateTimeBehavior = CONVERT_TO_NULL to read it as null, or correct the value",
	}
	errBoolean = &hintError{
		"only 0 and 1 are booleans", "set the driver property tinyInt1isBit = false to read tinyint(1) as a number",
	}
)

// appender returns the way to append values to a column of type t. Where the types are not those that the Jdbc source
// would make of each other, values go by the rules of package column.
func (f *field) appender(c column.Column, t plugin.Type, zero ZeroDates) appendFunc {
	var a appendFunc
	switch c := c.(type) {
	case *column.Fixed[int8]:
		a = integers(f, c, math.MinInt8, math.MaxInt8)
	case *column.Fixed[int16]:
		a = integers(f, c, math.MinInt16, math.MaxInt16)
	case *column.Fixed[int32]:
		if t.Kind == plugin.Date {
			a = f.dates(c, zero)
		} else {
			a = integers(f, c, math.MinInt32, math.MaxInt32)
		}
	case *column.Fixed[int64]:
		switch {
		case t.Kind == plugin.BigInt:
			a = integers(f, c, math.MinInt64, math.MaxInt64)
		case t.Scale > plugin.DefaultFraction: // nanoseconds
		case t.Kind == plugin.Time:
			a = f.times(c)
		default:
			a = f.timestamps(c, zero)
		}
	case *column.Fixed[float32]:
		if f.log.Type == wire.TypeFloat {
			a = fixed(c, 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) })
		}
	case *column.Fixed[float64]:
		if f.log.Type == wire.TypeDouble {
			a = fixed(c, 8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) })
		}
	case *column.Fixed[decimal128.Num]:
		a = f.decimals(c, t)
	case *column.Bools:
		a = f.booleans(c)
	case *column.Text:
		a = f.texts(c, t)
	}
	if a == nil {
		return f.converted(c, t)
	}
	return a
}

// skip steps over a value that goes nowhere.
func (f *field) skip(b []byte) (int, error) {
	n := f.log.size(b)
	if n > len(b) {
		return 0, errShort
	}
	return n, nil
}

// fixed appends values of one size, which decode takes from the head of its bytes.
func fixed[T column.Plain](c *column.Fixed[T], size int, decode func([]byte) T) appendFunc {
	return func(data []byte, at []int) error {
		values := c.Extend(len(at))
		for i, p := range at {
			if len(data)-p < size {
				return errShort
			}
			values[i], at[i] = decode(data[p:]), p+size
		}
		return nil
	}
}

// integers appends integers of any size; those that the column may not hold are checked.
func integers[T int8 | int16 | int32 | int64](f *field, c *column.Fixed[T], low, high int64) appendFunc {
	if f.typ.unsigned {
		switch {
		case f.log.Type == wire.TypeTiny && high > math.MaxInt8:
			return fixed(c, 1, func(b []byte) T { return T(b[0]) })
		case f.log.Type == wire.TypeShort && high > math.MaxInt16:
			return fixed(c, 2, func(b []byte) T { return T(binary.LittleEndian.Uint16(b)) })
		case f.log.Type == wire.TypeInt && high > math.MaxInt32:
			return fixed(c, 4, func(b []byte) T { return T(binary.LittleEndian.Uint32(b)) })
		}
		return checkedIntegers(f, c, low, high)
	}
	switch {
	case f.log.Type == wire.TypeTiny:
		return fixed(c, 1, func(b []byte) T { return T(int8(b[0])) })
	case f.log.Type == wire.TypeShort && high >= math.MaxInt16:
		return fixed(c, 2, func(b []byte) T { return T(int16(binary.LittleEndian.Uint16(b))) })
	case f.log.Type == wire.TypeInt && high >= math.MaxInt32:
		return fixed(c, 4, func(b []byte) T { return T(int32(binary.LittleEndian.Uint32(b))) })
	case f.log.Type == wire.TypeBigInt && high == math.MaxInt64:
		return fixed(c, 8, func(b []byte) T { return T(binary.LittleEndian.Uint64(b)) })
	}
	return checkedIntegers(f, c, low, high)
}

func checkedIntegers[T int8 | int16 | int32 | int64](f *field, c *column.Fixed[T], low, high int64) appendFunc {
	switch f.log.Type {
	case wire.TypeTiny, wire.TypeShort, wire.TypeMedium, wire.TypeInt, wire.TypeBigInt, wire.TypeYear:
	default:
		return nil
	}
	var v Value
	return eachOf(func(b []byte) (int, error) {
		n, err := f.value(b, &v)
		if err != nil {
			return 0, err
		}
		if v.Kind != IntValue || v.Int < low || v.Int > high {
			return n, errRange
		}
		c.Append(T(v.Int))
		return n, nil
	})
}

func (f *field) booleans(c *column.Bools) appendFunc {
	number := f.log.Type == wire.TypeTiny
	if !number && (f.log.Type != wire.TypeBit || bitSize(f.log.Meta) != 1) {
		return nil
	}
	return func(data []byte, at []int) error {
		for i, p := range at {
			if p == len(data) {
				return errShort
			}
			if number && data[p] > 1 {
				return errBoolean
			}
			c.Append(data[p] != 0)
			at[i] = p + 1
		}
		return nil
	}
}

// decimals appends decimals of the column's own scale, and integers above the largest int64.
func (f *field) decimals(c *column.Fixed[decimal128.Num], t plugin.Type) appendFunc {
	d := f.decimal
	switch {
	case f.log.Type == wire.TypeBigInt && f.typ.unsigned && t.Scale == 0 && t.Precision >= 20:
		return fixed(c, 8, func(b []byte) decimal128.Num { return decimal128.FromU64(binary.LittleEndian.Uint64(b)) })
	case f.log.Type != wire.TypeNewDecimal || d.scale != t.Scale || d.whole+d.scale > t.Precision:
		return nil
	case d.whole+d.scale <= maxShort:
		return fixed(c, d.size, func(b []byte) decimal128.Num { return decimal128.FromI64(d.short(b)) })
	}
	return fixed(c, d.size, d.long)
}

var errBlank = errors.New("a blank text is no such value")

// converted appends values whose column in the out table has another type: by the rules of package column.
func (f *field) converted(c column.Column, t plugin.Type) appendFunc {
	var v Value
	return eachOf(func(b []byte) (int, error) {
		n, err := f.value(b, &v)
		if err != nil {
			return n, err
		}
		switch v.Kind {
		case TextValue:
			if len(v.Text) == 0 && t.Kind != plugin.String && t.Kind != plugin.Bytes {
				return n, errBlank
			}
			err = column.AppendValue(c, t, string(v.Text))
		case UintValue:
			err = column.AppendValue(c, t, fmt.Sprint(v.Uint))
		default:
			err = column.AppendValue(c, t, v.Any())
		}
		return n, err
	})
}
