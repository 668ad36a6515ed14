package mysql

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// cell moves the values of one column of a result into a column of a batch.
type cell struct {
	column.Column
	// read appends the value at the head of b, which is not null, and returns its size.
	read func(b []byte) (int, error)
}

// hintError is a bad value with something better to do than to correct it.
type hintError struct{ text, fix string }

func (e *hintError) Error() string { return e.text }

func (d *database) cellsOf(b *column.Builder, from []wire.Column) []cell {
	cells := make([]cell, len(b.Table().Columns))
	for i, c := range b.Table().Columns {
		cells[i] = cell{b.Column(i), d.reader(b.Column(i), c.Type, from[i])}
	}
	return cells
}

// reader returns the way to read values of a column. A column may have another type on the wire than when it was
// described; the rules of package column decide then.
func (d *database) reader(c column.Column, t plugin.Type, w wire.Column) func([]byte) (int, error) {
	if now, ok := d.typeOf(w); !ok || !now.Equal(t) {
		return converted(c, t, w)
	}
	switch c := c.(type) {
	case *column.Fixed[int8]:
		return integers(c, w)
	case *column.Fixed[int16]:
		return integers(c, w)
	case *column.Fixed[int32]:
		if t.Kind == plugin.Date {
			return d.dates(c)
		}
		return integers(c, w)
	case *column.Fixed[int64]:
		switch t.Kind {
		case plugin.Time:
			return times(c)
		case plugin.Timestamp:
			return d.timestamps(c)
		}
		return integers(c, w)
	case *column.Fixed[float32]:
		return fixed(4, func(b []byte) { c.Append(math.Float32frombits(binary.LittleEndian.Uint32(b))) })
	case *column.Fixed[float64]:
		return fixed(8, func(b []byte) { c.Append(math.Float64frombits(binary.LittleEndian.Uint64(b))) })
	case *column.Fixed[decimal128.Num]:
		if w.Type == wire.TypeBigInt {
			return fixed(8, func(b []byte) { c.Append(decimal128.FromU64(binary.LittleEndian.Uint64(b))) })
		}
		return decimals(c, t)
	case *column.Bools:
		return booleans(c, w)
	case *column.Text:
		return texts(c, t.Kind == plugin.String)
	}
	return converted(c, t, w)
}

func fixed(width int, put func([]byte)) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		if len(b) < width {
			return 0, errRow
		}
		put(b)
		return width, nil
	}
}

func integers[T int8 | int16 | int32 | int64](c *column.Fixed[T], w wire.Column) func([]byte) (int, error) {
	width, unsigned := w.Width(), w.Unsigned()
	switch {
	case width == 1 && unsigned:
		return fixed(1, func(b []byte) { c.Append(T(b[0])) })
	case width == 1:
		return fixed(1, func(b []byte) { c.Append(T(int8(b[0]))) })
	case width == 2 && unsigned:
		return fixed(2, func(b []byte) { c.Append(T(binary.LittleEndian.Uint16(b))) })
	case width == 2:
		return fixed(2, func(b []byte) { c.Append(T(int16(binary.LittleEndian.Uint16(b)))) })
	case width == 4 && unsigned:
		return fixed(4, func(b []byte) { c.Append(T(binary.LittleEndian.Uint32(b))) })
	case width == 4:
		return fixed(4, func(b []byte) { c.Append(T(int32(binary.LittleEndian.Uint32(b)))) })
	default:
		return fixed(8, func(b []byte) { c.Append(T(binary.LittleEndian.Uint64(b))) })
	}
}

func booleans(c *column.Bools, w wire.Column) func([]byte) (int, error) {
	if w.Type == wire.TypeBit {
		return func(b []byte) (int, error) {
			v, n := wire.Text(b)
			if len(v) != 1 {
				return 0, errRow
			}
			c.Append(v[0] != 0)
			return n, nil
		}
	}
	return func(b []byte) (int, error) {
		if len(b) < 1 {
			return 0, errRow
		}
		if b[0] > 1 {
			return 0, &hintError{"only 0 and 1 are booleans",
				"set the driver property tinyInt1isBit = false to read tinyint(1) as a number"}
		}
		c.Append(b[0] == 1)
		return 1, nil
	}
}

func texts(c *column.Text, check bool) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		v, n := wire.Text(b)
		if n == 0 {
			return 0, errRow
		}
		if check {
			if err := column.ValidText(v); err != nil {
				return 0, err
			}
		}
		c.Append(v)
		return n, nil
	}
}

// decimals reads the server's text of a decimal, which has exactly the column's digits behind the point. Up to 18
// digits fit an int64.
func decimals(c *column.Fixed[decimal128.Num], t plugin.Type) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		v, n := wire.Text(b)
		if n == 0 {
			return 0, errRow
		}
		if num, ok := shortDecimal(v, t.Scale); ok {
			c.Append(decimal128.FromI64(num))
			return n, nil
		}
		return n, column.AppendText(c, t, v, nil)
	}
}

// shortDecimal reads a decimal with the given number of digits behind the point and not more than 18 in all.
func shortDecimal(v []byte, scale int) (int64, bool) {
	negative := len(v) > 0 && v[0] == '-'
	if negative {
		v = v[1:]
	}
	point := len(v) - scale - 1
	if len(v) > 19 || len(v) == 0 || scale > 0 && (point < 0 || v[point] != '.') {
		return 0, false
	}
	var num int64
	for i, d := range v {
		if scale > 0 && i == point {
			continue
		}
		if d-'0' > 9 {
			return 0, false
		}
		num = num*10 + int64(d-'0')
	}
	if scale == 0 && len(v) > 18 {
		return 0, false
	}
	if negative {
		num = -num
	}
	return num, true
}

var errTime = &hintError{
	"a time of day is not negative and shorter than 24 hours",
	"read the column by a query as CAST(... AS CHAR), or as TIME_TO_SEC(...)",
}

const dayMicros = 24 * 3600 * 1_000_000

func times(c *column.Fixed[int64]) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		v, n := wire.Text(b)
		if n == 0 {
			return 0, errRow
		}
		micros := wire.ParseTime(v)
		if micros < 0 || micros >= dayMicros {
			return 0, errTime
		}
		c.Append(micros)
		return n, nil
	}
}

var errZeroDate = &hintError{
	"it is no day of the calendar",
	"set the driver property zeroDateTimeBehavior = CONVERT_TO_NULL to read it as null, or correct the value",
}

// days returns the number of days since 1970 of a day; false: it is read as null.
func (d *database) days(v wire.DateTime) (int64, bool, error) {
	if v.Month == 0 || v.Day == 0 {
		switch {
		case v.Year != 0 || v.Month != 0 || v.Day != 0 || d.zero == zeroIsError:
			return 0, false, errZeroDate
		case d.zero == zeroIsNull:
			return 0, false, nil
		}
		v.Year, v.Month, v.Day = 1, 1, 1
	}
	days := wire.Days(v.Year, v.Month, v.Day)
	if v.Day > 28 && time.Unix(days*86400, 0).UTC().Day() != v.Day {
		return 0, false, errZeroDate
	}
	return days, true, nil
}

func (d *database) dates(c *column.Fixed[int32]) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		v, n := wire.Text(b)
		if n == 0 {
			return 0, errRow
		}
		days, ok, err := d.days(wire.ParseDateTime(v))
		if err != nil {
			return 0, err
		}
		if ok {
			c.Append(int32(days))
		} else {
			c.AppendNull()
		}
		return n, nil
	}
}

func (d *database) timestamps(c *column.Fixed[int64]) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		v, n := wire.Text(b)
		if n == 0 {
			return 0, errRow
		}
		at := wire.ParseDateTime(v)
		days, ok, err := d.days(at)
		if err != nil {
			return 0, err
		}
		if !ok {
			c.AppendNull()
			return n, nil
		}
		seconds := int64(at.Hour)*3600 + int64(at.Minute)*60 + int64(at.Second)
		c.Append(days*dayMicros + seconds*1_000_000 + int64(at.Micro))
		return n, nil
	}
}

var errBlank = errors.New("a blank text is no such value")

// converted reads a column whose type has changed since it was described.
func converted(c column.Column, t plugin.Type, w wire.Column) func([]byte) (int, error) {
	return func(b []byte) (int, error) {
		v, n, err := w.Value(b)
		if err != nil {
			return 0, err
		}
		switch x := v.(type) {
		case uint64:
			v = strconv.FormatUint(x, 10)
		case string:
			if x == "" && t.Kind != plugin.String && t.Kind != plugin.Bytes {
				return 0, errBlank
			}
		}
		if err := column.AppendValue(c, t, v); err != nil {
			return 0, fmt.Errorf("its type has changed since the job was planned: %w", err)
		}
		return n, nil
	}
}
