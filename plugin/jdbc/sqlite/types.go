package sqlite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// simpleTypes maps declared types without parameters.
var simpleTypes = func() map[string]plugin.Kind {
	m := map[string]plugin.Kind{}
	for kind, names := range map[plugin.Kind]string{
		plugin.Boolean:  "BIT,BOOLEAN,BOOL",
		plugin.SmallInt: "TINYINT,TINYINT UNSIGNED,SMALLINT,SMALLINT UNSIGNED",
		plugin.Int:      "MEDIUMINT,MEDIUMINT UNSIGNED,INT,INTEGER",
		plugin.BigInt:   "INT UNSIGNED,INTEGER UNSIGNED,BIGINT,BIGINT UNSIGNED,UNSIGNED BIG INT,NUMERIC,INT8",
		plugin.Double:   "FLOAT,FLOAT UNSIGNED,DECIMAL,DECIMAL UNSIGNED,DOUBLE,DOUBLE PRECISION,DOUBLE UNSIGNED,REAL",
		plugin.String: "CHAR,CHARACTER,VARCHAR,NCHAR,NVARCHAR,VARYING CHARACTER,NATIVE CHARACTER,TEXT,TINYTEXT," +
			"MEDIUMTEXT,LONGTEXT,CLOB,JSON,UUID,DATE,TIME,DATETIME,TIMESTAMP",
		plugin.Bytes: "BLOB,TINYBLOB,MEDIUMBLOB,LONGBLOB,BINARY,VARBINARY",
		plugin.Date:  "DATE TEXT",
	} {
		for name := range strings.SplitSeq(names, ",") {
			m[name] = kind
		}
	}
	return m
}()

// typeOf returns the type of a declared type, and its length where it has one. ok is false for unknown names.
func typeOf(declared string) (t plugin.Type, length int64, ok bool) {
	name, params := parseDeclared(declared)
	first, second := param(params, 0), param(params, 1)
	switch name {
	case "DECIMAL", "NUMERIC", "DECIMAL TEXT":
		if first > 0 && first <= plugin.MaxPrecision && second <= first {
			return plugin.DecimalOf(first, second), 0, true
		}
	case "TIME TEXT", "TIMESTAMP TEXT":
		t = plugin.TypeOf(plugin.Time)
		if name == "TIMESTAMP TEXT" {
			t = plugin.TypeOf(plugin.Timestamp)
		}
		if len(params) > 0 && first <= 9 {
			t.Scale = first
		}
		return t, 0, true
	case "FLOAT":
		if first > 0 && first <= 24 {
			return plugin.TypeOf(plugin.Float), 0, true
		}
	}
	kind, ok := simpleTypes[name]
	if kind == plugin.String || kind == plugin.Bytes {
		length = int64(first)
	}
	return plugin.TypeOf(kind), length, ok
}

// parseDeclared splits DECIMAL TEXT(10, 2) into its name, in capitals, and parameters.
func parseDeclared(declared string) (string, []int) {
	head, rest, _ := strings.Cut(declared, "(")
	inside, tail, _ := strings.Cut(rest, ")")
	name := strings.ToUpper(strings.Join(strings.Fields(head+" "+tail), " "))
	var params []int
	for text := range strings.SplitSeq(inside, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n >= 0 {
			params = append(params, n)
		}
	}
	return name, params
}

func param(params []int, i int) int {
	if i < len(params) {
		return params[i]
	}
	return 0
}

// affinity is what SQLite makes of the texts that are stored in a column.
type affinity uint8

const (
	keeps    affinity = iota // they stay texts
	toNumber                 // digits become an integer or a floating point number
	toReal                   // digits become a floating point number
)

// affinityOf follows SQLite's rules for declared types.
func affinityOf(declared string) affinity {
	name := strings.ToUpper(declared)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
	}
	switch {
	case has("INT"):
		return toNumber
	case name == "", has("CHAR", "CLOB", "TEXT", "BLOB"):
		return keeps
	case has("REAL", "FLOA", "DOUB"):
		return toReal
	default:
		return toNumber
	}
}

// digits returns how many digits of a decimal every column of the affinity keeps: a floating point number those that
// SQLite promises, an integer of 64 bits all that fit.
func (a affinity) digits(t plugin.Type) int {
	switch {
	case a == keeps:
		return plugin.MaxPrecision
	case a == toNumber && t.Scale == 0:
		return 18
	default:
		return 15
	}
}

// declare returns the declared type of a column in a table that the sink makes.
func declare(c plugin.Column) (string, error) {
	switch t := c.Type; t.Kind {
	case plugin.Boolean, plugin.TinyInt, plugin.SmallInt, plugin.Int, plugin.BigInt, plugin.Double:
		return t.Kind.String(), nil
	case plugin.Float:
		return "FLOAT(24)", nil
	case plugin.Decimal:
		return fmt.Sprintf("DECIMAL TEXT(%d,%d)", t.Precision, t.Scale), nil
	case plugin.Date:
		return "DATE TEXT", nil
	case plugin.Time, plugin.Timestamp:
		return fmt.Sprintf("%s TEXT(%d)", t.Kind, t.Scale), nil
	case plugin.String:
		if c.Length > 0 {
			return fmt.Sprintf("VARCHAR(%d)", c.Length), nil
		}
		return "TEXT", nil
	case plugin.Bytes:
		return "BLOB", nil
	default:
		return "", &plugin.Error{
			Code: plugin.CodeType, Err: fmt.Errorf("column %s: SQLite has no type for %s", c.Name, t),
			Fix: "turn it into a string with a transform, or leave it out",
		}
	}
}
