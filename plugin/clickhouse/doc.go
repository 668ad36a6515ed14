// Package clickhouse holds the Clickhouse source and sink. They talk to a server's HTTP interface, and move data as
// blocks of ClickHouse's own Native format between its columns and ours; no driver is linked.
//
// # Reading
//
// A query is one split. Its position is the number of rows that were put out and a hash of the bytes that they came
// from. To go on, the query is run again and that many rows are skipped; if they differ from those of the first time
// the job fails, because the server gave the rows in another order or they have changed: a query with ORDER BY, or the
// setting max_threads = 1 for a table that nobody writes to, gives the same order. Nothing is lost or doubled silently.
//
// DateTime values become what the clock of their zone shows: that of the column's type, else server_time_zone, else the
// server's. The sink does the reverse.
//
// # Writing
//
// Rows are collected as blocks and sent when there are bulk_size of them, at a checkpoint, and when no more come for a
// moment. The server takes one insert while the next is filled.
//
// Without primary_key every row is inserted, whatever its kind is: this is SeaTunnel's rule. With primary_key the rows
// of a bulk are reduced to the last state of each key. A table with the engine ReplacingMergeTree whose ORDER BY is that
// key takes +I and +U as inserts. In tables of other engines +U first deletes the row that it replaces; SeaTunnel runs
// an ALTER TABLE UPDATE for each row: the result is the same, except that a +U for a missing row adds it; +I does so
// only with support_upsert. -D deletes. The deletes of a bulk are one mutation, which goes ahead of the inserts.
//
// An insert whose fate is unknown is sent again only if the server will not take it twice: because nothing of it was
// sent, because the engine replaces rows by key, or because the table remembers the tokens of its inserts (replicated
// tables, and tables with non_replicated_deduplication_window, which tables made by this sink have where the server
// knows it). Otherwise the job goes back to its last checkpoint: at least once.
package clickhouse
