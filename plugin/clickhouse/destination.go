package clickhouse

import (
	"context"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
	"github.com/culvertdata/culvert/plugin/column"
)

// destination is one table on one server, and what waits to be sent there: first the blocks in body, then changes.
type destination struct {
	route  *route
	srv    *server
	id     plugin.TableID
	insert string // the statement

	body    []byte
	rows    int // in body
	usual   int // bytes that the insert before had, or more if those before it had
	changes *changes
	waiting bool // for mutations that an old server runs in the background
}

func newDestination(r *route, srv *server, id plugin.TableID) *destination {
	return &destination{route: r, srv: srv, id: id, insert: r.target.insert(id), changes: newChanges()}
}

// close drops what waits, and the connection if it is that of a shard.
func (d *destination) close() {
	d.changes.clear()
	if d.srv != d.route.w.srv {
		d.srv.Close()
	}
}

// holds reports whether rows wait.
func (d *destination) holds() bool { return len(d.body) > 0 || d.changes.len() > 0 }

// add takes a batch, and returns the rows that the table cannot hold.
func (d *destination) add(ctx context.Context, b plugin.Batch) ([]plugin.RowError, error) {
	var refused []plugin.RowError
	var err error
	if d.plain(b) {
		refused, err = d.append(b, d.upserts(b))
	} else {
		refused, err = d.change(b)
	}
	if err != nil {
		return nil, err
	}
	if d.full() {
		err = d.send(ctx)
	}
	return refused, err
}

// full reports whether what waits should be sent: there are bulk_size rows of it, and the server does not take an
// insert into the table just now. While it does, the next one grows, which is better for the server than to wait; or
// the insert itself goes on.
func (d *destination) full() bool {
	if len(d.body) >= mostBody {
		return true
	}
	if d.route.w.fed(d) != nil {
		return len(d.body) >= leastPart
	}
	if d.rows+d.changes.len() < d.route.w.sink.options.BulkSize {
		return false
	}
	return d.changes.len() > 0 || !d.route.w.busy(d)
}

// plain reports whether a batch is inserted in order, without a look at its keys: there is no key, or the table marks
// deleted rows, or all rows are upserts into a table that replaces rows.
func (d *destination) plain(b plugin.Batch) bool {
	t := d.route.target
	if t.key == nil || t.marks.deletes {
		return true
	}
	if !t.engine.replaces || d.changes.len() > 0 {
		return false
	}
	for i, k := range b.Kinds {
		if k == plugin.Delete || k == plugin.UpdateBefore && d.moved(b, i) {
			return false
		}
	}
	return true
}

// moved reports whether row i, the old form of an updated row, has another key than the new form behind it.
func (d *destination) moved(b plugin.Batch, i int) bool {
	if i+1 >= b.Len() || b.Kinds[i+1] != plugin.UpdateAfter {
		return false
	}
	for _, k := range d.route.target.key {
		a := b.Rows.Column(k)
		if !column.Equal(a, i, a, i+1, b.Table.Columns[k].Type) {
			return true
		}
	}
	return false
}

// upserts returns the rows of a batch that are inserted; nil means all. The old form of an updated row is one of them
// only if it marks a key as deleted: one that has changed, or may have, because the new form comes with the next batch.
func (d *destination) upserts(b plugin.Batch) []int32 {
	t := d.route.target
	if t.key == nil || !slices.Contains(b.Kinds, plugin.UpdateBefore) {
		return nil
	}
	rows := make([]int32, 0, b.Len())
	for i, k := range b.Kinds {
		if k != plugin.UpdateBefore || t.marks.deletes && (i+1 == b.Len() || d.moved(b, i)) {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// append appends the given rows of a batch, nil for all, as a block. Rows with a value that does not fit are left out
// and returned.
func (d *destination) append(b plugin.Batch, rows []int32) ([]plugin.RowError, error) {
	if d.body == nil {
		d.body = d.route.w.free.take(d.usual)
	}
	var refused []plugin.RowError
	for {
		start := len(d.body)
		var bad *native.RowError
		err := d.taken(b, rows, func(part plugin.Batch) (err error) {
			if part.Len() > 0 {
				m := &d.route.target.marks
				m.kinds, m.first = part.Kinds, d.route.w.sink.versions.take(part.Len())
				d.body, err = d.route.encoder.AppendBlock(d.reserved(part.Len()), part.Rows)
			}
			return err
		})
		if err == nil {
			d.rows += b.Len() - len(refused)
			return refused, nil
		}
		d.body = d.body[:start]
		var ok bool
		if bad, ok = is[*native.RowError](err); !ok {
			return nil, inTable(&plugin.Error{Code: plugin.CodeData, Err: err}, d.id)
		}
		if rows == nil {
			rows = allRows(b.Len())
		}
		i := int(rows[bad.Row])
		refused = append(refused, plugin.RowError{Index: i, Err: unfit(d.id, d.route.rowText(b, i), bad.Column, bad.Err)})
		rows = slices.Delete(rows, int(bad.Row), int(bad.Row)+1)
	}
}

// reserved returns the body with room for a block, if its rows are as long as those that are there. A body doubles: one
// that grows by small steps leaves several times its size to the garbage collector.
func (d *destination) reserved(rows int) []byte {
	if d.rows == 0 {
		return d.body
	}
	size := len(d.body)
	block := (size/d.rows + 1) * rows
	if cap(d.body)-size >= block {
		return d.body
	}
	return slices.Grow(d.body, max(block, min(2*cap(d.body), mostBody+2*block)-size))
}

// taken calls f with the given rows of a batch, nil for all.
func (d *destination) taken(b plugin.Batch, rows []int32, f func(plugin.Batch) error) error {
	if rows == nil {
		return f(b)
	}
	part := column.Take(b, rows, d.route.w.task.Alloc)
	defer part.Release()
	return f(part)
}

func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// send sends what waits. The insert may be under way when it returns.
func (d *destination) send(ctx context.Context) error {
	w := d.route.w
	if err := d.start(ctx); err != nil {
		return err
	}
	if d.changes.len() == 0 {
		return nil
	}
	if err := w.waitFor(ctx, d); err != nil { // a mutation changes what is in the table when it starts
		return err
	}
	if err := d.delete(ctx); err != nil {
		w.failed = err
		return err
	}
	for i, rows := range d.changes.inserts() {
		if len(rows) == 0 {
			continue
		}
		if _, err := d.append(d.changes.batches[i], rows); err != nil {
			return err
		}
	}
	d.changes.clear()
	return d.start(ctx)
}

// start starts the insert of the body, if there is one.
func (d *destination) start(ctx context.Context) error {
	body := d.body
	if len(body) == 0 {
		return nil
	}
	d.body, d.rows, d.usual = nil, 0, max(len(body), d.usual/2)
	return d.route.w.start(ctx, d, body)
}
