package exec

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

const (
	// ratioRows is how many rows must have come before a ratio is judged between barriers.
	ratioRows = 1000
	// loggedRefusals is how many batches with refused rows an attempt writes to the log.
	loggedRefusals = 20
)

// refusals applies the error policy to the rows that the sinks of an attempt refuse.
type refusals struct {
	policy   RowErrorPolicy
	logger   hclog.Logger
	observe  func(vertex string, rows int, err error)
	rows     atomic.Int64 // that came to a sink; counted only if the policy is to skip
	refused  atomic.Int64
	reported atomic.Int64
}

// judge takes the error of a Write. It returns the number of refused rows if the job goes on, else the error that
// fails it.
func (r *refusals) judge(v *plan.Vertex, b plugin.Batch, err error) (int, error) {
	all := r.rows.Add(int64(b.Len()))
	if err == nil {
		return 0, nil
	}
	var rows *plugin.RowErrors
	if !errors.As(err, &rows) {
		return 0, at(v, err)
	}
	n := len(rows.Rows)
	if n == 0 {
		return 0, nil
	}
	if !r.policy.Skip {
		return 0, &plugin.Error{Code: plugin.CodeData, Vertex: v.Name, Table: b.Table.ID, Err: rows,
			Fix: "correct the rows, or let the job go on without them: row.error.policy = skip"}
	}
	refused := r.refused.Add(int64(n))
	if err := r.overdrawn(refused, all, ratioRows); err != nil {
		return 0, &plugin.Error{Code: plugin.CodeData, Vertex: v.Name, Table: b.Table.ID,
			Err: fmt.Errorf("%w: %w", err, rows), Fix: "correct the rows, or raise row.error.max.rows or row.error.max.ratio"}
	}
	if r.reported.Add(1) <= loggedRefusals {
		r.logger.Warn("rows were refused and skipped", "vertex", v.Name, "table", b.Table.ID.String(), "rows", n, "error", rows)
	}
	if r.observe != nil {
		r.observe(v.Name, n, rows)
	}
	return n, nil
}

// barrier judges the ratio of what came so far, however little that is.
func (r *refusals) barrier() error {
	if !r.policy.Skip {
		return nil
	}
	if err := r.overdrawn(r.refused.Load(), r.rows.Load(), 1); err != nil {
		return &plugin.Error{Code: plugin.CodeData, Err: err,
			Fix: "correct the rows, or raise row.error.max.rows or row.error.max.ratio"}
	}
	return nil
}

// overdrawn says which budget is used up, the ratio only if there are enough rows to judge.
func (r *refusals) overdrawn(refused, all, enough int64) error {
	if r.policy.MaxRows >= 0 && refused > r.policy.MaxRows {
		return fmt.Errorf("%d rows were refused, the job allows %d", refused, r.policy.MaxRows)
	}
	if r.policy.MaxRatio < 1 && all >= enough && float64(refused) > r.policy.MaxRatio*float64(all) {
		return fmt.Errorf("%d of %d rows were refused, the job allows a ratio of %g", refused, all, r.policy.MaxRatio)
	}
	return nil
}
