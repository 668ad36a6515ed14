package parquet

import "github.com/apache/arrow-go/v18/arrow/memory"

// zeroing hands out memory that is all zeros, as the allocators of Arrow's library do and its parquet reader relies on.
// The lanes' allocators reuse memory as it is.
type zeroing struct{ memory.Allocator }

// zeroed returns an allocator whose memory is zero; nil stands for Go's own.
func zeroed(alloc memory.Allocator) memory.Allocator {
	if alloc == nil {
		return memory.DefaultAllocator
	}
	return zeroing{alloc}
}

// Allocate implements [memory.Allocator].
func (z zeroing) Allocate(size int) []byte {
	b := z.Allocator.Allocate(size)
	clear(b)
	return b
}

// Reallocate implements [memory.Allocator].
func (z zeroing) Reallocate(size int, b []byte) []byte {
	n := len(b)
	b = z.Allocator.Reallocate(size, b)
	if size > n {
		clear(b[n:])
	}
	return b
}
