package column

import (
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
)

// printDate appends a day with sep between its parts, or nothing if sep is 0.
func printDate(dst []byte, days int64, sep byte) []byte {
	year, month, day := civil(days)
	if year < 0 {
		dst, year = append(dst, '-'), -year
	}
	if year > 9999 {
		dst = strconv.AppendInt(dst, int64(year), 10)
	} else {
		dst = printTwo(printTwo(dst, year/100), year%100)
	}
	if sep == 0 {
		return printTwo(printTwo(dst, month), day)
	}
	return append(dst, sep, tens(month), ones(month), sep, tens(day), ones(day))
}

func printTwo(dst []byte, v int) []byte { return append(dst, tens(v), ones(v)) }

func tens(v int) byte { return byte('0' + v/10) }
func ones(v int) byte { return byte('0' + v%10) }

// printClock appends HH:mm:ss.
func printClock(dst []byte, c clock) []byte {
	v := int(c.seconds)
	h, m, s := v/3600, v/60%60, v%60
	return append(dst, tens(h), ones(h), ':', tens(m), ones(m), ':', tens(s), ones(s))
}

// printFraction appends a point and so many digits; with shortest as many as are needed, or nothing.
func printFraction(dst []byte, nanos int64, n int) []byte {
	if n == 0 || n == shortest && nanos == 0 {
		return dst
	}
	at := len(dst) + 1
	dst = append(dst, ".000000000"...)
	for i := len(dst) - 1; nanos > 0; i-- {
		dst[i] = byte('0' + nanos%10)
		nanos /= 10
	}
	if n != shortest {
		return dst[:at+n]
	}
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// printJavaClock appends a time of day as LocalTime.toString does: seconds if they are not zero, and a fraction of 3,
// 6 or 9 digits.
func printJavaClock(dst []byte, c clock) []byte {
	at := len(dst)
	dst = printClock(dst, c)
	switch {
	case c.nanos == 0 && c.seconds%60 == 0:
		return dst[:at+5]
	case c.nanos == 0:
		return dst
	case c.nanos%1e6 == 0:
		return printFraction(dst, c.nanos, 3)
	case c.nanos%1e3 == 0:
		return printFraction(dst, c.nanos, 6)
	default:
		return printFraction(dst, c.nanos, 9)
	}
}

// isoDateTime appends the ISO form with a fraction if there is one.
func isoDateTime(dst []byte, t plugin.Type, v int64) []byte {
	days, c := split(t, v)
	dst = append(printDate(dst, days, '-'), 'T')
	return printFraction(printClock(dst, c), c.nanos, shortest)
}

// printFloat appends a number as Double.toString does, or Float.toString with bits 32: the shortest digits that give
// the number back, with a point and at least one digit behind it, and an exponent outside of 0.001 to 10,000,000.
func printFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	case v == 0:
		if math.Signbit(v) {
			dst = append(dst, '-')
		}
		return append(dst, "0.0"...)
	}
	if whole := math.Trunc(v); whole == v && math.Abs(v) < 1e7 {
		return append(strconv.AppendInt(dst, int64(v), 10), ".0"...)
	}
	if abs := math.Abs(v); abs >= 1e-3 && abs < 1e7 {
		return strconv.AppendFloat(dst, v, 'f', -1, bits)
	}
	return printScientific(dst, v, bits)
}

func printScientific(dst []byte, v float64, bits int) []byte {
	var buf, second [32]byte
	text := strconv.AppendFloat(buf[:0], v, 'e', -1, bits)
	digits, exp := splitAt(text, 'e')
	if len(digits) <= 2 {
		// Java never prints a single digit, so it takes the closest of all numbers with two.
		if two := strconv.AppendFloat(second[:0], v, 'e', 1, bits); sameFloat(two, v, bits) {
			digits, exp = splitAt(two, 'e')
		}
	}
	dst = append(dst, digits...)
	if len(digits) <= 2 {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	n, _ := strconv.Atoi(str(exp))
	return strconv.AppendInt(dst, int64(n), 10)
}

func splitAt(text []byte, c byte) (before, after []byte) {
	for i, b := range text {
		if b == c {
			return text[:i], text[i+1:]
		}
	}
	return text, nil
}

func sameFloat(text []byte, v float64, bits int) bool {
	back, err := strconv.ParseFloat(str(text), bits)
	return err == nil && back == v
}

// printBigDecimal appends a number as BigDecimal.toString does: with an exponent if it is very small.
func printBigDecimal(dst []byte, n decimal128.Num, scale int) []byte {
	if n.Sign() < 0 {
		dst, n = append(dst, '-'), n.Negate()
	}
	var buf [40]byte
	digits := appendUnscaled(buf[:0], n)
	exp := len(digits) - 1 - scale
	if scale == 0 || exp >= -6 {
		return appendDecimal(dst, n, scale)
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(exp), 10)
}

// AppendQuoted appends a text as JSON has it.
func AppendQuoted(dst []byte, text string) []byte { return printQuoted(dst, view(text)) }

// printQuoted appends a JSON text.
func printQuoted(dst, text []byte) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	from := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}
