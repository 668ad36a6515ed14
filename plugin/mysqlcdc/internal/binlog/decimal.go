package binlog

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// A decimal in the log is digits in groups of nine, each in four bytes, the highest first; the groups at both ends may
// be smaller. The first bit is the sign, inverted, and the bytes of a negative number are inverted.

const (
	maxDigits   = 65 // of a column
	groupDigits = 9
	groupSize   = 4
)

// partSize is how many bytes a group of fewer than ten digits takes.
var partSize = [groupDigits + 1]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}

// powers are the powers of ten.
var powers = [groupDigits + 1]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

func decimalSize(digits, scale int) int {
	if scale > digits {
		return unknownSize
	}
	whole := digits - scale
	return whole/groupDigits*groupSize + partSize[whole%groupDigits] +
		scale/groupDigits*groupSize + partSize[scale%groupDigits]
}

// decimal is the form of a decimal column.
type decimal struct {
	size             int
	whole, scale     int // digits in front of the point and behind it
	head, tail       int // digits of the groups at both ends
	wholeGroups, all int // full groups in front of the point, and in all
}

func newDecimal(digits, scale int) decimal {
	whole := digits - scale
	return decimal{
		size: decimalSize(digits, scale), whole: whole, scale: scale,
		head: whole % groupDigits, tail: scale % groupDigits,
		wholeGroups: whole / groupDigits, all: whole/groupDigits + scale/groupDigits,
	}
}

// maxShort is the largest number of digits whose value an int64 holds.
const maxShort = 18

// short decodes the decimal of up to [maxShort] digits at the head of b without its point. It takes up to nine bytes,
// the first eight of which are taken apart as one number.
func (d *decimal) short(b []byte) int64 {
	n := min(d.size, 8)
	var bits uint64
	if len(b) >= 8 {
		bits = binary.BigEndian.Uint64(b) >> (64 - 8*n)
	} else {
		bits = big(b[:n])
	}
	flip := uint64(0)
	sign := uint64(1) << (8*n - 1)
	if bits&sign == 0 {
		flip = math.MaxUint64
	}
	bits = (bits ^ flip) & (sign - 1)
	at := 8 * (n - partSize[d.head])
	v := bits >> at
	for range d.all {
		at -= 8 * groupSize
		v = v*powers[groupDigits] + bits>>at&math.MaxUint32
	}
	tail := bits & (1<<at - 1)
	if d.size > 8 {
		tail = tail<<8 | uint64(b[8]^byte(flip))
	}
	v = v*powers[d.tail] + tail
	if flip != 0 {
		return -int64(v)
	}
	return int64(v)
}

// long decodes a decimal of up to 38 digits.
func (d *decimal) long(b []byte) decimal128.Num {
	v := decimal128.Num{}
	negative := d.groups(b, func(group uint64, digits int) {
		v = v.Mul(decimal128.FromU64(powers[digits])).Add(decimal128.FromU64(group))
	})
	if negative {
		return v.Negate()
	}
	return v
}

// groups calls f for each group and reports whether the number is negative. The group that holds the last digits in
// front of the point ends there.
func (d *decimal) groups(b []byte, f func(group uint64, digits int)) (negative bool) {
	var flip byte
	if b[0]&0x80 == 0 {
		flip = 0xff
	}
	first, at := 0x80^flip, 0
	next := func(digits int) {
		n := partSize[digits]
		g := uint64(0)
		for _, c := range b[at : at+n] {
			g = g<<8 | uint64(c^first)
			first = flip
		}
		at += n
		f(g, digits)
	}
	if d.head > 0 {
		next(d.head)
	}
	for range d.all {
		next(groupDigits)
	}
	if d.tail > 0 {
		next(d.tail)
	}
	return flip != 0
}

// appendText appends a decimal of any size as the servers print it.
func (d *decimal) appendText(dst, b []byte) []byte {
	var digits [maxDigits + groupDigits]byte
	n := 0
	negative := d.groups(b, func(group uint64, count int) {
		for i := n + count - 1; i >= n; i-- {
			digits[i] = '0' + byte(group%10)
			group /= 10
		}
		n += count
	})
	if negative {
		dst = append(dst, '-')
	}
	from := 0
	for from < d.whole-1 && digits[from] == '0' {
		from++
	}
	if d.whole == 0 {
		dst = append(dst, '0')
	}
	dst = append(dst, digits[from:d.whole]...)
	if d.scale > 0 {
		dst = append(append(dst, '.'), digits[d.whole:n]...)
	}
	return dst
}
