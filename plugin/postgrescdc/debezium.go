package postgrescdc

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/debezium"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// serverName is SeaTunnel's default of the first part of topics.
const serverName = "postgres_cdc_source"

// messages write rows as Debezium's PostgreSQL connector does.
type messages struct {
	decimals string // decimal.handling.mode

	// Of the rows that come next.
	xid    uint32         // 0: they are those of the snapshot
	commit pgoutput.LSN   // behind the last transaction before theirs
	at     pgoutput.LSN   // of all rows
	places []pgoutput.LSN // of each row, instead of at
}

var _ debezium.Dialect = (*messages)(nil)

// newMessages returns what writes the messages of a lane.
func newMessages(s *Source, alloc memory.Allocator) (*debezium.Out, *messages) {
	m := &messages{decimals: s.options.property("decimal.handling.mode")}
	return debezium.NewOut(s.messages, debezium.OptionsOf(s.options.property, serverName), m, alloc), m
}

// chunk says that rows of the snapshot come, from a view of the log's end.
func (m *messages) chunk(end pgoutput.LSN) { m.xid, m.commit, m.at, m.places = 0, 0, end, nil }

// changes says that rows of the stream's transaction come.
func (m *messages) changes(s *stream, places []pgoutput.LSN) {
	m.xid, m.commit, m.at, m.places = s.begin.XID, s.state.From, s.at, places
}

// keepPlaces leaves the places of some rows.
func (t *target) keepPlaces(rows []int32) {
	if len(t.places) == 0 {
		return
	}
	for i, row := range rows {
		t.places[i] = t.places[row]
	}
	t.places = t.places[:len(rows)]
}

// Connector implements [debezium.Dialect].
func (m *messages) Connector() string { return "postgresql" }

// Topic implements [debezium.Dialect].
func (m *messages) Topic(id plugin.TableID) string { return id.Schema + "." + id.Name }

// SourceFields implements [debezium.Dialect].
func (m *messages) SourceFields() []debezium.Field {
	text, long := debezium.Text, debezium.Long
	return []debezium.Field{
		text("sequence", true), text("schema", false), text("table", false), long("txId", true), long("lsn", true),
		long("xmin", true),
	}
}

// AppendSource implements [debezium.Dialect].
func (m *messages) AppendSource(dst []byte, id plugin.TableID, row int) []byte {
	at := m.at
	if row >= 0 && row < len(m.places) {
		at = m.places[row]
	}
	before, xid := "null", "null"
	if m.commit != 0 {
		before = fmt.Sprintf(`\"%d\"`, uint64(m.commit))
	}
	if m.xid != 0 {
		xid = strconv.FormatUint(uint64(m.xid), 10)
	}
	dst = fmt.Appendf(dst, `,"sequence":"[%s,\"%d\"]","schema":`, before, uint64(at))
	dst = column.AppendQuoted(dst, id.Schema)
	dst = column.AppendQuoted(append(dst, `,"table":`...), id.Name)
	return fmt.Appendf(dst, `,"txId":%s,"lsn":%d,"xmin":null`, xid, uint64(at))
}

// declared splits the type of a column in the database into its name and what it is declared with, -1 for nothing, as
// "timestamp with time zone" and 3 for timestamp(3) with time zone.
func declared(c *plugin.Column) (name string, size int) {
	head, rest, ok := strings.Cut(c.SourceType, "(")
	if !ok {
		return c.SourceType, -1
	}
	inside, tail, _ := strings.Cut(rest, ")")
	first, _, _ := strings.Cut(inside, ",")
	size, err := strconv.Atoi(first)
	if err != nil {
		return c.SourceType, -1
	}
	return head + tail, size
}

// elementOf is a column of the elements of an array.
func elementOf(c *plugin.Column) *plugin.Column {
	return &plugin.Column{Type: *c.Type.Elem, SourceType: strings.TrimSuffix(c.SourceType, "[]")}
}

// Column implements [debezium.Dialect].
func (m *messages) Column(c *plugin.Column, f debezium.Field) debezium.Field {
	name, size := declared(c)
	switch c.Type.Kind {
	case plugin.Decimal:
		if m.variable(c) {
			return f.Variable()
		}
		return f.Decimal(m.decimals, c.Type)
	case plugin.Time:
		if millis(size) {
			return f.Named("int32", "io.debezium.time.Time")
		}
		return f.Named("int64", "io.debezium.time.MicroTime")
	case plugin.Timestamp:
		switch {
		case name == "timestamp with time zone":
			return f.Named("string", "io.debezium.time.ZonedTimestamp")
		case millis(size):
			return f.Named("int64", "io.debezium.time.Timestamp")
		}
		return f.Named("int64", "io.debezium.time.MicroTimestamp")
	case plugin.Array:
		items := m.Column(elementOf(c), debezium.Plain(elementOf(c)))
		f.Type, f.Items = "array", &items
	case plugin.String:
		return textField(f, name, size)
	}
	return f
}

// millis reports whether times of so many digits are counted in milliseconds.
func millis(digits int) bool { return digits >= 0 && digits <= 3 }

// textField makes the field of a column whose values are texts here, which does not hold for all of them in messages.
func textField(f debezium.Field, name string, size int) debezium.Field {
	switch name {
	case "json", "jsonb":
		return f.Named("string", "io.debezium.data.Json")
	case "uuid":
		return f.Named("string", "io.debezium.data.Uuid")
	case "xml":
		return f.Named("string", "io.debezium.data.Xml")
	case "interval":
		return f.Named("int64", "io.debezium.time.MicroDuration")
	case "oid":
		f.Type = "int64"
	case "bit", "bit varying":
		if name == "bit" && size <= 1 {
			f.Type = "boolean"
			return f
		}
		f = f.Named("bytes", "io.debezium.data.Bits")
		if size < 0 {
			size = 1<<31 - 1
		}
		f.Parameters = map[string]string{"length": strconv.Itoa(size)}
	}
	return f
}

// variable reports whether each value of a decimal column has digits of its own behind the point.
func (m *messages) variable(c *plugin.Column) bool {
	precise := !strings.EqualFold(m.decimals, "string") && !strings.EqualFold(m.decimals, "double")
	return precise && c.SourceType == "numeric"
}

// AppendCell implements [debezium.Dialect].
func (m *messages) AppendCell(dst []byte, c *plugin.Column, a arrow.Array, i int) []byte {
	switch a := a.(type) {
	case *array.Decimal128:
		if m.variable(c) {
			return appendVariable(dst, a.Value(i).BigInt(), c.Type.Scale)
		}
		return debezium.AppendDecimal(dst, m.decimals, a.Value(i).BigInt(), c.Type.Scale)
	case *array.Time64:
		if _, size := declared(c); millis(size) {
			return strconv.AppendInt(dst, int64(a.Value(i))/1000, 10)
		}
	case *array.Timestamp:
		return appendTimestamp(dst, c, int64(a.Value(i)))
	case *array.List:
		return m.appendList(dst, c, a, i)
	case *array.String:
		return appendString(dst, c, a.Value(i))
	}
	return debezium.AppendPlain(dst, a, i)
}

func (m *messages) appendList(dst []byte, c *plugin.Column, a *array.List, i int) []byte {
	dst = append(dst, '[')
	from, to := a.ValueOffsets(i)
	element, values := elementOf(c), a.ListValues()
	for k := from; k < to; k++ {
		if k > from {
			dst = append(dst, ',')
		}
		if values.IsNull(int(k)) {
			dst = append(dst, "null"...)
			continue
		}
		dst = m.AppendCell(dst, element, values, int(k))
	}
	return append(dst, ']')
}

// appendVariable appends a number with its own scale, without zeros at its end.
func appendVariable(dst []byte, unscaled *big.Int, scale int) []byte {
	ten, rest := big.NewInt(10), new(big.Int)
	for scale > 0 {
		shorter, _ := new(big.Int).QuoRem(unscaled, ten, rest)
		if rest.Sign() != 0 {
			break
		}
		unscaled, scale = shorter, scale-1
	}
	dst = fmt.Appendf(dst, `{"scale":%d,"value":`, scale)
	return append(debezium.AppendBase64(dst, debezium.TwosComplement(unscaled)), '}')
}

func appendTimestamp(dst []byte, c *plugin.Column, micros int64) []byte {
	name, size := declared(c)
	switch {
	case name == "timestamp with time zone":
		return append(time.UnixMicro(micros).UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.999999Z"), '"')
	case millis(size):
		return strconv.AppendInt(dst, (micros-(micros%1000+1000)%1000)/1000, 10)
	}
	return strconv.AppendInt(dst, micros, 10)
}

// appendString appends a value that is a text here; see textField.
func appendString(dst []byte, c *plugin.Column, v string) []byte {
	switch name, size := declared(c); name {
	case "interval":
		if n, ok := intervalMicros(v); ok {
			return strconv.AppendInt(dst, n, 10)
		} // in another IntervalStyle it stays a text
	case "oid":
		return append(dst, v...)
	case "bit", "bit varying":
		if name == "bit" && size <= 1 {
			return strconv.AppendBool(dst, v == "1")
		}
		return debezium.AppendBase64(dst, bits(v))
	}
	return column.AppendQuoted(dst, v)
}

// bits packs a text of zeros and ones, the last one first.
func bits(text string) []byte {
	packed := make([]byte, (len(text)+7)/8)
	for i := range len(text) {
		if text[len(text)-1-i] == '1' {
			packed[i/8] |= 1 << (i % 8)
		}
	}
	return packed
}

// intervalMicros reads an interval as the server writes it, such as 1 year 2 mons -3 days 04:05:06.7, with months of
// the average length.
func intervalMicros(text string) (int64, bool) {
	const day = 24 * 3600 * 1000000
	units := map[string]float64{"year": 365.25 * day, "mon": 365.25 / 12 * day, "day": day}
	var micros float64
	words := strings.Fields(text)
	for len(words) > 0 {
		if strings.Contains(words[0], ":") {
			n, ok := clockMicros(words[0])
			return int64(micros) + n, ok && len(words) == 1
		}
		n, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil || len(words) < 2 {
			return 0, false
		}
		unit, ok := units[strings.TrimSuffix(words[1], "s")]
		if !ok {
			return 0, false
		}
		micros += float64(n) * unit
		words = words[2:]
	}
	return int64(micros), true
}

// clockMicros reads hours, minutes and seconds with a sign.
func clockMicros(text string) (int64, bool) {
	negative := strings.HasPrefix(text, "-")
	parts := strings.Split(strings.TrimLeft(text, "+-"), ":")
	if len(parts) != 3 {
		return 0, false
	}
	seconds, fraction, _ := strings.Cut(parts[2], ".")
	var micros int64
	for i, part := range []string{parts[0], parts[1], seconds, (fraction + "000000")[:6]} {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return 0, false
		}
		micros += n * []int64{3600 * 1000000, 60 * 1000000, 1000000, 1}[i]
	}
	if negative {
		micros = -micros
	}
	return micros, true
}
