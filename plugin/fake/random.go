package fake

import (
	"encoding/binary"
	"hash/fnv"
	"math/bits"
)

// random is a SplitMix64 generator. Its state is a counter, so that the processor can work on several numbers at once,
// and its next is small enough to be inlined into the loops that fill columns.
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 up to n, n excluded; 0 if n is 0.
func (r *random) below(n uint64) uint64 {
	high, _ := bits.Mul64(r.next(), n)
	return high
}

// seedOf returns the seed for what the names identify. It is the same in every process.
func seedOf(job int64, names ...string) uint64 {
	h := fnv.New64a()
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(job)))
	for _, name := range names {
		h.Write([]byte(name))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

// randomAt returns the generator for the rows from a position on.
func randomAt(seed uint64, row int64) random {
	r := random{state: seed}
	r.state ^= uint64(row) * 0xd1342543de82ef95
	r.state = r.next()
	return r
}

const (
	evenBytes = 0x00ff00ff00ff00ff
	oneEach   = 0x0101010101010101
	letterA   = 0x4141414141414141
)

// letters fills dst, whose length is a multiple of 8, with random ASCII letters, eight at a time: each byte of a
// random number is scaled to 0..51, then moved to A..Z or, from 26 on, past the six signs in between to a..z.
func letters(r *random, dst []byte) {
	s := *r
	for ; len(dst) >= 8; dst = dst[8:] {
		x := s.next()
		even := (x & evenBytes) * 52 >> 8 & evenBytes
		odd := (x >> 8 & evenBytes) * 52 &^ evenBytes
		small := x >> 7 & oneEach // a byte of 128 or more scales to 26 or more
		binary.LittleEndian.PutUint64(dst, letterA+(even|odd)+small*6)
	}
	*r = s
}
