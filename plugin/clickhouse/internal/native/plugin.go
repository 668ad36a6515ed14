package native

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
)

// plain are the types without parameters and their counterparts. Unsigned integers take the next wider signed type.
var plain = map[string]plugin.Type{
	"Int8": plugin.TypeOf(plugin.TinyInt), "Int16": plugin.TypeOf(plugin.SmallInt), "Int32": plugin.TypeOf(plugin.Int),
	"Int64": plugin.TypeOf(plugin.BigInt), "UInt8": plugin.TypeOf(plugin.SmallInt), "UInt16": plugin.TypeOf(plugin.Int),
	"UInt32": plugin.TypeOf(plugin.BigInt), "UInt64": plugin.DecimalOf(20, 0),
	"Int128": plugin.TypeOf(plugin.String), "UInt128": plugin.TypeOf(plugin.String),
	"Int256": plugin.TypeOf(plugin.String), "UInt256": plugin.TypeOf(plugin.String),
	"Float32": plugin.TypeOf(plugin.Float), "Float64": plugin.TypeOf(plugin.Double), "Bool": plugin.TypeOf(plugin.Boolean),
	"String": plugin.TypeOf(plugin.String), "FixedString": plugin.TypeOf(plugin.String),
	"Enum8": plugin.TypeOf(plugin.String), "Enum16": plugin.TypeOf(plugin.String),
	"UUID": plugin.TypeOf(plugin.String), "IPv4": plugin.TypeOf(plugin.String), "IPv6": plugin.TypeOf(plugin.String),
	"Date": plugin.TypeOf(plugin.Date), "Date32": plugin.TypeOf(plugin.Date), "Nothing": plugin.TypeOf(plugin.Null),
	"DateTime":       {Kind: plugin.Timestamp},
	"IntervalSecond": plugin.TypeOf(plugin.BigInt), "IntervalMinute": plugin.TypeOf(plugin.BigInt),
	"IntervalHour": plugin.TypeOf(plugin.BigInt), "IntervalDay": plugin.TypeOf(plugin.BigInt),
	"IntervalWeek": plugin.TypeOf(plugin.BigInt), "IntervalMonth": plugin.TypeOf(plugin.BigInt),
	"IntervalQuarter": plugin.TypeOf(plugin.BigInt), "IntervalYear": plugin.TypeOf(plugin.BigInt),
}

// Plugin returns the column type that holds every value of t. It is that of SeaTunnel where it holds all values, with
// these additions: UInt64 is decimal(20,0), a Tuple is a row, and geo types are the arrays and rows that they are made
// of. A Decimal of more than 38 digits is text.
func (t Type) Plugin() (plugin.Type, error) {
	t, _ = t.Bare()
	if p, ok := plain[t.Name]; ok {
		return p, nil
	}
	switch t.Name {
	case "Decimal":
		if t.Precision > plugin.MaxPrecision {
			return plugin.TypeOf(plugin.String), nil
		}
		return plugin.DecimalOf(t.Precision, t.Scale), nil
	case "DateTime64":
		return plugin.Type{Kind: plugin.Timestamp, Scale: t.Scale}, nil
	case "Array":
		elem, err := t.Args[0].Plugin()
		return plugin.ArrayOf(elem), err
	case "Map":
		key, err := t.Args[0].Plugin()
		if err != nil {
			return plugin.Type{}, err
		}
		elem, err := t.Args[1].Plugin()
		return plugin.MapOf(key, elem), err
	case "Tuple":
		return t.row()
	}
	return plugin.Type{}, fmt.Errorf("the type %s has no counterpart", t)
}

func (t Type) row() (plugin.Type, error) {
	row := plugin.Type{Kind: plugin.Row}
	for i, a := range t.Args {
		elem, err := a.Plugin()
		if err != nil {
			return plugin.Type{}, err
		}
		name := fmt.Sprintf("f%d", i+1)
		if t.Fields != nil {
			name = t.Fields[i]
		}
		row.Fields = append(row.Fields, plugin.Field{Name: name, Type: elem})
	}
	if len(row.Fields) == 0 {
		return plugin.Type{}, fmt.Errorf("the type %s has no counterpart", t)
	}
	return row, nil
}
