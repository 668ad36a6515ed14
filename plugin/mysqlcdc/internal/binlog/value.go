package binlog

import (
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// ValueKind is the form of a [Value].
type ValueKind uint8

// The forms of values.
const (
	NullValue  ValueKind = iota
	IntValue             // an integer that an int64 holds
	UintValue            // an integer above that
	FloatValue           // float and double
	TextValue            // texts in UTF-8, decimals; dates and times as wire.AppendDateTime and AppendTime write them
	BytesValue           // binary, bit, blob, geometry
)

// Value is one value: that of wire.Column.Value for the same column in a result of the server.
type Value struct {
	Kind  ValueKind
	Int   int64
	Uint  uint64
	Float float64
	// Text holds the bytes of TextValue and BytesValue. The next value that is read into this one overwrites them.
	Text []byte

	scratch []byte
}

// Any returns the value as wire.Column.Value does: nil, int64, uint64 above the largest int64, float64, string, []byte.
func (v *Value) Any() any {
	switch v.Kind {
	case IntValue:
		return v.Int
	case UintValue:
		return v.Uint
	case FloatValue:
		return v.Float
	case TextValue:
		return string(v.Text)
	case BytesValue:
		return append([]byte{}, v.Text...)
	}
	return nil
}

func (v *Value) setInt(n int64) { v.Kind, v.Int = IntValue, n }

func (v *Value) setUint(n uint64) {
	if n <= math.MaxInt64 {
		v.setInt(int64(n))
		return
	}
	v.Kind, v.Uint = UintValue, n
}

func (v *Value) setFloat(f float64) { v.Kind, v.Float = FloatValue, f }

// setScratch makes the value a text that was appended to its scratch memory.
func (v *Value) setScratch(text []byte) { v.Kind, v.Text, v.scratch = TextValue, text, text[:0] }

// field decodes the values of one column of the log.
type field struct {
	name     string
	log      LogColumn
	typ      columnType
	fraction int // bytes of a second's fraction
	decimal  decimal
	charset  *converter // nil: UTF-8, or no text
	pad      int        // a BINARY is filled up to this length
	zone     *zone
}

// value decodes the value at the head of b, which is not null, and returns its size. It is the way that fits all; rows
// are decoded by the faster ones of package file append.go where the types are the usual ones.
func (f *field) value(b []byte, v *Value) (int, error) {
	n := f.log.size(b)
	if n > len(b) {
		return 0, errShort
	}
	b = b[:n]
	switch f.log.Type {
	case wire.TypeTiny, wire.TypeShort, wire.TypeMedium, wire.TypeInt, wire.TypeBigInt:
		f.integer(b, v)
	case wire.TypeYear:
		v.setInt(yearOf(b))
	case wire.TypeFloat:
		v.setFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	case wire.TypeDouble:
		v.setFloat(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case wire.TypeNewDecimal:
		v.setScratch(f.decimal.appendText(v.scratch[:0], b))
	case wire.TypeDate, wire.TypeNewDate:
		v.setScratch(appendDateTime(v.scratch[:0], dateOf(b), true))
	case wire.TypeDateTime, typeDateTime2, wire.TypeTimestamp, typeTimestamp2:
		v.setScratch(appendDateTime(v.scratch[:0], f.dateTime(b), false))
	case wire.TypeTime, typeTime2:
		v.setScratch(appendTime(v.scratch[:0], f.time(b)))
	case wire.TypeEnum:
		name, err := f.enum(little(b))
		if err != nil {
			return 0, err
		}
		v.setScratch(append(v.scratch[:0], name...))
	case wire.TypeSet:
		text, err := f.appendSet(v.scratch[:0], little(b))
		if err != nil {
			return 0, err
		}
		v.setScratch(text)
	case wire.TypeBit:
		v.Kind, v.Text = BytesValue, b
	case wire.TypeJSON:
		text, err := appendJSON(v.scratch[:0], b[f.log.head:])
		if err != nil {
			return 0, err
		}
		v.setScratch(text)
	default:
		return n, f.textValue(b[f.log.head:], v)
	}
	return n, nil
}

// integer decodes an integer of 1 to 8 bytes.
func (f *field) integer(b []byte, v *Value) {
	u := little(b)
	if f.typ.unsigned {
		v.setUint(u)
		return
	}
	shift := 64 - 8*len(b)
	v.setInt(int64(u<<shift) >> shift)
}

func (f *field) textValue(b []byte, v *Value) error {
	text, err := f.appendText(v.scratch[:0], b)
	if err != nil {
		return err
	}
	v.setScratch(text)
	if f.typ.isBytes() {
		v.Kind = BytesValue
	}
	return nil
}

// appendText appends a text as UTF-8, or bytes.
func (f *field) appendText(dst, b []byte) ([]byte, error) {
	if f.log.Type == typeBlobPacked || f.log.Type == typeVarCharPacked {
		var err error
		if b, err = unpackColumn(b); err != nil {
			return dst, err
		}
	}
	switch {
	case f.charset != nil:
		return f.charset.append(dst, b)
	case f.typ.name == "uuid" && len(b) <= 16:
		return appendUUID(dst, [16]byte(padded(b, 16))), nil
	case f.typ.name == "inet6" && len(b) <= 16:
		return appendInet6(dst, [16]byte(padded(b, 16))), nil
	case f.typ.name == "inet4" && len(b) <= 4:
		return netip.AddrFrom4([4]byte(padded(b, 4))).AppendTo(dst), nil
	}
	dst = append(dst, b...)
	for n := len(b); n < f.pad; n++ {
		dst = append(dst, 0)
	}
	return dst, nil
}

// padded fills up what the log cuts off: zeros at the end of values of a fixed size.
func padded(b []byte, size int) []byte {
	var full [16]byte
	copy(full[:], b)
	return full[:size]
}

// appendInet6 prints an address as MariaDB does.
func appendInet6(dst []byte, b [16]byte) []byte { return netip.AddrFrom16(b).AppendTo(dst) }

func yearOf(b []byte) int64 {
	if b[0] == 0 {
		return 0
	}
	return 1900 + int64(b[0])
}

func (f *field) time(b []byte) int64 {
	if f.log.Type == wire.TypeTime {
		return oldTimeOf(b)
	}
	return timeOf(b, f.fraction)
}

// dateTime decodes what the server shows of a datetime or a timestamp. A timestamp of 0 is the zero date.
func (f *field) dateTime(b []byte) wire.DateTime {
	switch f.log.Type {
	case wire.TypeDateTime:
		return oldDateTimeOf(b)
	case typeDateTime2:
		return dateTimeOf(b, f.fraction)
	}
	seconds, micros := f.instant(b)
	if seconds == 0 && micros == 0 {
		return wire.DateTime{}
	}
	return clockOf(f.zone.local(seconds), micros)
}

// instant decodes a timestamp: seconds since 1970 and microseconds.
func (f *field) instant(b []byte) (seconds, micros int64) {
	if f.log.Type == wire.TypeTimestamp {
		return int64(binary.LittleEndian.Uint32(b)), 0
	}
	return instantOf(b, f.fraction)
}

// enum returns a name by its number; 0 is the empty text that stands for a bad value.
func (f *field) enum(number uint64) (string, error) {
	if number == 0 {
		return "", nil
	}
	if number > uint64(len(f.typ.values)) {
		return "", errList
	}
	return f.typ.values[number-1], nil
}

// appendSet appends the names whose bits are set, with commas.
func (f *field) appendSet(dst []byte, bits uint64) ([]byte, error) {
	if n := len(f.typ.values); n < 64 && bits>>n != 0 {
		return dst, errList
	}
	comma := false
	for i, name := range f.typ.values {
		if bits&(1<<i) == 0 {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		dst, comma = append(dst, name...), true
	}
	return dst, nil
}
