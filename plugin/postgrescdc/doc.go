// Package postgrescdc is the Postgres-CDC source: it copies tables of PostgreSQL (14 or later) and follows their
// changes by logical replication, with the server's own output plugin, pgoutput.
//
// # The life of a job
//
// The first start makes a publication for the job's tables, named like the slot, and the replication slot. Before any
// row is put out, a checkpoint holds where the slot was made. Then the tables are cut into chunks as the Jdbc source
// cuts them, and all lanes read chunks by binary COPY, on the first start in the snapshot that the slot was exported
// with, after a crash in views of their own. When a checkpoint holds all chunks, one lane reads the stream from where
// the slot was made. The slot moves on with completed checkpoints only. It stays when a job is canceled, fails or is
// stopped with a savepoint, and keeps the server's log; the log says how to drop it.
//
// A job that is started from its savepoint with more tables in its file has them published and copied first, and then
// goes on with the stream where it stood. Tables that are not named any more are left out; the publication keeps
// them.
//
// # Why each change comes once
//
// The stream has every transaction that the exported snapshot does not see, whole and in the order of commits. A
// position is the end of the last transaction that was put out wholly, and of the one under way its commit's place
// and the number of its changes so far, so a long transaction does not hold up checkpoints. After a restart the
// server sends the transactions after the position again, and what was put out is skipped.
//
// A chunk that was lost with a crash is read again in a later view. What happens to its rows between the slot and
// that view is in the stream, too, and it depends on the sinks what has to be done about it:
//
//   - If all sinks commit with the checkpoints, nothing that was put out since the last one is to be seen. The view's
//     pg_current_snapshot() is kept with the range of keys that was read in it, and the stream leaves out what a
//     row's range has already: for the row before and the row after a change each on its own, since an update may
//     move a row from one range to another. When the stream has passed the last view, ranges and views are forgotten.
//   - Otherwise rows of the lost attempt may be in the target which the new view does not have any more. Only their
//     deletes in the stream can remove them. So nothing is left out: rows of chunks that were read again go through
//     their changes since the slot was made once more, and end as they are.
//
// A chunk whose key is unique can be left in the middle; any other is put out within one Read, which checkpoints wait
// for. A table without a key is one chunk.
//
// # Rows
//
// An insert is +I, a delete -D. An update is -U and +U if the log has the whole old row (REPLICA IDENTITY FULL), else
// +U alone; if it changes the key it is -D and +I. Of deleted rows the log has what the table's REPLICA IDENTITY
// says: by default the key, and all other columns are null. A table needs an identity that has the columns of its
// key; table-names-config may name another key than the primary one.
//
// Large values that an update leaves alone are not in the log, unless the identity is FULL. They are read from the
// table, by the identity, for all rows of a batch in one view that has the batch's transactions: a value that has
// changed once more since then comes a little early, followed by its own change. A row that is gone meanwhile, or has
// another key, is left out, followed by its delete.
//
// Values are equal to those that the Jdbc source reads from the table. They come in binary form and are decoded
// straight into columns. If a table has a column of a type whose binary form is not known here, such as interval or
// inet, the stream is asked for in text form instead. Columns that the server computes are not read at all, since the
// log does not have them. Rows of partitions come as rows of the partitioned table.
//
// TRUNCATE has no row kind. The property truncate.handling.mode of debezium says what becomes of it: skip, the
// default, warns and lets the target keep its rows; include empties the target, between the rows before and those
// after, with sinks that can (Jdbc, Clickhouse), and fails the job with others; fail lets somebody decide. With
// include, a table that is truncated while the rest of its snapshot is read after a crash fails the job, where sinks
// commit with the checkpoints. The server does not tell that a single partition was truncated.
//
// A table that is dropped and made again is not in the publication any more: take it out of the job and in again. A
// captured table that gets another name fails the job when it changes.
//
// # Debezium's messages
//
// With format = compatible_debezium_json rows become the messages of Debezium's PostgreSQL connector: a topic, a key
// and a value as texts, for a sink such as Kafka. Updates of tables without REPLICA IDENTITY FULL have no row before;
// deletes have its key, and null elsewhere. Types are those that the connector's documentation gives, with adaptive
// times and numeric intervals. Others than it: large values that an update leaves alone are there; a time with time
// zone is given without its zone; hstore, geometric types and enumerations are plain texts; txId is missing in the
// snapshot. Changes of columns show in the messages that come after them.
//
// # Changes of columns
//
// The log has no statements, but describes a table before its first change after one. If the property
// include.schema.changes of debezium is true, the difference to the description before goes to the sinks as a change
// of columns. A column that is gone and one that came, at the same place and of the same type, are a rename, unless
// the catalog says that the column is new. One that was dropped and added again with another type is dropped and
// added; with the same type, that cannot be seen. Nullability, defaults and comments are not in the log; added
// columns take theirs from the catalog as it is then. Rows that the snapshot has read before a column was added, and
// that no change touches after that, get the column's default from the sink. Otherwise the target keeps the columns
// that it was planned with, also when the job is started from its savepoint: new ones are left out, those that are
// gone are null, and a column of another type fails the job. A job that begins to follow changes with a savepoint
// brings the target to the columns that were left out until then, before the next row; rows of that time have no
// values in them.
//
// A table may be altered at any time. What is read about it when the job is planned is of one moment: a lock that only
// an ALTER TABLE waits for sees to that. One that was altered before the slot was made is looked at again, and the
// sinks hear of it first. Chunks find the columns by their numbers, under the same lock, so one that was renamed is
// read under its old name. One that is gone is null; if it held no null and the sinks are going to hear of it, it is
// the zero of its type. Until the stream comes to the change, the sinks know the old ones. If the key gets another name
// while the table is cut, what is left is one chunk; if it is gone, the job fails. Values that the log does not hold
// are read from the table by the columns' numbers, too.
//
// # Large transactions
//
// The stream is asked for in version 1 of its protocol, in which a transaction comes when it is committed. One that
// is larger than logical_decoding_work_mem waits on the server's disk until then, not in memory here or there, and
// comes as fast as any. Version 2 would send it before its end is known, so what could still be rolled back would
// have to wait here.
//
// # Servers
//
// A lost connection is made again connect.max-retries times, then the job's own retries count. A slot that somebody
// else reads is waited for connect.timeout.ms. Where no captured table changes, the position follows the server's
// log, so that checkpoints free it. A slot that is gone, invalidated, or ahead of the job's position fails the job:
// what is between is lost, and only a new snapshot helps.
package postgrescdc
