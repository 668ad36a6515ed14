package mysqlcdc

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/debezium"
)

// envelopes reports whether rows are Debezium's messages.
func (o Options) envelopes() bool { return strings.EqualFold(o.Format, debezium.Format) }

// serverName is SeaTunnel's default of the first part of topics.
const serverName = "mysql_binlog_source"

// messages write rows as Debezium's MySQL connector does.
type messages struct {
	zone     *time.Location
	decimals string // decimal.handling.mode
	unsigned string // bigint.unsigned.handling.mode

	// Of the rows that come next.
	at     place
	gtid   string
	server uint32
}

var _ debezium.Dialect = (*messages)(nil)

// newMessages returns what writes the messages of a lane.
func newMessages(s *Source, alloc memory.Allocator) (*debezium.Out, *messages) {
	m := &messages{
		zone: s.facts.zone, decimals: s.options.debezium("decimal.handling.mode"),
		unsigned: s.options.debezium("bigint.unsigned.handling.mode"),
	}
	return debezium.NewOut(s.messages, debezium.OptionsOf(s.options.debezium, serverName), m, alloc), m
}

// Connector implements [debezium.Dialect].
func (m *messages) Connector() string { return "mysql" }

// Topic implements [debezium.Dialect].
func (m *messages) Topic(id plugin.TableID) string { return id.Database + "." + id.Name }

// SourceFields implements [debezium.Dialect].
func (m *messages) SourceFields() []debezium.Field {
	text, long := debezium.Text, debezium.Long
	return []debezium.Field{
		text("sequence", true), text("table", true), long("server_id", false), text("gtid", true), text("file", false),
		long("pos", false), {Type: "int32", Field: "row"}, long("thread", true), text("query", true),
	}
}

// AppendSource implements [debezium.Dialect].
func (m *messages) AppendSource(dst []byte, id plugin.TableID, _ int) []byte {
	dst = column.AppendQuoted(append(dst, `,"sequence":null,"table":`...), id.Name)
	dst = fmt.Appendf(dst, `,"server_id":%d,"gtid":`, m.server)
	if m.gtid == "" {
		dst = append(dst, "null"...)
	} else {
		dst = column.AppendQuoted(dst, m.gtid)
	}
	dst = column.AppendQuoted(append(dst, `,"file":`...), m.at.File)
	return fmt.Appendf(dst, `,"pos":%d,"row":0,"thread":null,"query":null`, m.at.Pos)
}

// AppendCell implements [debezium.Dialect].
func (m *messages) AppendCell(dst []byte, c *plugin.Column, a arrow.Array, i int) []byte {
	switch a := a.(type) {
	case *array.Decimal128:
		unscaled := a.Value(i).BigInt()
		if baseType(c.SourceType) == "bigint" && strings.EqualFold(m.unsigned, "long") {
			return strconv.AppendInt(dst, int64(unscaled.Uint64()), 10)
		}
		return debezium.AppendDecimal(dst, m.mode(c), unscaled, c.Type.Scale)
	case *array.Timestamp:
		return m.appendTimestamp(dst, c, int64(a.Value(i)))
	}
	return debezium.AppendPlain(dst, a, i)
}

// mode is how a decimal is written; numbers that are only decimal here are always precise.
func (m *messages) mode(c *plugin.Column) string {
	if baseType(c.SourceType) == "bigint" {
		return ""
	}
	return m.decimals
}

// appendTimestamp writes a TIMESTAMP as a text with its zone, a DATETIME as milliseconds, or as microseconds if it has
// more than three digits.
func (m *messages) appendTimestamp(dst []byte, c *plugin.Column, micros int64) []byte {
	if baseType(c.SourceType) == "timestamp" {
		local := time.UnixMicro(micros).UTC()
		at := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(),
			local.Nanosecond(), m.zone)
		return append(at.UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.999999Z"), '"')
	}
	if c.Type.Scale > 3 {
		return strconv.AppendInt(dst, micros, 10)
	}
	return strconv.AppendInt(dst, int64(math.Floor(float64(micros)/1000)), 10)
}

// Column implements [debezium.Dialect].
func (m *messages) Column(c *plugin.Column, plain debezium.Field) debezium.Field {
	base := baseType(c.SourceType)
	switch c.Type.Kind {
	case plugin.Int:
		if base == "year" {
			return plain.Named("int32", "io.debezium.time.Year")
		}
	case plugin.Float:
		plain.Type = "double"
	case plugin.Time:
		return plain.Named("int64", "io.debezium.time.MicroTime")
	case plugin.Timestamp:
		switch {
		case base == "timestamp":
			return plain.Named("string", "io.debezium.time.ZonedTimestamp")
		case c.Type.Scale > 3:
			return plain.Named("int64", "io.debezium.time.MicroTimestamp")
		}
		return plain.Named("int64", "io.debezium.time.Timestamp")
	case plugin.Decimal:
		if base == "bigint" && strings.EqualFold(m.unsigned, "long") {
			plain.Type = "int64"
			return plain
		}
		return plain.Decimal(m.mode(c), c.Type)
	}
	return plain
}
