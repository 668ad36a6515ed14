package mysqlcdc

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// verdict is what becomes of a change.
type verdict uint8

const (
	counts   verdict = iota // it is put out
	included                // the snapshot has it
	unread                  // its row is still to be read by the snapshot
)

// filter says which changes of one table the snapshot has already. It is thrown away when the log has passed all of
// the table's pieces.
//
// Ranges of texts are in the order of their collation, which only the server knows: it is asked for the weights of
// texts, by which they sort as bytes.
type filter struct {
	column int // position of the key in the log's table; -1: there are no ranges
	order  order
	parts  []part // sorted by from
	scale  *scale // of byWeight
	nulls  *place // of rows without a key
	whole  *place // the table is one piece
	open   bool   // keys in no part are still to be read
	high   place  // from here on every change counts

	value binlog.Value
	key   sortKey
}

// part is a piece whose ends can be compared.
type part struct {
	from, to       *sortKey // nil: no end
	above, through bool     // see cdc.Span
	at             place
}

// sortKey is a value of the key in a form that can be compared.
type sortKey struct {
	int   int64
	large uint64 // above the largest int64
	float float64
	text  []byte
	exact *big.Rat
}

// order is how the values of a key are compared.
type order uint8

const (
	byInt order = iota
	byFloat
	byDecimal
	byBytes  // also dates and timestamps, in the server's text form
	byWeight // texts whose collation is not that of their bytes
)

// newFilter makes the filter of a table, nil if all its changes count.
func newFilter(ctx context.Context, t *table, connect connector) (*filter, error) {
	if len(t.Pieces) == 0 && len(t.Open) == 0 {
		return nil, nil
	}
	f := &filter{column: -1, open: len(t.Open) > 0, high: t.high()}
	if t.Key == "" {
		if len(t.Pieces) > 0 {
			f.whole = &t.Pieces[0].At
		}
		return f, nil
	}
	f.column = slices.IndexFunc(t.Log.Columns, func(c ddl.Column) bool { return strings.EqualFold(c.Name, t.Key) })
	if f.column < 0 {
		return nil, &plugin.Error{
			Code: plugin.CodeData, Table: t.ID,
			Err: fmt.Errorf("column %s was dropped or renamed while the snapshot was cut by it", t.Key),
			Fix: "start the job afresh",
		}
	}
	c := t.Log.Columns[f.column]
	f.order = orderOf(c)
	if f.order == byWeight {
		f.scale = newScale(c, connect)
	}
	for i := range t.Pieces {
		p := &t.Pieces[i]
		if p.Nulls {
			f.nulls = &p.At
			continue
		}
		from, err := f.bound(ctx, p.From)
		if err != nil {
			return nil, err
		}
		to, err := f.bound(ctx, p.To)
		if err != nil {
			return nil, err
		}
		f.parts = append(f.parts, part{from, to, p.After, p.Through, p.At})
	}
	slices.SortFunc(f.parts, f.compareParts)
	return f, nil
}

// orderOf returns how values of a column are compared in the log and in the server alike.
func orderOf(c ddl.Column) order {
	switch t := baseType(c.Type); t {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year", "bool", "boolean":
		return byInt
	case "float", "double", "real":
		return byFloat
	case "decimal", "numeric":
		return byDecimal
	default:
		if c.Charset == "" || c.Charset == "binary" {
			return byBytes
		}
		return byWeight
	}
}

// baseType returns a type's name in lower case, without what follows it.
func baseType(text string) string {
	text = strings.ToLower(text)
	if i := strings.IndexAny(text, "( "); i >= 0 {
		text = text[:i]
	}
	return text
}

func (f *filter) bound(ctx context.Context, k *jdbc.Key) (*sortKey, error) {
	if k == nil {
		return nil, nil
	}
	var v binlog.Value
	switch x := k.Value.(type) {
	case int64:
		v = binlog.Value{Kind: binlog.IntValue, Int: x}
	case float64:
		v = binlog.Value{Kind: binlog.FloatValue, Float: x}
	case string:
		v = binlog.Value{Kind: binlog.TextValue, Text: []byte(x)}
	case []byte:
		v = binlog.Value{Kind: binlog.BytesValue, Text: x}
	}
	key := &sortKey{}
	if err := f.sortKey(ctx, &v, key); err != nil {
		return nil, err
	}
	key.text = bytes.Clone(key.text)
	return key, nil
}

// sortKey brings a value into the form that is compared.
func (f *filter) sortKey(ctx context.Context, v *binlog.Value, into *sortKey) error {
	switch f.order {
	case byInt:
		switch v.Kind { // the other fields may be those of the value before
		case binlog.UintValue:
			into.large = v.Uint
		case binlog.TextValue: // a number above the largest int64, in the snapshot's form
			n, err := strconv.ParseUint(string(v.Text), 10, 64)
			into.large = n
			return err
		default:
			into.int = v.Int
		}
	case byFloat:
		into.float = v.Float
	case byDecimal:
		into.exact = new(big.Rat)
		switch v.Kind {
		case binlog.IntValue:
			into.exact.SetInt64(v.Int)
		default:
			if _, ok := into.exact.SetString(string(v.Text)); !ok {
				return fmt.Errorf("%q is no number", v.Text)
			}
		}
	case byBytes:
		into.text = v.Text
	case byWeight:
		weight, err := f.scale.weigh(ctx, v.Text)
		into.text = weight
		return err
	}
	return nil
}

func (f *filter) compare(a, b *sortKey) int {
	switch f.order {
	case byInt:
		if a.large != 0 || b.large != 0 {
			return cmp.Compare(a.large, b.large)
		}
		return cmp.Compare(a.int, b.int)
	case byFloat:
		return cmp.Compare(a.float, b.float)
	case byDecimal:
		return a.exact.Cmp(b.exact)
	default:
		return bytes.Compare(a.text, b.text)
	}
}

// compareParts orders parts by their lower ends.
func (f *filter) compareParts(a, b part) int {
	switch {
	case a.from == nil && b.from == nil:
		return 0
	case a.from == nil:
		return -1
	case b.from == nil:
		return 1
	}
	if c := f.compare(a.from, b.from); c != 0 || a.above == b.above {
		return c
	}
	if a.above {
		return 1
	}
	return -1
}

// passed reports that the filter has nothing to say about transactions that start at a place, or later ones.
func (f *filter) passed(start place) bool { return !f.open && f.high.Compare(start) <= 0 }

// judge says what becomes of one image of the next row of d, in a transaction that starts at a place.
func (f *filter) judge(ctx context.Context, d *binlog.Decoder, image binlog.Image, start place) (verdict, error) {
	at := f.whole
	if f.column >= 0 {
		if err := d.Key(f.column, image, &f.value); err != nil {
			return 0, err
		}
		if f.value.Kind == binlog.NullValue {
			at = f.nulls
		} else {
			f.key = sortKey{}
			if err := f.sortKey(ctx, &f.value, &f.key); err != nil {
				return 0, err
			}
			at = f.find(&f.key)
		}
	}
	switch {
	case at == nil:
		if f.open {
			return unread, nil
		}
		return counts, nil
	case start.Compare(*at) < 0:
		return included, nil
	}
	return counts, nil
}

// find returns the place of the part that a key lies in, nil if there is none.
func (f *filter) find(k *sortKey) *place {
	i, _ := slices.BinarySearchFunc(f.parts, k, func(p part, k *sortKey) int {
		if p.from == nil {
			return -1
		}
		if c := f.compare(p.from, k); c < 0 || c == 0 && !p.above {
			return -1
		}
		return 1
	})
	if i == 0 {
		return nil
	}
	p := &f.parts[i-1]
	if p.to != nil {
		if c := f.compare(k, p.to); c > 0 || c == 0 && !p.through {
			return nil
		}
	}
	return &p.at
}

// close ends the session that the filter may have.
func (f *filter) close() {
	if f != nil && f.scale != nil {
		f.scale.close()
	}
}

// connector starts sessions.
type connector func(ctx context.Context) (*mysql.Session, error)

// scale asks the server by what bytes texts of one collation sort, in a session that is made when it is needed first.
type scale struct {
	connect connector
	s       *mysql.Session
	sql     string
	known   map[string][]byte // weights of the last texts
}

// newScale returns the scale for a column's collation.
func newScale(c ddl.Column, connect connector) *scale {
	text := "CONVERT(? USING " + c.Charset + ")"
	if c.Collation != "" {
		text += " COLLATE " + c.Collation
	}
	// Texts that differ by blanks at their end are equal in most collations: they are filled up to the same length.
	sql := fmt.Sprintf("SELECT WEIGHT_STRING(%s AS CHAR(%d))", text, keyChars)
	if strings.Contains(c.Collation, "0900") || strings.Contains(c.Collation, "nopad") {
		sql = "SELECT WEIGHT_STRING(" + text + ")"
	}
	return &scale{connect: connect, sql: sql, known: map[string][]byte{}}
}

// keyChars is the number of characters up to which texts of a key are compared, as many as an index holds.
const keyChars = 768

// knownWeights bounds the memory of a scale.
const knownWeights = 10_000

// weigh returns the bytes of a text.
func (w *scale) weigh(ctx context.Context, text []byte) ([]byte, error) {
	if weight, ok := w.known[string(text)]; ok {
		return weight, nil
	}
	if w.s == nil {
		s, err := w.connect(ctx)
		if err != nil {
			return nil, err
		}
		w.s = s
	}
	var weight []byte
	err := w.s.Run(ctx, func(c *wire.Conn) error {
		rows, err := c.Rows(w.sql, string(text))
		if err == nil && len(rows) == 1 {
			weight = []byte(wire.String(rows[0][0]))
		}
		return err
	})
	if err != nil {
		w.close()
		return nil, err
	}
	if len(w.known) >= knownWeights {
		clear(w.known)
	}
	w.known[string(text)] = weight
	return weight, nil
}

// close ends the session.
func (w *scale) close() {
	if w.s != nil {
		_ = w.s.Close() // nothing depends on it
	}
	w.s = nil
}
