package metrics

import (
	"testing"
	"time"
)

// observe counts a latency the plain way.
func observe(l *Latency, d time.Duration, rows int64) {
	i := 0
	for i < LatencyBuckets-1 && d > LatencyBounds()[i] {
		i++
	}
	l.Add(Latency{Count: rows, Sum: d * time.Duration(rows), Max: d})
	l.Buckets[i] += rows
}

func TestLatency(t *testing.T) {
	var none Latency
	if none.Mean() != 0 || none.Quantile(0.5) != 0 {
		t.Errorf("nothing takes %v and %v", none.Mean(), none.Quantile(0.5))
	}
	var l Latency
	for ms := range time.Duration(100) {
		observe(&l, (ms+1)*time.Millisecond, 10)
	}
	if l.Count != 1000 || l.Max != 100*time.Millisecond || l.Mean() != 50500*time.Microsecond {
		t.Errorf("%d changes, at most %v, %v on average", l.Count, l.Max, l.Mean())
	}
	for q, want := range map[float64]time.Duration{0: 0, 0.01: 1, 0.05: 5, 0.5: 50, 0.75: 75, 0.99: 99, 1: 100} {
		if got := l.Quantile(q); (got - want*time.Millisecond).Abs() > time.Millisecond {
			t.Errorf("quantile %v is %v, want %d ms", q, got, want)
		}
	}
	var late Latency
	observe(&late, 48*time.Hour, 1)
	if late.Buckets[LatencyBuckets-1] != 1 || late.Quantile(1) != 48*time.Hour {
		t.Errorf("a change of two days took %v, buckets %v", late.Quantile(1), late.Buckets)
	}
	var short Latency
	observe(&short, 3*time.Millisecond, 4)
	if got := short.Quantile(0.99); got > 3*time.Millisecond {
		t.Errorf("the quantile %v is above the longest", got)
	}
}

func TestLatencyBoundsRise(t *testing.T) {
	bounds := LatencyBounds()
	for i := range bounds[1:] {
		if bounds[i] >= bounds[i+1] {
			t.Errorf("%v is followed by %v", bounds[i], bounds[i+1])
		}
	}
}
