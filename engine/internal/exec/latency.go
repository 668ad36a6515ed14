package exec

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvertdata/culvert/metrics"
	"github.com/culvertdata/culvert/plugin"
)

// latency counts how long the changes of one table took until they were visible at one sink. All lanes share it and add
// once a batch.
type latency struct {
	count, sum, longest atomic.Int64 // milliseconds
	buckets             [metrics.LatencyBuckets]atomic.Int64
}

// observe counts rows whose oldest change happened at a time and that became visible now, both in Unix milliseconds. A
// source whose clock is ahead of ours counts as none behind.
func (l *latency) observe(now, at, rows int64) {
	took := max(0, now-at)
	l.count.Add(rows)
	l.sum.Add(took * rows)
	for longest := l.longest.Load(); took > longest; longest = l.longest.Load() {
		if l.longest.CompareAndSwap(longest, took) {
			break
		}
	}
	i := 0
	for _, bound := range metrics.LatencyBounds() {
		if took <= bound.Milliseconds() {
			break
		}
		i++
	}
	l.buckets[i].Add(rows)
}

func (l *latency) read() metrics.Latency {
	m := metrics.Latency{Count: l.count.Load(), Sum: time.Duration(l.sum.Load()) * time.Millisecond,
		Max: time.Duration(l.longest.Load()) * time.Millisecond}
	for i := range l.buckets {
		m.Buckets[i] = l.buckets[i].Load()
	}
	return m
}

// follow is what a runner knows of the changes that its sources follow, over all its attempts.
type follow struct {
	mu        sync.Mutex
	latencies map[tableAt]*latency
	lags      map[taskAt]metrics.SourceLag
}

type tableAt struct{ sink, table string }

type taskAt struct {
	source string
	task   int
}

// latency returns the counters of a table at a sink.
func (f *follow) latency(sink, table string) *latency {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.latencies[tableAt{sink, table}]
	if l == nil {
		if f.latencies == nil {
			f.latencies = make(map[tableAt]*latency)
		}
		l = new(latency)
		f.latencies[tableAt{sink, table}] = l
	}
	return l
}

// lag notes how far behind a task is.
func (f *follow) lag(source string, task int, l plugin.Lag, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lags == nil {
		f.lags = make(map[taskAt]metrics.SourceLag)
	}
	f.lags[taskAt{source, task}] = metrics.SourceLag{Source: source, Task: task, Bytes: l.Bytes, At: l.At, End: l.End,
		Time: now}
}

// restart forgets the lags: an attempt that begins may give its tasks other splits.
func (f *follow) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lags = nil
}

// report returns what is known, by name.
func (f *follow) report() (latencies []metrics.TableLatency, lags []metrics.SourceLag) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for at, l := range f.latencies {
		latencies = append(latencies, metrics.TableLatency{Sink: at.sink, Table: at.table, Latency: l.read()})
	}
	for _, l := range f.lags {
		lags = append(lags, l)
	}
	slices.SortFunc(latencies, func(a, b metrics.TableLatency) int {
		return cmp.Or(cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Table, b.Table))
	})
	slices.SortFunc(lags, func(a, b metrics.SourceLag) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Task, b.Task))
	})
	return latencies, lags
}

// unseen are changes that were written and are not visible yet.
type unseen []unseenRows

type unseenRows struct {
	of       *latency
	at, rows int64
}

const (
	// unseenNear is how far back add looks for rows of the same table and millisecond.
	unseenNear = 8
	// unseenMost is how many entries there may be before neighbours are joined.
	unseenMost = 1024
)

// add notes rows. Rows of one table and about one time share an entry.
func (u unseen) add(l *latency, at, rows int64) unseen {
	for i := len(u) - 1; i >= max(0, len(u)-unseenNear); i-- {
		if e := &u[i]; e.of == l && at >= e.at && at-e.at <= 1 {
			e.rows += rows
			return u
		}
	}
	if len(u) >= unseenMost {
		u = u.thin()
	}
	return append(u, unseenRows{l, at, rows})
}

// thin joins the entries of each table two by two; the older time counts. So their number is bounded by that of the
// tables.
func (u unseen) thin() unseen {
	single := make(map[*latency]int) // places in thinned that can take one more
	thinned := u[:0]
	for _, e := range u {
		if i, ok := single[e.of]; ok {
			thinned[i].rows += e.rows
			thinned[i].at = min(thinned[i].at, e.at)
			delete(single, e.of)
			continue
		}
		single[e.of] = len(thinned)
		thinned = append(thinned, e)
	}
	return thinned
}

// seen counts the entries as visible and returns the emptied list.
func (u unseen) seen(now time.Time) unseen {
	for _, e := range u {
		e.of.observe(now.UnixMilli(), e.at, e.rows)
	}
	return u[:0]
}

// visibility says when the rows of a writer can be seen by others.
type visibility uint8

const (
	whenWritten   visibility = iota // the writer holds nothing back
	whenPushed                      // at a push or a flush
	whenCommitted                   // when the checkpoint is complete
)

// visibilityOf tells it of a writer.
func visibilityOf(d plugin.Delivery, w plugin.Writer) visibility {
	if d == plugin.TwoPhase {
		return whenCommitted
	}
	if _, ok := w.(plugin.Pusher); ok {
		return whenPushed
	}
	return whenWritten
}
