package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// plan is how a relation is read.
type plan struct {
	table string // the relation's, quoted; empty for a query
	forms []form
	key   keyColumn
	// places says that rows have a place, which orders those with the same key.
	places bool
}

// keyColumn is the column that a relation is cut by.
type keyColumn struct {
	name     string // quoted and qualified, since a column of the select list may have the same name
	typ      string // its type as SQL text
	position int
	integer  bool // its keys are int64; all others are text
}

// keyKinds are the kinds of columns that have an order and can be cut by.
var keyKinds = map[plugin.Kind]bool{
	plugin.SmallInt: true, plugin.Int: true, plugin.BigInt: true, plugin.Float: true, plugin.Double: true,
	plugin.Decimal: true, plugin.String: true, plugin.Date: true, plugin.Time: true, plugin.Timestamp: true,
	plugin.Bytes: true,
}

// setKey makes a column the key. Types that are cast to text may have no order; only the job may ask for them.
func (p *plan) setKey(t *plugin.Table, i int, asked bool) error {
	c := t.Columns[i]
	oid := p.forms[i].oid
	if !keyKinds[c.Type.Kind] || oid == oidJSON || !asked && p.forms[i].cast != "" {
		return configError(fmt.Errorf("partition_column: a column of type %s has no order to cut by", c.SourceType),
			"choose a column of numbers, texts or times")
	}
	p.key = keyColumn{
		name: "q." + quote(c.Name), typ: c.SourceType, position: i,
		integer: oid == oidInt2 || oid == oidInt4 || oid == oidInt8,
	}
	return nil
}

// parse reads a key in text form.
func (k keyColumn) parse(text []byte) (*jdbc.Key, error) {
	if !k.integer {
		return &jdbc.Key{Value: string(text)}, nil
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return &jdbc.Key{Value: n}, err
}

// literal writes a key as SQL. An integer's type is left to the server: a boundary may be out of the column's range.
func (k keyColumn) literal(key jdbc.Key) string {
	if n, ok := key.Value.(int64); ok {
		return "(" + strconv.FormatInt(n, 10) + ")"
	}
	return literal(fmt.Sprint(key.Value)) + "::" + k.typ
}

func (d *database) remember(r *jdbc.Relation, p *plan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plans[r] = p
}

func (d *database) plan(r *jdbc.Relation) *plan {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.plans[r]
}

// scanner reads the chunks of one lane.
type scanner struct {
	d       *database
	s       *session
	release func() error

	relation *jdbc.Relation
	plan     *plan
	builder  *column.Builder // that cells fill
	cells    []cell
	extra    bool // a row ends with its key in text form

	open    bool // a COPY is under way
	started bool // its header is read
	rows    int64
	key     []byte // the key of the last row of a relation with a unique one
}

// Scanner implements [jdbc.Database].
func (d *database) Scanner(ctx context.Context, _ memory.Allocator) (jdbc.Scanner, error) {
	s, release, err := d.connectReading(ctx)
	if err != nil {
		return nil, err
	}
	return &scanner{d: d, s: s, release: release}, nil
}

// Close implements [jdbc.Scanner].
func (sc *scanner) Close() error { return sc.release() }

// Open implements [jdbc.Scanner].
func (sc *scanner) Open(ctx context.Context, r *jdbc.Relation, at jdbc.Range) error {
	if sc.open || sc.s.IsClosed() || sc.s.TxStatus() == 'E' {
		if err := sc.renew(ctx); err != nil {
			return err
		}
	}
	if sc.relation != r {
		sc.relation, sc.plan, sc.builder = r, sc.d.plan(r), nil
	}
	sc.extra = r.Unique && !sc.plan.key.integer
	sc.open, sc.started, sc.rows = true, false, at.Skip
	return ofTable(sc.s.explained(ctx, sc.s.send(selectRange(r, sc.plan, at, sc.extra))), r.Table.ID)
}

// renew replaces a session that is in the middle of a chunk.
func (sc *scanner) renew(ctx context.Context) error {
	s, release, err := sc.d.connectReading(ctx)
	if err != nil {
		return err
	}
	err = sc.release()
	sc.s, sc.release = s, release
	return err
}

// selectRange returns the COPY of a chunk.
func selectRange(r *jdbc.Relation, p *plan, at jdbc.Range, extra bool) string {
	var b strings.Builder
	b.WriteString("COPY (SELECT ")
	for i, c := range r.Table.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		name := quote(c.Name)
		if p.forms[i].cast != "" {
			name = fmt.Sprintf(p.forms[i].cast, name)
		}
		b.WriteString(name)
	}
	if extra {
		b.WriteString(", (" + p.key.name + ")::text AS culvert_key")
	}
	b.WriteString(" FROM " + r.From)
	if r.Key != "" {
		b.WriteString(rangeClause(r, p, at))
	}
	if !r.Unique && at.Skip > 0 {
		fmt.Fprintf(&b, " OFFSET %d", at.Skip)
	}
	b.WriteString(") TO STDOUT (FORMAT BINARY)")
	return b.String()
}

// rangeClause returns the conditions and the order of a chunk of a relation with a key.
func rangeClause(r *jdbc.Relation, p *plan, at jdbc.Range) string {
	key := p.key.name
	var conditions []string
	require := func(operator string, k *jdbc.Key) {
		if k != nil {
			conditions = append(conditions, key+" "+operator+" "+p.key.literal(*k))
		}
	}
	order := []string{key}
	switch {
	case at.Nulls:
		conditions = append(conditions, key+" IS NULL")
		order = nil
	case at.After != nil:
		require(">", at.After)
		require("<", at.To)
	default:
		require(">=", at.From)
		require("<", at.To)
		if at.From == nil && !r.Unique {
			conditions = append(conditions, key+" IS NOT NULL")
		}
	}
	if !r.Unique && p.places {
		order = append(order, "q.tableoid", "q.ctid")
	}
	clause := ""
	if len(conditions) > 0 {
		clause = " WHERE " + strings.Join(conditions, " AND ")
	}
	if len(order) > 0 {
		clause += " ORDER BY " + strings.Join(order, ", ")
	}
	return clause
}

// Read implements [jdbc.Scanner].
func (sc *scanner) Read(ctx context.Context, b *column.Builder, most int) (int, error) {
	if !sc.open {
		return 0, io.EOF
	}
	if sc.builder != b {
		if err := sc.setBuilder(b); err != nil {
			return 0, err
		}
	}
	stop := sc.s.guard(ctx)
	defer stop()
	n, bytes := 0, b.Size()
	for n < most && bytes < jdbc.FullBytes {
		body, ok, err := sc.s.wire.copyData()
		if err == nil && !ok {
			err = sc.other(ctx)
		}
		if err == io.EOF && !sc.open {
			return n, io.EOF
		}
		if err == nil && ok {
			bytes += len(body)
			n, err = sc.message(b, body, n)
		}
		if err != nil {
			return n, ofTable(sc.s.explained(ctx, err), sc.relation.Table.ID)
		}
	}
	return n, nil
}

// setBuilder makes the cells that fill the columns of a builder.
func (sc *scanner) setBuilder(b *column.Builder) error {
	sc.cells = sc.cells[:0]
	check := sc.s.ParameterStatus("server_encoding") == "SQL_ASCII"
	for i, f := range sc.plan.forms {
		c, err := newCell(b.Column(i), f.typ, f.oid, check)
		if err != nil {
			return err
		}
		sc.cells = append(sc.cells, c)
	}
	sc.builder = b
	return nil
}

// other receives a message that is no row. After the end of the COPY it returns io.EOF and the session is free.
func (sc *scanner) other(ctx context.Context) error {
	msg, err := sc.s.ReceiveMessage(ctx)
	if err != nil {
		return err
	}
	switch msg := msg.(type) {
	case *pgproto3.ErrorResponse:
		sc.open = false
		return errors.Join(pgconn.ErrorResponseToPgError(msg), sc.s.finish(ctx))
	case *pgproto3.ReadyForQuery:
		sc.open = false
		return io.EOF
	}
	return nil
}

// message appends the rows of one message.
func (sc *scanner) message(b *column.Builder, body []byte, n int) (int, error) {
	if !sc.started {
		if len(body) < len(copySignature) || string(body[:11]) != copySignature[:11] {
			return n, errors.New("the server does not send a binary COPY")
		}
		body = body[len(copySignature):]
		sc.started = true
	}
	for len(body) >= 2 {
		count := int16(binary.BigEndian.Uint16(body))
		if count < 0 {
			return n, nil
		}
		rest, err := sc.row(b, body[2:])
		if err != nil {
			return n, err
		}
		body = rest
		b.EndRow(plugin.Insert)
		sc.rows++
		n++
	}
	return n, nil
}

// row appends one row and returns what follows it.
func (sc *scanner) row(b *column.Builder, row []byte) ([]byte, error) {
	rest := row
	key := []byte(nil)
	for i, c := range sc.cells {
		value, after, err := cut(rest)
		if err != nil {
			return nil, err
		}
		rest = after
		if value == nil {
			c.AppendNull()
			continue
		}
		if i == sc.plan.key.position {
			key = value
		}
		if err := c.add(value); err != nil {
			if sc.d.nullSpecials && errors.Is(err, errSpecial) {
				c.AppendNull()
				continue
			}
			b.Rollback()
			return nil, sc.badCell(i, row, value, err)
		}
	}
	if sc.extra {
		var err error
		if key, rest, err = cut(rest); err != nil {
			return nil, err
		}
	}
	if sc.relation.Unique {
		sc.key = append(sc.key[:0], key...)
	}
	return rest, nil
}

// Last implements [jdbc.Scanner].
func (sc *scanner) Last() jdbc.Key {
	if !sc.plan.key.integer {
		return jdbc.Key{Value: string(sc.key)}
	}
	return jdbc.Key{Value: integer(sc.key)}
}

// integer reads a number of 2, 4 or 8 bytes.
func integer(v []byte) int64 {
	switch len(v) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(v)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(v)))
	case 8:
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

// badCell names the place and the value of a cell that its column cannot hold.
func (sc *scanner) badCell(i int, row, value []byte, err error) error {
	c := sc.relation.Table.Columns[i]
	e := &plugin.Error{
		Code: plugin.CodeData, Table: sc.relation.Table.ID,
		Err: fmt.Errorf("column %s is %s (%s), its value %s: %w", c.Name, c.Type, c.SourceType,
			show(sc.plan.forms[i].oid, value), err),
		Fix: fmt.Sprintf("correct the value, or read the column by a query as %s::text", quote(c.Name)),
	}
	if errors.Is(err, errSpecial) {
		e.Fix += ", or set special_values = NULL"
	}
	if errors.Is(err, errDigits) || errors.Is(err, errOverflow) {
		e.Fix = fmt.Sprintf("correct the value, or read the column by a query with a cast, such as %s::numeric(38,20)",
			quote(c.Name))
	}
	e.Row = fmt.Sprintf("row %d of the chunk", sc.rows+1)
	if sc.relation.Key != "" {
		if key, oid := sc.keyOf(row); key != nil {
			e.Row = fmt.Sprintf("row with %s = %s", sc.relation.Key, show(oid, key))
		}
	}
	return e
}

// keyOf finds the key in a row.
func (sc *scanner) keyOf(row []byte) (key []byte, oid uint32) {
	position, oid := sc.plan.key.position, sc.plan.forms[sc.plan.key.position].oid
	if sc.extra {
		position, oid = len(sc.cells), oidText
	}
	for ; position >= 0; position-- {
		var err error
		if key, row, err = cut(row); err != nil {
			return nil, 0
		}
	}
	return key, oid
}

// show prints a value for an error message.
func show(oid uint32, v []byte) string {
	const most = 64
	text := ""
	switch oid {
	case oidInt2, oidInt4, oidInt8:
		return strconv.FormatInt(integer(v), 10)
	case oidNumeric:
		text = numericText(v)
	case oidText, oidVarchar, oidBpchar, oidName, oidJSON:
		text = strconv.Quote(string(v[:min(len(v), most)]))
	default:
		text = fmt.Sprintf("0x%x", v[:min(len(v), most)])
	}
	if len(text) > most+2 {
		text = text[:most] + "..."
	}
	return text
}
