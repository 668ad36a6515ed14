package plugintest

import (
	"math"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// AllTypes returns one type of each kind, nested ones included, but not the Null type.
func AllTypes() []plugin.Type {
	str, num := plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int)
	return append(ScalarTypes(), plugin.ArrayOf(str), plugin.ArrayOf(num), plugin.MapOf(str, num),
		plugin.RowOf(plugin.Field{Name: "a", Type: num}, plugin.Field{Name: "b", Type: str}))
}

// ScalarTypes returns one type of each kind that is not nested, but not the Null type.
func ScalarTypes() []plugin.Type {
	return []plugin.Type{
		plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Boolean), plugin.TypeOf(plugin.TinyInt),
		plugin.TypeOf(plugin.SmallInt), plugin.TypeOf(plugin.Int), plugin.TypeOf(plugin.BigInt),
		plugin.TypeOf(plugin.Float), plugin.TypeOf(plugin.Double), plugin.DecimalOf(10, 2), plugin.DecimalOf(38, 18),
		plugin.TypeOf(plugin.Bytes), plugin.TypeOf(plugin.Date), plugin.TypeOf(plugin.Time), plugin.TypeOf(plugin.Timestamp),
	}
}

// Extremes returns values of a type that connectors like to get wrong: the ends of its range, empty and long ones.
// There is at least one.
func Extremes(t plugin.Type) []any {
	switch t.Kind {
	case plugin.String:
		return []any{"", "abc", "héllo 日本語 😀", " blanks ", "quote ' \" ` back \\ slash", "a,b;c\td\ne\r\nf", "NULL", `\N`,
			strings.Repeat("long ", 2000)}
	case plugin.Boolean:
		return []any{true, false}
	case plugin.TinyInt:
		return []any{math.MinInt8, math.MaxInt8, 0}
	case plugin.SmallInt:
		return []any{math.MinInt16, math.MaxInt16}
	case plugin.Int:
		return []any{math.MinInt32, math.MaxInt32}
	case plugin.BigInt:
		return []any{math.MinInt64, math.MaxInt64, 1<<53 + 1}
	case plugin.Float:
		return []any{float32(math.MaxFloat32), float32(-math.MaxFloat32), float32(0.1), float32(1e-37), float32(0)}
	case plugin.Double:
		return []any{math.MaxFloat64, -math.MaxFloat64, 0.1, 1e-300, 1e10, 0.0}
	case plugin.Decimal:
		nines := strings.Repeat("9", t.Precision-t.Scale) + "." + strings.Repeat("9", t.Scale)
		return []any{nines, "-" + nines, "0", "1e-" + string(rune('0'+t.Scale%10))}
	case plugin.Bytes:
		return []any{[]byte{}, []byte{0, 1, 0x7f, 0x80, 0xff, '\\', '\'', '\n'}}
	case plugin.Date:
		return []any{"1970-01-01", "0001-01-01", "9999-12-31", "1969-12-31", "2024-02-29"}
	case plugin.Time:
		return []any{"00:00:00", "23:59:59.999999", "12:30:15"}
	case plugin.Timestamp:
		return []any{"1970-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999",
			"2024-02-29 12:30:15.5"}
	}
	return nestedExtremes(t)
}

func nestedExtremes(t plugin.Type) []any {
	switch t.Kind {
	case plugin.Array:
		return []any{Extremes(*t.Elem), []any{}, []any{Extremes(*t.Elem)[0]}}
	case plugin.Map:
		keys, values := Extremes(*t.Key), Extremes(*t.Elem)
		var pairs [][2]any
		for i, k := range keys {
			pairs = append(pairs, [2]any{k, values[i%len(values)]})
		}
		return []any{pairs, [][2]any{}}
	case plugin.Row:
		var rows []any
		for i := range 3 {
			var row []any
			for _, f := range t.Fields {
				values := Extremes(f.Type)
				row = append(row, values[i%len(values)])
			}
			rows = append(rows, row)
		}
		return rows
	default:
		return []any{nil}
	}
}

// TableOf returns a table with a BigInt key named id and one column of each type, named after its kind.
func TableOf(id plugin.TableID, types []plugin.Type) (*plugin.Table, error) {
	columns := []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.BigInt), NotNull: true}}
	for _, t := range types {
		name := "c_" + strings.ToLower(t.Kind.String())
		for slices.ContainsFunc(columns, func(c plugin.Column) bool { return c.Name == name }) {
			name += "_2"
		}
		columns = append(columns, plugin.Column{Name: name, Type: t})
	}
	return plugin.NewTable(plugin.Table{ID: id, Columns: columns, Key: []int{0}, KeyName: "pk"})
}

// RowsOf returns rows for a table of [TableOf] with the keys from up to from+n: extremes in turn, and nulls. Columns
// that accept says no to stay null; nil accepts all.
func RowsOf(t *plugin.Table, from, n int, accept func(t plugin.Type, v any) bool) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		key := from + i
		row := []any{int64(key)}
		for j, c := range t.Columns[1:] {
			values := Extremes(c.Type)
			v := values[key%len(values)]
			if key%7 == 6 || (key+j)%11 == 10 || accept != nil && !accept(c.Type, v) {
				v = nil
			}
			row = append(row, v)
		}
		rows[i] = row
	}
	return rows
}
