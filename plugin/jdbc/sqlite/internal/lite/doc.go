// Package lite is SQLite's C interface as this connector needs it: connections, prepared statements, and values that
// go in and out without being boxed.
//
// It stands directly on the translated library (modernc.org/sqlite/lib), beside the database/sql driver of the same
// module. The driver hands over each value as an interface, allocates each text twice and registers itself globally;
// without it a row is written twice and read four times as fast. Texts and blobs are bound where they lie in an
// [Arena], which is C memory: SQLite never sees a pointer into the Go heap.
//
// A Conn and its statements belong to one goroutine. Only [Conn.Watch] crosses that line, in the one way that SQLite
// allows: it interrupts a running statement when a context ends.
package lite
