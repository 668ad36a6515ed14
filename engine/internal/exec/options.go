package exec

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// Checkpoints is where a job's checkpoints go. Pipelines of a job call it at the same time.
type Checkpoints interface {
	// Prepare makes cp durable in state Prepared and forgets epochs older than those kept.
	Prepare(ctx context.Context, cp *checkpoint.Checkpoint) error
	// Complete marks the epoch committed.
	Complete(ctx context.Context, pipeline int, epoch uint64) error
	// Latest returns the newest checkpoint of a pipeline, nil if there is none.
	Latest(ctx context.Context, pipeline int) (*checkpoint.Checkpoint, error)
}

// Options say how a pipeline runs.
type Options struct {
	// Pipeline and Checkpoints must be set.
	Pipeline    *plan.Pipeline
	Checkpoints Checkpoints
	// Interval is the time between the starts of two checkpoints; 0 takes none but the final one and those that a
	// splitter waits for.
	Interval time.Duration
	// Timeout is how long a checkpoint may take to be made durable, and again to be committed; 0 means 30 s. It does
	// not hold without an Interval: the final checkpoint of a batch job takes as long as its sinks need, as in
	// SeaTunnel.
	Timeout time.Duration
	// Retries is how often the pipeline is restarted after failures that a retry may help (job.retry.times); 0 never.
	Retries int
	// RetryPause is the time between a failure and the restart (job.retry.interval.seconds).
	RetryPause time.Duration
	// RowsPerSecond and BytesPerSecond limit each source subtask (read_limit.*); 0 means no limit. Bytes are counted
	// by SeaTunnel's rule.
	RowsPerSecond, BytesPerSecond int64
	// Restored says that the job was started from a savepoint or checkpoint: without one, Sink.Prepare is not called.
	Restored bool
	// Alone says that the job has no other pipeline: then a final checkpoint that commits nothing need not be stored,
	// because the job ends with the pipeline.
	Alone bool
	// FlushInterval bounds how long rows stay in the buffer of a [plugin.Pusher]; 0 means 100 ms.
	FlushInterval time.Duration
	// RowErrors says what becomes of rows that a sink refuses.
	RowErrors RowErrorPolicy
	// Logger is the job's; nil is silent.
	Logger hclog.Logger
	// Observer hears what happens.
	Observer Observer
}

const (
	defaultTimeout       = 30 * time.Second
	defaultFlushInterval = 100 * time.Millisecond
	// gracePeriod is how long a stopped attempt waits for connectors to return.
	gracePeriod = 3 * time.Second
	// suspendBound is how long Suspend tries to take a last checkpoint.
	suspendBound = 10 * time.Second
	// askAgain is the pause before a splitter that had nothing is asked again, and the time after which one that
	// blocks counts as having nothing.
	askAgain = time.Second
)

func (o *Options) setDefaults() {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.FlushInterval <= 0 {
		o.FlushInterval = defaultFlushInterval
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
}

// RowErrorPolicy says what becomes of rows that a sink refuses with [plugin.RowErrors]. The zero value fails the job
// at the first one.
type RowErrorPolicy struct {
	// Skip drops and counts refused rows as long as they stay within the two budgets.
	Skip bool
	// MaxRows is how many rows may be refused; -1 means no limit.
	MaxRows int64
	// MaxRatio is which part of the rows may be refused, 0 to 1; 1 means no limit. It is judged once a thousand rows
	// have come and at every barrier.
	MaxRatio float64
}

// Observer hears what happens in a pipeline; any function may be nil. RowsRejected is called by the lanes, at the same
// time; the others by the goroutine of Run. None may block.
type Observer struct {
	// Started says that the lanes start; epoch is the checkpoint that they start from, 0 for none.
	Started func(epoch uint64)
	// Checkpoint says that a checkpoint ended after the time it took; a nil err that it is complete.
	Checkpoint func(epoch uint64, took time.Duration, err error)
	// Restarting says that the pipeline failed and starts again; attempt counts from 1.
	Restarting func(attempt int, err error)
	// RowsRejected says that a sink refused rows which the policy let pass.
	RowsRejected func(vertex string, rows int, err error)
	// SchemaChanged says that a change was applied to all sinks.
	SchemaChanged func(c plugin.SchemaChange)
}

// Outcome is how a run ended.
type Outcome uint8

// The outcomes.
const (
	Finished      Outcome = iota // everything is read, durable and committed
	Canceled                     // as asked by Cancel; nothing beyond the last checkpoint is committed
	Suspended                    // Suspend, or the context ended: the state is kept and Run may be called again later
	SavepointDone                // as asked by Savepoint
	Failed                       // with the error that Run returns
)

// String returns the name in capitals, for example SAVEPOINT_DONE.
func (o Outcome) String() string {
	return [...]string{"FINISHED", "CANCELED", "SUSPENDED", "SAVEPOINT_DONE", "FAILED"}[o]
}
