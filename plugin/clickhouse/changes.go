package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
	"github.com/culvertdata/culvert/plugin/column"
)

// changes keeps the last state of each key of a bulk.
type changes struct {
	batches []plugin.Batch
	last    map[string]change // by the key's text in SQL
}

// change is the last state of a key.
type change struct {
	batch, row int32
	// gone says that the row is deleted, replace that an older one must be deleted before it is inserted.
	gone, replace bool
}

func newChanges() *changes { return &changes{last: map[string]change{}} }

func (c *changes) len() int { return len(c.last) }

func (c *changes) clear() {
	for _, b := range c.batches {
		b.Release()
	}
	c.batches = nil
	clear(c.last)
}

// inserts returns the rows to insert of each batch, in order.
func (c *changes) inserts() [][]int32 {
	rows := make([][]int32, len(c.batches))
	for _, ch := range c.last {
		if !ch.gone {
			rows[ch.batch] = append(rows[ch.batch], ch.row)
		}
	}
	for _, r := range rows {
		slices.Sort(r)
	}
	return rows
}

// deletes returns the keys to delete, in order.
func (c *changes) deletes() []string {
	var keys []string
	for key, ch := range c.last {
		if ch.gone || ch.replace {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// change takes a batch whose rows are applied by key. Rows that the table cannot hold are returned.
func (d *destination) change(b plugin.Batch) ([]plugin.RowError, error) {
	body, rows := d.body, d.rows
	refused, err := d.append(b, nil) // only to find what does not fit
	d.body, d.rows = body[:len(body):cap(body)], rows
	if err != nil {
		return nil, err
	}
	refused = slices.DeleteFunc(refused, func(r plugin.RowError) bool { // of rows that are gone the key is enough
		return b.Kind(r.Index) == plugin.Delete || b.Kind(r.Index) == plugin.UpdateBefore
	})
	bad := make(map[int]bool, len(refused))
	for _, r := range refused {
		bad[r.Index] = true
	}
	b.Retain()
	d.changes.batches = append(d.changes.batches, b)
	batch := int32(len(d.changes.batches) - 1)
	var key []byte
	for i := range b.Len() {
		kind := b.Kind(i)
		if kind == plugin.UpdateBefore && d.moved(b, i) {
			kind = plugin.Delete // the row has another key now
		}
		if kind == plugin.UpdateBefore || bad[i] {
			continue
		}
		if key, err = d.keyText(key[:0], b, i); err != nil {
			return nil, err
		}
		old, known := d.changes.last[string(key)]
		next, err := d.next(old, known, kind)
		if err != nil {
			return nil, err
		}
		next.batch, next.row = batch, int32(i)
		d.changes.last[string(key)] = next
	}
	return refused, nil
}

// next returns what a row makes of the last state of its key.
func (d *destination) next(old change, known bool, kind plugin.RowKind) (change, error) {
	t := d.route.target
	switch {
	case kind == plugin.Delete:
		return change{gone: true, replace: true}, nil
	case t.engine.replaces:
		return change{}, nil
	case known:
		return change{replace: old.replace}, nil
	case kind == plugin.Insert && !d.route.w.sink.options.SupportUpsert:
		return change{}, nil
	case len(t.left) > 0:
		return change{}, &plugin.Error{
			Code: plugin.CodeConfig, Table: d.id,
			Err: fmt.Errorf("an update replaces the whole row, but the rows lack the table's columns %s",
				strings.Join(t.left, ", ")),
			Fix: "add them to the rows, or make them MATERIALIZED",
		}
	}
	return change{replace: true}, nil
}

// keyText appends the key of a row as it is written in SQL.
func (d *destination) keyText(dst []byte, b plugin.Batch, i int) ([]byte, error) {
	t := d.route.target
	if len(t.key) > 1 {
		dst = append(dst, '(')
	}
	for n, k := range t.key {
		if n > 0 {
			dst = append(dst, ',')
		}
		a, c := b.Rows.Column(k), b.Table.Columns[k]
		if column.IsNull(a, i) {
			return dst, &plugin.Error{
				Code: plugin.CodeData, Table: d.id, Row: d.route.rowText(b, i),
				Err: fmt.Errorf("the key column %s is null", c.Name), Fix: "choose a primary_key that is never null",
			}
		}
		dst = appendLiteral(dst, a, c.Type, i)
	}
	if len(t.key) > 1 {
		dst = append(dst, ')')
	}
	return dst, nil
}

// appendLiteral appends a value as it is written in SQL. Texts are quoted; the server reads them as what the column is.
func appendLiteral(dst []byte, a arrow.Array, t plugin.Type, i int) []byte {
	switch t.Kind {
	case plugin.TinyInt, plugin.SmallInt, plugin.Int, plugin.BigInt:
		return column.FormatText(dst, a, t, i, nil)
	case plugin.Boolean:
		if string(column.FormatText(nil, a, t, i, nil)) == "true" {
			return append(dst, '1')
		}
		return append(dst, '0')
	}
	return append(dst, native.Quote(string(column.FormatText(nil, a, t, i, nil)))...)
}

// mostKeys is how many keys one mutation names.
const mostKeys = 10_000

// delete deletes the keys that the changes delete or replace.
func (d *destination) delete(ctx context.Context) error {
	for keys := range slices.Chunk(d.changes.deletes(), mostKeys) {
		if err := d.deleteKeys(ctx, keys); err != nil {
			return inTable(err, d.id)
		}
	}
	return nil
}

// Servers since this version know DELETE FROM.
const lightweightMajor, lightweightMinor = 22, 8

func (d *destination) deleteKeys(ctx context.Context, keys []string) error {
	t := d.route.target
	names := t.quotedKey()
	sql := "ALTER TABLE " + tableName(d.id) + " DELETE"
	r := client.Request{Again: true, Settings: map[string]string{
		"max_query_size": "104857600", "max_ast_elements": "1000000", "max_expanded_ast_elements": "1000000",
	}}
	v := d.srv.version
	switch {
	case d.route.w.sink.options.LightweightDelete && v.atLeast(lightweightMajor, lightweightMinor) &&
		strings.HasSuffix(t.engine.name, "MergeTree"):
		sql = "DELETE FROM " + tableName(d.id)
		if !v.atLeast(23, 3) {
			r.Settings["allow_experimental_lightweight_delete"] = "1"
		}
	case v.atLeast(20, 1):
		r.Settings["mutations_sync"] = "1"
	default:
		d.waiting = true
	}
	r.SQL = sql + " WHERE " + names + " IN (" + strings.Join(keys, ", ") + ")"
	return d.srv.Exec(ctx, r)
}

func (t *target) quotedKey() string {
	names := make([]string, len(t.key))
	for i, k := range t.key {
		names[i] = native.Identifier(t.source.Columns[k].Name)
	}
	if len(names) == 1 {
		return names[0]
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// mutated waits until the mutations of a table that an old server runs in the background have ended.
func (s *server) mutated(ctx context.Context, id plugin.TableID) error {
	sql := "SELECT count() FROM system.mutations WHERE database = " + native.Quote(id.Database) + " AND table = " +
		native.Quote(id.Name) + " AND is_done = 0"
	pause := 5 * time.Millisecond
	for {
		rows, err := s.Rows(ctx, sql)
		if err != nil || len(rows) == 1 && rows[0][0] == "0" {
			return inTable(err, id)
		}
		if err := plugin.Sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, 500*time.Millisecond)
	}
}
