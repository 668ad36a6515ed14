package binlog

import (
	mathbits "math/bits"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// image is one row image: where its values are.
type image struct {
	// present has a bit for each column of the table that the image has.
	present []byte
	// nulls has a bit for each column that the image has, in their order.
	nulls []byte
	// parts has a bit for each JSON column of the table whose value is a list of changes; nil if none is.
	parts []byte
	// values is what follows.
	values []byte
}

// imageOf reads the head of a row image: how partial values are marked, and the nulls. columns is how many columns the
// image has.
func (m *TableMap) imageOf(data, present []byte, columns int, partial bool) (image, bool) {
	const someParts = 1
	v := image{present: present}
	if partial {
		options, n := wire.Uint(data)
		if n == 0 {
			return v, false
		}
		data = data[n:]
		if options&someParts != 0 {
			n := (m.json + 7) / 8
			if n > len(data) {
				return v, false
			}
			v.parts, data = data[:n], data[n:]
		}
	}
	n := (columns + 7) / 8
	if n > len(data) {
		return v, false
	}
	v.nulls, v.values = data[:n], data[n:]
	return v, true
}

func has(bits []byte, i int) bool { return bits[i>>3]&(1<<(i&7)) != 0 }

// ones counts the first n bits that are set.
func ones(bits []byte, n int) int {
	count := 0
	for _, b := range bits[:n/8] {
		count += mathbits.OnesCount8(b)
	}
	if n%8 > 0 {
		count += mathbits.OnesCount8(bits[n/8] & (1<<(n%8) - 1))
	}
	return count
}

// stretch is a part of a row without nulls: values of fixed sizes, which take so many bytes together, and behind them a
// value with its length in front, in a head of so many bytes.
type stretch struct{ fixed, head int }

// measure finds the stretches of rows, and the fixed bytes behind the last one. There are none if the size of a type is
// not known.
func (m *TableMap) measure() {
	m.stretches, m.tail = nil, m.nullBytes()
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.fixed >= unknownSize || c.fixed+c.head == 0 {
			m.stretches, m.tail = nil, unknownSize
			return
		}
		if m.tail += c.fixed; c.head > 0 {
			m.stretches = append(m.stretches, stretch{m.tail, c.head})
			m.tail = 0
		}
	}
}

// rowSize returns the size of the image at the head of data, which has all columns, perhaps more than there is.
func (m *TableMap) rowSize(data []byte) int {
	if m.nullBytes() > len(data) {
		return unknownSize
	}
	if m.anyNull(data) {
		return m.nullableSize(data)
	}
	at := 0
	for _, s := range m.stretches {
		if at += s.fixed + s.head; at > len(data) {
			return unknownSize
		}
		at += lengthOf(data[at-s.head : at])
	}
	return at + m.tail
}

func (m *TableMap) nullableSize(data []byte) int {
	at := m.nullBytes()
	for i := range m.Columns {
		if has(data, i) {
			continue
		}
		if at > len(data) {
			return unknownSize
		}
		at += m.Columns[i].size(data[at:])
	}
	return at
}

// nullBytes is the size of a row's bits that say which values are null.
func (m *TableMap) nullBytes() int { return (len(m.Columns) + 7) / 8 }

// anyNull reports whether the row at the head of data has nulls. Bits behind the last column's are often set.
func (m *TableMap) anyNull(data []byte) bool {
	n := len(m.Columns)
	for _, b := range data[:n/8] {
		if b != 0 {
			return true
		}
	}
	return n%8 > 0 && data[n/8]&(1<<(n%8)-1) != 0
}

// unknownSize is the size of a value that is cut off, or whose type is not known.
const unknownSize = 1 << 62

// size returns how many bytes the value at the head of b takes, perhaps more than there are.
func (c *LogColumn) size(b []byte) int {
	if c.fixed > 0 {
		return c.fixed
	}
	return c.varyingSize(b)
}

func (c *LogColumn) varyingSize(b []byte) int {
	if c.head == 0 || c.head > len(b) {
		if c.Type == wire.TypeNull {
			return 0
		}
		return unknownSize
	}
	return c.head + lengthOf(b[:c.head])
}

// fixedSize returns the size of all values of the column, 0 if they differ.
func (c *LogColumn) fixedSize() int {
	switch c.Type {
	case wire.TypeTiny, wire.TypeYear:
		return 1
	case wire.TypeShort:
		return 2
	case wire.TypeMedium, wire.TypeDate, wire.TypeNewDate, wire.TypeTime:
		return 3
	case wire.TypeInt, wire.TypeFloat, wire.TypeTimestamp:
		return 4
	case wire.TypeBigInt, wire.TypeDouble, wire.TypeDateTime:
		return 8
	case typeTimestamp2:
		return 4 + fractionSize(c.Meta)
	case typeDateTime2:
		return 5 + fractionSize(c.Meta)
	case typeTime2:
		return 3 + fractionSize(c.Meta)
	case wire.TypeNewDecimal:
		return decimalSize(int(c.Meta>>8), int(c.Meta&0xff))
	case wire.TypeEnum, wire.TypeSet:
		return int(c.Meta)
	case wire.TypeBit:
		return bitSize(c.Meta)
	}
	return 0
}

// lengthSize returns the bytes of the length in front of a value; 0 if it has none.
func (c *LogColumn) lengthSize() int {
	switch c.Type {
	case wire.TypeVarChar, wire.TypeVarString, wire.TypeString, typeVarCharPacked:
		if c.Meta > 255 {
			return 2
		}
		return 1
	case wire.TypeTinyBlob, wire.TypeBlob, wire.TypeMediumBlob, wire.TypeLongBlob, wire.TypeGeometry, wire.TypeJSON,
		wire.TypeVector, typeBlobPacked:
		if c.Meta > 4 {
			return 0
		}
		return int(c.Meta)
	}
	return 0
}

// lengthText returns the value at the head of b of a type with a length, and the bytes that both take.
func lengthText(head int, b []byte) ([]byte, int, bool) {
	if head > len(b) {
		return nil, 0, false
	}
	n := head + lengthOf(b[:head])
	if n > len(b) {
		return nil, 0, false
	}
	return b[head:n], n, true
}

// lengthOf decodes the length in front of a value.
func lengthOf(head []byte) int {
	switch len(head) {
	case 1:
		return int(head[0])
	case 2:
		return int(head[0]) | int(head[1])<<8
	}
	return int(little(head))
}

func fractionSize(digits uint16) int { return int(digits+1) / 2 }

func bitSize(meta uint16) int {
	n := int(meta >> 8)
	if meta&0xff != 0 {
		n++
	}
	return n
}
