package metrics

import "time"

// LatencyBuckets is the number of buckets of a [Latency].
const LatencyBuckets = 18

// LatencyBounds returns the upper bounds of the buckets, in rising order; the last bucket has none.
func LatencyBounds() [LatencyBuckets - 1]time.Duration {
	const ms, s = time.Millisecond, time.Second
	return [...]time.Duration{ms, 2 * ms, 5 * ms, 10 * ms, 20 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms,
		s, 2500 * ms, 5 * s, 10 * s, 30 * s, 60 * s, 5 * time.Minute, time.Hour}
}

// Latency tells how long changes took from the moment when they happened at their source until they were visible at a
// sink. Changes that came in one batch count with the time of the oldest.
type Latency struct {
	Count    int64
	Sum, Max time.Duration
	// Buckets hold how many changes took up to their bound, and longer than the bound before; see [LatencyBounds].
	Buckets [LatencyBuckets]int64
}

// Add adds what another one counted.
func (l *Latency) Add(o Latency) {
	l.Count += o.Count
	l.Sum += o.Sum
	l.Max = max(l.Max, o.Max)
	for i, n := range o.Buckets {
		l.Buckets[i] += n
	}
}

// Mean returns the average; 0 if nothing was counted.
func (l Latency) Mean() time.Duration {
	if l.Count == 0 {
		return 0
	}
	return l.Sum / time.Duration(l.Count)
}

// Quantile estimates the time within which a part q of the changes became visible, 0 to 1: exact to the width of the
// bucket it falls into, and never above Max. It is 0 if nothing was counted.
func (l Latency) Quantile(q float64) time.Duration {
	bounds := LatencyBounds()
	rank := q * float64(l.Count)
	var below float64
	var low time.Duration
	for i, n := range l.Buckets {
		high := l.Max
		if i < len(bounds) {
			high = min(bounds[i], l.Max)
		}
		if n > 0 && below+float64(n) >= rank {
			return low + time.Duration(float64(high-low)*max(rank-below, 0)/float64(n))
		}
		below += float64(n)
		low = high
	}
	return l.Max
}

// TableLatency is the latency of one table at one sink.
type TableLatency struct {
	// Sink is the name of the sink's vertex.
	Sink, Table string
	Latency
}

// SourceLag is how far a source's task is behind the end of the log that it follows.
type SourceLag struct {
	// Source is the name of the source's vertex, Task the number of its task, from 0.
	Source string
	Task   int
	// Bytes of the log that are still to be read; -1 if unknown.
	Bytes int64
	// At and End are where the task and the log's end are, as the server writes such positions; empty if unknown.
	At, End string
	// Time is when the source told it.
	Time time.Time
}
