package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkTinyJobs is what a job that is over in no time costs the store: made, finished, both durable.
func BenchmarkTinyJobs(b *testing.B) {
	for _, n := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("goroutines=%d", n), func(b *testing.B) {
			s := open(b, Options{Dir: b.TempDir()})
			config := make([]byte, 400)
			record := make([]byte, 200)
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range n {
				wg.Go(func() {
					for {
						id := next.Add(1)
						if id > int64(b.N) {
							return
						}
						j := Job{ID: id, State: "RUNNING", Record: record, Config: config}
						if err := s.PutJob(b.Context(), j); err != nil {
							b.Error(err)
							return
						}
						j.State, j.EndTime, j.Config = "FINISHED", time.Now(), nil
						if err := s.Finish(b.Context(), j, false); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

// BenchmarkPutJob is the time of one durable write when nothing else goes on.
func BenchmarkPutJob(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	j := Job{ID: 1, State: "RUNNING", Record: make([]byte, 200), Config: make([]byte, 400)}
	times := make([]time.Duration, 0, 1<<16)
	for b.Loop() {
		start := time.Now()
		if err := s.PutJob(b.Context(), j); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	reportQuantiles(b, times)
}

// BenchmarkOpen opens an empty store and closes it.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	var opening, closing []time.Duration
	for b.Loop() {
		start := time.Now()
		s, err := Open(Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		opened := time.Now()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		opening, closing = append(opening, opened.Sub(start)), append(closing, time.Since(opened))
	}
	b.Logf("open: %v, close: %v", quantile(opening, 0.5), quantile(closing, 0.5))
	reportQuantiles(b, opening)
}
