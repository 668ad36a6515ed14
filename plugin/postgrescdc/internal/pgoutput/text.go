package pgoutput

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Object ids of the types whose binary form is not their text.
const (
	oidBool        = 16
	oidBytea       = 17
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidFloat4      = 700
	oidFloat8      = 701
	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestamptz = 1184
	oidTimetz      = 1266
	oidNumeric     = 1700
	oidUUID        = 2950
	oidJSONB       = 3802
)

// errText is a text that is none of its type, in the settings that a session here has.
var errText = errors.New("does not have the text form of its type")

// AppendBinary appends the binary form of a value that is given in text form. The session that wrote the text has the
// settings DateStyle ISO, TimeZone UTC and bytea_output hex. elem is the type of an array's elements, else 0. Types
// that are not known here are texts.
func AppendBinary(dst []byte, oid, elem uint32, text []byte) ([]byte, error) {
	if elem != 0 {
		return appendArray(dst, elem, text)
	}
	s := string(text)
	switch oid {
	case oidBool:
		return append(dst, btoi(s == "t")), nil
	case oidInt2:
		n, err := strconv.ParseInt(s, 10, 16)
		return binary.BigEndian.AppendUint16(dst, uint16(n)), err
	case oidInt4:
		n, err := strconv.ParseInt(s, 10, 32)
		return binary.BigEndian.AppendUint32(dst, uint32(n)), err
	case oidInt8:
		n, err := strconv.ParseInt(s, 10, 64)
		return binary.BigEndian.AppendUint64(dst, uint64(n)), err
	case oidFloat4:
		f, err := strconv.ParseFloat(s, 32)
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(f))), err
	case oidFloat8:
		f, err := strconv.ParseFloat(s, 64)
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(f)), err
	case oidNumeric:
		return appendNumeric(dst, s)
	case oidBytea:
		return appendBytea(dst, text)
	case oidUUID:
		return appendUUID(dst, text)
	case oidJSONB:
		return append(append(dst, 1), text...), nil
	case oidDate, oidTime, oidTimetz, oidTimestamp, oidTimestamptz:
		return appendTime(dst, oid, s)
	}
	return append(dst, text...), nil
}

func btoi(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendBytea(dst, text []byte) ([]byte, error) {
	digits, ok := bytes.CutPrefix(text, []byte(`\x`))
	if !ok {
		return dst, errText
	}
	return hex.AppendDecode(dst, digits)
}

func appendUUID(dst, text []byte) ([]byte, error) {
	if len(text) != 36 {
		return dst, errText
	}
	return hex.AppendDecode(dst, bytes.ReplaceAll(text, []byte{'-'}, nil))
}

// AppendMoney appends the numeric with two digits behind the point that an amount of money is. Currency signs and
// separators are skipped.
func AppendMoney(dst, text []byte) ([]byte, error) {
	var plain []byte
	negative := false
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			plain = append(plain, c)
		case c == '-' || c == '(':
			negative = true
		}
	}
	if len(plain) < 3 {
		return dst, errText
	}
	s := string(plain[:len(plain)-2]) + "." + string(plain[len(plain)-2:])
	if negative {
		s = "-" + s
	}
	return appendNumeric(dst, s)
}

// The signs of a numeric.
const (
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericPosInf   = 0xD000
	numericNegInf   = 0xF000
)

// appendNumeric appends the binary form of a numeric: digits to the base 10,000.
func appendNumeric(dst []byte, s string) ([]byte, error) {
	head := func(n int, weight int, sign uint16, scale int) []byte {
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
		dst = binary.BigEndian.AppendUint16(dst, uint16(int16(weight)))
		dst = binary.BigEndian.AppendUint16(dst, sign)
		return binary.BigEndian.AppendUint16(dst, uint16(scale))
	}
	switch s {
	case "NaN":
		return head(0, 0, numericNaN, 0), nil
	case "Infinity":
		return head(0, 0, numericPosInf, 0), nil
	case "-Infinity":
		return head(0, 0, numericNegInf, 0), nil
	}
	sign := uint16(0)
	if s != "" && s[0] == '-' {
		sign, s = numericNegative, s[1:]
	}
	whole, fraction := s, ""
	if i := bytes.IndexByte([]byte(s), '.'); i >= 0 {
		whole, fraction = s[:i], s[i+1:]
	}
	scale := len(fraction)
	for len(whole)%4 != 0 {
		whole = "0" + whole
	}
	for len(fraction)%4 != 0 {
		fraction += "0"
	}
	digits := whole + fraction
	var groups []uint16
	for i := 0; i < len(digits); i += 4 {
		n, err := strconv.ParseUint(digits[i:i+4], 10, 16)
		if err != nil {
			return dst, errText
		}
		groups = append(groups, uint16(n))
	}
	weight := len(whole)/4 - 1
	for len(groups) > 0 && groups[0] == 0 {
		groups, weight = groups[1:], weight-1
	}
	for len(groups) > 0 && groups[len(groups)-1] == 0 {
		groups = groups[:len(groups)-1]
	}
	if len(groups) == 0 {
		weight = 0
	}
	dst = head(len(groups), weight, sign, scale)
	for _, g := range groups {
		dst = binary.BigEndian.AppendUint16(dst, g)
	}
	return dst, nil
}

// appendArray appends the binary form of an array of one dimension. Arrays of more dimensions keep their number of
// dimensions, which is what a reader of the binary form refuses them for.
func appendArray(dst []byte, elem uint32, text []byte) ([]byte, error) {
	if i := bytes.IndexByte(text, '='); i > 0 && text[0] == '[' { // bounds, such as [0:2]={1,2,3}
		text = text[i+1:]
	}
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return dst, errText
	}
	header := func(dimensions, count int) {
		dst = binary.BigEndian.AppendUint32(dst, uint32(dimensions))
		dst = binary.BigEndian.AppendUint32(dst, 0) // whether there are nulls: nobody asks
		dst = binary.BigEndian.AppendUint32(dst, elem)
		if dimensions > 0 {
			dst = binary.BigEndian.AppendUint32(dst, uint32(count))
			dst = binary.BigEndian.AppendUint32(dst, 1)
		}
	}
	body := text[1 : len(text)-1]
	switch {
	case len(body) == 0:
		header(0, 0)
		return dst, nil
	case body[0] == '{':
		header(2, 0)
		return dst, nil
	}
	start := len(dst)
	header(1, 0)
	n := 0
	for {
		value, quoted, rest, err := arrayElement(body)
		if err != nil {
			return dst, err
		}
		n++
		at := len(dst)
		dst = append(dst, 0xff, 0xff, 0xff, 0xff)
		if quoted || string(value) != "NULL" {
			if dst, err = AppendBinary(dst, elem, 0, value); err != nil {
				return dst, err
			}
			binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		}
		if rest == nil {
			break
		}
		body = rest
	}
	binary.BigEndian.PutUint32(dst[start+12:], uint32(n))
	return dst, nil
}

// arrayElement takes an element off the inside of an array; rest is nil after the last.
func arrayElement(b []byte) (value []byte, quoted bool, rest []byte, err error) {
	if len(b) == 0 {
		return nil, false, nil, errText
	}
	if b[0] != '"' {
		i := bytes.IndexByte(b, ',')
		if i < 0 {
			return b, false, nil, nil
		}
		return b[:i], false, b[i+1:], nil
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			if i++; i < len(b) {
				value = append(value, b[i])
			}
		case '"':
			switch {
			case i+1 == len(b):
				return value, true, nil, nil
			case b[i+1] == ',':
				return value, true, b[i+2:], nil
			}
			return nil, false, nil, errText
		default:
			value = append(value, b[i])
		}
	}
	return nil, false, nil, fmt.Errorf("%w: a quote is not closed", errText)
}
