package dbtest

import (
	"syscall"
	"testing"
	"time"
)

// Operation is what a benchmark measures. Before and After run around Do and do not count; they may be nil.
type Operation struct {
	Rows              int
	Before, Do, After func()
}

// Measure runs the operation, and reports rows a second and how long this process worked for each.
func (o Operation) Measure(b *testing.B) {
	b.Helper()
	around := func(f func()) {
		if f != nil {
			b.StopTimer()
			f()
			b.StartTimer()
		}
	}
	var cpu time.Duration
	for b.Loop() {
		around(o.Before)
		start := processTime()
		o.Do()
		cpu += processTime() - start
		around(o.After)
	}
	n := float64(b.N) * float64(o.Rows)
	b.ReportMetric(n/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(cpu.Microseconds())/n, "cpu-µs/row")
}

func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
