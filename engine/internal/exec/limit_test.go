package exec

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLimiter(t *testing.T) {
	epoch := time.Unix(0, 0)
	tests := []struct {
		name        string
		rows, bytes int64
		booked      int
		size        int64
		wait        time.Duration
	}{
		{"within the slack", 100, 0, 10, 0, 0},
		{"rows", 100, 0, 60, 0, 500 * time.Millisecond},
		{"bytes", 0, 1000, 1, 2000, 1900 * time.Millisecond},
		{"the slower of both", 100, 1000, 60, 2000, 1900 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLimiter(tt.rows, tt.bytes)
			l.book(epoch, tt.booked, tt.size)
			if got := l.wait(epoch); got != tt.wait {
				t.Errorf("wait %v, want %v", got, tt.wait)
			}
			if got := l.wait(epoch.Add(tt.wait)); got != 0 {
				t.Errorf("after that, wait %v", got)
			}
		})
	}
	if got := newLimiter(1, 1).wait(time.Now()); got != 0 {
		t.Errorf("at the start, wait %v", got)
	}
	if newLimiter(0, 0) != nil {
		t.Error("a limiter without a limit")
	}
}

func TestLimiterForgetsIdleTime(t *testing.T) {
	l := newLimiter(100, 0)
	epoch := time.Unix(0, 0)
	l.book(epoch, 10, 0)
	later := epoch.Add(time.Hour)
	l.book(later, 60, 0)
	if got := l.wait(later); got != 500*time.Millisecond {
		t.Errorf("an idle hour was saved up: wait %v", got)
	}
}

func TestLimiterPieces(t *testing.T) {
	tests := []struct {
		rows, bytes int64
		n           int
		size        int64
		want        int
	}{
		{100, 0, 8192, 0, 10},
		{1, 0, 8192, 0, 1},
		{0, 1000, 100, 1000, 10},
		{0, 1, 100, 1000, 1},
		{1_000_000, 0, 8192, 0, 8192},
		{1000, 1000, 100, 1000, 10},
	}
	for _, tt := range tests {
		if got := newLimiter(tt.rows, tt.bytes).piece(tt.n, tt.size); got != tt.want {
			t.Errorf("%+v: %d rows at once", tt, got)
		}
	}
}

func TestRateLimits(t *testing.T) {
	tests := []struct {
		name        string
		rows, bytes int64
	}{{"rows", 1000, 0}, {"bytes", 0, 8000}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := &counter{table: numbers("t"), splits: 2, rows: 300, batch: 300}
			dst := &plainSink{}
			began := time.Now()
			run(t, Options{Pipeline: simple(2, src, dst), Checkpoints: &store{}, RowsPerSecond: tt.rows,
				BytesPerSecond: tt.bytes}, Finished)
			if diff := cmp.Diff(upTo(600), dst.sorted()); diff != "" {
				t.Error(diff)
			}
			// Two lanes side by side: 300 rows each at 1,000 a second, the first and the last 100 of them for free.
			if took := time.Since(began); took < 90*time.Millisecond || took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if len(dst.tables) < 4 { // pieces that wait together are written together
				t.Errorf("the rows came in %d batches", len(dst.tables))
			}
		})
	}
}

// TestBarriersDoNotWaitForTheLimit has a limit that would hold the job for hours.
func TestBarriersDoNotWaitForTheLimit(t *testing.T) {
	src := &counter{table: numbers("t"), splits: 1, rows: 100_000, batch: 1}
	st := &store{}
	r := start(t, Options{Pipeline: simple(1, src, &plainSink{}), Checkpoints: st, RowsPerSecond: 5,
		Interval: 5 * time.Millisecond})
	until(t, "checkpoints come", func() bool { return st.count() > 5 })
	if n := src.read.Load(); n > 20 {
		t.Errorf("%d rows came at 5 a second", n)
	}
	began := time.Now()
	r.Savepoint()
	r.ends(SavepointDone)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the savepoint took %v", took)
	}
}
