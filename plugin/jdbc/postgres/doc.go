// Package postgres is the PostgreSQL dialect of the Jdbc source and sink.
//
// Statements, logins and errors are package pgconn's affair; rows are ours. They pass as binary COPY in both
// directions, straight between the connection's buffer and Arrow columns.
//
// # Reading
//
// Each chunk is one COPY (SELECT ... WHERE key range ORDER BY key) TO STDOUT (FORMAT BINARY). Columns of a type whose
// binary form is not known here are cast to text in the select list. With snapshot.consistent all lanes read the same
// exported snapshot, which one transaction holds as long as any of them lives. A job that starts again, after a crash
// or by its own retries, takes a new snapshot for the chunks that are left: rows that changed between the two may then
// be seen in the old or in the new state.
//
// A chunk whose key is not unique goes on after a crash by skipping the rows that were read. Rows of a table come in
// the order of key and place, so that is exact as long as the table does not change; rows of a query come in the order
// of the key alone, with parallel and synchronized scans switched off.
//
// Timestamps with a zone are read and written in UTC, times with a zone as they are written, without the zone.
//
// # Writing
//
// Inserts are a COPY into the target. Upserts are tried as one, too, since most loads hit no key that is there; where
// one does, the rows are copied into a temporary table, reduced to the last row of each key before, and merged by
// INSERT ... ON CONFLICT and DELETE ... USING. A batch is one transaction. Where the server refuses a row, the batch
// is cut in halves until the row stands alone. These transactions do not wait for the disk; the flush of a checkpoint
// does, for all of them.
//
// With is_exactly_once rows are copied into a staging table of the lane and the epoch, in one transaction that ends
// with the flush: a crash before leaves nothing behind. The commit moves all staged rows of the epoch into their
// targets, drops the staging tables and notes the epoch in the table culvert_commits, in one transaction; a commit
// that comes again finds the note. This needs neither prepared transactions, which a server does not allow by default
// and which hold locks and old rows back if nobody ends them, nor does it let lanes wait for each other's rows.
package postgres
