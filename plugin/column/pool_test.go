package column

import (
	"sync"
	"testing"
)

func TestPoolCounts(t *testing.T) {
	p := NewPool()
	a := p.Allocate(100)
	if len(a) != 100 || cap(a) != 128 || p.Held() != 128 {
		t.Errorf("%d bytes of %d, %d held", len(a), cap(a), p.Held())
	}
	a[99] = 7
	a = p.Reallocate(120, a)
	if len(a) != 120 || cap(a) != 128 || p.Held() != 128 {
		t.Errorf("%d bytes of %d, %d held", len(a), cap(a), p.Held())
	}
	a = p.Reallocate(1000, a)
	if a[99] != 7 || cap(a) != 1024 || p.Held() != 1024 {
		t.Errorf("moved %d, %d bytes, %d held", a[99], cap(a), p.Held())
	}
	a = p.Reallocate(10, a)
	if len(a) != 10 || p.Held() != 64 {
		t.Errorf("%d bytes, %d held", len(a), p.Held())
	}
	p.Free(a)
	large := p.Allocate(100 << 20)
	if p.Held() != 100<<20 {
		t.Errorf("%d held", p.Held())
	}
	p.Free(large)
	p.Free(p.Allocate(0))
	p.Free(make([]byte, 0))
	if p.Held() != 0 {
		t.Errorf("%d held at the end", p.Held())
	}
	p.Release()
	p.Free(p.Allocate(64))
}

func TestPoolReuses(t *testing.T) {
	p := NewPool()
	allocs := testing.AllocsPerRun(1000, func() { p.Free(p.Allocate(1 << 16)) })
	if allocs > 0.5 { // the race detector drops some on purpose
		t.Errorf("%v allocations for a buffer that was freed before", allocs)
	}
}

func TestPoolFromSeveralGoroutines(t *testing.T) {
	p := NewPool()
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 1000 {
				b := p.Allocate(1 + i%500)
				b[0] = byte(g)
				b = p.Reallocate(len(b)*2, b)
				if b[0] != byte(g) {
					t.Errorf("another goroutine wrote into a buffer")
				}
				p.Free(b)
			}
		})
	}
	all.Wait()
	if p.Held() != 0 {
		t.Errorf("%d held at the end", p.Held())
	}
}
