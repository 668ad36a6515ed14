package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

// Column takes the values of one column. Its dynamic type follows from the column's [plugin.Type]:
//
//	TinyInt *Fixed[int8], SmallInt *Fixed[int16], Int *Fixed[int32], BigInt *Fixed[int64]
//	Float *Fixed[float32], Double *Fixed[float64]
//	Decimal *Fixed[decimal128.Num]: the unscaled number
//	Date *Fixed[int32]: days since 1970-01-01
//	Time *Fixed[int64]: since midnight; Timestamp *Fixed[int64]: since 1970-01-01 00:00. Both in microseconds, or in
//	nanoseconds if the type has more than 6 fraction digits
//	String, Bytes *Text; Boolean *Bools; Array *Lists; Map *Maps; Row *Rows; Null *Nulls
type Column interface {
	// Len returns the number of values.
	Len() int
	// AppendNull appends a null.
	AppendNull()
	// Reserve makes room for n more values, so that unchecked appends may follow.
	Reserve(n int)

	nullAt(i int) bool                        // whether value i is null
	truncate(n int)                           // keeps the first n values
	size() int                                // bytes in use
	detach(dt arrow.DataType) arrow.ArrayData // hands all values over and starts anew
	release()                                 // gives all memory back
}

// newColumn returns an empty column for values of t.
func newColumn(t plugin.Type, alloc memory.Allocator) Column {
	switch t.Kind {
	case plugin.String, plugin.Bytes:
		c := &Text{}
		c.data.alloc, c.offsets.alloc, c.valid.bits.alloc = alloc, alloc, alloc
		return c
	case plugin.Boolean:
		c := &Bools{}
		c.bits.alloc, c.valid.bits.alloc = alloc, alloc
		return c
	case plugin.TinyInt:
		return newFixed[int8](alloc)
	case plugin.SmallInt:
		return newFixed[int16](alloc)
	case plugin.Int, plugin.Date:
		return newFixed[int32](alloc)
	case plugin.BigInt, plugin.Time, plugin.Timestamp:
		return newFixed[int64](alloc)
	case plugin.Float:
		return newFixed[float32](alloc)
	case plugin.Double:
		return newFixed[float64](alloc)
	case plugin.Decimal:
		return newFixed[decimal128.Num](alloc)
	case plugin.Array, plugin.Map, plugin.Row:
		return newNested(t, alloc)
	default:
		return &Nulls{}
	}
}

// Nulls is the column of the Null type: every value is null.
type Nulls struct{ n int }

// Len returns the number of values.
func (c *Nulls) Len() int { return c.n }

// AppendNull appends a null.
func (c *Nulls) AppendNull() { c.n++ }

// Reserve does nothing.
func (c *Nulls) Reserve(int) {}

func (c *Nulls) nullAt(int) bool { return true }
func (c *Nulls) truncate(n int)  { c.n = n }
func (c *Nulls) size() int       { return 0 }
func (c *Nulls) release()        { c.n = 0 }

func (c *Nulls) detach(dt arrow.DataType) arrow.ArrayData {
	n := c.n
	c.n = 0
	return array.NewData(dt, n, []*memory.Buffer{nil}, nil, n, 0)
}

// wrap makes array data of buffers and children and drops the caller's references to them.
func wrap(dt arrow.DataType, n int, buffers []*memory.Buffer, children []arrow.ArrayData, nulls int) arrow.ArrayData {
	data := array.NewData(dt, n, buffers, children, nulls, 0)
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	for _, c := range children {
		c.Release()
	}
	return data
}
