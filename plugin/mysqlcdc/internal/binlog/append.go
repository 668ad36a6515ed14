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

// appendFunc appends the value at the head of b, which is not null, to a column and returns its size.
type appendFunc func(b []byte) (int, error)

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
			a = fixed(4, func(b []byte) { c.Append(math.Float32frombits(binary.LittleEndian.Uint32(b))) })
		}
	case *column.Fixed[float64]:
		if f.log.Type == wire.TypeDouble {
			a = fixed(8, func(b []byte) { c.Append(math.Float64frombits(binary.LittleEndian.Uint64(b))) })
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

func fixed(width int, put func([]byte)) appendFunc {
	return func(b []byte) (int, error) {
		if len(b) < width {
			return 0, errShort
		}
		put(b)
		return width, nil
	}
}

// integers appends integers of any size; those that the column may not hold are checked.
func integers[T int8 | int16 | int32 | int64](f *field, c *column.Fixed[T], low, high int64) appendFunc {
	if f.typ.unsigned {
		switch f.log.Type {
		case wire.TypeTiny:
			if high > math.MaxInt8 {
				return fixed(1, func(b []byte) { c.Append(T(b[0])) })
			}
		case wire.TypeShort:
			if high > math.MaxInt16 {
				return fixed(2, func(b []byte) { c.Append(T(binary.LittleEndian.Uint16(b))) })
			}
		case wire.TypeInt:
			if high > math.MaxInt32 {
				return fixed(4, func(b []byte) { c.Append(T(binary.LittleEndian.Uint32(b))) })
			}
		}
		return checkedIntegers(f, c, low, high)
	}
	switch f.log.Type {
	case wire.TypeTiny:
		return fixed(1, func(b []byte) { c.Append(T(int8(b[0]))) })
	case wire.TypeShort:
		if high >= math.MaxInt16 {
			return fixed(2, func(b []byte) { c.Append(T(int16(binary.LittleEndian.Uint16(b)))) })
		}
	case wire.TypeInt:
		if high >= math.MaxInt32 {
			return fixed(4, func(b []byte) { c.Append(T(int32(binary.LittleEndian.Uint32(b)))) })
		}
	case wire.TypeBigInt:
		if high == math.MaxInt64 {
			return fixed(8, func(b []byte) { c.Append(T(binary.LittleEndian.Uint64(b))) })
		}
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
	return func(b []byte) (int, error) {
		n, err := f.value(b, &v)
		if err != nil {
			return 0, err
		}
		if v.Kind != IntValue || v.Int < low || v.Int > high {
			return n, errRange
		}
		c.Append(T(v.Int))
		return n, nil
	}
}

func (f *field) booleans(c *column.Bools) appendFunc {
	switch {
	case f.log.Type == wire.TypeBit && bitSize(f.log.Meta) == 1:
		return fixed(1, func(b []byte) { c.Append(b[0] != 0) })
	case f.log.Type == wire.TypeTiny:
		return func(b []byte) (int, error) {
			if len(b) < 1 {
				return 0, errShort
			}
			if b[0] > 1 {
				return 1, errBoolean
			}
			c.Append(b[0] == 1)
			return 1, nil
		}
	}
	return nil
}

// decimals appends decimals of the column's own scale, and integers above the largest int64.
func (f *field) decimals(c *column.Fixed[decimal128.Num], t plugin.Type) appendFunc {
	d := f.decimal
	switch {
	case f.log.Type == wire.TypeBigInt && f.typ.unsigned && t.Scale == 0 && t.Precision >= 20:
		return fixed(8, func(b []byte) { c.Append(decimal128.FromU64(binary.LittleEndian.Uint64(b))) })
	case f.log.Type != wire.TypeNewDecimal || d.scale != t.Scale || d.whole+d.scale > t.Precision:
		return nil
	case d.whole+d.scale <= maxShort:
		return func(b []byte) (int, error) {
			if len(b) < d.size {
				return 0, errShort
			}
			c.Append(decimal128.FromI64(d.short(b)))
			return d.size, nil
		}
	}
	return fixed(d.size, func(b []byte) { c.Append(d.long(b)) })
}

// texts appends texts and bytes.
func (f *field) texts(c *column.Text, t plugin.Type) appendFunc {
	switch {
	case f.log.Type == wire.TypeEnum && t.Kind == plugin.String:
		return f.enums(c)
	case f.log.Type == wire.TypeSet && t.Kind == plugin.String:
		return f.sets(c)
	case f.log.Type == wire.TypeBit && t.Kind == plugin.Bytes:
		size := bitSize(f.log.Meta)
		return fixed(size, func(b []byte) { c.Append(b[:size]) })
	case f.head == 0 || f.typ.isBytes() != (t.Kind == plugin.Bytes):
		return nil
	case f.log.Type == wire.TypeJSON:
		return f.built(c, appendJSON)
	case f.charset != nil || f.pad > 0 || !f.plain():
		return f.built(c, f.appendText)
	}
	head, check := f.head, t.Kind == plugin.String
	return func(b []byte) (int, error) {
		v, n, ok := lengthText(head, b)
		if !ok {
			return 0, errShort
		}
		if check && !isASCII(v) {
			if err := column.ValidText(v); err != nil {
				return n, err
			}
		}
		c.Append(v)
		return n, nil
	}
}

// plain reports whether texts are in the log as they are.
func (f *field) plain() bool {
	switch f.typ.name {
	case "uuid", "inet4", "inet6":
		return false
	}
	return f.log.Type != typeBlobPacked && f.log.Type != typeVarCharPacked
}

// built appends texts that are made from the bytes in the log, in the column's memory.
func (f *field) built(c *column.Text, build func(dst, b []byte) ([]byte, error)) appendFunc {
	return func(b []byte) (int, error) {
		v, n, ok := lengthText(f.head, b)
		if !ok {
			return 0, errShort
		}
		made, err := build(c.Buffer(), v)
		if err != nil {
			return n, err
		}
		c.SetBuffer(made)
		return n, nil
	}
}

func (f *field) enums(c *column.Text) appendFunc {
	size := int(f.log.Meta)
	return func(b []byte) (int, error) {
		if len(b) < size {
			return 0, errShort
		}
		name, err := f.enum(little(b[:size]))
		if err != nil {
			return size, err
		}
		c.AppendString(name)
		return size, nil
	}
}

func (f *field) sets(c *column.Text) appendFunc {
	size := int(f.log.Meta)
	return func(b []byte) (int, error) {
		if len(b) < size {
			return 0, errShort
		}
		made, err := f.appendSet(c.Buffer(), little(b[:size]))
		if err != nil {
			return size, err
		}
		c.SetBuffer(made)
		return size, nil
	}
}

func (f *field) times(c *column.Fixed[int64]) appendFunc {
	if f.log.Type != wire.TypeTime && f.log.Type != typeTime2 {
		return nil
	}
	size := f.log.size(nil)
	return func(b []byte) (int, error) {
		if len(b) < size {
			return 0, errShort
		}
		micros := f.time(b)
		if micros < 0 || micros >= dayMicros {
			return size, errTime
		}
		c.Append(micros)
		return size, nil
	}
}

// days returns the number of days since 1970 of a day; false: it is read as null.
func (z ZeroDates) days(d wire.DateTime) (int64, bool, error) {
	if d.Month == 0 || d.Day == 0 {
		switch {
		case d.Year != 0 || d.Month != 0 || d.Day != 0 || z == ZeroIsError:
			return 0, false, errZeroDate
		case z == ZeroIsNull:
			return 0, false, nil
		}
		d.Year, d.Month, d.Day = 1, 1, 1
	}
	if !inMonth(d) {
		return 0, false, errZeroDate
	}
	return daysOf(d.Year, d.Month, d.Day), true, nil
}

func (f *field) dates(c *column.Fixed[int32], zero ZeroDates) appendFunc {
	if f.log.Type != wire.TypeDate && f.log.Type != wire.TypeNewDate {
		return nil
	}
	return func(b []byte) (int, error) {
		const size = 3
		if len(b) < size {
			return 0, errShort
		}
		days, ok, err := zero.days(dateOf(b))
		switch {
		case err != nil:
			return size, err
		case ok:
			c.Append(int32(days))
		default:
			c.AppendNull()
		}
		return size, nil
	}
}

func (f *field) timestamps(c *column.Fixed[int64], zero ZeroDates) appendFunc {
	size := f.log.size(nil)
	switch f.log.Type {
	case wire.TypeTimestamp, typeTimestamp2:
		return func(b []byte) (int, error) {
			if len(b) < size {
				return 0, errShort
			}
			seconds, micros := f.instant(b)
			if seconds != 0 || micros != 0 {
				c.Append(f.zone.local(seconds)*second + micros)
				return size, nil
			}
			return size, appendClock(c, wire.DateTime{}, zero)
		}
	case wire.TypeDateTime:
		return func(b []byte) (int, error) {
			if len(b) < size {
				return 0, errShort
			}
			return size, appendClock(c, oldDateTimeOf(b), zero)
		}
	case typeDateTime2:
		return f.dateTimes(c, zero)
	}
	return nil
}

// dateTimes appends datetimes. Rows that follow each other are often of one day, whose start is kept.
func (f *field) dateTimes(c *column.Fixed[int64], zero ZeroDates) appendFunc {
	const clockBits = 17
	size, fraction := f.log.size(nil), f.fraction
	day, midnight := uint64(math.MaxUint64), int64(0)
	return func(b []byte) (int, error) {
		if len(b) < size {
			return 0, errShort
		}
		v := uint64(b[0])<<32 | uint64(b[1])<<24 | uint64(b[2])<<16 | uint64(b[3])<<8 | uint64(b[4])
		if v>>clockBits != day {
			days, ok, err := zero.days(dateTimeOf(b, fraction))
			if err != nil {
				return size, err
			}
			if !ok {
				c.AppendNull()
				return size, nil
			}
			day, midnight = v>>clockBits, days*dayMicros
		}
		seconds := int64(v>>12&31)*3600 + int64(v>>6&63)*60 + int64(v&63)
		c.Append(midnight + seconds*second + microsOf(b[5:size]))
		return size, nil
	}
}

// appendClock appends a day and a time of day in microseconds since 1970.
func appendClock(c *column.Fixed[int64], d wire.DateTime, zero ZeroDates) error {
	days, ok, err := zero.days(d)
	if err != nil {
		return err
	}
	if !ok {
		c.AppendNull()
		return nil
	}
	seconds := int64(d.Hour)*3600 + int64(d.Minute)*60 + int64(d.Second)
	c.Append(days*dayMicros + seconds*second + int64(d.Micro))
	return nil
}

var errBlank = errors.New("a blank text is no such value")

// converted appends values whose column in the out table has another type: by the rules of package column.
func (f *field) converted(c column.Column, t plugin.Type) appendFunc {
	var v Value
	return func(b []byte) (int, error) {
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
	}
}
