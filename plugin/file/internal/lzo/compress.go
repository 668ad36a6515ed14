package lzo

import "encoding/binary"

const (
	hashBits = 14
	minMatch = 4 // bytes that are compared to find a match
)

// Compressor makes LZO1X blocks. Its zero value is ready; it belongs to one goroutine.
type Compressor struct {
	// seen holds, by the hash of four bytes, one more than the place where they were last seen.
	seen [1 << hashBits]int32
}

// Compress appends src as one block to dst: a greedy search with one candidate for each place.
func (c *Compressor) Compress(dst, src []byte) []byte {
	clear(c.seen[:])
	start, done := len(dst), 0
	for pos := 0; pos+minMatch <= len(src); {
		word := binary.LittleEndian.Uint32(src[pos:])
		slot := &c.seen[word*2654435761>>(32-hashBits)]
		from := int(*slot) - 1
		*slot = int32(pos + 1)
		if from < 0 || pos-from > farDistance || binary.LittleEndian.Uint32(src[from:]) != word {
			pos += 1 + (pos-done)>>6 // hurry through what does not compress
			continue
		}
		n := minMatch
		for pos+n < len(src) && src[from+n] == src[pos+n] {
			n++
		}
		dst = appendLiterals(dst, start, src[done:pos])
		dst = appendMatch(dst, pos-from, n)
		pos += n
		done = pos
	}
	dst = appendLiterals(dst, start, src[done:])
	return append(dst, endMark, 0, 0)
}

// appendLiterals puts up to three literals behind the match before them, and more into a run.
func appendLiterals(dst []byte, start int, lit []byte) []byte {
	n := len(lit)
	switch {
	case n == 0:
		return dst
	case len(dst) == start && n <= 238:
		dst = append(dst, byte(endMark+n))
	case n <= 3 && len(dst) > start:
		dst[len(dst)-2] |= byte(n)
	case n <= 18:
		dst = append(dst, byte(n-3))
	default:
		dst = appendLength(append(dst, 0), n-18)
	}
	return append(dst, lit...)
}

func appendMatch(dst []byte, dist, n int) []byte {
	switch {
	case n <= 8 && dist <= nearDistance:
		dist--
		return append(dst, byte((n-1)<<5|dist&7<<2), byte(dist>>3))
	case dist <= midDistance:
		dist--
		dst = appendKind(dst, 32, 31, n-2)
	default:
		dist -= midDistance
		dst = appendKind(dst, 16|dist>>11&8, 7, n-2)
	}
	return append(dst, byte(dist<<2), byte(dist>>6))
}

func appendKind(dst []byte, kind, full, n int) []byte {
	if n <= full {
		return append(dst, byte(kind|n))
	}
	return appendLength(append(dst, byte(kind)), n-full)
}

// appendLength writes a length above what an instruction's first byte holds; n is at least 1.
func appendLength(dst []byte, n int) []byte {
	for ; n > 255; n -= 255 {
		dst = append(dst, 0)
	}
	return append(dst, byte(n))
}
