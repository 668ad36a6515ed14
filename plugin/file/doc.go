// Package file is the connector LocalFile: a source that reads files and a sink that writes them, in formats that the
// host chooses.
//
// # Formats
//
// [Plugins] knows text, csv and json. [With] adds others, such as that of package plugin/file/parquet, so that a
// program links only the formats it wants. Package plugin/file/format says what a format is.
//
// # Source
//
// The files are listed once, sorted by path, when the job starts, and each is cut into splits: ranges of about
// split.size bytes for plain text, csv and json, row groups for parquet, one split for a file that is compressed, in
// another encoding than UTF-8 or an archive. Any number of lanes share one file that way. A split keeps the size and
// time of its file: one that has changed when a split is begun or resumed is an error, since its positions would mean
// something else.
//
// Directories named k=v above a file are partitions: the keys of the first file become string columns behind the
// others. The value __HIVE_DEFAULT_PARTITION__ is a null, for the source and for the sink.
//
// # Sink
//
// With transactions, which is the default, rows go to files below tmp_path. At each checkpoint they are closed, synced
// and described in the checkpoint; when that is durable, Commit moves them to path by renames. A commit that comes
// again finds its files moved and does nothing. A target that exists and is not the file that was staged is never
// replaced. Names hold the job, the lane and the checkpoint, so Abort knows what to drop without being told:
//
//	<tmp_path>/seatunnel/<job>/<hash>/T_<job>_<hash>_<lane>_<checkpoint>/NON_PARTITION/<file>
//	<path>/<file>
//
// Without transactions rows are written to path as they come, synced at checkpoints; after a crash some come again.
package file
