package binlog

import "github.com/culvertdata/culvert/plugin"

// Change is what a rows event does.
type Change uint8

// What rows events do.
const (
	Insert Change = iota
	Update
	Delete
)

// kind is that of the last row that a change becomes.
func (c Change) kind() plugin.RowKind {
	switch c {
	case Insert:
		return plugin.Insert
	case Delete:
		return plugin.Delete
	}
	return plugin.UpdateAfter
}

// Rows is the head of a rows event and the bytes of its rows, which belong to the stream.
type Rows struct {
	// Map describes the columns; nil for an event without rows, which only ends a statement.
	Map *TableMap
	// Change is what happens to every row of the event.
	Change Change
	// Last reports that the statement ends with this event.
	Last bool

	before, after []byte // bitmaps of the columns that the images have; one is nil for inserts and deletes
	partial       bool   // after images may hold parts of JSON values
	data          []byte
}

func changeOf(t Type) Change {
	switch t {
	case WriteRowsV1, WriteRowsV2:
		return Insert
	case DeleteRowsV1, DeleteRowsV2:
		return Delete
	}
	return Update
}

// parseRows reads the head of a rows event.
func parseRows(e Event, t *tables) (Rows, error) {
	c := cursor{b: e.Body}
	number := c.little(tableNumberSize)
	flags := c.u16()
	if e.Type >= WriteRowsV2 {
		c.skip(int(c.u16()) - rowsV2ExtraMinimum) // its length counts itself
	}
	n := c.columns()
	r := Rows{Change: changeOf(e.Type), Last: flags&flagStatementEnd != 0, partial: e.Type == PartialUpdateRows}
	first := c.take((n + 7) / 8)
	switch r.Change {
	case Insert:
		r.after = first
	case Delete:
		r.before = first
	case Update:
		r.before, r.after = first, c.take((n+7)/8)
	}
	r.data = c.b
	if c.bad {
		return r, corrupt("a %s event of %d bytes", e.Type, len(e.Body))
	}
	if number == noTable && len(r.data) == 0 {
		return r, nil
	}
	if r.Map = t.byNumber[number]; r.Map == nil {
		return r, corrupt("a %s event for table %d, whose columns have not been told", e.Type, number)
	}
	if n != len(r.Map.Columns) {
		return r, corrupt("a %s event with %d columns for %s.%s, which has %d", e.Type, n, r.Map.Schema, r.Map.Name,
			len(r.Map.Columns))
	}
	return r, nil
}

// Count walks over all rows and returns their number; an update counts once.
func (r Rows) Count() (int, error) {
	n := 0
	for data := r.data; len(data) > 0; n++ {
		size, err := r.size(data)
		if err != nil {
			return n, err
		}
		data = data[size:]
	}
	return n, nil
}

// size returns the bytes of the first row of data, with both images of an update.
func (r Rows) size(data []byte) (int, error) {
	size, err := 0, error(nil)
	if r.before != nil {
		if size, err = r.imageSize(data, r.before, false); err != nil {
			return 0, err
		}
	}
	if r.after != nil {
		n, err := r.imageSize(data[size:], r.after, r.partial)
		if err != nil {
			return 0, err
		}
		size += n
	}
	if size == 0 {
		return 0, corrupt("a row of %s.%s without columns", r.Map.Schema, r.Map.Name)
	}
	return size, nil
}

// imageSize returns the bytes of the row image at the head of data.
func (r Rows) imageSize(data, present []byte, partial bool) (int, error) {
	columns := r.Map.Columns
	n := ones(present, len(columns))
	if n == len(columns) && !partial {
		size := r.Map.rowSize(data)
		if size > len(data) {
			return 0, r.Map.badRow()
		}
		return size, nil
	}
	v, ok := r.Map.imageOf(data, present, n, partial)
	if !ok {
		return 0, r.Map.badRow()
	}
	rest, bit := v.values, 0
	for i := range columns {
		if !has(present, i) {
			continue
		}
		if !has(v.nulls, bit) {
			n := columns[i].size(rest)
			if n > len(rest) {
				return 0, r.Map.badRow()
			}
			rest = rest[n:]
		}
		bit++
	}
	return len(data) - len(rest), nil
}

func (m *TableMap) badRow() error {
	return corrupt("a row of %s.%s that is too short or has a column of an unknown type", m.Schema, m.Name)
}
