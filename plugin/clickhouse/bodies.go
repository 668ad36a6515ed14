package clickhouse

import (
	"slices"
	"sync"
)

const (
	// leastBody is the room of the smallest body of an insert.
	leastBody = 64 << 10
	// mostFree is the room of all bodies that are kept for later: two of the largest.
	mostFree = 2*mostBody + 4<<20
)

// bodies are those of inserts that have ended, for the next ones. They are safe for several goroutines.
type bodies struct {
	mu   sync.Mutex
	free [][]byte // those that came first go first
}

// put keeps a body for later, in place of older ones if there are too many.
func (b *bodies) put(body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, body[:0])
	size := 0
	for i, free := range slices.Backward(b.free) {
		if size += cap(free); size > mostFree {
			b.free = slices.Delete(b.free, 0, i+1)
			return
		}
	}
}

// take returns an empty slice with room for size bytes, and not for very many more: where tables of all sizes are
// written, those with few rows must not hold the room of those with many.
func (b *bodies) take(size int) []byte {
	size = max(size, leastBody)
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.free, func(free []byte) bool { return cap(free) >= size && cap(free) <= 4*size })
	if i < 0 {
		return make([]byte, 0, size)
	}
	body := b.free[i]
	b.free = slices.Delete(b.free, i, i+1)
	return body
}
