package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// valueError is a value that our side cannot hold; all other errors of a decoder are those of the stream.
type valueError struct{ error }

func (e valueError) Unwrap() error { return e.error }

func isForm(err error) bool {
	var v valueError
	return !errors.As(err, &v)
}

// newDecoder returns the decoder of a type.
func newDecoder(t Type, loc *time.Location) (decoder, error) {
	switch t.Name {
	case "Nullable":
		inner, err := newDecoder(t.Args[0], loc)
		return &nullable{inner: inner}, err
	case "LowCardinality":
		bare, null := t.Bare()
		inner, err := newDecoder(bare, loc)
		if err != nil {
			return nil, err
		}
		return newLowCardinality(bare, inner, null)
	case "Array":
		elem, err := newDecoder(t.Args[0], loc)
		return &arrays{elem: elem}, err
	case "Map":
		key, err := newDecoder(t.Args[0], loc)
		if err != nil {
			return nil, err
		}
		elem, err := newDecoder(t.Args[1], loc)
		return &maps{key: key, elem: elem}, err
	case "Tuple":
		return newTuple(t, loc)
	}
	return newScalar(t, loc)
}

func newScalar(t Type, loc *time.Location) (decoder, error) {
	switch t.Name {
	case "Int8":
		return same[int8]{}, nil
	case "Int16":
		return same[int16]{}, nil
	case "Int32", "Date32":
		return same[int32]{}, nil
	case "Int64", "IntervalSecond", "IntervalMinute", "IntervalHour", "IntervalDay", "IntervalWeek", "IntervalMonth",
		"IntervalQuarter", "IntervalYear":
		return same[int64]{}, nil
	case "Float32":
		return same[float32]{}, nil
	case "Float64":
		return same[float64]{}, nil
	case "UInt8":
		return convert[uint8, int16]{func(v uint8) int16 { return int16(v) }}, nil
	case "UInt16", "Date":
		return convert[uint16, int32]{func(v uint16) int32 { return int32(v) }}, nil
	case "UInt32":
		return convert[uint32, int64]{func(v uint32) int64 { return int64(v) }}, nil
	case "UInt64":
		return convert[uint64, decimal128.Num]{decimal128.FromU64}, nil
	case "Bool":
		return bools{}, nil
	case "Nothing":
		return nothing{}, nil
	case "Decimal":
		return newDecimal(t), nil
	case "DateTime", "DateTime64":
		return newTimes(t, loc)
	}
	return newText(t)
}

func newDecimal(t Type) decoder {
	switch {
	case t.Precision <= 9:
		return convert[int32, decimal128.Num]{func(v int32) decimal128.Num { return decimal128.FromI64(int64(v)) }}
	case t.Precision <= 18:
		return convert[int64, decimal128.Num]{decimal128.FromI64}
	case t.Precision <= plugin.MaxPrecision:
		return same[decimal128.Num]{}
	default:
		return texts{width: 32, format: func(dst, v []byte) ([]byte, error) {
			return appendScaled(dst, wide(v, true), t.Scale), nil
		}}
	}
}

func newText(t Type) (decoder, error) {
	d := texts{}
	switch t.Name {
	case "String":
		return textValues{}, nil
	case "FixedString":
		d.width = t.Scale
		d.format = func(dst, v []byte) ([]byte, error) {
			v = bytes.TrimRight(v, "\x00")
			return append(dst, v...), column.ValidText(v)
		}
	case "Enum8":
		d.width = 1
		d.format = func(dst, v []byte) ([]byte, error) { return t.appendName(dst, int16(int8(v[0]))) }
	case "Enum16":
		d.width = 2
		d.format = func(dst, v []byte) ([]byte, error) {
			return t.appendName(dst, int16(binary.LittleEndian.Uint16(v)))
		}
	case "UUID":
		d.width, d.format = 16, func(dst, v []byte) ([]byte, error) { return appendUUID(dst, v), nil }
	case "IPv4":
		d.width = 4
		d.format = func(dst, v []byte) ([]byte, error) {
			return netip.AddrFrom4([4]byte{v[3], v[2], v[1], v[0]}).AppendTo(dst), nil
		}
	case "IPv6":
		d.width = 16
		d.format = func(dst, v []byte) ([]byte, error) { return netip.AddrFrom16([16]byte(v)).AppendTo(dst), nil }
	case "Int128", "Int256", "UInt128", "UInt256":
		signed := t.Name[0] == 'I'
		d.width = 16
		if t.Name[len(t.Name)-3:] == "256" {
			d.width = 32
		}
		d.format = func(dst, v []byte) ([]byte, error) { return wide(v, signed).Append(dst, 10), nil }
	default:
		return nil, fmt.Errorf("the type %s has no counterpart", t)
	}
	return d, nil
}

func (t Type) appendName(dst []byte, v int16) ([]byte, error) {
	name, ok := t.Names[v]
	if !ok {
		return dst, fmt.Errorf("the enum has no value %d", v)
	}
	return append(dst, name...), nil
}

// appendUUID appends the text of a UUID, which is stored as two numbers, the first half first.
func appendUUID(dst, v []byte) []byte {
	const hex = "0123456789abcdef"
	for i := range 16 {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		b := v[i&8+7-i&7]
		dst = append(dst, hex[b>>4], hex[b&15])
	}
	return dst
}

// wide returns a little endian integer.
func wide(v []byte, signed bool) *big.Int {
	b := slices.Clone(v)
	slices.Reverse(b)
	n := new(big.Int).SetBytes(b)
	if signed && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// appendScaled appends a number, scale digits of it behind the point.
func appendScaled(dst []byte, n *big.Int, scale int) []byte {
	text := new(big.Int).Abs(n).Append(nil, 10)
	for len(text) <= scale {
		text = slices.Insert(text, 0, '0')
	}
	if n.Sign() < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, text[:len(text)-scale]...)
	if scale == 0 {
		return dst
	}
	return append(append(dst, '.'), text[len(text)-scale:]...)
}

// bytesOf views plain values as bytes.
func bytesOf[T any](v []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(one)))
}

// noPrefix is part of the decoders that read nothing before their values.
type noPrefix struct{}

func (noPrefix) prefix(*stream) error { return nil }

// mostAtOnce is for how many values memory is asked before they have come: a wrong number costs no more.
const mostAtOnce = 1 << 16

// same reads values whose form is that of the column.
type same[T column.Plain] struct{ noPrefix }

func (same[T]) decode(s *stream, n int, c column.Column, nulls []byte) error {
	dst := c.(*column.Fixed[T])
	for nulls == nil && n > 0 {
		some := min(n, mostAtOnce)
		if err := s.fill(bytesOf(dst.Extend(some))); err != nil {
			return err
		}
		n -= some
	}
	var one T
	return eachChunk(s, n, int(unsafe.Sizeof(one)), func(at int, raw []byte) error {
		for i, v := range valuesOf[T](raw) {
			if nulls[at+i] != 0 {
				dst.AppendNull()
			} else {
				dst.Append(v)
			}
		}
		return nil
	})
}

// valuesOf copies nothing where bytes are aligned for T.
func valuesOf[T any](raw []byte) []T {
	var one T
	p := unsafe.Pointer(unsafe.SliceData(raw))
	n := len(raw) / int(unsafe.Sizeof(one))
	if uintptr(p)%unsafe.Alignof(one) == 0 {
		return unsafe.Slice((*T)(p), n)
	}
	v := make([]T, n)
	copy(bytesOf(v), raw)
	return v
}

// eachChunk hands n values of a width over, as many at a time as fit into the buffer.
func eachChunk(s *stream, n, width int, f func(at int, raw []byte) error) error {
	for at := 0; at < n; {
		some := min(n-at, max(1, bufferSize/width/8))
		raw, err := s.take(some * width)
		if err != nil {
			return err
		}
		if err := f(at, raw); err != nil {
			return err
		}
		at += some
	}
	return nil
}

// convert reads values of a type W and appends them as T.
type convert[W any, T column.Plain] struct{ f func(W) T }

func (convert[W, T]) prefix(*stream) error { return nil }

func (d convert[W, T]) decode(s *stream, n int, c column.Column, nulls []byte) error {
	dst := c.(*column.Fixed[T])
	var one W
	return eachChunk(s, n, int(unsafe.Sizeof(one)), func(at int, raw []byte) error {
		src := valuesOf[W](raw)
		if nulls == nil {
			out := dst.Extend(len(src))
			for i, v := range src {
				out[i] = d.f(v)
			}
			return nil
		}
		for i, v := range src {
			if nulls[at+i] != 0 {
				dst.AppendNull()
			} else {
				dst.Append(d.f(v))
			}
		}
		return nil
	})
}

type bools struct{ noPrefix }

func (bools) decode(s *stream, n int, c column.Column, nulls []byte) error {
	dst := c.(*column.Bools)
	return eachChunk(s, n, 1, func(at int, raw []byte) error {
		for i, v := range raw {
			if nulls != nil && nulls[at+i] != 0 {
				dst.AppendNull()
			} else {
				dst.Append(v != 0)
			}
		}
		return nil
	})
}

// nothing reads the type of NULL, whose values take a byte.
type nothing struct{ noPrefix }

func (nothing) decode(s *stream, n int, c column.Column, _ []byte) error {
	return eachChunk(s, n, 1, func(_ int, raw []byte) error {
		for range raw {
			c.AppendNull()
		}
		return nil
	})
}

// textValues reads String values.
type textValues struct{ noPrefix }

func (d textValues) decode(s *stream, n int, c column.Column, nulls []byte) error {
	dst := c.(*column.Text)
	dst.Reserve(min(n, mostAtOnce))
	for i := 0; i < n; i++ {
		var err error
		if i, err = d.buffered(s, i, n, dst, nulls); err != nil || i == n {
			return err
		}
		v, err := s.text()
		if err != nil {
			return err
		}
		if err := put(dst, v, nulls, i); err != nil {
			return err
		}
	}
	return nil
}

// buffered reads values from number i on, as long as they are short and lie in the buffer. It returns how far it came.
func (textValues) buffered(s *stream, i, n int, dst *column.Text, nulls []byte) (int, error) {
	for ; i < n && s.r < s.w; i++ {
		end := s.r + 1 + int(s.buf[s.r])
		if s.buf[s.r] >= 0x80 || end > s.w {
			break
		}
		v := s.buf[s.r+1 : end]
		s.r = end
		if err := put(dst, v, nulls, i); err != nil {
			return i, err
		}
	}
	return i, nil
}

func put(dst *column.Text, v, nulls []byte, i int) error {
	if nulls != nil && nulls[i] != 0 {
		dst.AppendNull()
		return nil
	}
	if !ascii(v) {
		if err := column.ValidText(v); err != nil {
			return valueError{err}
		}
	}
	dst.Append(v)
	return nil
}

// ascii reports whether a text has no byte of 128 or more; most texts have none, and need no closer look.
func ascii(v []byte) bool {
	const high = 0x8080808080808080
	bits := uint64(0)
	if len(v) >= 8 {
		for n := 0; n <= len(v)-8; n += 8 {
			bits |= binary.LittleEndian.Uint64(v[n:])
		}
		return (bits|binary.LittleEndian.Uint64(v[len(v)-8:]))&high == 0
	}
	for _, b := range v {
		bits |= uint64(b)
	}
	return bits < 0x80
}

// texts reads values of one width that become text.
type texts struct {
	width  int
	format func(dst, v []byte) ([]byte, error)
}

func (texts) prefix(*stream) error { return nil }

func (d texts) decode(s *stream, n int, c column.Column, nulls []byte) error {
	dst := c.(*column.Text)
	dst.Reserve(min(n, mostAtOnce))
	var buf []byte
	return eachChunk(s, n, d.width, func(at int, raw []byte) error {
		for i := 0; len(raw) > 0; i, raw = i+1, raw[d.width:] {
			if nulls != nil && nulls[at+i] != 0 {
				dst.AppendNull()
				continue
			}
			var err error
			if buf, err = d.format(buf[:0], raw[:d.width]); err != nil {
				return valueError{err}
			}
			dst.Append(buf)
		}
		return nil
	})
}

// nullable reads which values are null, then the values.
type nullable struct {
	inner decoder
	nulls []byte
}

func (d *nullable) prefix(s *stream) error { return d.inner.prefix(s) }

func (d *nullable) decode(s *stream, n int, c column.Column, _ []byte) error {
	d.nulls = d.nulls[:0]
	err := eachChunk(s, n, 1, func(_ int, raw []byte) error {
		d.nulls = append(d.nulls, raw...)
		return nil
	})
	if err != nil {
		return err
	}
	if bytes.IndexByte(d.nulls, 1) < 0 {
		return d.inner.decode(s, n, c, nil)
	}
	return d.inner.decode(s, n, c, d.nulls)
}
