package exec

import (
	"github.com/culvertdata/culvert/plugin"
)

// link is all that the coordinator knows of a lane. The lane answers with events.
type link interface {
	// send never blocks. Messages arrive in order.
	send(m message)
}

// order is what a message tells a lane to do.
type order uint8

const (
	assignSplit   order = iota // read message.split
	raiseBarrier               // put a barrier for message.epoch into the stream, and read on unless it is the last
	epochComplete              // tell the reader that message.epoch is durable
	changeApplied              // the schema change that the reader waits with is applied
	stopLane                   // end
)

// message is from the coordinator to a lane.
type message struct {
	order order
	split plugin.Split
	epoch uint64
	last  bool
}

// event is from a lane, a splitter or an operation to the coordinator.
type event interface{ apply(c *coordinator) }

// failed ends the attempt.
type failed struct {
	who string
	err error
}

// splitRead is a split whose reader has come to its end; the lane is idle then. Rows of it may still be in the gate.
type splitRead struct {
	lane   int
	split  string
	result []byte
	after  uint64 // the last barrier before the end
}

// splitWritten is a split whose last row has reached the writers.
type splitWritten struct {
	lane  int
	split string
}

// changeReached is a lane whose reader has come to a schema change and waits.
type changeReached struct {
	lane   int
	change plugin.SchemaChange
}

// barrierPassed is a lane that flushed its writers at a barrier.
type barrierPassed struct {
	lane     int
	epoch    uint64
	split    string // what the reader is in the midst of, if it has read any of it
	position []byte
	acks     bool // send epochComplete
	tokens   []token
	states   []writerState
	counts   []count
	unseen   unseen // rows that the commit makes visible
}

// token is what a writer's Flush returned.
type token struct {
	sink, instance int
	data           []byte
}

// writerState is the state of a [plugin.Stateful] writer.
type writerState struct {
	sink, instance, index int
	data                  []byte
}
