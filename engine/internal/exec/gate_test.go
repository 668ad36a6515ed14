package exec

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

func TestGateKeepsTheOrder(t *testing.T) {
	const n = 20_000
	g := newGate()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range uint64(n) {
			if err := g.put(item{barrier: &barrier{epoch: i}}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	rng := rand.New(rand.NewPCG(1, 2))
	for i := uint64(0); i < n; {
		wait := []time.Duration{-1, 0, time.Microsecond, time.Hour}[rng.IntN(4)]
		it, how := g.take(wait)
		switch {
		case how == timedOut && wait != -1 && wait < time.Hour:
			runtime.Gosched()
		case how != gotItem || it.barrier.epoch != i:
			t.Fatalf("got %v %v, want item %d", how, it, i)
		default:
			i++
		}
	}
	wg.Wait()
	if _, how := g.take(time.Millisecond); how != timedOut {
		t.Error("an empty gate gave an item")
	}
}

func TestGateBounds(t *testing.T) {
	tests := []struct {
		name  string
		bytes int64
		fit   int
	}{
		{"items", 1, gateItems},
		{"bytes", gateBytes / 2, 2},
		{"one that is too large", gateBytes * 3, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGate()
			for range tt.fit {
				if err := g.put(item{bytes: tt.bytes}); err != nil {
					t.Fatal(err)
				}
			}
			done := make(chan error)
			go func() { done <- g.put(item{bytes: tt.bytes}) }()
			select {
			case <-done:
				t.Fatal("an item too many went in")
			case <-time.After(10 * time.Millisecond):
			}
			for range tt.fit { // as many as it takes to make room
				g.take(-1)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestGateCloses(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	g := newGate()
	table := numbers("t")
	for range gateItems {
		b := column.NewBuilder(table, mem)
		if err := b.AppendRow(plugin.Insert, 1); err != nil {
			t.Fatal(err)
		}
		if err := g.put(item{batch: b.Batch()}); err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	done := make(chan error)
	go func() { done <- g.put(item{}) }()
	g.close()
	g.close()
	if err := <-done; err != errStopped {
		t.Errorf("put says %v", err)
	}
	for _, wait := range []time.Duration{-1, 0, time.Second} {
		if _, how := g.take(wait); how != gateClosed {
			t.Errorf("take says %v", how)
		}
	}
	g = newGate()
	go func() { done <- nil; g.close() }()
	<-done
	if _, how := g.take(-1); how != gateClosed {
		t.Errorf("a take that waits says %v", how)
	}
}

// BenchmarkGate is the cost of a hop between two goroutines.
func BenchmarkGate(b *testing.B) {
	b.ReportAllocs()
	g := newGate()
	var wg sync.WaitGroup
	n := b.N
	wg.Go(func() {
		for range n {
			if g.put(item{bytes: 1}) != nil {
				return
			}
		}
	})
	for range n {
		g.take(-1)
	}
	wg.Wait()
}

// BenchmarkGateChannel is the same with a channel, for comparison.
func BenchmarkGateChannel(b *testing.B) {
	b.ReportAllocs()
	g := make(chan item, gateItems)
	var wg sync.WaitGroup
	n := b.N
	wg.Go(func() {
		for range n {
			g <- item{bytes: 1}
		}
	})
	for range n {
		<-g
	}
	wg.Wait()
}
