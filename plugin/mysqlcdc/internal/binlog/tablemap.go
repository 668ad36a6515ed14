package binlog

import (
	"bytes"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// TableMap says which columns the rows of the events behind it have. It never changes.
type TableMap struct {
	// Schema and Name are the table's database and name.
	Schema, Name string
	// Columns are the table's columns, in order.
	Columns []LogColumn
	// Named reports that the columns have names: the server logs with binlog_row_metadata = FULL.
	Named bool
	// Key are the positions of the primary key's columns; nil if unknown (not FULL) or if there is none.
	Key []int

	raw       []byte    // the event's body behind the table's number
	json      int       // number of MySQL's JSON columns
	stretches []stretch // of a row that has all columns
	tail      int
}

// LogColumn is a column as the log describes it. Fields that only binlog_row_metadata = FULL fills are zero without it.
type LogColumn struct {
	// Type is the protocol's number of the type, also of enums and sets.
	Type byte
	// Meta is what the log says about the type: the greatest length of a char, varchar or binary in bytes, the size of
	// a blob's length, the size of an enum or set, digits * 256 + digits behind the point of a decimal, bytes * 256 +
	// bits of a bit type, the digits of a second's fraction.
	Meta uint16
	// Nullable reports that nulls may come.
	Nullable bool
	// Unsigned reports an unsigned number, Signs whether that is known: MySQL before 8.0 and MariaDB before 10.5 and
	// with binlog_row_metadata = NO_LOG do not tell.
	Unsigned, Signs bool
	// Collation is the number of a text's collation, 63 for bytes, 0 if unknown.
	Collation uint32
	// Name is the column's name (FULL).
	Name string
	// Values are the names of an enum or a set, in the column's character set (FULL).
	Values []string
	// Invisible reports that SELECT * leaves the column out (FULL).
	Invisible bool

	fixed int // size of a value; 0: see size
	head  int // bytes of the length in front of a value; 0: there is none
}

// The types that only the log has, beside those of package wire.
const (
	typeTimestamp2     = 17
	typeDateTime2      = 18
	typeTime2          = 19
	typeBlobPacked     = 140 // MariaDB's compressed columns
	typeVarCharPacked  = 141
	maxColumns         = 4096
	tableNumberSize    = 6
	noTable            = 1<<24 - 1 // the number of a rows event that only ends a statement
	maxTables          = 10_000
	flagStatementEnd   = 1
	rowsV2ExtraMinimum = 2
)

// tables remembers the table maps of a stream by their numbers, and by their names, so that a table that is opened
// again under another number keeps its map.
type tables struct {
	byNumber map[uint64]*TableMap
	byName   map[tableName]*TableMap
}

type tableName struct{ schema, name string }

func (t *tables) read(e Event) (*TableMap, error) {
	if len(e.Body) < tableNumberSize {
		return nil, corrupt("a table map event of %d bytes", len(e.Body))
	}
	number, raw := little(e.Body[:tableNumberSize]), e.Body[tableNumberSize:]
	if m := t.byNumber[number]; m != nil && bytes.Equal(m.raw, raw) {
		return m, nil
	}
	m, err := parseTableMap(raw)
	if err != nil {
		return nil, err
	}
	if t.byNumber == nil || len(t.byNumber) >= maxTables {
		t.byNumber = map[uint64]*TableMap{}
	}
	if t.byName == nil || len(t.byName) >= maxTables {
		t.byName = map[tableName]*TableMap{}
	}
	name := tableName{m.Schema, m.Name}
	if known := t.byName[name]; known != nil && bytes.Equal(known.raw, raw) {
		m = known
	}
	t.byName[name], t.byNumber[number] = m, m
	return m, nil
}

// parseTableMap reads a table map behind its number.
func parseTableMap(raw []byte) (*TableMap, error) {
	m := &TableMap{raw: bytes.Clone(raw)}
	c := cursor{b: m.raw}
	c.skip(2) // flags
	m.Schema = string(c.take(int(c.u8())))
	c.skip(1)
	m.Name = string(c.take(int(c.u8())))
	c.skip(1)
	n := c.columns()
	types := c.take(n)
	metas := cursor{b: c.text()}
	nulls := c.take((n + 7) / 8)
	if c.bad {
		return nil, corrupt("a table map event of %d bytes", len(raw))
	}
	m.Columns = make([]LogColumn, n)
	for i, t := range types {
		m.Columns[i] = logColumn(t, &metas)
		m.Columns[i].fixed, m.Columns[i].head = m.Columns[i].fixedSize(), m.Columns[i].lengthSize()
		m.Columns[i].Nullable = has(nulls, i)
		if m.Columns[i].Type == wire.TypeJSON {
			m.json++
		}
	}
	m.measure()
	m.optional(&c)
	if c.bad || metas.bad {
		return nil, corrupt("the table map of %s.%s", m.Schema, m.Name)
	}
	return m, nil
}

// logColumn reads what the log says about a type.
func logColumn(t byte, metas *cursor) LogColumn {
	switch t {
	case wire.TypeVarChar, wire.TypeVarString, typeVarCharPacked:
		return LogColumn{Type: t, Meta: metas.u16()}
	case wire.TypeBit:
		bits, size := metas.u8(), metas.u8()
		return LogColumn{Type: t, Meta: uint16(size)<<8 | uint16(bits)}
	case wire.TypeNewDecimal:
		digits, scale := metas.u8(), metas.u8()
		return LogColumn{Type: t, Meta: uint16(digits)<<8 | uint16(scale)}
	case wire.TypeString, wire.TypeEnum, wire.TypeSet:
		return stringColumn(t, metas.u8(), metas.u8())
	case wire.TypeFloat, wire.TypeDouble, wire.TypeTinyBlob, wire.TypeBlob, wire.TypeMediumBlob, wire.TypeLongBlob,
		wire.TypeGeometry, wire.TypeJSON, wire.TypeVector, typeTime2, typeDateTime2, typeTimestamp2, typeBlobPacked:
		return LogColumn{Type: t, Meta: uint16(metas.u8())}
	}
	return LogColumn{Type: t}
}

// stringColumn finds the type and the size of a char, enum or set. Two bits of a length above 255 are hidden in the
// type, inverted.
func stringColumn(t, first, second byte) LogColumn {
	const hidden = 0x30
	if first == 0 {
		return LogColumn{Type: t, Meta: uint16(second)}
	}
	if first&hidden != hidden {
		return LogColumn{Type: first | hidden, Meta: uint16(second) | uint16(first&hidden^hidden)<<4}
	}
	return LogColumn{Type: first, Meta: uint16(second)}
}
