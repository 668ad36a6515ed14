package column

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
)

var (
	errRange  = errors.New("out of range")
	errWhole  = errors.New("not a whole number")
	errNumber = errors.New("not a number")
)

// str views bytes as a string, which must not outlive them.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// view views a string as bytes, which must not be written to.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// parseInt reads an optional sign and decimal digits, nothing else.
func parseInt(s []byte, min, max int64) (int64, error) {
	digits, negative := s, false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		digits, negative = s[1:], s[0] == '-'
	}
	if len(digits) == 0 {
		return 0, errWhole
	}
	var v uint64
	for _, c := range digits {
		d := uint64(c - '0')
		if d > 9 {
			return 0, errWhole
		}
		if v > (math.MaxUint64-d)/10 {
			return 0, errRange
		}
		v = v*10 + d
	}
	switch {
	case negative && v > -uint64(min), !negative && v > uint64(max):
		return 0, errRange
	case negative:
		return -int64(v), nil
	default:
		return int64(v), nil
	}
}

// Decimal is an exact number with its own scale: Num / 10^Scale.
type Decimal struct {
	Num   decimal128.Num
	Scale int
}

// String returns the plain digits, Scale of them behind the point.
func (d Decimal) String() string { return string(appendDecimal(nil, d.Num, d.Scale)) }

// Equal reports whether both have the same digits and the same scale.
func (d Decimal) Equal(o Decimal) bool { return d == o }

// powers holds 10^0 to 10^38.
var powers = func() (p [plugin.MaxPrecision + 1]decimal128.Num) {
	v := big.NewInt(1)
	for i := range p {
		p[i] = decimal128.FromBigInt(v)
		v.Mul(v, big.NewInt(10))
	}
	return p
}()

// parseDecimal reads sign, digits, point and exponent as java.math.BigDecimal does, into the scale of t. Zeros beyond
// the scale are dropped; other digits there are an error.
func parseDecimal(s []byte, t plugin.Type) (decimal128.Num, error) {
	mantissa, exp, err := splitExponent(s)
	if err != nil {
		return decimal128.Num{}, err
	}
	negative := false
	if len(mantissa) > 0 && (mantissa[0] == '-' || mantissa[0] == '+') {
		negative = mantissa[0] == '-'
		mantissa = mantissa[1:]
	}
	point := -1
	count := 0
	for i, c := range mantissa {
		switch {
		case c == '.' && point < 0:
			point = i
		case c-'0' <= 9:
			count++
		default:
			return decimal128.Num{}, errNumber
		}
	}
	if count == 0 {
		return decimal128.Num{}, errNumber
	}
	fraction := 0
	if point >= 0 {
		fraction = len(mantissa) - point - 1
	}
	n, err := scaled(mantissa, fraction-exp, t)
	if negative {
		n = n.Negate()
	}
	return n, err
}

func splitExponent(s []byte) (mantissa []byte, exp int, err error) {
	for i, c := range s {
		if c != 'e' && c != 'E' {
			continue
		}
		v, err := parseInt(s[i+1:], -100_000, 100_000)
		if err != nil {
			return nil, 0, errNumber
		}
		return s[:i], int(v), nil
	}
	return s, 0, nil
}

// scaled turns digits (with at most one point, which is skipped), of which the last fraction ones are behind the
// point, into the unscaled number of t.
func scaled(text []byte, fraction int, t plugin.Type) (decimal128.Num, error) {
	for len(text) > 0 && (text[0] == '0' || text[0] == '.') {
		text = text[1:]
	}
	if len(text) == 0 {
		return decimal128.Num{}, nil
	}
	for fraction > t.Scale && len(text) > 0 {
		switch last := text[len(text)-1]; {
		case last == '0':
			fraction--
		case last != '.':
			return decimal128.Num{}, fmt.Errorf("more than %d digits behind the point", t.Scale)
		}
		text = text[:len(text)-1]
	}
	return unscaled(text, t.Scale-fraction, t.Precision)
}

// unscaled reads digits, skipping a point, and appends zeros.
func unscaled(text []byte, zeros, precision int) (decimal128.Num, error) {
	var total decimal128.Num
	var part uint64
	count, pending := 0, 0
	for _, c := range text {
		if c == '.' {
			continue
		}
		part = part*10 + uint64(c-'0')
		count, pending = count+1, pending+1
		if count > precision {
			return decimal128.Num{}, tooManyDigits(precision)
		}
		if pending == 18 {
			total = total.Mul(powers[18]).Add(decimal128.FromU64(part))
			part, pending = 0, 0
		}
	}
	if count+zeros > precision {
		return decimal128.Num{}, tooManyDigits(precision)
	}
	if pending > 0 {
		total = total.Mul(powers[pending]).Add(decimal128.FromU64(part))
	}
	if zeros > 0 {
		total = total.Mul(powers[zeros])
	}
	return total, nil
}

func tooManyDigits(precision int) error {
	return fmt.Errorf("more than %d digits", precision)
}

// rescale brings a number from one scale to the type's without loss.
func rescale(d Decimal, t plugin.Type) (decimal128.Num, error) {
	if d.Scale == t.Scale {
		if !d.Num.FitsInPrecision(int32(t.Precision)) {
			return d.Num, tooManyDigits(t.Precision)
		}
		return d.Num, nil
	}
	var buf [64]byte
	return parseDecimal(appendDecimal(buf[:0], d.Num, d.Scale), t)
}

// appendDecimal appends the plain digits of a number, scale of them behind the point.
func appendDecimal(dst []byte, n decimal128.Num, scale int) []byte {
	if n.Sign() < 0 {
		dst = append(dst, '-')
		n = n.Negate()
	}
	var buf [40]byte
	text := appendUnscaled(buf[:0], n)
	if scale <= 0 {
		dst = append(dst, text...)
		for range -scale {
			dst = append(dst, '0')
		}
		return dst
	}
	if whole := len(text) - scale; whole > 0 {
		dst = append(dst, text[:whole]...)
		dst = append(dst, '.')
		return append(dst, text[whole:]...)
	}
	dst = append(dst, '0', '.')
	for range scale - len(text) {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}

// appendUnscaled appends a number that is not negative.
func appendUnscaled(dst []byte, n decimal128.Num) []byte {
	if n.HighBits() == 0 {
		return strconv.AppendUint(dst, n.LowBits(), 10)
	}
	const chunk = 1e18
	q, low := div128(uint64(n.HighBits()), n.LowBits(), chunk)
	q2, middle := div128(q.hi, q.lo, chunk)
	if q2.lo > 0 {
		dst = strconv.AppendUint(dst, q2.lo, 10)
		dst = appendPadded(dst, middle, 18)
	} else {
		dst = strconv.AppendUint(dst, middle, 10)
	}
	return appendPadded(dst, low, 18)
}

// appendPadded appends v with leading zeros, width digits in all.
func appendPadded(dst []byte, v uint64, width int) []byte {
	at := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= at; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

type uint128 struct{ hi, lo uint64 }

func div128(hi, lo, by uint64) (q uint128, rest uint64) {
	q.hi, rest = bits.Div64(0, hi, by)
	q.lo, rest = bits.Div64(rest, lo, by)
	return q, rest
}
