package store

import (
	"slices"
	"testing"
	"time"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func quantile(times []time.Duration, q float64) time.Duration {
	slices.Sort(times)
	return times[int(q*float64(len(times)-1))]
}

func reportQuantiles(b *testing.B, times []time.Duration) {
	b.ReportMetric(float64(quantile(times, 0.5).Microseconds()), "p50-us")
	b.ReportMetric(float64(quantile(times, 0.99).Microseconds()), "p99-us")
}
