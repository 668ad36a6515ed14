package fake

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// generator makes the values of one column, or of a part of one.
type generator interface {
	// generate returns n values; the caller releases them.
	generate(r *random, n int, alloc memory.Allocator) arrow.Array
	// width is about how many bytes a value takes; not a whole number, so that absurd sizes cannot overflow it.
	width() float64
}

// fixed generates the values of a type of fixed width.
type fixed[T arrow.FixedWidthType] struct {
	typ  arrow.DataType
	fill filler[T]
}

func (f fixed[T]) width() float64 {
	var v T
	return float64(unsafe.Sizeof(v))
}

func (f fixed[T]) generate(r *random, n int, alloc memory.Allocator) arrow.Array {
	values := newBuffer(alloc, n*int(f.width()))
	f.fill(r, arrow.GetData[T](values.Bytes()))
	return makeArray(f.typ, n, []*memory.Buffer{nil, values})
}

// nulls generates the values of the null type.
type nulls struct{}

func (nulls) width() float64 { return 0 }

func (nulls) generate(_ *random, n int, _ memory.Allocator) arrow.Array { return array.NewNull(n) }

// booleans generates a bit for each value.
type booleans struct{}

func (booleans) width() float64 { return 1 }

func (booleans) generate(r *random, n int, alloc memory.Allocator) arrow.Array {
	words := (n + 63) / 64
	values := newBuffer(alloc, 8*words)
	for i, all := 0, arrow.GetData[uint64](values.Bytes()); i < words; i++ {
		all[i] = r.next()
	}
	return makeArray(arrow.FixedWidthTypes.Boolean, n, []*memory.Buffer{nil, values})
}

// words generates texts or bytes of random letters, all of one length.
type words struct {
	typ    arrow.DataType
	length int
}

func (w words) width() float64 { return float64(w.length + arrow.Int32SizeBytes) }

func (w words) generate(r *random, n int, alloc memory.Allocator) arrow.Array {
	size := n * w.length
	text := newBuffer(alloc, (size+7)&^7)
	letters(r, text.Bytes())
	return makeArray(w.typ, n, []*memory.Buffer{nil, steps(alloc, n, w.length), text})
}

// choices generates texts that are chosen from a list.
type choices struct{ list []string }

func (c choices) width() float64 { return float64(c.longest() + arrow.Int32SizeBytes) }

func (c choices) longest() int {
	longest := 0
	for _, text := range c.list {
		longest = max(longest, len(text))
	}
	return longest
}

func (c choices) generate(r *random, n int, alloc memory.Allocator) arrow.Array {
	ends := newBuffer(alloc, (n+1)*arrow.Int32SizeBytes)
	offsets := arrow.GetData[int32](ends.Bytes())
	text := newBuffer(alloc, n*c.longest())
	dst, at, count := text.Bytes(), 0, uint64(len(c.list))
	offsets[0] = 0
	for i := range n {
		at += copy(dst[at:], c.list[(r.next()>>32)*count>>32])
		offsets[i+1] = int32(at)
	}
	text.ResizeNoShrink(at)
	return makeArray(arrow.BinaryTypes.String, n, []*memory.Buffer{nil, ends, text})
}

// steps returns the offsets of n values that all have the same length.
func steps(alloc memory.Allocator, n, length int) *memory.Buffer {
	ends := newBuffer(alloc, (n+1)*arrow.Int32SizeBytes)
	offsets := arrow.GetData[int32](ends.Bytes())
	at := int32(0)
	for i := range offsets {
		offsets[i] = at
		at += int32(length)
	}
	return ends
}

func newBuffer(alloc memory.Allocator, size int) *memory.Buffer {
	b := memory.NewResizableBuffer(alloc)
	b.Resize(size)
	return b
}

// makeArray takes over the buffers and children and returns an array without nulls.
func makeArray(typ arrow.DataType, n int, buffers []*memory.Buffer, children ...arrow.Array) arrow.Array {
	parts := make([]arrow.ArrayData, len(children))
	for i, c := range children {
		parts[i] = c.Data()
	}
	data := array.NewData(typ, n, buffers, parts, 0, 0)
	defer data.Release()
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	for _, c := range children {
		c.Release()
	}
	return array.MakeFromData(data)
}
