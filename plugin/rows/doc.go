// Package rows makes sources and sinks of Go functions and values, so that a connector needs a struct and a function.
//
// [Source] reads structs from an iterator and goes on at a row number after a restart, [Cursor] at a value that it
// takes from the last row. [Each] and [Sink] write structs. [Frames] and [EachBatch] do the same with Arrow data.
// [FromSeq], [FromChan], [FromReader], [ToFunc] and [ToChan] make an endpoint of a job from a value of the host's own
// program. All return a plugin for a [plugin.Registry], and all map structs as [column.Mapper] does.
//
// An iterator runs on a goroutine of its own, a bounded number of rows ahead of the reader: it may block, and a
// checkpoint does not wait for it. Its context ends when the reader is closed, which waits for the iterator, so an
// iterator that blocks must watch the context. A panic in it is an error of the job.
//
// Such a source has one split and so is read in one lane. Whoever wants more implements [plugin.Source].
package rows
