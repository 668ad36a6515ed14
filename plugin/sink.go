package plugin

import (
	"context"
	"time"
)

// Sink writes tables. A sink is made from its options when a job is planned; nothing is connected before Prepare.
type Sink interface {
	// Prepare applies the save modes: it creates, empties or checks the targets of tables. It is called once for each
	// job, before the first writer is made. When a job starts from a savepoint or a checkpoint, it is called for those
	// tables only that came into the job's file after that, or not at all.
	Prepare(ctx context.Context, tables []*Table) error
	// Writer makes the writer of one lane.
	Writer(ctx context.Context, t Task) (Writer, error)
}

// Writer writes the batches of one lane.
type Writer interface {
	// Write takes a batch, now or into a buffer. It borrows b. A *RowErrors says which rows were refused while the
	// others were taken; any other error fails the lane.
	Write(ctx context.Context, b Batch) error
	// Flush ends an epoch: everything written before is durable when it returns, or staged and described by the
	// token. A sink without Committer returns no token. An epoch may have several flushes: all their tokens are part of
	// it.
	Flush(ctx context.Context, epoch uint64) (token []byte, err error)
	// Close ends the writer; what was not flushed may be dropped.
	Close() error
}

// Committer is implemented by a [Sink] with a two-phase commit. Its methods are called by the job's coordinator, one
// at a time, also before any writer exists.
type Committer interface {
	// Commit makes what the tokens describe visible. A checkpoint that holds the tokens is durable by then. It is
	// called again after a crash, so a token that is committed already is no error.
	Commit(ctx context.Context, epoch uint64, tokens [][]byte) error
	// Abort drops what this job staged in epochs after the given one, tokens or not: writers may have died between
	// staging and telling. It is called when the job starts from scratch (after = 0), when it is restored, and when it is
	// canceled or failed. For a failed job after is the last epoch that is stored, committed or not, since it may be
	// restored from there; for a canceled one the last that was committed. Nothing to drop is no error.
	Abort(ctx context.Context, after uint64) error
}

// Pusher is implemented by a [Writer] that buffers rows: the engine calls Push between barriers, when no batch waits
// or when the flush interval has passed, so that rows become visible without waiting for a checkpoint. Only sinks
// without two-phase commit have a use for it.
type Pusher interface {
	Push(ctx context.Context) error
}

// Paced is implemented by a [Pusher] for whose system small writes are dear.
type Paced interface {
	// PushInterval is the least time between two pushes, in place of the engine's flush interval where it is longer. It
	// is asked for once.
	PushInterval() time.Duration
}

// SchemaApplier is implemented by a [Sink] that follows schema changes.
type SchemaApplier interface {
	// ApplyChange brings the target of c.Old to the columns of c.New. It is called once for each change, by the job's
	// coordinator, when all rows of the old version are durable and committed and no writer has got one of the new
	// version. It is called again after a crash, for a change that was applied already, wholly or in part; then the
	// target may even hold rows of the new version.
	ApplyChange(ctx context.Context, c SchemaChange) error
}

// Truncater is implemented by a [Sink] that can empty the target of a table.
type Truncater interface {
	// Truncate removes all rows of the target of t. It is called for a [SchemaChange] that says Truncated, under the same
	// conditions as SchemaApplier.ApplyChange, also after a crash: then rows that came after it come again.
	Truncate(ctx context.Context, t *Table) error
}

// Stateful is implemented by a [Writer] that keeps state across checkpoints beyond what it wrote.
type Stateful interface {
	// State is called right after Flush.
	State() ([]byte, error)
	// Restore is called right after the writer was made. A job that is restored with another parallelism hands a
	// writer no, one or several states.
	Restore(states [][]byte) error
}

// Finisher is implemented by a [Sink] that has a last word when a job comes to its end by itself: all sources are read
// and all writers have flushed for the last time.
type Finisher interface {
	// Finish is called once, by the job's coordinator, before anything of the last epoch is committed. states are what
	// the writers that are [Stateful] returned after that last Flush. An error fails the job. Finish is not called for a
	// job that is stopped with a savepoint, canceled, suspended or failed.
	Finish(ctx context.Context, states [][]byte) error
}

// Transform turns batches of one table into batches of another. The engine makes one to plan with and one for each
// lane.
type Transform interface {
	// Derive returns the table that rows of in become, or nil if they are dropped. It gives equal answers for equal
	// tables: it is called at plan time, once in each lane before the first batch of in, and after a schema change.
	Derive(in *Table) (*Table, error)
	// Apply transforms one batch, which it borrows. It emits any number of batches of the table out, which has the
	// columns that Derive answered for in.Table, and gives each emitted reference away.
	Apply(ctx context.Context, in Batch, out *Table, emit func(Batch) error) error
}
