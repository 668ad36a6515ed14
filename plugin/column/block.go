package column

import (
	"math/bits"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// minBlock is the size in bytes of the smallest buffer that is asked for.
const minBlock = 64

// block is a growing run of plain values in one buffer of an allocator. T must hold no pointers.
type block[T any] struct {
	alloc memory.Allocator
	raw   []byte
	vals  []T // over raw; its capacity is what raw holds
	hint  int // number of values to make room for at the first growth
}

// width returns the size of one value in bytes.
func (b *block[T]) width() int {
	var v T
	return int(unsafe.Sizeof(v))
}

// grow makes room for n more values. It is kept out of the appends so that those can be inlined.
//
//go:noinline
func (b *block[T]) grow(n int) {
	need := len(b.vals) + n
	if need <= cap(b.vals) {
		return
	}
	if b.raw == nil {
		need = max(need, b.hint)
	}
	size := roundUp(need * b.width())
	next := allocate(b.alloc, size)
	vals := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(next))), size/b.width())[:len(b.vals)]
	copy(vals, b.vals)
	if b.raw != nil {
		b.alloc.Free(b.raw)
	}
	b.raw, b.vals = next, vals
}

// roundUp returns the next power of two, so that growth doubles and a pool has few size classes.
func roundUp(size int) int {
	if size <= minBlock {
		return minBlock
	}
	return 1 << bits.Len(uint(size-1))
}

// extend adds n values, which hold garbage, and returns them.
func (b *block[T]) extend(n int) []T {
	if len(b.vals)+n > cap(b.vals) {
		b.grow(n)
	}
	from := len(b.vals)
	b.vals = b.vals[:from+n]
	return b.vals[from:]
}

// push adds one value.
func (b *block[T]) push(v T) {
	n := len(b.vals)
	if n == cap(b.vals) {
		b.grow(1)
	}
	b.vals = b.vals[:n+1]
	b.vals[n] = v
}

// detach hands the values over as an Arrow buffer with one reference and starts anew. Without values it returns an
// empty buffer that owns nothing.
func (b *block[T]) detach() *memory.Buffer {
	b.hint = len(b.vals)
	if len(b.vals) == 0 {
		b.release()
		return memory.NewBufferBytes(nil)
	}
	buf := memory.NewBufferWithAllocator(b.raw, b.alloc)
	buf.ResizeNoShrink(len(b.vals) * b.width())
	b.raw, b.vals = nil, nil
	return buf
}

// detachOffsets is detach for the offsets of texts, lists and maps: Arrow wants the first offset even without values.
func detachOffsets(b *block[int32]) *memory.Buffer {
	if len(b.vals) > 0 {
		return b.detach()
	}
	b.hint = 0
	return memory.NewBufferBytes(make([]byte, 4))
}

// release gives the memory back.
func (b *block[T]) release() {
	if b.raw != nil {
		b.alloc.Free(b.raw)
	}
	b.raw, b.vals = nil, nil
}

// cast views a buffer as values.
func cast[T any](b []byte) []T {
	var v T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(v)))
}
