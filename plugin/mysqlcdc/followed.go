package mysqlcdc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// followed is a table whose changes a reader of the log puts out.
type followed struct {
	table
	out     *plugin.Table
	builder *column.Builder
	filter  *filter // nil: all changes count
	keys    []int   // positions of the key's columns in the log's table
	gone    bool    // it is not captured any more; its rows are counted only

	event int64 // Unix milliseconds of the oldest change in the builder
	mark  int   // rows in the builder when the transaction began
	put   int64 // rows of the transaction that were put out
}

func newFollowed(ctx context.Context, r *reader, t table) (*followed, error) {
	f := &followed{table: t}
	if r.source.relation(t.ID) == nil {
		f.gone = true
	}
	var err error
	switch {
	case f.gone && t.Out == nil:
		f.out, err = plugin.NewTable(plugin.Table{ID: t.ID, Columns: []plugin.Column{{Name: "none"}}})
	case f.gone:
		f.out, err = t.Out.table(t.ID)
	default:
		f.out, err = r.source.outOf(t.ID, t.Out)
	}
	if err != nil {
		return nil, err
	}
	f.builder = column.NewBuilder(f.out, r.task.Alloc)
	if f.gone {
		return f, nil
	}
	f.filter, err = newFilter(ctx, &f.table, r.source.connect)
	f.keys = f.keyColumns()
	return f, err
}

// keyColumns returns the positions in the log's table of the columns that sinks know a row by: the primary key's, else
// those of the first unique key.
func (f *followed) keyColumns() []int {
	names := f.out.KeyNames()
	for _, c := range f.out.Constraints {
		if len(names) == 0 && c.Kind == plugin.UniqueKey {
			for _, column := range c.Columns {
				names = append(names, column.Name)
			}
		}
	}
	var keys []int
	for _, name := range names {
		if i := logColumn(f.Log, name); i >= 0 {
			keys = append(keys, i)
		}
	}
	return keys
}

func logColumn(t ddl.Table, name string) int {
	return slices.IndexFunc(t.Columns, func(c ddl.Column) bool { return strings.EqualFold(c.Name, name) })
}

// passed throws the filter away: the log has passed the snapshot.
func (f *followed) passed() {
	f.filter.close()
	f.filter, f.Pieces, f.Stale = nil, nil, false
}

func (f *followed) close() {
	f.filter.close()
	f.builder.Release()
}

// columns returns the log's columns for a decoder.
func (f *followed) columns() []binlog.Column {
	columns := make([]binlog.Column, len(f.Log.Columns))
	for i, c := range f.Log.Columns {
		out := slices.IndexFunc(f.out.Columns, func(o plugin.Column) bool { return strings.EqualFold(o.Name, c.Name) })
		columns[i] = binlog.Column{Name: c.Name, Type: c.Type, Charset: c.Charset, Out: out}
	}
	return columns
}

// flush puts the rows of the builder out.
func (f *followed) flush(out plugin.Out, inside bool) error {
	if inside {
		f.put += int64(f.builder.Len() - f.mark)
	}
	batch := f.builder.Batch()
	batch.EventTime = f.event
	f.event, f.mark = 0, 0
	return out.Batch(batch)
}

// bind returns what becomes of the rows of a table map.
func (l *logReader) bind(ctx context.Context, out plugin.Out, m *binlog.TableMap) (*binding, error) {
	if b, ok := l.maps[m]; ok && (b.table == nil || !b.table.Suspect) {
		return b, nil
	}
	b := &binding{table: l.byName[plugin.TableID{Database: m.Schema, Name: m.Name}]}
	if b.table == nil || b.table.gone || l.before(b.table) {
		if b.table == nil {
			l.maps[m] = b
		}
		return b, nil
	}
	if b.table.Suspect {
		if err := l.adopt(ctx, out, b.table); err != nil {
			return nil, err
		}
	}
	var err error
	b.decoder, err = l.decoder(b.table, m)
	if errors.Is(err, binlog.ErrColumns) {
		// A change of the columns that the log does not tell, or that was made while nobody logged it.
		if err := l.adopt(ctx, out, b.table); err != nil {
			return nil, err
		}
		b.decoder, err = l.decoder(b.table, m)
	}
	if err != nil {
		return nil, l.strange(b.table, err)
	}
	l.maps[m] = b
	return b, nil
}

func (l *logReader) decoder(t *followed, m *binlog.TableMap) (*binlog.Decoder, error) {
	o := binlog.DecoderOptions{Zone: l.source.facts.zone, ZeroDates: l.source.zeroDates()}
	if l.source.facts.noDuplicates {
		o.Missing = binlog.MissingIsOther
	}
	d, err := binlog.NewDecoder(m, t.columns(), t.out, o)
	if err == nil {
		d.Bind(t.builder)
	}
	return d, err
}

func (l *logReader) strange(t *followed, err error) error {
	return &plugin.Error{
		Code: plugin.CodeData, Table: t.ID, Row: l.start.String(),
		Err: fmt.Errorf("the table had other columns at this place of the log: %w", err),
		Fix: "start the job afresh, with startup.mode = initial, or from a place behind the change of the columns",
	}
}

// before reports whether the transaction under way is of no interest to a table.
func (l *logReader) before(t *followed) bool { return l.start.Compare(t.Since) < 0 }

// forgetMaps drops what was derived from a table's columns.
func (l *logReader) forgetMaps(t *followed) {
	for m, b := range l.maps {
		if b.table == t {
			delete(l.maps, m)
		}
	}
}
