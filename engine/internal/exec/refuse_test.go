package exec

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

func TestRowErrorPolicy(t *testing.T) {
	none := RowErrorPolicy{}
	tests := []struct {
		name   string
		policy RowErrorPolicy
		rows   int64 // of which every tenth is refused
		want   Outcome
		text   string
	}{
		{"fails by default", none, 100, Failed, "Sink[0]-Model: table t: 1 rows refused, the first, row 0 of its batch: 0 is refused"},
		{"skips", RowErrorPolicy{Skip: true, MaxRows: -1, MaxRatio: 1}, 100, Finished, ""},
		{"within the rows", RowErrorPolicy{Skip: true, MaxRows: 10, MaxRatio: 1}, 100, Finished, ""},
		{"too many rows", RowErrorPolicy{Skip: true, MaxRows: 9, MaxRatio: 1}, 100, Failed, "10 rows were refused, the job allows 9"},
		{"none allowed", RowErrorPolicy{Skip: true, MaxRows: 0, MaxRatio: 1}, 100, Failed, "1 rows were refused, the job allows 0"},
		{"within the ratio", RowErrorPolicy{Skip: true, MaxRows: -1, MaxRatio: 0.1}, 2000, Finished, ""},
		{"beyond the ratio", RowErrorPolicy{Skip: true, MaxRows: -1, MaxRatio: 0.09}, 2000, Failed, "the job allows a ratio of 0.09"},
		{"beyond the ratio with few rows", RowErrorPolicy{Skip: true, MaxRows: -1, MaxRatio: 0.09}, 20, Failed, "2 of 20 rows were refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &counter{table: numbers("t"), splits: 1, rows: tt.rows, batch: 10}
			dst := &plainSink{refuse: func(v int64) bool { return v%10 == 0 }}
			var observed atomic.Int64
			r := run(t, Options{Pipeline: simple(1, src, dst), Checkpoints: &store{}, Retries: 3, RowErrors: tt.policy,
				Observer: Observer{
					RowsRejected: func(vertex string, rows int, err error) { observed.Add(int64(rows)) },
					Restarting:   func(int, error) { t.Error("refused rows must not restart the pipeline") },
				}}, tt.want)
			if tt.want == Failed {
				var pe *plugin.Error
				if !strings.Contains(r.err.Error(), tt.text) || !errors.As(r.err, &pe) || pe.Code != plugin.CodeData || pe.Fix == "" {
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
