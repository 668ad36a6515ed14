package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// A numeric in binary form is a header of four 16-bit words (number of digits, weight of the first digit, sign, digits
// to show behind the point) and digits to the base 10,000 without zeros at its ends.
const (
	numericHeader   = 8
	numericBase     = 10000
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericPosInf   = 0xD000
	numericNegInf   = 0xF000
)

var (
	// errSpecial is in the errors of values without a counterpart, such as infinity.
	errSpecial  = errors.New("has no counterpart")
	errDigits   = errors.New("has more digits behind the point than the column keeps")
	errOverflow = errors.New("is too large for the column")
	errForm     = errors.New("does not have the binary form of its type")
)

var pow10 = [...]uint64{
	1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// wide is an unsigned number of 128 bits.
type wide struct{ hi, lo uint64 }

// mulAdd returns w*m + a; ok is false if that does not fit.
func (w wide) mulAdd(m, a uint64) (wide, bool) {
	over, hi := bits.Mul64(w.hi, m)
	carryHi, lo := bits.Mul64(w.lo, m)
	lo, c1 := bits.Add64(lo, a, 0)
	hi, c2 := bits.Add64(hi, carryHi, c1)
	return wide{hi, lo}, over == 0 && c2 == 0
}

func (w wide) less(o wide) bool { return w.hi < o.hi || w.hi == o.hi && w.lo < o.lo }

// limits holds 10^p for each precision p.
var limits = func() (l [39]wide) {
	l[0] = wide{0, 1}
	for p := 1; p < len(l); p++ {
		l[p], _ = l[p-1].mulAdd(10, 0)
	}
	return l
}()

// decodeNumeric returns a numeric's unscaled value in a decimal(precision, scale).
func decodeNumeric(v []byte, precision, scale int) (decimal128.Num, error) {
	if len(v) < numericHeader {
		return decimal128.Num{}, errForm
	}
	n := int(binary.BigEndian.Uint16(v))
	weight := int(int16(binary.BigEndian.Uint16(v[2:])))
	sign := binary.BigEndian.Uint16(v[4:])
	digits := v[numericHeader:]
	switch {
	case sign == numericNaN || sign == numericPosInf || sign == numericNegInf:
		return decimal128.Num{}, specialNumber(sign)
	case len(digits) != 2*n:
		return decimal128.Num{}, errForm
	}
	var sum wide
	var ok bool
	exponent := scale + 4*weight // of the digit at hand, as a power of ten
	for ; len(digits) > 0; exponent, digits = exponent-4, digits[2:] {
		digit := uint64(binary.BigEndian.Uint16(digits))
		switch {
		case exponent >= 0:
			sum, ok = sum.mulAdd(numericBase, digit)
		case exponent > -4:
			if digit%pow10[-exponent] != 0 {
				return decimal128.Num{}, errDigits
			}
			sum, ok = sum.mulAdd(pow10[4+exponent], digit/pow10[-exponent])
		default:
			return decimal128.Num{}, errDigits
		}
		if !ok {
			return decimal128.Num{}, errOverflow
		}
	}
	for exponent += 4; exponent > 0 && n > 0; {
		step := min(exponent, 19)
		if sum, ok = sum.mulAdd(pow10[step], 0); !ok {
			return decimal128.Num{}, errOverflow
		}
		exponent -= step
	}
	if !sum.less(limits[precision]) {
		return decimal128.Num{}, errOverflow
	}
	num := decimal128.New(int64(sum.hi), sum.lo)
	if sign == numericNegative {
		num = num.Negate()
	}
	return num, nil
}

func specialNumber(sign uint16) error {
	name := map[uint16]string{numericNaN: "NaN", numericPosInf: "Infinity", numericNegInf: "-Infinity"}[sign]
	return fmt.Errorf("the number %s %w", name, errSpecial)
}

// appendNumeric appends the length and the binary form of a decimal.
func appendNumeric(dst []byte, num decimal128.Num, scale int) []byte {
	sign := uint16(0)
	if num.Sign() < 0 {
		sign, num = numericNegative, num.Negate()
	}
	rest := wide{uint64(num.HighBits()), num.LowBits()}
	var groups [12]uint16 // the lowest first
	n := 0
	if odd := scale % 4; odd != 0 {
		var low uint64
		rest, low = rest.divide(pow10[odd])
		groups[0] = uint16(low * pow10[4-odd])
		n = 1
	}
	for rest.hi != 0 {
		var low uint64
		rest, low = rest.divide(numericBase)
		groups[n] = uint16(low)
		n++
	}
	for lo := rest.lo; lo != 0; lo /= numericBase {
		groups[n] = uint16(lo % numericBase)
		n++
	}
	behind := (scale + 3) / 4 // groups behind the point
	weight := n - behind - 1
	for n > 0 && groups[n-1] == 0 {
		n--
		weight--
	}
	first := 0
	for first < n && groups[first] == 0 {
		first++
	}
	if first == n {
		weight, sign = 0, 0
	}
	count := n - first
	dst = binary.BigEndian.AppendUint32(dst, uint32(numericHeader+2*count))
	dst = binary.BigEndian.AppendUint16(dst, uint16(count))
	dst = binary.BigEndian.AppendUint16(dst, uint16(weight))
	dst = binary.BigEndian.AppendUint16(dst, sign)
	dst = binary.BigEndian.AppendUint16(dst, uint16(scale))
	for i := n - 1; i >= first; i-- {
		dst = binary.BigEndian.AppendUint16(dst, groups[i])
	}
	return dst
}

// divide returns w/d and the remainder.
func (w wide) divide(d uint64) (wide, uint64) {
	hi, rest := w.hi/d, w.hi%d
	lo, rest := bits.Div64(rest, w.lo, d)
	return wide{hi, lo}, rest
}

// numericText prints a numeric for an error message.
func numericText(v []byte) string {
	if len(v) < numericHeader {
		return fmt.Sprintf("0x%x", v)
	}
	weight := int(int16(binary.BigEndian.Uint16(v[2:])))
	sign := binary.BigEndian.Uint16(v[4:])
	switch sign {
	case numericNaN:
		return "NaN"
	case numericPosInf:
		return "Infinity"
	case numericNegInf:
		return "-Infinity"
	}
	var text []byte
	if sign == numericNegative {
		text = append(text, '-')
	}
	digits := v[numericHeader:]
	if weight < 0 {
		text = append(text, '0')
	}
	digit := func(i int) uint16 {
		if i < 0 || 2*i+2 > len(digits) {
			return 0
		}
		return binary.BigEndian.Uint16(digits[2*i:])
	}
	for i := range weight + 1 {
		if i == 0 {
			text = fmt.Appendf(text, "%d", digit(i))
			continue
		}
		text = fmt.Appendf(text, "%04d", digit(i))
	}
	for i := weight + 1; 2*i < len(digits); i++ {
		if i == weight+1 {
			text = append(text, '.')
		}
		text = fmt.Appendf(text, "%04d", digit(i))
	}
	return string(text)
}
