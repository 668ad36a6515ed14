package fake

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// filler fills dst with random values.
type filler[T any] func(r *random, dst []T)

// pick chooses from a list.
func pick[T any](list []T) filler[T] {
	n := uint64(len(list))
	return func(r *random, dst []T) {
		s := *r
		for i := range dst {
			dst[i] = list[(s.next()>>32)*n>>32]
		}
		*r = s
	}
}

// narrow chooses whole numbers of up to 32 bits from low up to high, high excluded; low if they are equal. It takes
// two from one random number.
func narrow[T int8 | int16 | int32](low, high T) filler[T] {
	span := uint64(int64(high) - int64(low))
	return func(r *random, dst []T) {
		s := *r
		for len(dst) >= 2 {
			x := s.next()
			dst[0] = low + T((x&math.MaxUint32)*span>>32)
			dst[1] = low + T((x>>32)*span>>32)
			dst = dst[2:]
		}
		if len(dst) == 1 {
			dst[0] = low + T((s.next()>>32)*span>>32)
		}
		*r = s
	}
}

// wide chooses whole numbers of 64 bits from low up to high, high excluded; low if they are equal.
func wide(low, high int64) filler[int64] {
	span := uint64(high) - uint64(low)
	return func(r *random, dst []int64) {
		s := *r
		for i := range dst {
			high, _ := bits.Mul64(s.next(), span)
			dst[i] = low + int64(high)
		}
		*r = s
	}
}

// float chooses from low up to high, rounded half up to scale digits behind the point unless scale is negative.
func float[T float32 | float64](low, high T, scale int) filler[T] {
	span := float64(high) - float64(low)
	return func(r *random, dst []T) {
		s := *r
		for i := range dst {
			dst[i] = T(float64(low) + float64(s.next()>>11)*0x1p-53*span)
		}
		*r = s
		if scale >= 0 {
			roundHalfUp(dst, scale)
		}
	}
}

// roundHalfUp rounds to scale digits behind the point. Numbers too large to have any are left alone.
func roundHalfUp[T float32 | float64](dst []T, scale int) {
	unit := math.Pow10(scale)
	for i, v := range dst {
		if scaled := float64(v) * unit; scaled < 1<<52 {
			dst[i] = T(math.Floor(scaled+0.5) / unit)
		}
	}
}

// halfDigits is how many decimal digits of a long decimal come from one random number.
const halfDigits = 19

// decimal chooses any number of the given digits, the point left out.
func decimal(precision int) filler[decimal128.Num] {
	low := pow10(min(precision, halfDigits))
	high := pow10(max(0, precision-halfDigits))
	return func(r *random, dst []decimal128.Num) {
		s := *r
		for i := range dst {
			tail := s.below(low)
			if precision <= halfDigits {
				dst[i] = decimal128.FromU64(tail)
				continue
			}
			h, l := bits.Mul64(s.below(high), low)
			l, carry := bits.Add64(l, tail, 0)
			dst[i] = decimal128.New(int64(h+carry), l)
		}
		*r = s
	}
}

func pow10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}
