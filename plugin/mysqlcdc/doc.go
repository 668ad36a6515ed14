// Package mysqlcdc is the source MySQL-CDC: it reads tables of MySQL or MariaDB, then follows their changes in the
// binary log.
//
//	plugin.NewRegistry(mysqlcdc.Plugins, ...)
//
// # Rounds
//
// The splitter hands the work out in rounds of three steps, each of which starts when the one before is part of a
// completed checkpoint:
//
//   - The origin: one split finds out where the log stands and which columns the tables have. It reads no row.
//   - The snapshot: chunks of tables, cut as those of the Jdbc source, are read in all lanes. No table is locked; a
//     table can be altered at once but for the moment in which a chunk of it is read.
//   - The log: incremental.parallelism readers deal the tables among them and follow the log, each over a connection of
//     its own, until the job ends or a new round is needed.
//
// A round follows another one when the job was started from a savepoint with tables that it did not have before, or
// when a table was altered while it was read and the sink is to follow that. Tables that were captured before go on
// behind the place that they had come to.
//
// # How each row comes once
//
// A chunk is read in a consistent view of which the server tells the exact place in its log. A reader of the log drops
// changes of rows that lie in a chunk whose view shows them: those of transactions that start before its place. When
// the log has passed the last of these places, the filter is thrown away. So the snapshot and the log fit together row
// by row, without a lock and without reading the log while chunks are read. Texts lie in chunks by the order of their
// collation; for those the server is asked how they sort, as long as the filter is needed.
//
// A chunk with a unique key can be half read at a checkpoint: the rest is read in another view, with a place of its
// own. Others are put out whole before a checkpoint passes; a table without any key is one chunk.
//
// A run that dies may have put out rows that no checkpoint holds, and which are deleted by the time that their chunk is
// read again. Changes of a chunk that may have been read before therefore count from the origin on. A sink that knows
// rows by a key ends up right at any crash; one that only ever inserts may see changes twice that came while the chunk
// was read, if a run dies in the snapshot. Without a crash nothing comes twice.
//
// # The log
//
// A position is a place between two transactions, with its GTIDs, and the number of rows behind it that are done with:
// checkpoints pass in the middle of a transaction of any size. Rows of a transaction wait until its end as far as a
// batch holds them, since a crash of the server may leave the head of a transaction in its log that never was.
//
// Inserts are +I, updates -U and +U, deletes -D. An update that changes the primary key (or, without one, the first
// unique key) is -D and +I, since sinks know a row by its key; SeaTunnel sends -U and +U, which leave the old row where
// it was.
//
// DROP and RENAME TABLE are not passed on, as in SeaTunnel; the log of the job tells. So it is with TRUNCATE TABLE,
// unless Debezium's property truncate.handling.mode, which is made use of here too, says otherwise: include empties the
// target, between the rows before and those after, with sinks that can (Jdbc, Clickhouse), and fails the job with
// others; fail lets somebody decide. A table that is truncated between two chunks of its snapshot fails a job that says
// include.
//
// A lost connection is tried again connect.max-retries times, on the next host of base-url if need be. Another server
// than the one before goes on by GTID, if the log has passed the snapshot; otherwise the job fails and says why. A
// place that the server has deleted is an error that says what to do.
//
// # Columns
//
// A reader of the log keeps the columns of each table as they are in the log where it stands, and applies each ALTER
// TABLE when it comes to it; they are part of its position, so a restart never decodes old rows by new columns. A
// statement that is not understood makes it ask the server for the columns, and the log's own description of the next
// rows must agree: number, types, and names if binlog_row_metadata is FULL, which is recommended.
//
// With include.schema.changes the sink gets each change between the rows before and after it. A chunk that meets other
// columns than those that the log is known to have is given up until the log has come to the change. Without it the
// columns stay those that were planned, also when the job is started from its savepoint: new ones are left out, dropped
// ones are null. A job that begins to follow changes with a savepoint brings the target to the columns that were left
// out until then, before the next row; rows of that time have no values in them. If the key gets another name while the
// table is cut, what is left is one chunk; a job that does not follow changes of the columns fails then.
//
// With format = compatible_debezium_json rows become the messages of Debezium's MySQL connector: a topic, a key and a
// value as texts, for a sink such as Kafka. Changes of columns show in the messages that come after them.
//
// # MySQL
//
// MariaDB tells the place of a view (binlog_snapshot_position), and so does Percona Server. MySQL does not, and writes
// a transaction to its log a moment before it can be seen; so there a chunk counts as one of the origin's place: what
// changed since comes as changes, some of which its rows show already. Sinks with a key end up right. With exactly_once
// each view is opened while its table is locked against writing, for as long as that takes, which needs the right LOCK
// TABLES; then each row comes once there too.
//
// All of this is tested with MariaDB 10.11 by clients that change, alter and lock tables while the engine and the
// server are killed, also with a MariaDB that is taken for a MySQL. It was never run against a real MySQL 8: what
// differs on the wire (GTIDs, events of version 2, compressed transactions, partial JSON) is tested with bytes made by
// hand.
//
// # What is not there
//
// Changes of tables that an engine without transactions keeps (MyISAM, Aria) may come twice when they were made while
// the snapshot was read. Rows of an XA transaction are put out when it is prepared. A column whose values are written
// with a partial row image cannot be captured: binlog_row_image must be FULL.
package mysqlcdc
