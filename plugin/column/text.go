package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Text is a column of String or Bytes values. All values of a batch together must stay below 2 GiB, which holds if the
// caller cuts a batch when [Builder.Full] says so.
type Text struct {
	offsets block[int32] // the end of each value; the first entry is the 0 that Arrow wants in front
	data    block[byte]
	valid   validity
}

// Len returns the number of values.
func (c *Text) Len() int { return max(0, len(c.offsets.vals)-1) }

// Append appends a copy of a value. For a String column it must be valid UTF-8; see [ValidText].
func (c *Text) Append(v []byte) {
	n := len(c.data.vals)
	if n+len(v) > cap(c.data.vals) {
		c.data.grow(len(v))
	}
	c.data.vals = c.data.vals[:n+len(v)]
	copy(c.data.vals[n:], v)
	c.end()
}

// AppendString appends a copy of a value. For a String column it must be valid UTF-8; see [ValidText].
func (c *Text) AppendString(v string) {
	c.Append(unsafe.Slice(unsafe.StringData(v), len(v)))
}

// AppendNull appends a null.
func (c *Text) AppendNull() {
	c.end()
	c.valid.null(c.Len() - 1)
}

// Buffer returns what the column's open value holds so far, with room to append to it. Whoever fills it in place gives
// the grown slice to [Text.SetBuffer], which ends the value: a value is built without a copy that way.
func (c *Text) Buffer() []byte {
	return c.data.vals[len(c.data.vals):]
}

// SetBuffer appends the value v, which the caller made by appending to what [Text.Buffer] returned.
func (c *Text) SetBuffer(v []byte) {
	n := len(c.data.vals)
	room := c.data.vals[n:cap(c.data.vals)]
	inPlace := len(room) > 0 && cap(v) > 0 && unsafe.SliceData(v) == unsafe.SliceData(room)
	if !inPlace {
		c.Append(v)
		return
	}
	c.data.vals = c.data.vals[:n+len(v)]
	c.end()
}

// ExtendBytes appends a value of n bytes and returns it to be filled in. It moves with the next append.
func (c *Text) ExtendBytes(n int) []byte {
	v := c.data.extend(n)
	c.end()
	return v
}

// Reserve makes room for n more values; see also [Text.ReserveBytes].
func (c *Text) Reserve(n int) { c.offsets.grow(n + 1) }

// ReserveBytes makes room for n more bytes of values.
func (c *Text) ReserveBytes(n int) { c.data.grow(n) }

// end closes a value at the present end of the data.
func (c *Text) end() {
	if len(c.offsets.vals) == 0 {
		c.offsets.push(0)
	}
	c.offsets.push(int32(len(c.data.vals)))
}

func (c *Text) nullAt(i int) bool { return c.valid.isNull(i) }

func (c *Text) truncate(n int) {
	if n < c.Len() {
		c.data.vals = c.data.vals[:c.offsets.vals[n]]
		c.offsets.vals = c.offsets.vals[:n+1]
	}
	c.valid.truncate(n)
}

func (c *Text) size() int { return len(c.data.vals) + 4*len(c.offsets.vals) + c.valid.size() }

func (c *Text) detach(dt arrow.DataType) arrow.ArrayData {
	n := c.Len()
	bits, nulls := c.valid.detach(n)
	return wrap(dt, n, []*memory.Buffer{bits, detachOffsets(&c.offsets), c.data.detach()}, nil, nulls)
}

func (c *Text) release() {
	c.offsets.release()
	c.data.release()
	c.valid.release()
}
