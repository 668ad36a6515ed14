package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

func newNested(t plugin.Type, alloc memory.Allocator) Column {
	switch t.Kind {
	case plugin.Array:
		return &Lists{ends: newEnds(alloc), elem: newColumn(*t.Elem, alloc)}
	case plugin.Map:
		return &Maps{ends: newEnds(alloc), key: newColumn(*t.Key, alloc), elem: newColumn(*t.Elem, alloc)}
	default:
		c := &Rows{}
		c.valid.bits.alloc = alloc
		for _, f := range t.Fields {
			c.fields = append(c.fields, newColumn(f.Type, alloc))
		}
		return c
	}
}

// ends are the end positions of list or map values in their child columns.
type ends struct {
	offsets block[int32]
	valid   validity
}

func newEnds(alloc memory.Allocator) ends {
	var e ends
	e.offsets.alloc, e.valid.bits.alloc = alloc, alloc
	return e
}

// Len returns the number of values.
func (e *ends) Len() int { return max(0, len(e.offsets.vals)-1) }

// Reserve makes room for n more values, not for their elements.
func (e *ends) Reserve(n int) { e.offsets.grow(n + 1) }

func (e *ends) end(at int) {
	if len(e.offsets.vals) == 0 {
		e.offsets.push(0)
	}
	e.offsets.push(int32(at))
}

// EndAt closes a value whose elements end before number at of the child columns. It is for callers that append the
// elements of many values at once, without Begin, and close the values afterwards.
func (e *ends) EndAt(at int) { e.end(at) }

// last returns where the child columns stand after the last closed value.
func (e *ends) last() int {
	if len(e.offsets.vals) == 0 {
		return 0
	}
	return int(e.offsets.vals[len(e.offsets.vals)-1])
}

func (e *ends) nullAt(i int) bool { return e.valid.isNull(i) }

func (e *ends) truncate(n int) {
	if n < e.Len() {
		e.offsets.vals = e.offsets.vals[:n+1]
	}
	e.valid.truncate(n)
}

func (e *ends) size() int { return 4*len(e.offsets.vals) + e.valid.size() }

func (e *ends) wrap(dt arrow.DataType, child arrow.ArrayData) arrow.ArrayData {
	n := e.Len()
	bits, nulls := e.valid.detach(n)
	return wrap(dt, n, []*memory.Buffer{bits, detachOffsets(&e.offsets)}, []arrow.ArrayData{child}, nulls)
}

func (e *ends) release() {
	e.offsets.release()
	e.valid.release()
}

// Lists is a column of Array values: Begin, appends to Elem, End.
type Lists struct {
	ends
	elem Column
}

// Begin starts a value. Elements that an unfinished value left behind are dropped.
func (c *Lists) Begin() { c.elem.truncate(c.last()) }

// Elem returns the column that takes the elements.
func (c *Lists) Elem() Column { return c.elem }

// End closes a value: the elements since Begin.
func (c *Lists) End() { c.end(c.elem.Len()) }

// AppendNull appends a null.
func (c *Lists) AppendNull() {
	c.Begin()
	c.End()
	c.valid.null(c.Len() - 1)
}

func (c *Lists) truncate(n int) {
	c.ends.truncate(n)
	c.elem.truncate(c.last())
}

func (c *Lists) size() int { return c.ends.size() + c.elem.size() }

func (c *Lists) detach(dt arrow.DataType) arrow.ArrayData {
	return c.wrap(dt, c.elem.detach(dt.(*arrow.ListType).Elem()))
}

func (c *Lists) release() {
	c.ends.release()
	c.elem.release()
}

// Maps is a column of Map values: Begin, one append to Key and one to Elem for each entry, End. Keys must not be null.
type Maps struct {
	ends
	key, elem Column
}

// Begin starts a value. Entries that an unfinished value left behind are dropped.
func (c *Maps) Begin() {
	c.key.truncate(c.last())
	c.elem.truncate(c.last())
}

// Key returns the column that takes the keys.
func (c *Maps) Key() Column { return c.key }

// Elem returns the column that takes the values.
func (c *Maps) Elem() Column { return c.elem }

// End closes a value: the entries since Begin.
func (c *Maps) End() { c.end(c.key.Len()) }

// AppendNull appends a null.
func (c *Maps) AppendNull() {
	c.Begin()
	c.End()
	c.valid.null(c.Len() - 1)
}

func (c *Maps) truncate(n int) {
	c.ends.truncate(n)
	c.Begin()
}

func (c *Maps) size() int { return c.ends.size() + c.key.size() + c.elem.size() }

func (c *Maps) detach(dt arrow.DataType) arrow.ArrayData {
	mt := dt.(*arrow.MapType)
	n := c.key.Len()
	children := []arrow.ArrayData{c.key.detach(mt.KeyType()), c.elem.detach(mt.ItemType())}
	return c.wrap(dt, wrap(mt.Elem(), n, []*memory.Buffer{nil}, children, 0))
}

func (c *Maps) release() {
	c.ends.release()
	c.key.release()
	c.elem.release()
}

// Rows is a column of nested rows: one append to each Field, then End.
type Rows struct {
	fields []Column
	n      int
	valid  validity
}

// Len returns the number of values.
func (c *Rows) Len() int { return c.n }

// NumFields returns the number of fields.
func (c *Rows) NumFields() int { return len(c.fields) }

// Field returns the column of field i.
func (c *Rows) Field(i int) Column { return c.fields[i] }

// Begin starts a value. Field values that an unfinished one left behind are dropped.
func (c *Rows) Begin() {
	for _, f := range c.fields {
		f.truncate(c.n)
	}
}

// End closes a value: every field has got one more.
func (c *Rows) End() { c.n++ }

// AppendNull appends a null.
func (c *Rows) AppendNull() {
	for _, f := range c.fields {
		f.truncate(c.n)
		f.AppendNull()
	}
	c.n++
	c.valid.null(c.n - 1)
}

// Reserve makes room for n more values in every field.
func (c *Rows) Reserve(n int) {
	for _, f := range c.fields {
		f.Reserve(n)
	}
}

func (c *Rows) nullAt(i int) bool { return c.valid.isNull(i) }

func (c *Rows) truncate(n int) {
	c.n = n
	c.Begin()
	c.valid.truncate(n)
}

func (c *Rows) size() int {
	size := c.valid.size()
	for _, f := range c.fields {
		size += f.size()
	}
	return size
}

func (c *Rows) detach(dt arrow.DataType) arrow.ArrayData {
	n := c.n
	c.n = 0
	children := make([]arrow.ArrayData, len(c.fields))
	for i, f := range dt.(*arrow.StructType).Fields() {
		children[i] = c.fields[i].detach(f.Type)
	}
	bits, nulls := c.valid.detach(n)
	return wrap(dt, n, []*memory.Buffer{bits}, children, nulls)
}

func (c *Rows) release() {
	for _, f := range c.fields {
		f.release()
	}
	c.valid.release()
	c.n = 0
}
