package exec

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

func TestRowErrorPolicy(t *testing.T) {
	skip := func(rows int64, ratio float64) RowErrorPolicy {
		return RowErrorPolicy{Skip: true, MaxRows: rows, MaxRatio: ratio}
	}
	tests := []struct {
		name   string
		policy RowErrorPolicy
		rows   int64 // of which every tenth is refused
		want   Outcome
		text   string
	}{
		{"fails by default", RowErrorPolicy{}, 100, Failed,
			" rows refused, the first, row 0 of its batch: 0 is refused"},
		{"skips", skip(-1, 1), 100, Finished, ""},
		{"within the rows", skip(10, 1), 100, Finished, ""},
		{"too many rows", skip(9, 1), 100, Failed, "10 rows were refused, the job allows 9"},
		{"none allowed", skip(0, 1), 100, Failed, " rows were refused, the job allows 0"},
		{"within the ratio", skip(-1, 0.1), 2000, Finished, ""},
		{"beyond the ratio", skip(-1, 0.09), 2000, Failed, "the job allows a ratio of 0.09"},
		{"beyond the ratio with few rows", skip(-1, 0.09), 20, Failed, "2 of 20 rows were refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &counter{table: numbers("t"), splits: 1, rows: tt.rows, batch: 10}
			dst := &plainSink{refuse: func(v int64) bool { return v%10 == 0 }}
			var observed atomic.Int64
			r := run(t, Options{Pipeline: simple(1, src, dst), Checkpoints: &store{}, Retries: 3, RowErrors: tt.policy,
				Observer: Observer{
					RowsRejected: func(_ string, rows int, _ error) { observed.Add(int64(rows)) },
					Restarting:   func(int, error) { t.Error("refused rows must not restart the pipeline") },
				}}, tt.want)
			if tt.want == Failed {
				var pe *plugin.Error
				if !errors.As(r.err, &pe) || pe.Code != plugin.CodeData || pe.Fix == "" || !strings.Contains(pe.Error(), tt.text) {
					t.Errorf("error %q, want %q in it, with a fix", r.err, tt.text)
				}
				return
			}
			m := r.Metrics()[1]
			if m.Rejected != tt.rows/10 || observed.Load() != tt.rows/10 || m.Rows != tt.rows*9/10 || m.Bytes != m.Rows*8 {
				t.Errorf("%+v, observed %d", m, observed.Load())
			}
		})
	}
}

// TestRowErrorBudgetGoesOnAfterARestore checks that a savepoint does not give a job a new budget.
func TestRowErrorBudgetGoesOnAfterARestore(t *testing.T) {
	st := &store{}
	src := endless(1, 100)
	dst := &plainSink{refuse: func(v int64) bool { return v%10 == 0 }}
	o := Options{Pipeline: simple(1, src, dst), Checkpoints: st,
		RowErrors: RowErrorPolicy{Skip: true, MaxRows: 15, MaxRatio: 1}}
	r := start(t, o)
	until(t, "all is read", func() bool { return src.read.Load() == 100 })
	r.Savepoint()
	r.ends(SavepointDone)
	if m := r.Metrics()[1]; m.Rejected != 10 {
		t.Fatalf("%d rows were refused, want 10", m.Rejected)
	}
	last := st.latest[1]
	last.Sources[0].Splits[0].State = bytesOf(40) // 60 more rows, 6 of them refused
	r = run(t, o, Failed)
	if !strings.Contains(r.err.Error(), "16 rows were refused, the job allows 15") {
		t.Error(r.err)
	}
}
