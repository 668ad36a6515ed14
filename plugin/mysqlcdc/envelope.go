package mysqlcdc

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// debeziumFormat is the format whose rows are Debezium's messages.
const debeziumFormat = "COMPATIBLE_DEBEZIUM_JSON"

// debezium reports whether rows are Debezium's messages.
func (o Options) envelopes() bool { return strings.EqualFold(o.Format, debeziumFormat) }

// messageTable is the table of Debezium's messages: a topic, a key and a value, as texts.
func messageTable(id plugin.TableID) (*plugin.Table, error) {
	text := plugin.TypeOf(plugin.String)
	return plugin.NewTable(plugin.Table{ID: id, Columns: []plugin.Column{
		{Name: "topic", Type: text}, {Name: "key", Type: text}, {Name: "value", Type: text},
	}})
}

// envelope is a [plugin.Out] that turns rows of tables into Debezium's messages.
type envelope struct {
	plugin.Out
	source  *Source
	builder *column.Builder
	forms   map[*plugin.Table]*messageForm
	event   int64

	// Of the rows that come next.
	snapshot bool
	at       place
	gtid     string
	server   uint32
}

func newEnvelope(s *Source, alloc memory.Allocator) *envelope {
	return &envelope{source: s, builder: column.NewBuilder(s.messages, alloc), forms: map[*plugin.Table]*messageForm{}}
}

// Batch implements [plugin.Out].
func (e *envelope) Batch(b plugin.Batch) error {
	defer b.Release()
	form := e.forms[b.Table]
	if form == nil {
		form = newMessageForm(e.source, b.Table)
		e.forms[b.Table] = form
	}
	text := func(i int) *column.Text { return e.builder.Column(i).(*column.Text) } // all columns of messages are
	topic, key, value := text(0), text(1), text(2)
	for i := 0; i < b.Len(); i++ {
		before, after, op := -1, i, "c"
		switch {
		case e.snapshot:
			op = "r"
		case b.Kind(i) == plugin.Delete:
			before, after, op = i, -1, "d"
		case b.Kind(i) == plugin.UpdateBefore && i+1 < b.Len() && b.Kind(i+1) == plugin.UpdateAfter:
			before, after, op = i, i+1, "u"
			i++
		}
		if e.builder.Len() == 0 {
			e.event = b.EventTime
		}
		topic.AppendString(form.topic)
		if len(b.Table.Key) == 0 {
			key.AppendNull()
		} else {
			key.SetBuffer(form.appendKey(key.Buffer(), b.Rows, max(before, after)))
		}
		value.SetBuffer(form.appendValue(value.Buffer(), e, b, before, after, op))
		e.builder.EndRow(plugin.Insert)
		if e.builder.Full() {
			if err := e.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush puts the messages out.
func (e *envelope) flush() error {
	if e.builder.Len() == 0 {
		return nil
	}
	b := e.builder.Batch()
	b.EventTime = e.event
	return e.Out.Batch(b)
}

// Full implements [plugin.Out].
func (e *envelope) Full() bool { return e.Out.Full() || e.builder.Full() }

// appendSource appends the block that tells where a change comes from.
func (e *envelope) appendSource(dst []byte, form *messageForm, millis int64) []byte {
	snapshot := "false"
	if e.snapshot {
		snapshot = "true"
	}
	dst = append(dst, `{"version":"1.6.4.Final","connector":"mysql","name":`...)
	dst = appendText(dst, form.server)
	dst = fmt.Appendf(dst, `,"ts_ms":%d,"snapshot":"%s","db":`, millis, snapshot)
	dst = appendText(dst, form.table.ID.Database)
	dst = append(dst, `,"sequence":null,"table":`...)
	dst = appendText(dst, form.table.ID.Name)
	dst = fmt.Appendf(dst, `,"server_id":%d,"gtid":`, e.server)
	if e.gtid == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendText(dst, e.gtid)
	}
	dst = append(dst, `,"file":`...)
	dst = appendText(dst, e.at.File)
	return fmt.Appendf(dst, `,"pos":%d,"row":0,"thread":null,"query":null}`, e.at.Pos)
}

// millis is the time of a message.
func (e *envelope) millis() int64 { return time.Now().UnixMilli() }
