package debezium

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// Field is a field of a schema of Kafka Connect.
type Field struct {
	Type       string            `json:"type"`
	Fields     []Field           `json:"fields,omitempty"`
	Items      *Field            `json:"items,omitempty"`
	Optional   bool              `json:"optional"`
	Name       string            `json:"name,omitempty"`
	Version    int               `json:"version,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Field      string            `json:"field,omitempty"`
}

// Text is a field that holds a text.
func Text(name string, optional bool) Field {
	return Field{Type: "string", Optional: optional, Field: name}
}

// Long is a field that holds an integer of 64 bits.
func Long(name string, optional bool) Field {
	return Field{Type: "int64", Optional: optional, Field: name}
}

// Named makes a field one of a type with a meaning.
func (f Field) Named(typ, name string) Field {
	f.Type, f.Name, f.Version = typ, name, 1
	return f
}

// Decimal makes a field one of a decimal type, as decimal.handling.mode says.
func (f Field) Decimal(mode string, t plugin.Type) Field {
	switch strings.ToLower(mode) {
	case "string":
		f.Type = "string"
		return f
	case "double":
		f.Type = "double"
		return f
	}
	f = f.Named("bytes", "org.apache.kafka.connect.data.Decimal")
	f.Parameters = map[string]string{
		"scale": strconv.Itoa(t.Scale), "connect.decimal.precision": strconv.Itoa(t.Precision),
	}
	return f
}

// Variable makes a field one of decimals with a scale each.
func (f Field) Variable() Field {
	f = f.Named("struct", "io.debezium.data.VariableScaleDecimal")
	f.Fields = []Field{{Type: "int32", Field: "scale"}, {Type: "bytes", Field: "value"}}
	return f
}

// Plain is the field of a column whose values [AppendPlain] writes.
func Plain(c *plugin.Column) Field {
	f := Field{Type: "string", Optional: !c.NotNull, Field: c.Name}
	switch c.Type.Kind {
	case plugin.Boolean:
		f.Type = "boolean"
	case plugin.TinyInt, plugin.SmallInt:
		f.Type = "int16"
	case plugin.Int:
		f.Type = "int32"
	case plugin.BigInt:
		f.Type = "int64"
	case plugin.Float:
		f.Type = "float"
	case plugin.Double:
		f.Type = "double"
	case plugin.Bytes:
		f.Type = "bytes"
	case plugin.Date:
		return f.Named("int32", "io.debezium.time.Date")
	}
	return f
}

func (f *form) keySchema(d Dialect) string {
	s := Field{Type: "struct", Name: f.topic + ".Key"}
	for _, k := range f.table.Key {
		c := &f.table.Columns[k]
		s.Fields = append(s.Fields, d.Column(c, Plain(c)))
	}
	return schemaText(s)
}

func (f *form) valueSchema(d Dialect) string {
	row := Field{Type: "struct", Optional: true, Name: f.topic + ".Value"}
	for i := range f.table.Columns {
		c := &f.table.Columns[i]
		row.Fields = append(row.Fields, d.Column(c, Plain(c)))
	}
	before, after := row, row
	before.Field, after.Field = "before", "after"
	source := Field{Type: "struct", Name: "io.debezium.connector." + d.Connector() + ".Source", Field: "source"}
	source.Fields = append([]Field{
		Text("version", false), Text("connector", false), Text("name", false), Long("ts_ms", false), Text("snapshot", true),
		Text("db", false),
	}, d.SourceFields()...)
	transaction := Field{Type: "struct", Optional: true, Field: "transaction", Fields: []Field{
		Text("id", false), Long("total_order", false), Long("data_collection_order", false),
	}}
	return schemaText(Field{Type: "struct", Name: f.topic + ".Envelope", Fields: []Field{
		before, after, source, Text("op", false), Long("ts_ms", true), transaction,
	}})
}

func schemaText(s Field) string {
	data, err := json.Marshal(s)
	if err != nil {
		return "null" // strings and numbers always have a form
	}
	return string(data)
}
