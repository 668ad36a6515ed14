package exec

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

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
		{"items", gateSmallBytes, gateItems},
		{"small items", 1, gateSmallItems},
		{"items that become too many", gateSmallBytes / 20, 20},
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

// TestGateGrows has small items go round the ring while it grows.
func TestGateGrows(t *testing.T) {
	g := newGate()
	var put, taken uint64
	for _, n := range []int{3, 4, 60, 64, 10, 64} {
		for g.n < n {
			if err := g.put(item{barrier: &barrier{epoch: put}}); err != nil {
				t.Fatal(err)
			}
			put++
		}
		for g.n > n/3 {
			if it, _ := g.take(0); it.barrier.epoch != taken {
				t.Fatalf("item %d came, want %d", it.barrier.epoch, taken)
			}
			taken++
		}
	}
}

// TestSmallBatchesAreJoined has single rows wait behind one another, with others between.
func TestSmallBatchesAreJoined(t *testing.T) {
	pool := column.NewPool()
	a, b := numbers("a"), numbers("b")
	l := &lane{gate: newGate(), source: sourceVertex("Source[0]-Model", 1, &counter{table: a})}
	l.source.Env.Alloc = pool
	w := &writingSide{lane: l}
	at := int64(0)
	put := func(t *testing.T, table *plugin.Table, rows int64) {
		t.Helper()
		batch := batchIn(pool, table, at, at+rows)
		batch.EventTime = 100 - at
		if err := l.gate.put(item{batch: batch, bytes: 8 * rows}); err != nil {
			t.Fatal(err)
		}
		at += rows
	}
	for range 10 {
		put(t, a, 1)
	}
	put(t, b, 2)
	put(t, b, joinRows-2)
	put(t, b, 1)
	put(t, a, 3)
	if err := l.gate.put(item{end: &splitEnd{}}); err != nil {
		t.Fatal(err)
	}
	put(t, a, 4)
	var got []string
	var values []int64
	for {
		it, how := l.gate.take(0)
		if how != gotItem {
			break
		}
		if it.end != nil {
			got = append(got, "end")
			continue
		}
		it, err := w.join(it)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %d %d", it.batch.Table.ID.Name, it.batch.Len(), it.bytes))
		values = append(values, valuesOf(it.batch)...)
		if len(values) == 10 && it.batch.EventTime != 91 {
			t.Errorf("the oldest of them happened at %d", it.batch.EventTime)
		}
		it.batch.Release()
	}
	if d := cmp.Diff([]string{"a 10 80", "b 8192 65536", "b 1 8", "a 3 24", "end", "a 4 32"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(upTo(at), values); d != "" {
		t.Error(d)
	}
	if pool.Held() != 0 {
		t.Errorf("%d bytes are held", pool.Held())
	}
}

func TestGateCloses(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	g := newGate()
	table := numbers("t")
	for range gateSmallItems {
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
