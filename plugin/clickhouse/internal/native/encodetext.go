package native

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// textual encodes values for String and for the types that are written as text; nil if conversion rules are needed.
func textual(from plugin.Type, t Type) encode {
	switch {
	case t.Name == "String" && from.Kind != plugin.String && from.Kind != plugin.Bytes:
		return formatted(from)
	case from.Kind != plugin.String && (from.Kind != plugin.Bytes || t.Name != "String" && t.Name != "FixedString"):
		return nil
	case t.Name == "String":
		return varying
	}
	parse, width := parserOf(t)
	if parse == nil {
		return nil
	}
	blank := t.blank(width)
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		value := textValue(a)
		for i := from; i < to; i++ {
			if a.IsNull(i) {
				dst = append(dst, blank...)
				continue
			}
			var err error
			if dst, err = parse(dst, value(i)); err != nil {
				return dst, &at{i, fmt.Errorf("%.64q: %w", value(i), err)}
			}
		}
		return dst, nil
	}
}

// blank returns the bytes of a value that stands where there is none: zero, or the lowest value of an Enum, which may
// have no zero.
func (t Type) blank(width int) []byte {
	b := make([]byte, width)
	if len(t.Names) == 0 {
		return b
	}
	lowest := int16(math.MaxInt16)
	for v := range t.Names {
		lowest = min(lowest, v)
	}
	b[0] = byte(lowest)
	if width == 2 {
		b[1] = byte(uint16(lowest) >> 8)
	}
	return b
}

// textValue returns the function that gives a value of a String or Bytes array.
func textValue(a arrow.Array) func(i int) string {
	if b, ok := a.(*array.Binary); ok {
		return b.ValueString
	}
	return a.(*array.String).Value
}

// varying appends texts with their lengths.
func varying(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
	value := textValue(a)
	size := 0
	if from < to {
		offset := a.(interface{ ValueOffset64(int) int64 }).ValueOffset64
		size = int(offset(to-1)-offset(from)) + len(value(to-1))
	}
	dst = slices.Grow(dst, size+2*(to-from))
	for i := from; i < to; i++ {
		if v := value(i); len(v) < 0x80 {
			dst = append(append(dst, byte(len(v))), v...)
		} else {
			dst = appendText(dst, v)
		}
	}
	return dst, nil
}

// formatted appends values in their text form, arrays, maps and rows as JSON.
func formatted(from plugin.Type) encode {
	return func(dst []byte, a arrow.Array, start, end int) ([]byte, error) {
		var buf []byte
		for i := start; i < end; i++ {
			buf = buf[:0]
			switch {
			case column.IsNull(a, i):
			case from.Kind == plugin.Array || from.Kind == plugin.Map || from.Kind == plugin.Row:
				buf = column.FormatJSON(buf, a, from, i)
			default:
				buf = padded(column.FormatText(buf, a, from, i, nil), from)
			}
			dst = appendText(dst, buf)
		}
		return dst, nil
	}
}

// padded gives the text of a timestamp all fraction digits of its type, so that texts compare as the times do.
func padded(text []byte, t plugin.Type) []byte {
	if t.Kind != plugin.Timestamp || t.Scale == 0 || len(text) == 0 {
		return text
	}
	point := bytes.IndexByte(text, '.')
	if point < 0 {
		point = len(text)
		text = append(text, '.')
	}
	for len(text) <= point+t.Scale {
		text = append(text, '0')
	}
	return text
}

// parserOf returns what appends the value that a text means, and the bytes it takes; nil for other types.
func parserOf(t Type) (parse func(dst []byte, v string) ([]byte, error), width int) {
	switch t.Name {
	case "FixedString":
		return func(dst []byte, v string) ([]byte, error) {
			if len(v) > t.Scale {
				return dst, fmt.Errorf("%d bytes are too long for %s", len(v), t)
			}
			return append(append(dst, v...), make([]byte, t.Scale-len(v))...), nil
		}, t.Scale
	case "Enum8", "Enum16":
		return enumParser(t)
	case "UUID":
		return parseUUID, 16
	case "IPv4":
		return parseIPv4, 4
	case "IPv6":
		return parseIPv6, 16
	case "Int128":
		return wideParser(t, 16, 0, true), 16
	case "UInt128":
		return wideParser(t, 16, 0, false), 16
	case "Int256":
		return wideParser(t, 32, 0, true), 32
	case "UInt256":
		return wideParser(t, 32, 0, false), 32
	}
	return nil, 0
}

func enumParser(t Type) (func(dst []byte, v string) ([]byte, error), int) {
	values := make(map[string]int16, len(t.Names))
	for v, name := range t.Names {
		values[name] = v
	}
	width := 1
	if t.Name == "Enum16" {
		width = 2
	}
	return func(dst []byte, name string) ([]byte, error) {
		v, ok := values[name]
		if !ok {
			return dst, fmt.Errorf("not a value of %s", t)
		}
		dst = append(dst, byte(v))
		if width == 2 {
			dst = append(dst, byte(uint16(v)>>8))
		}
		return dst, nil
	}, width
}

var errUUID = errors.New("not a UUID such as 61f0c404-5cb3-11e7-907b-a6006ad3dba0")

func parseUUID(dst []byte, v string) ([]byte, error) {
	if len(v) != 36 || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-' {
		return dst, errUUID
	}
	var id [16]byte
	digits := v[:8] + v[9:13] + v[14:18] + v[19:23] + v[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return dst, errUUID
	}
	slices.Reverse(id[:8])
	slices.Reverse(id[8:])
	return append(dst, id[:]...), nil
}

func parseIPv4(dst []byte, v string) ([]byte, error) {
	ip, err := netip.ParseAddr(v)
	if err != nil || !ip.Is4() {
		return dst, errors.New("not an IPv4 address")
	}
	b := ip.As4()
	return append(dst, b[3], b[2], b[1], b[0]), nil
}

// parseIPv6 takes IPv4 addresses too, as ClickHouse does.
func parseIPv6(dst []byte, v string) ([]byte, error) {
	ip, err := netip.ParseAddr(v)
	if err != nil || ip.Zone() != "" {
		return dst, errors.New("not an IPv6 address")
	}
	b := ip.As16()
	return append(dst, b[:]...), nil
}

// wideParser reads integers of up to 256 bits; with a scale, decimals.
func wideParser(t Type, width, scale int, signed bool) func(dst []byte, v string) ([]byte, error) {
	one := big.NewInt(1)
	limit := new(big.Int).Lsh(one, uint(8*width)) // the first that does not fit
	lowest := new(big.Int)
	if signed {
		limit.Rsh(limit, 1)
		lowest.Neg(limit)
	}
	if t.Name == "Decimal" {
		limit.Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
		lowest.Sub(one, limit)
	}
	return func(dst []byte, v string) ([]byte, error) {
		r, ok := new(big.Rat).SetString(v)
		if !ok || len(v) > 200 {
			return dst, errors.New("not a number")
		}
		r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		if !r.IsInt() {
			return dst, fmt.Errorf("more than %d digits behind the point", scale)
		}
		n := r.Num()
		if n.Cmp(lowest) < 0 || n.Cmp(limit) >= 0 {
			return dst, fmt.Errorf("%w for %s", errRange, t)
		}
		if n.Sign() < 0 {
			n = new(big.Int).Add(n, new(big.Int).Lsh(one, uint(8*width)))
		}
		b := n.FillBytes(make([]byte, width))
		slices.Reverse(b)
		return append(dst, b...), nil
	}
}

// wideDecimals encodes text as decimals of more than 38 digits.
func wideDecimals(t Type) encode {
	parse := wideParser(t, 32, t.Scale, true)
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		value := textValue(a)
		for i := from; i < to; i++ {
			if a.IsNull(i) {
				dst = append(dst, make([]byte, 32)...)
				continue
			}
			var err error
			if dst, err = parse(dst, value(i)); err != nil {
				return dst, &at{i, fmt.Errorf("%.64q: %w", value(i), err)}
			}
		}
		return dst, nil
	}
}
