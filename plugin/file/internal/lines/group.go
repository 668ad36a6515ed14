package lines

// GroupRows is the number of rows that are parsed together: few enough that their bytes and fields stay in the
// processor's caches from the search for fields to the columns.
const GroupRows = 512

// Field is where the text of a field is: in the group's data, or behind it in its side buffer. A negative length says
// that there is no value.
type Field struct {
	Start uint32
	Len   int32
}

// NoValue is the field of a null or missing value.
var NoValue = Field{Len: -1}

// sideBit marks the start of a field that is in the side buffer.
const sideBit = 1 << 31

// Group is the fields of up to GroupRows rows.
type Group struct {
	// Data is the scanner's data that the rows are in.
	Data []byte
	// Rows is the number of rows.
	Rows int

	fields []Field // by column, then by row
	starts [GroupRows + 1]mark
	side   []byte
}

// mark is a place in the data.
type mark struct{ offset, line int }

// NewGroup returns a group for so many columns.
func NewGroup(columns int) *Group { return &Group{fields: make([]Field, columns*GroupRows)} }

// Reset empties the group for new data.
func (g *Group) Reset(data []byte) {
	g.Data, g.Rows, g.side = data, 0, g.side[:0]
	g.starts[0] = mark{}
}

// Column returns the fields of a column: one for each row, with room for all that may come.
func (g *Group) Column(i int) []Field { return g.fields[i*GroupRows : (i+1)*GroupRows] }

// Begin notes where the row that is being found starts: a place in the data and the lines before it.
func (g *Group) Begin(offset, line int) { g.starts[g.Rows] = mark{offset, line} }

// End counts a row and notes where the next one may start.
func (g *Group) End(offset, line int) {
	g.Rows++
	g.starts[g.Rows] = mark{offset, line}
}

// Full reports that no row more fits.
func (g *Group) Full() bool { return g.Rows == GroupRows }

// Side returns the side buffer to append a field's text to, and its present length.
func (g *Group) Side() ([]byte, int) { return g.side, len(g.side) }

// SetSide takes the grown side buffer back; the text from mark on is the returned field's.
func (g *Group) SetSide(side []byte, mark int) Field {
	g.side = side
	return Field{Start: uint32(mark) | sideBit, Len: int32(len(side) - mark)}
}

// Text returns a field's text. Its length must not be negative.
func (g *Group) Text(f Field) []byte {
	if f.Start&sideBit != 0 {
		at := int(f.Start &^ sideBit)
		return g.side[at : at+int(f.Len)]
	}
	return g.Data[f.Start : int(f.Start)+int(f.Len)]
}
