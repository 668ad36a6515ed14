package exec

import (
	"errors"
	"sync"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

const (
	gateItems = 4
	gateBytes = 8 << 20
	// Small batches may wait in greater number: what waits together is written together.
	gateSmallItems = 64
	gateSmallBytes = 256 << 10
)

// joinRows and joinBytes are how much is written together at most, when it comes in batches smaller than that. A sink
// that needs long for each write, however few its rows are, keeps up with rows that come alone in this way, and none of
// them waits for others.
const (
	joinRows  = fullRows
	joinBytes = gateSmallBytes
)

// errStopped is what a reader gets from its Out when the attempt stops.
var errStopped = errors.New("the pipeline is being stopped")

// item is what passes a gate: a batch, or one of the others.
type item struct {
	batch   plugin.Batch
	bytes   int64
	barrier *barrier
	end     *splitEnd
}

// barrier separates the rows of two epochs, and carries what the reading side knows about the older one.
type barrier struct {
	epoch uint64
	// split is what the reader is in the midst of, empty if it has read nothing of it yet.
	split    string
	position []byte
	acks     bool // the reader waits for the epoch to be complete
	counts   []count
}

// splitEnd follows the last row of a split.
type splitEnd struct{ id string }

// gate joins the two sides of a lane: a ring with a lock, and two bells of one place that are rung only when the
// other side waits.
type gate struct {
	mu     sync.Mutex
	ring   []item // grows with small items
	head   int
	n      int
	bytes  int64
	closed bool

	takerWaits, putterWaits bool
	came, went              chan struct{}
}

func newGate() *gate {
	return &gate{ring: make([]item, gateItems), came: make(chan struct{}, 1), went: make(chan struct{}, 1)}
}

// full reports whether an item of so many bytes has to wait. An item larger than the gate passes alone.
func (g *gate) full(bytes int64) bool {
	switch {
	case g.n == 0:
		return false
	case g.n >= gateSmallItems || g.bytes+bytes > gateBytes:
		return true
	default:
		return g.n >= gateItems && g.bytes+bytes > gateSmallBytes
	}
}

// grow makes room in the ring.
func (g *gate) grow() {
	larger := make([]item, 4*len(g.ring))
	n := copy(larger, g.ring[g.head:])
	copy(larger[n:], g.ring[:g.head])
	g.ring, g.head = larger, 0
}

// put appends an item and waits while the gate is full. It fails with errStopped once the gate is closed.
func (g *gate) put(it item) error {
	g.mu.Lock()
	for !g.closed && g.full(it.bytes) {
		g.putterWaits = true
		g.mu.Unlock()
		<-g.went
		g.mu.Lock()
	}
	if g.closed {
		g.mu.Unlock()
		return errStopped
	}
	if g.n == len(g.ring) {
		g.grow()
	}
	g.ring[(g.head+g.n)%len(g.ring)] = it
	g.n++
	g.bytes += it.bytes
	wake := g.takerWaits
	g.takerWaits = false
	g.mu.Unlock()
	if wake {
		g.came <- struct{}{}
	}
	return nil
}

// taken is how a take ended.
type taken uint8

const (
	gotItem taken = iota
	timedOut
	gateClosed
)

// take removes the first item. It waits for one: for ever if wait is negative, not at all if it is 0.
func (g *gate) take(wait time.Duration) (item, taken) {
	var alarm <-chan time.Time
	for {
		g.mu.Lock()
		if g.closed {
			g.mu.Unlock()
			return item{}, gateClosed
		}
		if g.n > 0 {
			return g.pop(), gotItem
		}
		if wait == 0 {
			g.mu.Unlock()
			return item{}, timedOut
		}
		g.takerWaits = true
		g.mu.Unlock()
		if wait > 0 && alarm == nil {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			alarm = timer.C
		}
		select {
		case <-g.came:
		case <-alarm:
			g.noLongerWaits()
			wait = 0
		}
	}
}

// takeMore removes the first item if it is a batch of a table and has no more than so many rows and bytes.
func (g *gate) takeMore(t *plugin.Table, rows int, bytes int64) (item, bool) {
	g.mu.Lock()
	if g.closed || g.n == 0 {
		g.mu.Unlock()
		return item{}, false
	}
	if it := &g.ring[g.head]; it.batch.Table != t || it.batch.Len() > rows || it.bytes > bytes {
		g.mu.Unlock()
		return item{}, false
	}
	return g.pop(), true
}

// pop is called with the lock held and one item at least, and unlocks.
func (g *gate) pop() item {
	it := g.ring[g.head]
	g.ring[g.head] = item{}
	g.head = (g.head + 1) % len(g.ring)
	g.n--
	g.bytes -= it.bytes
	wake := g.putterWaits
	g.putterWaits = false
	g.mu.Unlock()
	if wake {
		g.went <- struct{}{}
	}
	return it
}

// noLongerWaits takes the taker's wish to be woken back, or the bell that was rung meanwhile.
func (g *gate) noLongerWaits() {
	g.mu.Lock()
	waits := g.takerWaits
	g.takerWaits = false
	g.mu.Unlock()
	if !waits {
		<-g.came
	}
}

// close ends both sides. Items that are left are dropped.
func (g *gate) close() {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return
	}
	g.closed = true
	dropped := g.ring
	g.ring = nil
	g.n, g.bytes = 0, 0
	taker, putter := g.takerWaits, g.putterWaits
	g.takerWaits, g.putterWaits = false, false
	g.mu.Unlock()
	if taker {
		g.came <- struct{}{}
	}
	if putter {
		g.went <- struct{}{}
	}
	for _, it := range dropped {
		if it.batch.Rows != nil {
			it.batch.Release()
		}
	}
}
