// Package debezium turns rows of captured tables into the messages that Debezium 1.6 writes: a topic, a key and a
// value, with or without the schemas of Kafka Connect, as JSON. It is the format compatible_debezium_json of sources
// that capture changes. What differs from one of Debezium's connectors to another is a [Dialect].
package debezium

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// Format is the name of the format.
const Format = "COMPATIBLE_DEBEZIUM_JSON"

// version is Debezium's that messages are like.
const version = "1.6.4.Final"

// Dialect is what one of Debezium's connectors does in its own way. It belongs to one lane.
type Dialect interface {
	// Connector is its name in schemas and messages, for example mysql.
	Connector() string
	// Topic is the part of a table's topic behind the server's name.
	Topic(id plugin.TableID) string
	// Column makes the field of a column; plain is the one that AppendPlain stands for.
	Column(c *plugin.Column, plain Field) Field
	// AppendCell appends a value.
	AppendCell(dst []byte, c *plugin.Column, a arrow.Array, i int) []byte
	// SourceFields are the fields of the block source behind db, and AppendSource appends their values for a row of the
	// batch that is being written, each with a comma in front; -1 stands for the table as a whole.
	SourceFields() []Field
	AppendSource(dst []byte, id plugin.TableID, row int) []byte
}

// Table is the table of messages: a topic, a key and a value, as texts.
func Table(id plugin.TableID) (*plugin.Table, error) {
	text := plugin.TypeOf(plugin.String)
	return plugin.NewTable(plugin.Table{ID: id, Columns: []plugin.Column{
		{Name: "topic", Type: text}, {Name: "key", Type: text}, {Name: "value", Type: text},
	}})
}

// Options are those of Debezium's properties that all connectors have.
type Options struct {
	// Server is the first part of topics.
	Server string
	// Keys and Values say whether keys and values carry their schemas.
	Keys, Values bool
}

// OptionsOf reads the properties; server is the default of the server's name.
func OptionsOf(property func(name string) string, server string) Options {
	schemas := func(name string) bool { return !strings.EqualFold(property(name), "false") }
	return Options{
		Server: cmp.Or(property("database.server.name"), property("topic.prefix"), server),
		Keys:   schemas("key.converter.schemas.enable"), Values: schemas("value.converter.schemas.enable"),
	}
}

// Out is a [plugin.Out] that turns rows of tables into messages. Changes of columns end here: the table of messages
// stays as it is, and those that come next have the new columns.
type Out struct {
	plugin.Out
	dialect  Dialect
	options  Options
	builder  *column.Builder
	forms    map[*plugin.Table]*form
	event    int64 // of the oldest row in the builder
	snapshot bool  // rows are those of the snapshot
}

// NewOut makes one for a lane. Release it.
func NewOut(messages *plugin.Table, o Options, d Dialect, alloc memory.Allocator) *Out {
	return &Out{dialect: d, options: o, builder: column.NewBuilder(messages, alloc), forms: map[*plugin.Table]*form{}}
}

// Read calls a reader with the receiver in place of out, and puts out the messages that came of it.
func (o *Out) Read(out plugin.Out, snapshot bool, read func(plugin.Out) error) error {
	o.Out, o.snapshot = out, snapshot
	err := read(o)
	if failed := o.flush(); failed != nil {
		return failed
	}
	return err
}

// Release gives the memory of messages back that were not put out.
func (o *Out) Release() { o.builder.Release() }

// Batch implements [plugin.Out].
func (o *Out) Batch(b plugin.Batch) error {
	defer b.Release()
	f := o.form(b.Table)
	for i := 0; i < b.Len(); i++ {
		before, after, op := -1, i, "c"
		switch kind := b.Kind(i); {
		case o.snapshot:
			op = "r"
		case kind == plugin.Delete:
			before, after, op = i, -1, "d"
		case kind == plugin.UpdateBefore && i+1 < b.Len() && b.Kind(i+1) == plugin.UpdateAfter:
			before, after, op = i, i+1, "u"
			i++
		case kind == plugin.UpdateAfter:
			op = "u"
		}
		if err := o.message(f, b, before, after, op); err != nil {
			return err
		}
	}
	return nil
}

// Change implements [plugin.Out].
func (o *Out) Change(c plugin.SchemaChange) error {
	if !c.Truncated {
		return nil
	}
	return o.message(o.form(c.Old), plugin.Batch{EventTime: o.now()}, -1, -1, "t")
}

// Full implements [plugin.Out].
func (o *Out) Full() bool { return o.Out.Full() || o.builder.Full() }

func (o *Out) flush() error {
	if o.builder.Len() == 0 {
		return nil
	}
	b := o.builder.Batch()
	b.EventTime = o.event
	return o.Out.Batch(b)
}

func (o *Out) form(t *plugin.Table) *form {
	f := o.forms[t]
	if f == nil {
		f = newForm(t, o.options, o.dialect)
		o.forms[t] = f
	}
	return f
}

// message adds one; before and after are the positions of its rows, -1 for none.
func (o *Out) message(f *form, b plugin.Batch, before, after int, op string) error {
	if o.builder.Len() == 0 {
		o.event = b.EventTime
	}
	text := func(i int) *column.Text { return o.builder.Column(i).(*column.Text) } // all columns of messages are
	topic, key, value := text(0), text(1), text(2)
	topic.AppendString(f.topic)
	if row := max(before, after); row < 0 || len(f.table.Key) == 0 {
		key.AppendNull()
	} else {
		key.SetBuffer(f.appendKey(key.Buffer(), b.Rows, row))
	}
	value.SetBuffer(o.appendValue(value.Buffer(), f, b, before, after, op))
	o.builder.EndRow(plugin.Insert)
	if o.builder.Full() {
		return o.flush()
	}
	return nil
}

// appendValue appends the value of a change.
func (o *Out) appendValue(dst []byte, f *form, b plugin.Batch, before, after int, op string) []byte {
	now, snapshot := o.now(), "false"
	changed := b.EventTime
	if o.snapshot {
		changed, snapshot = now, "true"
	}
	dst = append(append(dst, f.valueHead...), `{"before":`...)
	dst = f.appendRow(dst, b.Rows, before)
	dst = append(dst, `,"after":`...)
	dst = f.appendRow(dst, b.Rows, after)
	dst = append(append(dst, `,"source":`...), f.sourceHead...)
	dst = fmt.Appendf(dst, `,"ts_ms":%d,"snapshot":"%s","db":`, changed, snapshot)
	dst = column.AppendQuoted(dst, f.table.ID.Database)
	dst = o.dialect.AppendSource(dst, f.table.ID, max(before, after))
	dst = fmt.Appendf(dst, `},"op":"%s","ts_ms":%d,"transaction":null}`, op, now)
	return append(dst, f.valueTail...)
}

// now is the time of a message.
func (o *Out) now() int64 { return time.Now().UnixMilli() }

// form writes the rows of one table.
type form struct {
	table      *plugin.Table
	dialect    Dialect
	topic      string
	names      []string // in JSON, with a colon
	sourceHead string   // the start of the block source
	keyHead    string   // the schema in front of a key, "" without
	keyTail    string
	valueHead  string
	valueTail  string
}

func newForm(t *plugin.Table, o Options, d Dialect) *form {
	f := &form{table: t, dialect: d, topic: o.Server + "." + d.Topic(t.ID)}
	for _, c := range t.Columns {
		f.names = append(f.names, string(column.AppendQuoted(nil, c.Name))+":")
	}
	f.sourceHead = fmt.Sprintf(`{"version":"%s","connector":"%s","name":%s`, version, d.Connector(),
		column.AppendQuoted(nil, o.Server))
	if o.Keys {
		f.keyHead, f.keyTail = `{"schema":`+f.keySchema(d)+`,"payload":`, "}"
	}
	if o.Values {
		f.valueHead, f.valueTail = `{"schema":`+f.valueSchema(d)+`,"payload":`, "}"
	}
	return f
}

// appendKey appends the key of a row.
func (f *form) appendKey(dst []byte, rows arrow.RecordBatch, i int) []byte {
	dst = append(append(dst, f.keyHead...), '{')
	for n, k := range f.table.Key {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = f.appendCell(dst, rows, k, i)
	}
	return append(append(dst, '}'), f.keyTail...)
}

func (f *form) appendRow(dst []byte, rows arrow.RecordBatch, i int) []byte {
	if i < 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for k := range f.table.Columns {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = f.appendCell(dst, rows, k, i)
	}
	return append(dst, '}')
}

func (f *form) appendCell(dst []byte, rows arrow.RecordBatch, k, i int) []byte {
	a := rows.Column(k)
	dst = append(dst, f.names[k]...)
	if a.IsNull(i) {
		return append(dst, "null"...)
	}
	return f.dialect.AppendCell(dst, &f.table.Columns[k], a, i)
}
