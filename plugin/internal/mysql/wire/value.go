package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// The protocol's numbers of types.
const (
	TypeDecimal    = 0
	TypeTiny       = 1
	TypeShort      = 2
	TypeInt        = 3
	TypeFloat      = 4
	TypeDouble     = 5
	TypeNull       = 6
	TypeTimestamp  = 7
	TypeBigInt     = 8
	TypeMedium     = 9
	TypeDate       = 10
	TypeTime       = 11
	TypeDateTime   = 12
	TypeYear       = 13
	TypeNewDate    = 14
	TypeVarChar    = 15
	TypeBit        = 16
	TypeVector     = 242
	TypeJSON       = 245
	TypeNewDecimal = 246
	TypeEnum       = 247
	TypeSet        = 248
	TypeTinyBlob   = 249
	TypeMediumBlob = 250
	TypeLongBlob   = 251
	TypeBlob       = 252
	TypeVarString  = 253
	TypeString     = 254
	TypeGeometry   = 255
)

// Unsigned reports whether the column holds no negative numbers.
func (c Column) Unsigned() bool { return c.Flags&FlagUnsigned != 0 }

// Width returns the bytes of a value, 0 if they are written in front of it.
func (c Column) Width() int {
	switch c.Type {
	case TypeTiny:
		return 1
	case TypeShort, TypeYear:
		return 2
	case TypeInt, TypeMedium, TypeFloat:
		return 4
	case TypeBigInt, TypeDouble:
		return 8
	default:
		return 0
	}
}

// IsNull reports whether value i of a row is null.
func IsNull(row []byte, i int) bool { return row[1+(i+2)>>3]&(1<<((i+2)&7)) != 0 }

// First returns the position of a row's first value.
func First(columns int) int { return 1 + (columns+7+2)>>3 }

// Values decodes a row: nil, int64, uint64 of values above the largest int64, float64, string or []byte. Dates and
// times are strings. It is the slow way.
func Values(row []byte, columns []Column) ([]any, error) {
	at := First(len(columns))
	if len(row) < at {
		return nil, errProtocol
	}
	values := make([]any, len(columns))
	for i, c := range columns {
		if IsNull(row, i) {
			continue
		}
		v, n, err := c.Value(row[at:])
		if err != nil {
			return nil, err
		}
		values[i] = v
		at += n
	}
	return values, nil
}

// Value decodes the value at the head of b and returns it and its size. See [Values].
func (c Column) Value(b []byte) (any, int, error) {
	if w := c.Width(); w > 0 {
		if len(b) < w {
			return nil, 0, errProtocol
		}
		return c.number(b), w, nil
	}
	text, n := Text(b)
	if n == 0 {
		return nil, 0, errProtocol
	}
	switch c.Type {
	case TypeDate, TypeNewDate:
		return string(AppendDateTime(nil, text, true)), n, nil
	case TypeDateTime, TypeTimestamp:
		return string(AppendDateTime(nil, text, false)), n, nil
	case TypeTime:
		return string(AppendTime(nil, text)), n, nil
	case TypeDecimal, TypeNewDecimal, TypeEnum, TypeSet, TypeJSON:
		return string(text), n, nil
	}
	if c.Charset == Binary {
		return append([]byte{}, text...), n, nil
	}
	return string(text), n, nil
}

func (c Column) number(b []byte) any {
	switch c.Type {
	case TypeFloat:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case TypeDouble:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case TypeBigInt:
		if v := binary.LittleEndian.Uint64(b); c.Unsigned() && v > math.MaxInt64 {
			return v
		}
	}
	return c.Int(b)
}

// Int decodes an integer that is not above the largest int64.
func (c Column) Int(b []byte) int64 {
	unsigned := c.Unsigned()
	switch c.Type {
	case TypeTiny:
		if unsigned {
			return int64(b[0])
		}
		return int64(int8(b[0]))
	case TypeShort, TypeYear:
		v := binary.LittleEndian.Uint16(b)
		if unsigned {
			return int64(v)
		}
		return int64(int16(v))
	case TypeInt, TypeMedium:
		v := binary.LittleEndian.Uint32(b)
		if unsigned {
			return int64(v)
		}
		return int64(int32(v))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}

// DateTime is a day and a time of day as the server sends them; all zero is MySQL's zero date.
type DateTime struct {
	Year, Month, Day, Hour, Minute, Second, Micro int
}

// ParseDateTime decodes a date or timestamp without its length.
func ParseDateTime(b []byte) DateTime {
	var d DateTime
	if len(b) >= 4 {
		d.Year, d.Month, d.Day = int(binary.LittleEndian.Uint16(b)), int(b[2]), int(b[3])
	}
	if len(b) >= 7 {
		d.Hour, d.Minute, d.Second = int(b[4]), int(b[5]), int(b[6])
	}
	if len(b) >= 11 {
		d.Micro = int(binary.LittleEndian.Uint32(b[7:]))
	}
	return d
}

// AppendDateTime appends a date or timestamp as SQL text.
func AppendDateTime(dst, b []byte, dateOnly bool) []byte {
	d := ParseDateTime(b)
	dst = fmt.Appendf(dst, "%04d-%02d-%02d", d.Year, d.Month, d.Day)
	if dateOnly {
		return dst
	}
	return fmt.Appendf(dst, " %02d:%02d:%02d.%06d", d.Hour, d.Minute, d.Second, d.Micro)
}

// ParseTime decodes a time without its length, in microseconds.
func ParseTime(b []byte) int64 {
	if len(b) < 8 {
		return 0
	}
	hours := int64(binary.LittleEndian.Uint32(b[1:]))*24 + int64(b[5])
	v := ((hours*60+int64(b[6]))*60 + int64(b[7])) * 1_000_000
	if len(b) >= 12 {
		v += int64(binary.LittleEndian.Uint32(b[8:]))
	}
	if b[0] != 0 {
		return -v
	}
	return v
}

// AppendTime appends a time as SQL text, which may be negative and longer than a day.
func AppendTime(dst, b []byte) []byte {
	v := ParseTime(b)
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	s := v / 1_000_000
	return fmt.Appendf(dst, "%02d:%02d:%02d.%06d", s/3600, s/60%60, s%60, v%1_000_000)
}

// Rows runs a query and returns all of its rows, for small results.
func (c *Conn) Rows(sql string, args ...any) ([][]any, error) {
	s, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(args)
	var refused *Error
	if err == nil || errors.As(err, &refused) {
		if e := s.Close(); err == nil {
			err = e
		}
	}
	return rows, err
}

func (s *Stmt) rows(args []any) ([][]any, error) {
	if err := s.Query(args...); err != nil {
		return nil, err
	}
	var rows [][]any
	for {
		row, err := s.c.Row()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		values, err := Values(row, s.Columns)
		if err != nil {
			return nil, err
		}
		rows = append(rows, values)
	}
}

// String returns a value of [Values] as text; "" for null.
func String(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return ""
	}
}
