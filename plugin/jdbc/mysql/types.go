package mysql

import (
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// largePrecision and largeScale are what a decimal of more than 38 digits is read as.
const (
	largePrecision = plugin.MaxPrecision
	largeScale     = 18
)

// typeOf returns the type of a result's column; false for types that are not known.
func (d *database) typeOf(c wire.Column) (plugin.Type, bool) {
	wider := func(signed, unsigned plugin.Kind) (plugin.Type, bool) {
		if c.Unsigned() {
			return plugin.TypeOf(unsigned), true
		}
		return plugin.TypeOf(signed), true
	}
	switch c.Type {
	case wire.TypeTiny:
		if d.tinyBool && c.Length == 1 {
			return plugin.TypeOf(plugin.Boolean), true
		}
		return wider(plugin.TinyInt, plugin.SmallInt)
	case wire.TypeShort:
		return wider(plugin.SmallInt, plugin.Int)
	case wire.TypeMedium, wire.TypeYear:
		return plugin.TypeOf(plugin.Int), true
	case wire.TypeInt:
		return wider(plugin.Int, plugin.BigInt)
	case wire.TypeBigInt:
		if c.Unsigned() {
			return plugin.DecimalOf(20, 0), true
		}
		return plugin.TypeOf(plugin.BigInt), true
	case wire.TypeFloat:
		return plugin.TypeOf(plugin.Float), true
	case wire.TypeDouble:
		return plugin.TypeOf(plugin.Double), true
	case wire.TypeDecimal, wire.TypeNewDecimal:
		return decimalOf(c), true
	case wire.TypeBit:
		if c.Length == 1 {
			return plugin.TypeOf(plugin.Boolean), true
		}
		return plugin.TypeOf(plugin.Bytes), true
	case wire.TypeDate, wire.TypeNewDate:
		return plugin.TypeOf(plugin.Date), true
	case wire.TypeTime:
		return plugin.Type{Kind: plugin.Time, Scale: fraction(c)}, true
	case wire.TypeDateTime, wire.TypeTimestamp:
		return plugin.Type{Kind: plugin.Timestamp, Scale: fraction(c)}, true
	case wire.TypeNull:
		return plugin.TypeOf(plugin.Null), true
	case wire.TypeJSON, wire.TypeEnum, wire.TypeSet:
		return plugin.TypeOf(plugin.String), true
	case wire.TypeGeometry, wire.TypeVector:
		return plugin.TypeOf(plugin.Bytes), true
	case wire.TypeVarChar, wire.TypeVarString, wire.TypeString,
		wire.TypeTinyBlob, wire.TypeMediumBlob, wire.TypeLongBlob, wire.TypeBlob:
		if c.Charset == wire.Binary {
			return plugin.TypeOf(plugin.Bytes), true
		}
		return plugin.TypeOf(plugin.String), true
	}
	return plugin.Type{}, false
}

// decimalOf finds the digits of a decimal from its width, which counts the point and the sign. An unsigned one gets a
// digit more, as SeaTunnel has it.
func decimalOf(c wire.Column) plugin.Type {
	precision, scale := int(c.Length), int(c.Decimals)
	if scale > 0 {
		precision--
	}
	if !c.Unsigned() {
		precision--
	}
	if precision > plugin.MaxPrecision || precision < scale || precision < 1 {
		return plugin.DecimalOf(largePrecision, largeScale)
	}
	if c.Unsigned() {
		precision = min(precision+1, plugin.MaxPrecision)
	}
	return plugin.DecimalOf(precision, scale)
}

// fraction returns the digits of a second's fraction; the server says 31 or more where it does not know.
func fraction(c wire.Column) int {
	if c.Decimals > 6 {
		return plugin.DefaultFraction
	}
	return int(c.Decimals)
}

// lengthOf returns the length of a text or of bytes. Texts count characters of four bytes.
func lengthOf(c wire.Column, t plugin.Type) int64 {
	switch {
	case c.Type == wire.TypeJSON || c.Flags&(wire.FlagEnum|wire.FlagSet) != 0:
		return 0
	case t.Kind == plugin.String:
		return int64(c.Length) / 4
	case t.Kind == plugin.Bytes && c.Type == wire.TypeBit:
		return int64(c.Length+7) / 8
	case t.Kind == plugin.Bytes && c.Type != wire.TypeGeometry:
		return int64(c.Length)
	}
	return 0
}

// declare returns the type of a column in a table that the sink makes. keyed columns need a type that an index takes
// whole.
func declare(c plugin.Column, catalog string, keyed bool) (string, error) {
	if catalog == catalogName && c.SourceType != "" {
		return c.SourceType, nil
	}
	switch t := c.Type; t.Kind {
	case plugin.Boolean:
		return "TINYINT(1)", nil
	case plugin.TinyInt, plugin.SmallInt, plugin.Int, plugin.BigInt, plugin.Float, plugin.Double, plugin.Date:
		return t.Kind.String(), nil
	case plugin.Decimal:
		// A scale above 30 is more than the server has.
		if t.Scale <= 30 {
			return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale), nil
		}
		return fmt.Sprintf("DECIMAL(%d,30)", t.Precision), nil
	case plugin.Time:
		return fmt.Sprintf("TIME(%d)", min(t.Scale, 6)), nil
	case plugin.Timestamp:
		return fmt.Sprintf("DATETIME(%d)", min(t.Scale, 6)), nil
	case plugin.String:
		return declareText(c.Length, keyed), nil
	case plugin.Bytes:
		return declareBytes(c.Length, keyed), nil
	case plugin.Null:
		return "VARCHAR(1)", nil
	default:
		return "", &plugin.Error{
			Code: plugin.CodeType, Err: fmt.Errorf("column %s: MySQL has no type for %s", c.Name, t),
			Fix: "turn it into a string with a transform, or leave it out",
		}
	}
}

// Sizes of MySQL's text and bytes types.
const (
	tinySize   = 1 << 8
	smallSize  = 1 << 16
	mediumSize = 1 << 24
	keyLength  = 255
)

// declareText follows SeaTunnel, except that a key's text is a VARCHAR, for MySQL has no index on a whole TEXT. A TEXT
// counts bytes, so the number of characters is taken four times.
func declareText(length int64, keyed bool) string {
	switch {
	case keyed && (length == 0 || length > keyLength*3):
		return fmt.Sprintf("VARCHAR(%d)", keyLength)
	case length == 0 || length >= mediumSize/4:
		return "LONGTEXT"
	case length < tinySize || keyed:
		return fmt.Sprintf("VARCHAR(%d)", length)
	case length < smallSize/4:
		return "TEXT"
	default:
		return "MEDIUMTEXT"
	}
}

// declareBytes uses LONGBLOB where no length is known: SeaTunnel's VARBINARY(32766) would refuse longer values.
func declareBytes(length int64, keyed bool) string {
	switch {
	case keyed && (length == 0 || length > keyLength*3):
		return fmt.Sprintf("VARBINARY(%d)", keyLength*3)
	case length == 0 || length >= mediumSize:
		return "LONGBLOB"
	case length < tinySize || keyed:
		return fmt.Sprintf("VARBINARY(%d)", length)
	case length < smallSize:
		return "BLOB"
	default:
		return "MEDIUMBLOB"
	}
}

// catalogName marks tables that this dialect has described: their types' own texts can be used again.
const catalogName = "MySQL"

// textual reports that a column type of the catalog holds text.
func textual(dataType string) bool {
	switch strings.ToLower(dataType) {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return true
	}
	return false
}
