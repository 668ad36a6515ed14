package binlog

// TableMap says which columns the rows of the events behind it have. It never changes.
type TableMap struct {
	// ID is the number by which rows events name it.
	ID uint64
	// Schema and Name are the table's database and name.
	Schema, Name string
	// Columns are the table's columns, in order.
	Columns []LogColumn
	// Named reports that the columns have names: the server logs with binlog_row_metadata = FULL.
	Named bool
	// Key are the positions of the primary key's columns; nil if unknown (not FULL) or if there is none.
	Key []int
}

// LogColumn is a column as the log describes it. Fields that only binlog_row_metadata = FULL fills are zero without it.
type LogColumn struct {
	// Type is the protocol's number of the type, Meta what the log says about it beyond that.
	Type byte
	Meta uint16
	// Nullable reports that nulls may come.
	Nullable bool
	// Unsigned reports an unsigned number. It is known unless the server is older than MySQL 8.0 and MariaDB 10.5.
	Unsigned bool
	// Collation is the number of the text's collation, 63 for bytes, 0 if unknown.
	Collation uint32
	// Name is the column's name (FULL).
	Name string
	// Values are the names of an enum or a set (FULL), in the column's character set.
	Values []string
	// Invisible reports that SELECT * leaves the column out (FULL).
	Invisible bool
}
