package binlog

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// The types of values in MySQL's binary JSON.
const (
	jsonSmallObject = 0
	jsonLargeObject = 1
	jsonSmallArray  = 2
	jsonLargeArray  = 3
	jsonLiteral     = 4
	jsonInt16       = 5
	jsonUint16      = 6
	jsonInt32       = 7
	jsonUint32      = 8
	jsonInt64       = 9
	jsonUint64      = 10
	jsonDouble      = 11
	jsonString      = 12
	jsonOpaque      = 15
)

// bounds keep damaged values, whose parts may point at each other, from growing without end.
type bounds struct {
	depth int // of the value
	end   int // the longest text
}

const (
	// maxDepth is how deep values may be nested; MySQL allows 100.
	maxDepth = 128
	// textGrowth is how many times longer a text is than its binary form, at most.
	textGrowth = 8
)

var errJSON = errors.New("the JSON value in the log is damaged")

// jsonValue is one value of a binary JSON document.
type jsonValue struct {
	kind byte
	data []byte // what the kind says, and what follows
}

// appendJSON appends a binary JSON document as the text that MySQL shows.
func appendJSON(dst, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return append(dst, "null"...), nil // what MySQL takes an empty value for
	}
	return jsonValue{b[0], b[1:]}.append(dst, bounds{end: len(dst) + textGrowth*len(b) + 64})
}

func (v jsonValue) append(dst []byte, most bounds) ([]byte, error) {
	if most.depth > maxDepth || len(dst) > most.end {
		return dst, errJSON
	}
	if v.container() {
		return v.appendContainer(dst, most)
	}
	switch v.kind {
	case jsonLiteral:
		if len(v.data) < 1 || v.data[0] > 2 {
			return dst, errJSON
		}
		return append(dst, [...]string{"null", "true", "false"}[v.data[0]]...), nil
	case jsonString:
		text, _, ok := jsonText(v.data)
		if !ok {
			return dst, errJSON
		}
		return appendJSONString(dst, text), nil
	case jsonOpaque:
		return v.appendOpaque(dst)
	}
	return v.appendNumber(dst)
}

func (v jsonValue) container() bool { return v.kind <= jsonLargeArray }
func (v jsonValue) object() bool    { return v.kind <= jsonLargeObject }

func (v jsonValue) appendNumber(dst []byte) ([]byte, error) {
	size := map[byte]int{jsonInt16: 2, jsonUint16: 2, jsonInt32: 4, jsonUint32: 4, jsonInt64: 8, jsonUint64: 8,
		jsonDouble: 8}[v.kind]
	if size == 0 || size > len(v.data) {
		return dst, errJSON
	}
	n := little(v.data[:size])
	switch v.kind {
	case jsonUint16, jsonUint32, jsonUint64:
		return strconv.AppendUint(dst, n, 10), nil
	case jsonDouble:
		return appendDouble(dst, math.Float64frombits(n)), nil
	}
	shift := 64 - 8*size
	return strconv.AppendInt(dst, int64(n<<shift)>>shift, 10), nil
}

// appendDouble appends a number as MySQL does: with an exponent if the point is more than 15 digits away.
func appendDouble(dst []byte, f float64) []byte {
	const most = 15
	exponent := 0
	if f != 0 {
		text := strconv.AppendFloat(nil, f, 'e', -1, 64)
		for i, c := range text {
			if c == 'e' {
				exponent, _ = strconv.Atoi(string(text[i+1:]))
			}
		}
		if exponent+1 > most || exponent+1 < -most+1 {
			for i, c := range text {
				if c == 'e' {
					return strconv.AppendInt(append(append(dst, text[:i]...), 'e'), int64(exponent), 10)
				}
			}
		}
	}
	from := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[from:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// jsonText reads a text whose length is in groups of seven bits, the lowest first.
func jsonText(b []byte) (text []byte, size int, ok bool) {
	n, shift := 0, 0
	for i, c := range b {
		if i == 5 {
			break
		}
		n |= int(c&0x7f) << shift
		if c&0x80 == 0 {
			if n > len(b)-i-1 {
				return nil, 0, false
			}
			return b[i+1 : i+1+n], i + 1 + n, true
		}
		shift += 7
	}
	return nil, 0, false
}

func appendJSONString(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\b':
			dst = append(dst, `\b`...)
		case c == '\f':
			dst = append(dst, `\f`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// appendOpaque appends a value of one of MySQL's own types.
func (v jsonValue) appendOpaque(dst []byte) ([]byte, error) {
	if len(v.data) < 2 {
		return dst, errJSON
	}
	kind := v.data[0]
	b, _, ok := jsonText(v.data[1:])
	if !ok {
		return dst, errJSON
	}
	switch kind {
	case wire.TypeNewDecimal:
		if len(b) < 2 || b[1] > 30 || b[0] > maxDigits || b[0] == 0 || decimalSize(int(b[0]), int(b[1])) > len(b)-2 {
			return dst, errJSON
		}
		d := newDecimal(int(b[0]), int(b[1]))
		return d.appendText(dst, b[2:]), nil
	case wire.TypeDate, wire.TypeDateTime, wire.TypeTimestamp:
		if len(b) < 8 {
			return dst, errJSON
		}
		dst = appendDateTime(append(dst, '"'), packedDateTime(binary.LittleEndian.Uint64(b)), kind == wire.TypeDate)
		return append(dst, '"'), nil
	case wire.TypeTime:
		if len(b) < 8 {
			return dst, errJSON
		}
		return append(appendTime(append(dst, '"'), packedTime(int64(binary.LittleEndian.Uint64(b)))), '"'), nil
	}
	dst = append(strconv.AppendInt(append(dst, `"base64:type`...), int64(kind), 10), ':')
	return append(base64.StdEncoding.AppendEncode(dst, b), '"'), nil
}

const fractionBits = 24

// packedDateTime decodes a day and time that is one number.
func packedDateTime(v uint64) wire.DateTime {
	clock := v >> fractionBits
	months := int(clock >> 22 & (1<<17 - 1))
	return wire.DateTime{
		Year: months / 13, Month: months % 13, Day: int(clock >> 17 & 31),
		Hour: int(clock >> 12 & 31), Minute: int(clock >> 6 & 63), Second: int(clock & 63),
		Micro: int(v & (1<<fractionBits - 1)),
	}
}

// packedTime decodes a time that is one number, in microseconds.
func packedTime(v int64) int64 {
	sign := int64(1)
	if v < 0 {
		v, sign = -v, -1
	}
	clock := v >> fractionBits
	return sign * (((clock>>12&1023*60+clock>>6&63)*60+clock&63)*second + v&(1<<fractionBits-1))
}
