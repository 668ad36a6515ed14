// Package binlog reads the binary log of MySQL and MariaDB as a replica does, and decodes its row events straight into
// columns.
//
// A [Stream] asks a server for its log from a [Position] on and returns one [Event] after the other. It checks and
// strips checksums, unpacks compressed events and transactions, and keeps account of the log file, the offset and the
// GTIDs up to the last transaction that has ended. An event's bytes are those of the read buffer: nothing is copied or
// allocated for it.
//
// What an event holds is read when it is asked for: [Stream.TableMap], [Stream.Rows], [ParseQuery], [ParseRowsQuery].
// A [Decoder] knows how the values of one table's log columns become values of an out table's columns and appends the
// rows of an event to a [column.Builder]. Its values are those that the Jdbc source reads from the same row.
//
// The servers differ: MariaDB writes rows events of version 1, its own GTIDs and compressed events; MySQL 8 writes
// version 2, partial JSON updates, and transactions in one compressed event. Both are read. The parts that only MySQL
// has are tested with made and recorded bytes, not with a server.
package binlog
