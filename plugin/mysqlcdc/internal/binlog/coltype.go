package binlog

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// columnType is a COLUMN_TYPE taken apart, for example decimal(10,2) unsigned.
type columnType struct {
	name     string // in lower case
	args     []int
	values   []string // of an enum or a set
	unsigned bool
}

// parseColumnType takes a COLUMN_TYPE apart.
func parseColumnType(text string) (columnType, error) {
	end := strings.IndexAny(text, "( ")
	if end < 0 {
		end = len(text)
	}
	t := columnType{name: strings.ToLower(text[:end])}
	rest := text[end:]
	if strings.HasPrefix(rest, "(") {
		var err error
		if rest, err = t.parseArgs(rest[1:]); err != nil {
			return t, fmt.Errorf("column type %q: %w", text, err)
		}
	}
	for _, word := range strings.Fields(strings.ToLower(rest)) {
		if word == "unsigned" || word == "zerofill" {
			t.unsigned = true
		}
	}
	return t, nil
}

// parseArgs reads what stands in brackets, numbers or quoted texts, and returns what follows.
func (t *columnType) parseArgs(text string) (string, error) {
	for {
		text = strings.TrimLeft(text, " ,")
		switch {
		case text == "":
			return "", fmt.Errorf("a bracket is missing")
		case text[0] == ')':
			return text[1:], nil
		case text[0] == '\'':
			value, rest, ok := cutQuoted(text[1:])
			if !ok {
				return "", fmt.Errorf("a quote is missing")
			}
			t.values, text = append(t.values, value), rest
		default:
			end := strings.IndexAny(text, ",) ")
			if end < 0 {
				return "", fmt.Errorf("a bracket is missing")
			}
			n, err := strconv.Atoi(text[:end])
			if err != nil {
				return "", fmt.Errorf("%q is no number", text[:end])
			}
			t.args, text = append(t.args, n), text[end:]
		}
	}
}

// cutQuoted reads a text up to its closing quote; two quotes stand for one. The servers do not escape otherwise here.
func cutQuoted(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '\'')
		if at < 0 {
			return "", "", false
		}
		b.WriteString(text[:at])
		text = text[at+1:]
		if !strings.HasPrefix(text, "'") {
			return b.String(), text, true
		}
		b.WriteByte('\'')
		text = text[1:]
	}
}

func (t columnType) arg(i, otherwise int) int {
	if i < len(t.args) {
		return t.args[i]
	}
	return otherwise
}

// fits reports whether values that the log describes as c may be those of a column of the type. MariaDB's own types of
// fixed size are strings in the log.
func (t columnType) fits(c *LogColumn) bool {
	if c.Signs && c.Unsigned != t.unsigned && c.Type != wire.TypeYear {
		return false
	}
	switch t.name {
	case "tinyint", "bool", "boolean":
		return c.Type == wire.TypeTiny
	case "smallint":
		return c.Type == wire.TypeShort
	case "mediumint":
		return c.Type == wire.TypeMedium
	case "int", "integer":
		return c.Type == wire.TypeInt
	case "bigint":
		return c.Type == wire.TypeBigInt
	case "float":
		return c.Type == wire.TypeFloat
	case "double", "real":
		return c.Type == wire.TypeDouble
	case "decimal", "numeric", "fixed", "dec":
		digits, scale := int(c.Meta>>8), int(c.Meta&0xff)
		return c.Type == wire.TypeNewDecimal && digits == t.arg(0, 10) && scale == t.arg(1, 0) && scale <= digits &&
			digits > 0 && digits <= maxDigits
	case "bit":
		bits := t.arg(0, 1)
		return c.Type == wire.TypeBit && int(c.Meta>>8)*8+int(c.Meta&0xff) == bits
	case "year":
		return c.Type == wire.TypeYear
	case "date":
		return c.Type == wire.TypeDate || c.Type == wire.TypeNewDate
	case "time":
		return t.fitsFraction(c, typeTime2, wire.TypeTime)
	case "datetime":
		return t.fitsFraction(c, typeDateTime2, wire.TypeDateTime)
	case "timestamp":
		return t.fitsFraction(c, typeTimestamp2, wire.TypeTimestamp)
	case "char", "binary", "uuid", "inet4", "inet6":
		return c.Type == wire.TypeString
	case "varchar", "varbinary":
		return c.Type == wire.TypeVarChar || c.Type == wire.TypeVarString || c.Type == typeVarCharPacked
	case "enum":
		return c.Type == wire.TypeEnum
	case "set":
		return c.Type == wire.TypeSet
	case "json":
		return c.Type == wire.TypeJSON || c.Type == wire.TypeBlob
	case "vector":
		return c.Type == wire.TypeVector || c.Type == wire.TypeVarChar
	case "tinytext", "tinyblob":
		return blob(c, 1)
	case "text", "blob":
		return blob(c, 2)
	case "mediumtext", "mediumblob":
		return blob(c, 3)
	case "longtext", "longblob":
		return blob(c, 4)
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
		"geometrycollection", "geomcollection":
		return c.Type == wire.TypeGeometry
	}
	return false
}

// fitsFraction compares the digits of a second's fraction; the old form of a type has none.
func (t columnType) fitsFraction(c *LogColumn, now, old byte) bool {
	const most = 6
	return c.Type == now && c.Meta <= most && int(c.Meta) == t.arg(0, 0) || c.Type == old && t.arg(0, 0) == 0
}

func blob(c *LogColumn, lengthSize uint16) bool {
	return (c.Type == wire.TypeBlob || c.Type == typeBlobPacked) && c.Meta == lengthSize
}

// isBytes reports whether values of the type are bytes and no text, or a number or a date.
func (t columnType) isBytes() bool {
	switch t.name {
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit", "vector", "geometry", "point",
		"linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return true
	}
	return false
}
