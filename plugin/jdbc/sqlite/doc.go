// Package sqlite is the SQLite dialect of the Jdbc source and sink.
//
// Urls are jdbc:sqlite:PATH, jdbc:sqlite::memory: and jdbc:sqlite:file:..., a URI as SQLite knows it. Pragmas may
// follow behind a question mark or stand in properties: jdbc:sqlite:data.db?cache_size=-65536&foreign_keys=on.
//
// # Types
//
// Columns are read by their declared type as SeaTunnel does it, with these exceptions, which keep values as they are:
//
//	FLOAT                              DOUBLE, since SQLite stores eight bytes; FLOAT(24) and less is FLOAT
//	DECIMAL(p,s), NUMERIC(p,s)         DECIMAL(p,s)
//	DECIMAL TEXT(p,s)                  DECIMAL(p,s)
//	DATE TEXT, TIME TEXT(n), TIMESTAMP TEXT(n)  DATE, TIME, TIMESTAMP
//	an expression, a column without a type      by the values of the first thousand rows
//
// SQLite stores any value in any column. A value that its column's type cannot hold without loss is an error that
// names the table, the column, the row's key and the value.
//
// The sink writes integers, booleans (0 and 1), floating point numbers, texts and blobs as they are; decimals, dates,
// times and timestamps as text. Tables that it makes declare such columns as DECIMAL TEXT(p,s), DATE TEXT, TIME
// TEXT(n) and TIMESTAMP TEXT(n): the word TEXT gives them the affinity that keeps SQLite from turning a decimal into a
// floating point number of 15 digits, and the rest lets the source find the type again. A decimal of more digits is
// refused where the target's column is declared so that SQLite would do that. A NaN is refused too, since SQLite would
// make it a null. The sign of a zero is lost.
//
// # Reading
//
// Tables with row ids are cut by them. Each lane reads with a connection of its own, each chunk in one snapshot. A
// file that others write during the job is read as it is at the time of each chunk.
//
// # Writing
//
// SQLite takes one writer at a time, so the lanes of a sink share one connection. Each batch is one transaction of
// multi-row statements. The file is switched to a write-ahead log, unless the url says otherwise; a flush brings the
// log to the disk. Statements that fail are run again row by row to find the rows to refuse.
//
// With is_exactly_once, batches go to staging tables of the same file (culvert_stage_N, listed in culvert_stages). The
// commit of a checkpoint moves them to their targets, drops them and notes its epoch in culvert_commits, all in one
// transaction: a commit that is repeated finds nothing to do, and one whose rows were dropped is an error.
package sqlite
