package clickhouse

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// kept says what a table keeps beside its rows: their versions, and with them whether they are deleted.
type kept struct{ versions, deletes bool }

// createTable returns the statement that makes a target. With a key it is a ReplacingMergeTree ordered by it, else a
// MergeTree without order.
func createTable(v version, id plugin.TableID, t *plugin.Table, key []int, k kept) (string, error) {
	var columns []string
	var errs []error
	for i, c := range t.Columns {
		text, err := columnType(v, c.Type)
		if err != nil {
			errs = append(errs, fmt.Errorf("column %s: %w", c.Name, err))
			continue
		}
		if !c.NotNull && !slices.Contains(key, i) && mayBeNullable(text) {
			text = "Nullable(" + text + ")"
		}
		if c.Comment != "" && v.atLeast(19, 1) {
			text += " COMMENT " + native.Quote(c.Comment)
		}
		columns = append(columns, "    "+native.Identifier(c.Name)+" "+text)
	}
	if k.versions {
		for _, name := range []string{versionColumn, deletedColumn} {
			if t.Index(name) >= 0 {
				errs = append(errs, fmt.Errorf("column %s: the sink itself adds one of this name", name))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return "", &plugin.Error{
			Code: plugin.CodeType, Table: id, Err: err, Fix: "create the table yourself, or convert the rows with a transform",
		}
	}
	engine, order := "MergeTree", "tuple()"
	if len(key) > 0 {
		names := make([]string, len(key))
		for i, k := range key {
			names[i] = native.Identifier(t.Columns[k].Name)
		}
		engine, order = "ReplacingMergeTree", "("+strings.Join(names, ", ")+")"
	}
	arguments := ""
	if k.versions {
		arguments = versionColumn
		columns = append(columns, "    "+versionColumn+" UInt64 DEFAULT "+since(v, 21, 6,
			"toUInt64(toUnixTimestamp64Nano(now64(9)))", "toUInt64(now()) * 1000000000"))
		if k.deletes {
			columns = append(columns, "    "+deletedColumn+" UInt8 DEFAULT 0")
			arguments += since(v, 23, 2, ", "+deletedColumn, "")
		}
	}
	sql := fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s\n(\n%s\n)\nENGINE = %s(%s) ORDER BY %s", tableName(id),
		strings.Join(columns, ",\n"), engine, arguments, order)
	if v.atLeast(22, 2) {
		sql += " SETTINGS non_replicated_deduplication_window = 1000"
	}
	return sql, nil
}

// mayBeNullable reports whether Nullable may be put around a type.
func mayBeNullable(text string) bool {
	return !strings.HasPrefix(text, "Array(") && !strings.HasPrefix(text, "Map(") && !strings.HasPrefix(text, "Tuple(")
}

// columnType returns the type that holds the values of t on a server.
func columnType(v version, t plugin.Type) (string, error) {
	switch t.Kind {
	case plugin.String, plugin.Bytes, plugin.Time:
		return "String", nil
	case plugin.Boolean:
		return since(v, 21, 12, "Bool", "UInt8"), nil
	case plugin.TinyInt:
		return "Int8", nil
	case plugin.SmallInt:
		return "Int16", nil
	case plugin.Int:
		return "Int32", nil
	case plugin.BigInt:
		return "Int64", nil
	case plugin.Float:
		return "Float32", nil
	case plugin.Double:
		return "Float64", nil
	case plugin.Decimal:
		return fmt.Sprintf("Decimal(%d, %d)", t.Precision, t.Scale), nil
	case plugin.Date:
		return since(v, 21, 9, "Date32", "Date"), nil
	case plugin.Timestamp:
		old := "String" // its DateTime has no fractions
		if t.Scale == 0 {
			old = "DateTime"
		}
		return since(v, 20, 1, fmt.Sprintf("DateTime64(%d)", t.Scale), old), nil
	default:
		return nestedType(v, t)
	}
}

func since(v version, major, minor int, now, before string) string {
	if v.atLeast(major, minor) {
		return now
	}
	return before
}

func nestedType(v version, t plugin.Type) (string, error) {
	part := func(p plugin.Type) (string, error) {
		text, err := columnType(v, p)
		if err == nil && mayBeNullable(text) {
			text = "Nullable(" + text + ")"
		}
		return text, err
	}
	switch t.Kind {
	case plugin.Array:
		elem, err := part(*t.Elem)
		return "Array(" + elem + ")", err
	case plugin.Map:
		if !v.atLeast(21, 1) {
			return "String", nil // as JSON
		}
		key, err := columnType(v, *t.Key)
		if err != nil {
			return "", err
		}
		elem, err := part(*t.Elem)
		return "Map(" + key + ", " + elem + ")", err
	case plugin.Row:
		var fields []string
		for _, f := range t.Fields {
			text, err := part(f.Type)
			if err != nil {
				return "", err
			}
			fields = append(fields, native.Identifier(f.Name)+" "+text)
		}
		return "Tuple(" + strings.Join(fields, ", ") + ")", nil
	}
	return "", fmt.Errorf("a %s has no type in ClickHouse", t)
}

// defaultText returns the default of a column if it is a constant of its type.
func defaultText(c plugin.Column) (string, bool) {
	if c.Default == nil {
		return "", false
	}
	text := *c.Default
	var err error
	switch k := c.Type.Kind; {
	case k == plugin.String:
	case k == plugin.Boolean:
		var v bool
		if v, err = strconv.ParseBool(text); v {
			text = "1"
		} else {
			text = "0"
		}
	case k >= plugin.TinyInt && k <= plugin.BigInt:
		_, err = strconv.ParseInt(text, 10, 64)
	case k == plugin.Float || k == plugin.Double || k == plugin.Decimal:
		_, err = strconv.ParseFloat(text, 64)
	case k == plugin.Date:
		_, err = time.Parse(time.DateOnly, text)
	case k == plugin.Timestamp:
		_, err = time.Parse(time.DateTime, text)
	default:
		return "", false
	}
	return text, err == nil
}
