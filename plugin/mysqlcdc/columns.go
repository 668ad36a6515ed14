package mysqlcdc

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// catalogName marks tables whose columns have MySQL's own type texts, as package jdbc/mysql has it.
const catalogName = "MySQL"

// readColumns returns a table's columns as they are now, and false if there is no such table. In a transaction that
// has read the table they are those of its rows, for the table cannot be altered before the transaction ends.
func readColumns(c *wire.Conn, id plugin.TableID) (ddl.Table, bool, error) {
	var t ddl.Table
	rows, err := c.Rows(`SELECT column_name, column_type, character_set_name, collation_name, is_nullable, column_default,
		column_comment, extra, column_key FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, id.Database, id.Name)
	if err != nil || len(rows) == 0 {
		return t, false, err
	}
	keys := 0
	for _, row := range rows {
		extra := strings.ToLower(wire.String(row[7]))
		col := ddl.Column{
			Name: wire.String(row[0]), Type: wire.String(row[1]),
			Charset: wire.String(row[2]), Collation: wire.String(row[3]),
			NotNull: wire.String(row[4]) == "NO", Comment: wire.String(row[6]),
			AutoIncrement: strings.Contains(extra, "auto_increment"),
		}
		col.Generated = strings.Contains(extra, "generated") && !strings.Contains(extra, "default_generated")
		if row[5] != nil && !strings.Contains(extra, "default_generated") {
			col.Default = wire.Default(wire.String(row[5]), c.MariaDB)
		}
		col.Invisible = strings.Contains(extra, "invisible")
		if wire.String(row[8]) == "PRI" {
			t.Key = append(t.Key, col.Name)
			keys++
		}
		t.Columns = append(t.Columns, col)
	}
	if keys > 1 {
		if t.Key, err = readKey(c, id); err != nil {
			return t, false, err
		}
	}
	return t, true, nil
}

// readTable is readColumns with what else a change of the columns may refer to.
func readTable(c *wire.Conn, id plugin.TableID) (ddl.Table, error) {
	t, ok, err := readColumns(c, id)
	if err != nil {
		return t, err
	}
	if !ok {
		return t, &plugin.Error{
			Code: plugin.CodeNotFound, Table: id, Err: errors.New("there is no such table any more"),
			Fix: "take it out of the job",
		}
	}
	rows, err := c.Rows(`SELECT ccsa.character_set_name, t.table_collation FROM information_schema.tables t
		LEFT JOIN information_schema.collation_character_set_applicability ccsa ON `+applicable(c)+` = t.table_collation
		WHERE t.table_schema = ? AND t.table_name = ?`, id.Database, id.Name)
	if err == nil && len(rows) > 0 {
		t.Charset, t.Collation = wire.String(rows[0][0]), wire.String(rows[0][1])
	}
	return t, err
}

// applicable is the column with a collation's whole name. MariaDB since 10.10 has a short one beside it.
func applicable(c *wire.Conn) string {
	if c.MariaDB && versionOf(c) >= 101000 {
		return "ccsa.full_collation_name"
	}
	return "ccsa.collation_name"
}

// readKey returns the names of the primary key's columns in its order.
func readKey(c *wire.Conn, id plugin.TableID) ([]string, error) {
	rows, err := c.Rows(`SELECT column_name FROM information_schema.statistics
		WHERE table_schema = ? AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index`, id.Database, id.Name)
	var names []string
	for _, row := range rows {
		names = append(names, wire.String(row[0]))
	}
	return names, err
}

// versionOf returns the server's version as a number: 101102 is 10.11.2.
func versionOf(c *wire.Conn) int {
	text := strings.TrimPrefix(c.Version, "5.5.5-")
	n := 0
	for i, part := range strings.SplitN(text, ".", 3) {
		end := 0
		for end < len(part) && part[end] >= '0' && part[end] <= '9' {
			end++
		}
		v, _ := strconv.Atoi(part[:end])
		n += v * [...]int{10000, 100, 1}[i]
	}
	return n
}

// sameColumns reports whether two descriptions of a table have the same columns for those who read rows: names, types
// and character sets, in order.
func sameColumns(a, b *ddl.Table) bool {
	return slices.EqualFunc(a.Columns, b.Columns, func(x, y ddl.Column) bool {
		return x.Name == y.Name && strings.EqualFold(x.Type, y.Type) && x.Charset == y.Charset &&
			x.NotNull == y.NotNull
	})
}

// outColumnOf returns the column that a column of the log becomes. tinyBool: tinyint(1) is a boolean.
func outColumnOf(c ddl.Column, tinyBool bool) (plugin.Column, error) {
	out := plugin.Column{Name: c.Name, NotNull: c.NotNull, Default: c.Default, Comment: c.Comment, SourceType: c.Type}
	t, err := typeOf(c, tinyBool)
	if err != nil {
		return out, err
	}
	out.Type = t
	out.Length = lengthOf(c, t)
	return out, nil
}

// typeOf returns the type of a column from its type's text; it is the one that package jdbc/mysql reads from results.
func typeOf(c ddl.Column, tinyBool bool) (plugin.Type, error) {
	text := strings.ToLower(c.Type)
	unsigned := strings.Contains(text, "unsigned") || strings.Contains(text, "zerofill")
	digits := parameters(text)
	wider := func(signed, wide plugin.Kind) (plugin.Type, error) {
		if unsigned {
			return plugin.TypeOf(wide), nil
		}
		return plugin.TypeOf(signed), nil
	}
	switch baseType(text) {
	case "bool", "boolean", "tinyint":
		if tinyBool && (len(digits) == 1 && digits[0] == 1 || baseType(text) != "tinyint") {
			return plugin.TypeOf(plugin.Boolean), nil
		}
		return wider(plugin.TinyInt, plugin.SmallInt)
	case "smallint":
		return wider(plugin.SmallInt, plugin.Int)
	case "mediumint", "year":
		return plugin.TypeOf(plugin.Int), nil
	case "int", "integer":
		return wider(plugin.Int, plugin.BigInt)
	case "bigint":
		if unsigned {
			return plugin.DecimalOf(20, 0), nil
		}
		return plugin.TypeOf(plugin.BigInt), nil
	case "float":
		return plugin.TypeOf(plugin.Float), nil
	case "double", "real":
		return plugin.TypeOf(plugin.Double), nil
	case "decimal", "numeric", "dec", "fixed":
		return decimalOf(digits, unsigned), nil
	case "bit":
		if len(digits) == 0 || digits[0] == 1 {
			return plugin.TypeOf(plugin.Boolean), nil
		}
		return plugin.TypeOf(plugin.Bytes), nil
	case "date":
		return plugin.TypeOf(plugin.Date), nil
	case "time":
		return plugin.Type{Kind: plugin.Time, Scale: first(digits, 0)}, nil
	case "datetime", "timestamp":
		return plugin.Type{Kind: plugin.Timestamp, Scale: first(digits, 0)}, nil
	case "json", "enum", "set", "uuid", "inet4", "inet6":
		return plugin.TypeOf(plugin.String), nil
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		if c.Charset == "binary" {
			return plugin.TypeOf(plugin.Bytes), nil
		}
		return plugin.TypeOf(plugin.String), nil
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "linestring", "polygon",
		"multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection", "vector":
		return plugin.TypeOf(plugin.Bytes), nil
	}
	return plugin.Type{}, &plugin.Error{
		Code: plugin.CodeType, Err: fmt.Errorf("column %s has the unknown type %s", c.Name, c.Type),
		Fix: "leave the table out, or give the column another type",
	}
}

// decimalOf turns a decimal's digits into its type. One of more than 38 digits becomes DECIMAL(38,18), an unsigned one
// gets a digit more, as in SeaTunnel.
func decimalOf(digits []int, unsigned bool) plugin.Type {
	precision := first(digits, 10)
	scale := 0
	if len(digits) > 1 {
		scale = digits[1]
	}
	if precision > plugin.MaxPrecision || precision < scale || precision < 1 {
		return plugin.DecimalOf(plugin.MaxPrecision, 18)
	}
	if unsigned {
		precision = min(precision+1, plugin.MaxPrecision)
	}
	return plugin.DecimalOf(precision, scale)
}

// parameters returns the numbers in a type's brackets, nil if there are none.
func parameters(text string) []int {
	open := strings.IndexByte(text, '(')
	if open < 0 {
		return nil
	}
	inner, _, ok := strings.Cut(text[open+1:], ")")
	if !ok {
		return nil
	}
	var numbers []int
	for part := range strings.SplitSeq(inner, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func first(numbers []int, standard int) int {
	if len(numbers) == 0 {
		return standard
	}
	return numbers[0]
}

// lengthOf returns the length of a text in characters, or of bytes.
func lengthOf(c ddl.Column, t plugin.Type) int64 {
	base := baseType(c.Type)
	n := int64(first(parameters(strings.ToLower(c.Type)), 0))
	switch base {
	case "char", "binary":
		return max(n, 1)
	case "varchar", "varbinary":
		return n
	case "bit":
		if t.Kind == plugin.Bytes {
			return (n + 7) / 8
		}
	case "inet6":
		return 39
	case "uuid":
		return 36
	case "inet4":
		return 15
	case "tinytext", "tinyblob":
		return 1<<8 - 1
	case "text", "blob":
		return 1<<16 - 1
	case "mediumtext", "mediumblob":
		return 1<<24 - 1
	case "longtext", "longblob":
		return 1<<32 - 1
	}
	return 0
}

// errNoKey is the reason why a table cannot be captured exactly once.
var errNoKey = errors.New("the table has neither a primary key nor a unique one")
