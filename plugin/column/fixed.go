package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Plain lists the values that a [Fixed] column holds.
type Plain interface {
	int8 | int16 | int32 | int64 | float32 | float64 | decimal128.Num
}

// Fixed is a column of values of one size.
type Fixed[T Plain] struct {
	block[T]
	valid validity
}

func newFixed[T Plain](alloc memory.Allocator) *Fixed[T] {
	c := &Fixed[T]{}
	c.alloc, c.valid.bits.alloc = alloc, alloc
	return c
}

// Len returns the number of values.
func (c *Fixed[T]) Len() int { return len(c.vals) }

// Append appends a value.
func (c *Fixed[T]) Append(v T) { c.push(v) }

// Reserve makes room for n calls of Put.
func (c *Fixed[T]) Reserve(n int) { c.grow(n) }

// Put appends a value without asking for room, which Reserve must have made.
func (c *Fixed[T]) Put(v T) {
	n := len(c.vals)
	c.vals = c.vals[:n+1]
	c.vals[n] = v
}

// Extend appends n values and returns them to be filled in. They hold garbage until then, and they move with the next
// append.
func (c *Fixed[T]) Extend(n int) []T { return c.extend(n) }

// AppendNull appends a null.
func (c *Fixed[T]) AppendNull() {
	var zero T
	c.push(zero)
	c.valid.null(len(c.vals) - 1)
}

func (c *Fixed[T]) nullAt(i int) bool { return c.valid.isNull(i) }

func (c *Fixed[T]) truncate(n int) {
	c.vals = c.vals[:n]
	c.valid.truncate(n)
}

func (c *Fixed[T]) size() int { return len(c.vals)*c.width() + c.valid.size() }

func (c *Fixed[T]) detach(dt arrow.DataType) arrow.ArrayData {
	n := len(c.vals)
	bits, nulls := c.valid.detach(n)
	return wrap(dt, n, []*memory.Buffer{bits, c.block.detach()}, nil, nulls)
}

func (c *Fixed[T]) release() {
	c.block.release()
	c.valid.release()
}

// Bools is a column of booleans.
type Bools struct {
	bits  block[byte]
	n     int
	valid validity
}

// Len returns the number of values.
func (c *Bools) Len() int { return c.n }

// Append appends a value.
func (c *Bools) Append(v bool) {
	if c.n&7 == 0 {
		c.bits.push(0)
	}
	if v {
		c.bits.vals[c.n>>3] |= 1 << (c.n & 7)
	}
	c.n++
}

// AppendNull appends a null.
func (c *Bools) AppendNull() {
	c.Append(false)
	c.valid.null(c.n - 1)
}

// Reserve makes room for n more values.
func (c *Bools) Reserve(n int) { c.bits.grow(n/8 + 1) }

func (c *Bools) nullAt(i int) bool { return c.valid.isNull(i) }

func (c *Bools) truncate(n int) {
	c.bits.vals = c.bits.vals[:bitutil.BytesForBits(int64(n))]
	if n&7 != 0 {
		c.bits.vals[n>>3] &= 1<<(n&7) - 1
	}
	c.n = n
	c.valid.truncate(n)
}

func (c *Bools) size() int { return len(c.bits.vals) + c.valid.size() }

func (c *Bools) detach(dt arrow.DataType) arrow.ArrayData {
	n := c.n
	c.n = 0
	bits, nulls := c.valid.detach(n)
	return wrap(dt, n, []*memory.Buffer{bits, c.bits.detach()}, nil, nulls)
}

func (c *Bools) release() {
	c.bits.release()
	c.valid.release()
	c.n = 0
}
