package binlog

import "github.com/culvertdata/culvert/plugin/internal/mysql/wire"

// The kinds of optional metadata behind a table map.
const (
	metaSigns          = 1
	metaDefaultCharset = 2
	metaColumnCharset  = 3
	metaNames          = 4
	metaSetValues      = 5
	metaEnumValues     = 6
	metaKey            = 8
	metaKeyWithPrefix  = 9
	metaListDefault    = 10 // character sets of enums and sets
	metaListCharset    = 11
	metaVisible        = 12
	highestBit         = 0x80
)

// optional reads what follows the table map proper: fields of a kind, a length and data. Unknown kinds are left out.
func (m *TableMap) optional(c *cursor) {
	for len(c.b) > 0 && !c.bad {
		kind := c.u8()
		field := cursor{b: c.text()}
		switch kind {
		case metaSigns:
			m.signs(&field)
		case metaDefaultCharset:
			m.defaultCharset(&field, isText)
		case metaListDefault:
			m.defaultCharset(&field, isList)
		case metaColumnCharset:
			m.each(isText, func(col *LogColumn) { col.Collation = uint32(field.uint()) })
		case metaListCharset:
			m.each(isList, func(col *LogColumn) { col.Collation = uint32(field.uint()) })
		case metaNames:
			m.Named = true
			m.each(isAny, func(col *LogColumn) { col.Name = string(field.text()) })
		case metaSetValues:
			m.each(isSet, func(col *LogColumn) { col.Values = texts(&field) })
		case metaEnumValues:
			m.each(isEnum, func(col *LogColumn) { col.Values = texts(&field) })
		case metaKey, metaKeyWithPrefix:
			m.key(&field, kind == metaKeyWithPrefix)
		case metaVisible:
			m.visible(&field)
		}
		c.bad = c.bad || field.bad
	}
}

func isAny(byte) bool    { return true }
func isEnum(t byte) bool { return t == wire.TypeEnum }
func isSet(t byte) bool  { return t == wire.TypeSet }
func isList(t byte) bool { return isEnum(t) || isSet(t) }

// isText reports whether the type is one that the log gives a collation. Geometry is a blob to the servers.
func isText(t byte) bool {
	switch t {
	case wire.TypeVarChar, wire.TypeVarString, wire.TypeString, wire.TypeTinyBlob, wire.TypeBlob, wire.TypeMediumBlob,
		wire.TypeLongBlob, wire.TypeGeometry, typeBlobPacked, typeVarCharPacked:
		return true
	}
	return false
}

// isNumber reports whether the type is one that the log gives a sign. A year has one too; the servers differ in which.
func isNumber(t byte) bool {
	switch t {
	case wire.TypeTiny, wire.TypeShort, wire.TypeMedium, wire.TypeInt, wire.TypeBigInt, wire.TypeNewDecimal,
		wire.TypeFloat, wire.TypeDouble, wire.TypeDecimal, wire.TypeYear:
		return true
	}
	return false
}

// each calls f for all columns of some types, in order.
func (m *TableMap) each(of func(byte) bool, f func(*LogColumn)) {
	for i := range m.Columns {
		if of(m.Columns[i].Type) {
			f(&m.Columns[i])
		}
	}
}

// signs reads one bit for each column of numbers, the highest first; 1 is unsigned.
func (m *TableMap) signs(c *cursor) {
	i := 0
	m.each(isNumber, func(col *LogColumn) {
		if i&7 == 0 && i > 0 {
			c.skip(1)
		}
		if len(c.b) == 0 {
			c.bad = true
			return
		}
		col.Signs = true
		col.Unsigned = c.b[0]&(highestBit>>(i&7)) != 0
		i++
	})
}

// defaultCharset reads the collation of most columns of some types, and then those that have others: their positions
// among the columns of these types, and their collations.
func (m *TableMap) defaultCharset(c *cursor, of func(byte) bool) {
	most := uint32(c.uint())
	var list []*LogColumn
	m.each(of, func(col *LogColumn) {
		col.Collation = most
		list = append(list, col)
	})
	for len(c.b) > 0 && !c.bad {
		if i, collation := c.uint(), uint32(c.uint()); i < uint64(len(list)) {
			list[i].Collation = collation
		}
	}
}

func texts(c *cursor) []string {
	list := make([]string, c.count())
	for i := range list {
		list[i] = string(c.text())
	}
	return list
}

func (m *TableMap) key(c *cursor, prefixes bool) {
	m.Key = nil
	for len(c.b) > 0 && !c.bad {
		i := c.uint()
		if prefixes {
			c.uint()
		}
		if i >= uint64(len(m.Columns)) {
			c.bad = true
			return
		}
		m.Key = append(m.Key, int(i))
	}
}

// visible reads one bit for each column, the highest first; 0 is invisible.
func (m *TableMap) visible(c *cursor) {
	if len(m.Columns) > len(c.b)*8 {
		c.bad = true
		return
	}
	for i := range m.Columns {
		m.Columns[i].Invisible = c.b[i>>3]&(highestBit>>(i&7)) == 0
	}
}
