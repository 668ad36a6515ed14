package plugin

import (
	"context"
	"net"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"
)

// Mode says whether a job ends by itself.
type Mode uint8

// The job modes.
const (
	Bounded   Mode = iota // BATCH: sources are read to their end
	Unbounded             // STREAMING: sources are followed until the job is stopped
)

// String returns the job language's spelling: BATCH or STREAMING.
func (m Mode) String() string {
	if m == Unbounded {
		return "STREAMING"
	}
	return "BATCH"
}

// Job tells a connector which job it works for.
type Job struct {
	ID   int64
	Name string
	Mode Mode
}

// Env is what the engine lends a connector when it is made. Every field is set, where its comment says nothing else.
type Env struct {
	Job Job
	// Vertex is the name of this source, transform or sink within the job, for example Source[0]-FakeSource.
	Vertex string
	// Parallelism is the number of lanes that this vertex runs in.
	Parallelism int
	// Output is the name of the dataset that a source or transform makes (result_table_name); empty if it has none and
	// for a sink. A source's table without a path of its own is named after it, see [Env.TableID].
	Output string
	// Inputs are the tables that arrive at a transform or sink; nil for a source. A sink that is no multi-table sink
	// gets exactly one.
	Inputs []*Table
	// Logger is the job's.
	Logger hclog.Logger
	// Alloc counts what the job holds and pools what it releases.
	Alloc memory.Allocator
	// Now is the host's clock.
	Now func() time.Time
	// Dial is the host's way to the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TableID returns the path of a table that names none itself: the dataset's name if there is one, else
// [DefaultTableID]. This is SeaTunnel's rule.
func (e Env) TableID() TableID {
	if e.Output == "" {
		return DefaultTableID()
	}
	return TableID{Name: e.Output}
}

// Task is the part of one lane in a source or sink.
type Task struct {
	Env
	// Index is the lane's number within the vertex, from 0. For a sink it is unique among all its writers.
	Index int
	// Epoch is the checkpoint that this run started from, 0 for none.
	Epoch uint64
	// Staged says of a source's task that nothing of what an earlier run put out after that checkpoint is to be seen: all
	// sinks behind it commit with the checkpoints.
	Staged bool
}
