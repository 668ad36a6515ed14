// Package store keeps what an engine must not forget: jobs, their configs, their checkpoints, and the ids it gave out.
// It lies on Badger, tuned to be small when idle.
//
// # Durability
//
// A write that returned nil survives the death of the process, and of the machine as far as its disk obeys. Writes go
// through one committer goroutine that puts all those that wait into one Badger transaction: one sync pays for all of
// them. A write is all or nothing. When a commit fails it is unknown what reached the disk, so the store refuses all
// later writes until it is opened again.
//
// Badger maps its files into memory, and a write to a mapped page that a full disk cannot hold ends the process. The
// committer therefore refuses writes, with an error that wraps syscall.ENOSPC, while less than a reserve is free on
// the volume. It takes them again as soon as there is room.
//
// # Keys
//
// Numbers are big-endian, so that keys sort as the numbers do.
//
//	j <job>                  record: state, end time, the engine's own bytes
//	c <job>                  config as it was submitted
//	r <job>                  mark of a job that has not ended
//	e <end time> <job>       mark of an ended job; its value is the job's size in bytes
//	k <job>                  index of the job's checkpoints: epoch, slot and state of each, by pipeline
//	s <job> <pipeline> <slot>  one checkpoint
//	b <content> <chunk>      64 KiB of a record, config or checkpoint that is larger than that
//	l <job>                  the last 64 KiB of what a job logged
//	p <content>              a large content that is being written or removed; Open removes what it finds announced here
//	n                        the number up to which job ids may have been given out
//
// Checkpoints of a pipeline lie in a ring of slots: a new one overwrites one that is no longer kept, so that a job
// which takes a hundred thousand of them leaves no more keys than one that takes four. The index alone says which slot
// holds what; completing a checkpoint rewrites the index, a few dozen bytes, and not the checkpoint. All values live in
// the tables of Badger's tree, where compaction drops overwritten ones: its value log stays empty and needs no
// collection.
//
// # Format versions
//
// The file CULVERT names the format of the store and is its lock. It is written before anything else, so a directory
// with a database but without that file is somebody else's, and refused. A store of a newer format is refused with a
// [*FormatError]; one of an older format is read, and raised to the present one when Open has converted it. Formats
// only go up. Version 1 is the first.
package store
