package mysqlcdc

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// messageForm writes the rows of one table as Debezium's messages.
type messageForm struct {
	table         *plugin.Table
	server, topic string
	zone          *time.Location
	decimals      string // decimal.handling.mode
	unsigned      string // bigint.unsigned.handling.mode
	names         []string
	keyHead       string // the schema in front of a key, "" without
	valueHead     string
	keyTail       string
	valueTail     string
}

// serverName is Debezium's name of the server, the first part of topics; the default is SeaTunnel's.
func (o Options) serverName() string {
	for _, name := range []string{"database.server.name", "topic.prefix"} {
		if v := o.debezium(name); v != "" {
			return v
		}
	}
	return "mysql_binlog_source"
}

func newMessageForm(s *Source, t *plugin.Table) *messageForm {
	f := &messageForm{
		table: t, server: s.options.serverName(), zone: s.facts.zone,
		decimals: s.options.debezium("decimal.handling.mode"), unsigned: s.options.debezium("bigint.unsigned.handling.mode"),
	}
	f.topic = f.server + "." + t.ID.Database + "." + t.ID.Name
	for _, c := range t.Columns {
		f.names = append(f.names, string(appendText(nil, c.Name))+":")
	}
	if !strings.EqualFold(s.options.debezium("key.converter.schemas.enable"), "false") {
		f.keyHead, f.keyTail = `{"schema":`+f.keySchema()+`,"payload":`, "}"
	}
	if !strings.EqualFold(s.options.debezium("value.converter.schemas.enable"), "false") {
		f.valueHead, f.valueTail = `{"schema":`+f.valueSchema()+`,"payload":`, "}"
	}
	return f
}

// appendKey appends the key of a row.
func (f *messageForm) appendKey(dst []byte, rows arrow.RecordBatch, i int) []byte {
	dst = append(append(dst, f.keyHead...), '{')
	for n, k := range f.table.Key {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = f.appendCell(append(dst, f.names[k]...), rows.Column(k), k, i)
	}
	return append(append(dst, '}'), f.keyTail...)
}

// appendValue appends the value of a change; before and after are positions of its rows, -1 for none.
func (f *messageForm) appendValue(dst []byte, e *envelope, b plugin.Batch, before, after int, op string) []byte {
	now := e.millis()
	changed := b.EventTime
	if e.snapshot {
		changed = now
	}
	dst = append(append(dst, f.valueHead...), `{"before":`...)
	dst = f.appendRow(dst, b.Rows, before)
	dst = append(dst, `,"after":`...)
	dst = f.appendRow(dst, b.Rows, after)
	dst = append(dst, `,"source":`...)
	dst = e.appendSource(dst, f, changed)
	dst = fmt.Appendf(dst, `,"op":"%s","ts_ms":%d,"transaction":null}`, op, now)
	return append(dst, f.valueTail...)
}

func (f *messageForm) appendRow(dst []byte, rows arrow.RecordBatch, i int) []byte {
	if i < 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for k := range f.table.Columns {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = f.appendCell(append(dst, f.names[k]...), rows.Column(k), k, i)
	}
	return append(dst, '}')
}

// appendCell appends a value in the form that Debezium's MySQL connector gives it.
func (f *messageForm) appendCell(dst []byte, a arrow.Array, column, i int) []byte {
	if a.IsNull(i) {
		return append(dst, "null"...)
	}
	c := &f.table.Columns[column]
	switch a := a.(type) {
	case *array.Boolean:
		return strconv.AppendBool(dst, a.Value(i))
	case *array.Int8:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int16:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int32:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(i), 10)
	case *array.Float32:
		return appendFloat(dst, float64(a.Value(i)), 32)
	case *array.Float64:
		return appendFloat(dst, a.Value(i), 64)
	case *array.Decimal128:
		return f.appendDecimal(dst, c, a.Value(i).BigInt())
	case *array.Date32:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Time64:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Timestamp:
		return f.appendTimestamp(dst, c, int64(a.Value(i)))
	case *array.String:
		return appendText(dst, a.Value(i))
	case *array.Binary:
		return appendBase64(dst, a.Value(i))
	default:
		return appendText(dst, a.ValueStr(i))
	}
}

// appendDecimal writes a decimal as decimal.handling.mode says: precise is the unscaled number's bytes.
func (f *messageForm) appendDecimal(dst []byte, c *plugin.Column, unscaled *big.Int) []byte {
	mode := f.decimals
	if baseType(c.SourceType) == "bigint" {
		if mode = ""; strings.EqualFold(f.unsigned, "long") {
			return strconv.AppendInt(dst, int64(unscaled.Uint64()), 10)
		}
	}
	switch strings.ToLower(mode) {
	case "string":
		return appendText(dst, decimalText(unscaled, c.Type.Scale))
	case "double":
		v, _ := strconv.ParseFloat(decimalText(unscaled, c.Type.Scale), 64)
		return appendFloat(dst, v, 64)
	default:
		return appendBase64(dst, twosComplement(unscaled))
	}
}

func decimalText(unscaled *big.Int, scale int) string {
	text := new(big.Int).Abs(unscaled).String()
	if scale > 0 {
		if missing := scale + 1 - len(text); missing > 0 {
			text = strings.Repeat("0", missing) + text
		}
		text = text[:len(text)-scale] + "." + text[len(text)-scale:]
	}
	if unscaled.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// twosComplement returns a number's bytes as Java's BigInteger has them: as few as hold it and its sign.
func twosComplement(v *big.Int) []byte {
	if v.Sign() >= 0 {
		b := v.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	size := uint(new(big.Int).Not(v).BitLen()/8 + 1)
	b := new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), size*8)).Bytes()
	return b
}

// appendTimestamp writes a TIMESTAMP as a text with its zone, a DATETIME as milliseconds, or as microseconds if it has
// more than three digits.
func (f *messageForm) appendTimestamp(dst []byte, c *plugin.Column, micros int64) []byte {
	if baseType(c.SourceType) == "timestamp" {
		local := time.UnixMicro(micros).UTC()
		at := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(),
			local.Nanosecond(), f.zone)
		return append(at.UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.999999Z"), '"')
	}
	if c.Type.Scale > 3 {
		return strconv.AppendInt(dst, micros, 10)
	}
	return strconv.AppendInt(dst, int64(math.Floor(float64(micros)/1000)), 10)
}

func appendFloat(dst []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

func appendBase64(dst, v []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, v)
	return append(dst, '"')
}

// appendText writes a text as JSON.
func appendText(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// schemaField is a field of a schema of Kafka Connect.
type schemaField struct {
	Type       string            `json:"type"`
	Fields     []schemaField     `json:"fields,omitempty"`
	Optional   bool              `json:"optional"`
	Name       string            `json:"name,omitempty"`
	Version    int               `json:"version,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Field      string            `json:"field,omitempty"`
}

func (f *messageForm) keySchema() string {
	s := schemaField{Type: "struct", Name: f.topic + ".Key"}
	for _, k := range f.table.Key {
		s.Fields = append(s.Fields, f.columnSchema(k))
	}
	return schemaText(s)
}

func (f *messageForm) valueSchema() string {
	row := schemaField{Type: "struct", Optional: true, Name: f.topic + ".Value"}
	for k := range f.table.Columns {
		row.Fields = append(row.Fields, f.columnSchema(k))
	}
	before, after := row, row
	before.Field, after.Field = "before", "after"
	text := func(name string, optional bool) schemaField {
		return schemaField{Type: "string", Optional: optional, Field: name}
	}
	long := func(name string, optional bool) schemaField {
		return schemaField{Type: "int64", Optional: optional, Field: name}
	}
	source := schemaField{Type: "struct", Name: "io.debezium.connector.mysql.Source", Field: "source"}
	source.Fields = []schemaField{
		text("version", false), text("connector", false), text("name", false), long("ts_ms", false),
		text("snapshot", true), text("db", false), text("sequence", true), text("table", true), long("server_id", false), text("gtid", true),
		text("file", false), long("pos", false), {Type: "int32", Field: "row"}, long("thread", true), text("query", true),
	}
	transaction := schemaField{Type: "struct", Optional: true, Field: "transaction", Fields: []schemaField{
		text("id", false), long("total_order", false), long("data_collection_order", false),
	}}
	return schemaText(schemaField{Type: "struct", Name: f.topic + ".Envelope", Fields: []schemaField{
		before, after, source, text("op", false), long("ts_ms", true), transaction,
	}})
}

func schemaText(s schemaField) string {
	data, err := json.Marshal(s)
	if err != nil {
		return "null" // strings and numbers always have a form
	}
	return string(data)
}

// columnSchema describes a column as Debezium's MySQL connector does.
func (f *messageForm) columnSchema(k int) schemaField {
	c := &f.table.Columns[k]
	s := schemaField{Type: "string", Optional: !c.NotNull, Field: c.Name}
	named := func(typ, name string) schemaField { s.Type, s.Name, s.Version = typ, name, 1; return s }
	switch c.Type.Kind {
	case plugin.Boolean:
		s.Type = "boolean"
	case plugin.TinyInt, plugin.SmallInt:
		s.Type = "int16"
	case plugin.Int:
		if s.Type = "int32"; baseType(c.SourceType) == "year" {
			return named("int32", "io.debezium.time.Year")
		}
	case plugin.BigInt:
		s.Type = "int64"
	case plugin.Float, plugin.Double:
		s.Type = "double"
	case plugin.Bytes:
		s.Type = "bytes"
	case plugin.Date:
		return named("int32", "io.debezium.time.Date")
	case plugin.Time:
		return named("int64", "io.debezium.time.MicroTime")
	case plugin.Timestamp:
		switch {
		case baseType(c.SourceType) == "timestamp":
			return named("string", "io.debezium.time.ZonedTimestamp")
		case c.Type.Scale > 3:
			return named("int64", "io.debezium.time.MicroTimestamp")
		}
		return named("int64", "io.debezium.time.Timestamp")
	case plugin.Decimal:
		return f.decimalSchema(s, c)
	}
	return s
}

func (f *messageForm) decimalSchema(s schemaField, c *plugin.Column) schemaField {
	mode := strings.ToLower(f.decimals)
	switch {
	case baseType(c.SourceType) == "bigint" && strings.EqualFold(f.unsigned, "long"):
		s.Type = "int64"
		return s
	case baseType(c.SourceType) != "bigint" && mode == "double":
		s.Type = "double"
		return s
	case baseType(c.SourceType) != "bigint" && mode == "string":
		return s
	}
	s.Type, s.Name, s.Version = "bytes", "org.apache.kafka.connect.data.Decimal", 1
	s.Parameters = map[string]string{
		"scale": strconv.Itoa(c.Type.Scale), "connect.decimal.precision": strconv.Itoa(c.Type.Precision),
	}
	return s
}
