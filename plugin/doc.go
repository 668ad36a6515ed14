// Package plugin is the connector SDK: what sources, transforms and sinks are, what flows between them, and how a
// host says which of them it links.
//
// # What flows
//
// Data moves as a [Batch]: the rows of one [Table] as Arrow columns, with an optional [RowKind] for each row. A Table
// is immutable, so two batches with the same *Table have the same columns. A batch is reference counted as Arrow data
// is; see [Batch] for who releases what.
//
// # Who calls what
//
// A [Source] is asked for its tables when the job is planned, then for one [Splitter] that cuts the work into
// [Split] values, then for one [Reader] for each lane. A [Sink] prepares its tables once, then makes one [Writer] for
// each lane. One goroutine calls a splitter, a reader, a transform or a writer: none of them needs a lock. The engine
// owns splits once they are made; a connector never sees one move to another lane.
//
// # Checkpoints
//
// When the engine takes a checkpoint, [Out.Full] turns true, Read returns, [Reader.Position] says where the split
// stands, and every writer behind that reader is flushed with the number of the epoch. What Flush returns becomes part
// of the checkpoint; a sink that implements [Committer] makes it visible once the checkpoint is durable. After a
// crash the engine commits the last durable epoch again, so Commit must be idempotent, and aborts what came later.
//
// # Three ways to write a connector
//
// Package plugin/rows turns Go functions into connectors: its Source and Each work with structs, its Frames and
// EachBatch with Arrow record batches. The interfaces above are the third way, for those who want splits, two-phase
// commits or schema changes.
//
// Hosts list connectors in a [Registry]; there is no global one.
package plugin
