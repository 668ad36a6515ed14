// Package checkpoint is the form of a pipeline's checkpoint: what is stored, how it is written, and how an older
// form is read. Encoding is in encode.go.
package checkpoint

import (
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// Type says why a checkpoint was taken.
type Type uint8

// The types.
const (
	Periodic  Type = iota // the interval passed, or a splitter asked for one
	Savepoint             // stop-job with savepoint; the pipeline stops after it
	Final                 // all splits are read; the pipeline ends after it
)

// State says how far a checkpoint got.
type State uint8

// The states.
const (
	Prepared State = iota // durable; its tokens may not be committed yet
	Complete              // durable and committed
)

// Checkpoint is the state of one pipeline at one barrier.
type Checkpoint struct {
	Pipeline int
	// Epoch counts a pipeline's barriers from 1 and never goes back, restarts included.
	Epoch   uint64
	Type    Type
	State   State
	Time    time.Time
	Sources []Source
	Sinks   []Sink
	// Tables are the versions in force of tables whose columns have changed while the job ran.
	Tables []Table
	// Counters are totals by vertex name, so that metrics go on after a restart.
	Counters []Counter
}

// Source is the state of one source vertex.
type Source struct {
	Vertex string
	// Splitter is the splitter's own state.
	Splitter []byte
	// Exhausted says that the splitter has said io.EOF.
	Exhausted bool
	// Splits are those handed out and not yet done, in the order in which they were made.
	Splits []Split
	// Tables are what the source read; nil if the checkpoint is of a format that did not tell.
	Tables []plugin.TableID
}

// Split is one split in the queue.
type Split struct {
	plugin.Split
	// Started says that a reader has begun it; State is its position then.
	Started bool
	// Finished says that its last row is before this checkpoint's barrier: State is the result for Splitter.Done,
	// which is called again after a restore.
	Finished bool
}

// Sink is the state of one sink vertex.
type Sink struct {
	Vertex string
	// Tokens are what the writers' Flush returned, by sink instance; see plan.Vertex.Sinks.
	Tokens [][][]byte
	// Writers are the states of writers that are plugin.Stateful, by sink instance.
	Writers [][][]byte
	// Tables are what each sink instance was prepared for; nil if the checkpoint is of a format that did not tell.
	Tables [][]plugin.TableID
}

// Table is a changed table.
type Table struct {
	Table *plugin.Table
}

// Counter is what one vertex has counted for one table.
type Counter struct {
	Vertex string
	Table  string
	Rows   int64
	Bytes  int64
	// Rejected are rows that a sink refused and the error policy let pass.
	Rejected int64
}
