package binlog

import (
	"encoding/binary"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// cursor reads an event's body from front to end. What is not there reads as zero, and bad says so in the end.
type cursor struct {
	b   []byte
	bad bool
}

// take returns the next n bytes; nil if there are fewer.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) skip(n int) { c.take(n) }

func (c *cursor) u8() byte {
	if v := c.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if v := c.take(2); v != nil {
		return binary.LittleEndian.Uint16(v)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if v := c.take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if v := c.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

// little reads a number of n bytes, the lowest first.
func (c *cursor) little(n int) uint64 { return little(c.take(n)) }

// uint reads a number whose first byte tells its length.
func (c *cursor) uint() uint64 {
	v, n := wire.Uint(c.b)
	if n == 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

// columns is uint for a number of columns.
func (c *cursor) columns() int {
	v := c.uint()
	if v > maxColumns {
		c.b, c.bad = nil, true
		return 0
	}
	return int(v)
}

// count is uint for a number of things of which each takes at least one byte more.
func (c *cursor) count() int {
	v := c.uint()
	if v > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return 0
	}
	return int(v)
}

// text reads bytes with their length in front.
func (c *cursor) text() []byte {
	n := c.count()
	return c.take(n)
}

// little decodes a number of up to 8 bytes, the lowest first.
func little(b []byte) uint64 {
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// big decodes a number of up to 8 bytes, the highest first.
func big(b []byte) uint64 {
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}
