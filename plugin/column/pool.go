package column

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// The size classes of a Pool are the powers of two from 64 bytes to 64 MiB; larger buffers are not kept.
const (
	minClass   = 6
	maxClass   = 26
	numClasses = maxClass - minClass + 1
)

// Pool is a memory.Allocator that keeps freed buffers by size class for the next batch and counts what is held. It is
// safe for several goroutines. What is kept goes to the garbage collector by and by when nobody asks for it, so an
// idle job holds next to nothing. Buffers are cleared when they are handed out, since Arrow's own readers and builders
// rely on that; the builders of this package do without.
type Pool struct {
	held    atomic.Int64
	classes atomic.Pointer[[numClasses]sync.Pool]
}

// NewPool returns an empty pool.
func NewPool() *Pool {
	p := &Pool{}
	p.Release()
	return p
}

// Allocate returns size zero bytes.
func (p *Pool) Allocate(size int) []byte {
	b := p.uncleared(size)
	clear(b)
	return b
}

// allocate returns size bytes that may hold anything.
func allocate(a memory.Allocator, size int) []byte {
	if p, ok := a.(*Pool); ok {
		return p.uncleared(size)
	}
	return a.Allocate(size)
}

func (p *Pool) uncleared(size int) []byte {
	if size == 0 {
		return []byte{}
	}
	class := classOf(size)
	if class >= numClasses {
		p.held.Add(int64(size))
		return make([]byte, size)
	}
	full := 1 << (class + minClass)
	p.held.Add(int64(full))
	// A pointer to the first byte fits into an interface value without an allocation, a slice does not.
	if first, ok := p.classes.Load()[class].Get().(*byte); ok {
		return unsafe.Slice(first, full)[:size]
	}
	return make([]byte, size, full)
}

// Reallocate returns size bytes that begin with those of b, which must not be used any more. The rest is zero.
func (p *Pool) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) && classOf(size) == classOf(cap(b)) {
		if size > len(b) {
			clear(b[len(b):size])
		}
		return b[:size]
	}
	next := p.uncleared(size)
	clear(next[copy(next, b):])
	p.Free(b)
	return next
}

// Free takes back what Allocate or Reallocate returned.
func (p *Pool) Free(b []byte) {
	size := cap(b)
	if size == 0 {
		return
	}
	p.held.Add(int64(-size))
	class := classOf(size)
	if class >= numClasses || size != 1<<(class+minClass) {
		return
	}
	p.classes.Load()[class].Put(unsafe.SliceData(b))
}

// Held returns the bytes that were handed out and not freed.
func (p *Pool) Held() int64 { return p.held.Load() }

// Release drops what is kept for reuse.
func (p *Pool) Release() { p.classes.Store(new([numClasses]sync.Pool)) }

// classOf returns the class of buffers that hold size bytes, numClasses or more if there is none.
func classOf(size int) int {
	return max(0, bits.Len(uint(size-1))-minClass)
}
