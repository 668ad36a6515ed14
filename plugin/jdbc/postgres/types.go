package postgres

import (
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// Object ids of the types that are read and written in binary form.
const (
	oidBool        = 16
	oidBytea       = 17
	oidName        = 19
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidText        = 25
	oidJSON        = 114
	oidXML         = 142
	oidFloat4      = 700
	oidFloat8      = 701
	oidMoney       = 790
	oidInet        = 869
	oidBpchar      = 1042
	oidVarchar     = 1043
	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestamptz = 1184
	oidTimetz      = 1266
	oidNumeric     = 1700
	oidUUID        = 2950
	oidJSONB       = 3802
)

// arrays maps array types to the types of their elements.
var arrays = map[uint32]uint32{
	1000: oidBool, 1001: oidBytea, 1005: oidInt2, 1007: oidInt4, 1009: oidText, 1014: oidBpchar, 1015: oidVarchar,
	1016: oidInt8, 1021: oidFloat4, 1022: oidFloat8, 1182: oidDate, 1183: oidTime, 1115: oidTimestamp,
	1185: oidTimestamptz, 1231: oidNumeric, 2951: oidUUID,
}

// form is how a column is read.
type form struct {
	typ    plugin.Type
	length int64
	// oid is the type whose binary form arrives.
	oid uint32
	// cast is the expression that makes it so; %s stands for the column. Empty: the column itself.
	cast string
}

// formOf returns how a column of a type is read.
func formOf(oid uint32, mod int32) form {
	switch oid {
	case oidMoney:
		return form{typ: plugin.DecimalOf(30, 2), oid: oidNumeric, cast: "(%s)::numeric"}
	case oidInet: // the cast to text would add the length of the network's prefix to each
		return form{typ: plugin.TypeOf(plugin.String), oid: oidText, cast: "textin(inet_out(%s))"}
	}
	if t, ok := scalarType(oid, mod); ok {
		f := form{typ: t, oid: oid}
		if (oid == oidVarchar || oid == oidBpchar) && mod > 4 {
			f.length = int64(mod - 4)
		}
		return f
	}
	if elem, ok := arrays[oid]; ok {
		t, _ := scalarType(elem, mod)
		return form{typ: plugin.ArrayOf(t), oid: oid}
	}
	return form{typ: plugin.TypeOf(plugin.String), oid: oidText, cast: "(%s)::text"}
}

// scalarType maps a type that is read in binary form. Names of a few bytes, such as "char", are none of them.
func scalarType(oid uint32, mod int32) (plugin.Type, bool) {
	switch oid {
	case oidBool:
		return plugin.TypeOf(plugin.Boolean), true
	case oidInt2:
		return plugin.TypeOf(plugin.SmallInt), true
	case oidInt4:
		return plugin.TypeOf(plugin.Int), true
	case oidInt8:
		return plugin.TypeOf(plugin.BigInt), true
	case oidFloat4:
		return plugin.TypeOf(plugin.Float), true
	case oidFloat8:
		return plugin.TypeOf(plugin.Double), true
	case oidNumeric:
		return numericType(mod), true
	case oidText, oidVarchar, oidBpchar, oidName, oidJSON, oidJSONB, oidUUID:
		return plugin.TypeOf(plugin.String), true
	case oidBytea:
		return plugin.TypeOf(plugin.Bytes), true
	case oidDate:
		return plugin.TypeOf(plugin.Date), true
	case oidTime, oidTimetz:
		return fraction(plugin.Time, mod), true
	case oidTimestamp, oidTimestamptz:
		return fraction(plugin.Timestamp, mod), true
	}
	return plugin.Type{}, false
}

func fraction(k plugin.Kind, mod int32) plugin.Type {
	t := plugin.TypeOf(k)
	if mod >= 0 {
		t.Scale = int(mod)
	}
	return t
}

// numericType reads a type modifier of numeric. Numbers without one, and those that are too wide, become
// decimal(38,18), as in SeaTunnel.
func numericType(mod int32) plugin.Type {
	wide := plugin.DecimalOf(plugin.MaxPrecision, 18)
	if mod < 4 {
		return wide
	}
	precision := int((mod - 4) >> 16 & 0xffff)
	scale := int((mod-4)&0x7ff^1024) - 1024 // eleven bits with a sign
	if scale < 0 {
		precision, scale = precision-scale, 0
	}
	if precision = max(precision, scale); precision > plugin.MaxPrecision {
		return wide
	}
	return plugin.DecimalOf(precision, scale)
}

// catalogName marks tables that come from PostgreSQL, whose column types a sink can take over.
const catalogName = "PostgreSQL"

// declare returns the type of a column in a table that the sink makes. A column that comes from PostgreSQL keeps its
// type, unless a transform has changed it.
func declare(t *plugin.Table, c plugin.Column) (string, error) {
	if t.Catalog == catalogName && sameType(c) {
		return c.SourceType, nil
	}
	name, ok := declared(c.Type, c.Length)
	if !ok {
		return "", &plugin.Error{
			Code: plugin.CodeType, Err: fmt.Errorf("column %s: PostgreSQL has no type for %s", c.Name, c.Type),
			Fix: "turn it into a string with a transform, or leave it out",
		}
	}
	return name, nil
}

// keptTypes are the types, without parameters, that a target takes over from a source in PostgreSQL.
var keptTypes = map[string]plugin.Kind{
	"boolean": plugin.Boolean, "smallint": plugin.SmallInt, "integer": plugin.Int, "bigint": plugin.BigInt,
	"real": plugin.Float, "double precision": plugin.Double, "numeric": plugin.Decimal, "money": plugin.Decimal,
	"text": plugin.String, "character varying": plugin.String, "character": plugin.String, "bpchar": plugin.String,
	"name": plugin.String, "json": plugin.String, "jsonb": plugin.String, "xml": plugin.String, "uuid": plugin.String,
	"inet": plugin.String, "cidr": plugin.String, "macaddr": plugin.String, "bit": plugin.String,
	"bit varying": plugin.String, "interval": plugin.String, "bytea": plugin.Bytes, "date": plugin.Date,
	"time without time zone": plugin.Time, "time with time zone": plugin.Time,
	"timestamp without time zone": plugin.Timestamp, "timestamp with time zone": plugin.Timestamp,
}

// sameType reports whether a column still has the type that its source type stands for.
func sameType(c plugin.Column) bool {
	name, isArray := strings.CutSuffix(c.SourceType, "[]")
	base, params, _ := strings.Cut(name, "(")
	if _, tail, ok := strings.Cut(params, ")"); ok {
		base += tail
	}
	kind, ok := keptTypes[base]
	t := c.Type
	if isArray {
		if t.Kind != plugin.Array {
			return false
		}
		t = *t.Elem
	}
	if !ok || kind != t.Kind {
		return false
	}
	return kind != plugin.Decimal || base == "money" ||
		params == "" && t.Equal(plugin.DecimalOf(plugin.MaxPrecision, 18)) ||
		params != "" && fmt.Sprintf("%d,%d)", t.Precision, t.Scale) == params
}

// maxVarchar is the greatest length of a varchar.
const maxVarchar = 10485760

func declared(t plugin.Type, length int64) (string, bool) {
	switch t.Kind {
	case plugin.Boolean:
		return "boolean", true
	case plugin.TinyInt, plugin.SmallInt:
		return "smallint", true
	case plugin.Int:
		return "integer", true
	case plugin.BigInt:
		return "bigint", true
	case plugin.Float:
		return "real", true
	case plugin.Double:
		return "double precision", true
	case plugin.Decimal:
		return fmt.Sprintf("numeric(%d,%d)", t.Precision, t.Scale), true
	case plugin.String:
		if length > 0 && length <= maxVarchar {
			return fmt.Sprintf("varchar(%d)", length), true
		}
		return "text", true
	case plugin.Bytes:
		return "bytea", true
	case plugin.Date:
		return "date", true
	case plugin.Time:
		return fmt.Sprintf("time(%d)", min(t.Scale, plugin.DefaultFraction)), true
	case plugin.Timestamp:
		return fmt.Sprintf("timestamp(%d)", min(t.Scale, plugin.DefaultFraction)), true
	case plugin.Array:
		if t.Elem.Kind == plugin.Array {
			return "", false
		}
		elem, ok := declared(*t.Elem, 0)
		return elem + "[]", ok
	default:
		return "", false
	}
}
