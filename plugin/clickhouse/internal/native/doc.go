// Package native reads and writes ClickHouse's Native format: blocks of columns, each with its name, the text of its
// type and its values one after the other, little endian.
//
// A [Decoder] fills a column.Builder from a stream of blocks, an [Encoder] appends Arrow columns as a block to a byte
// slice. Columns of one width on both sides are copied as they are; a value that the other side cannot hold is an
// error that says which row it is in, never another value.
//
// The types are those that a server names in DESCRIBE, read by [ParseType]. The stream carries type texts too, but old
// servers leave time zones out there.
package native
