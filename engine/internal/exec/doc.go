// Package exec runs one pipeline of a plan: it moves the rows and takes the checkpoints.
//
// # Lanes
//
// Each subtask of a source has a lane, and everything downstream of that subtask runs in it. A lane is two
// goroutines. The reading side calls the reader; the writing side runs the transforms and the writers, a tree in
// which each batch is handed from parent to child by a function call. (Transforms are on the writing side, so that a
// batch crosses one gate only, however the tree branches.) Between the two is a gate, a queue of four items and about
// 8 MiB: batches, ends of splits and barriers, in order. A full gate is what holds a fast reader back.
//
// # The coordinator
//
// The goroutine that calls [Runner.Run] is the coordinator. It owns the split queues and the checkpoint that is under
// way, and does nothing that can block: a source's splitter has a goroutine of its own, and the store, the committers
// and schema changes run one at a time on goroutines that last for one operation. Coordinator and lanes know of each
// other only a link that takes messages and a function that takes reports, so that a lane may run elsewhere.
//
// # A checkpoint
//
// The coordinator raises the epoch. Each lane's Full turns true, Read returns, the reading side asks for the position
// and puts a barrier into the gate; the writing side flushes its writers and reports what they returned. When all
// lanes have reported, the splitters are asked for their state and the checkpoint is prepared in the store, committed
// and marked complete. Only then splits that ended before the barrier are done, and readers are acknowledged.
//
// # A schema change
//
// A reader that comes to one waits inside Out.Change, and stands right before it. When all lanes that carry the table
// have come to it, or to the end of their splits, the coordinator takes a checkpoint: it commits all rows of the old
// version. Then it changes the sinks and releases the lanes. A crash at any point of this leads back to that checkpoint
// or one before, so the change comes again, and rows of the old version never meet the new columns. A sink that was
// changed already is changed again, which does nothing.
//
// # Failure
//
// A lane, a splitter or a checkpoint that fails stops the attempt. What the writers staged beyond the last checkpoint
// is dropped, and a new attempt starts from there, as often as the options allow. A goroutine that is stuck in a
// connector when an attempt stops is waited for some seconds and then abandoned: it is logged, and [Runner.Wait] waits
// for it.
package exec
