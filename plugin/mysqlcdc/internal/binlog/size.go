package binlog

import (
	"encoding/binary"

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
	for i := range n {
		if has(bits, i) {
			count++
		}
	}
	return count
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
	head := c.lengthSize()
	if head == 1 && len(b) > 0 {
		return 1 + int(b[0])
	}
	if head == 0 || head > len(b) {
		if c.Type == wire.TypeNull {
			return 0
		}
		return unknownSize
	}
	return head + int(little(b[:head]))
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
	var n int
	switch {
	case head > len(b):
		return nil, 0, false
	case head == 1:
		n = int(b[0])
	case head == 2:
		n = int(binary.LittleEndian.Uint16(b))
	default:
		n = int(little(b[:head]))
	}
	if n > len(b)-head {
		return nil, 0, false
	}
	return b[head : head+n], head + n, true
}

func fractionSize(digits uint16) int { return int(digits+1) / 2 }

func bitSize(meta uint16) int {
	n := int(meta >> 8)
	if meta&0xff != 0 {
		n++
	}
	return n
}
