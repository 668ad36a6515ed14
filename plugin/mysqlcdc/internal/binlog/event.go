package binlog

import (
	"fmt"
	"time"
)

// Type is the number of an event's type.
type Type byte

// The events that a [Stream] returns. Compressed forms come as the plain ones.
const (
	Query             Type = 2
	Stop              Type = 3
	Rotate            Type = 4
	FormatDescription Type = 15
	XID               Type = 16
	TableMapEvent     Type = 19
	WriteRowsV1       Type = 23
	UpdateRowsV1      Type = 24
	DeleteRowsV1      Type = 25
	Incident          Type = 26
	Heartbeat         Type = 27
	RowsQuery         Type = 29 // MySQL: text of the statement
	WriteRowsV2       Type = 30
	UpdateRowsV2      Type = 31
	DeleteRowsV2      Type = 32
	GTIDEvent         Type = 33 // MySQL
	AnonymousGTID     Type = 34 // MySQL
	PreviousGTIDs     Type = 35 // MySQL
	XAPrepare         Type = 38
	PartialUpdateRows Type = 39  // MySQL: parts of JSON values
	TransactionPacked Type = 40  // MySQL: a compressed transaction; a Stream unpacks it
	HeartbeatV2       Type = 41  // MySQL
	GTIDTagged        Type = 42  // MySQL 8.3: a GTID with a tag
	AnnotateRows      Type = 160 // MariaDB: text of the statement
	BinlogCheckpoint  Type = 161 // MariaDB
	MariaGTID         Type = 162 // MariaDB
	MariaGTIDList     Type = 163 // MariaDB
	StartEncryption   Type = 164 // MariaDB

	queryCompressed   Type = 165
	writeCompressedV1 Type = 166 // 167 and 168 are updates and deletes
	writeCompressedV2 Type = 169 // 170 and 171 are updates and deletes
)

// String returns the type's name.
func (t Type) String() string {
	if name, ok := typeName(t); ok {
		return name
	}
	return fmt.Sprintf("event type %d", byte(t))
}

// IsRows reports whether the event holds changed rows: then [Stream.Rows] reads it.
func (t Type) IsRows() bool {
	return t >= WriteRowsV1 && t <= DeleteRowsV1 || t >= WriteRowsV2 && t <= DeleteRowsV2 || t == PartialUpdateRows
}

// Event is one event of the log. Its body belongs to the stream until the next call of [Stream.Next].
type Event struct {
	// Type is the event's type.
	Type Type
	// Flags are the bits of the event's head.
	Flags uint16
	// Seconds is when the statement began on the server that wrote the event first, since 1970.
	Seconds uint32
	// ServerID is that server's number.
	ServerID uint32
	// End is the position in the log file behind the event; 0 for events that the server made up for this connection.
	End uint32
	// Body is what follows the head, without the checksum.
	Body []byte

	size uint32 // in the log
}

// artificial marks events that are in no log file.
const artificial = 0x20

// Artificial reports that the event is in no log file: the server made it for this connection.
func (e Event) Artificial() bool { return e.Flags&artificial != 0 || e.End == 0 }

// Time returns [Event.Seconds] as a time.
func (e Event) Time() time.Time { return time.Unix(int64(e.Seconds), 0) }

// typeName returns the name of a type that matters to a reader of errors.
func typeName(t Type) (string, bool) {
	name, ok := map[Type]string{
		Query: "query", Stop: "stop", Rotate: "rotate", FormatDescription: "format description", XID: "xid",
		TableMapEvent: "table map", WriteRowsV1: "write rows", UpdateRowsV1: "update rows", DeleteRowsV1: "delete rows",
		Incident: "incident", Heartbeat: "heartbeat", RowsQuery: "rows query", WriteRowsV2: "write rows",
		UpdateRowsV2: "update rows", DeleteRowsV2: "delete rows", GTIDEvent: "gtid", AnonymousGTID: "anonymous gtid",
		PreviousGTIDs: "previous gtids", XAPrepare: "xa prepare", PartialUpdateRows: "partial update rows",
		TransactionPacked: "transaction payload", HeartbeatV2: "heartbeat", GTIDTagged: "tagged gtid",
		AnnotateRows: "annotate rows", BinlogCheckpoint: "binlog checkpoint", MariaGTID: "gtid",
		MariaGTIDList: "gtid list", StartEncryption: "start encryption", queryCompressed: "compressed query",
		writeCompressedV1: "compressed write rows", writeCompressedV2: "compressed write rows",
	}[t]
	return name, ok
}
