package fake

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// list is the rows that the job file lists for a table.
type list struct {
	table *plugin.Table
	rows  []RowOptions
	// batch holds all rows, in the Go heap; it is shared by all readers.
	batch plugin.Batch
	// clocked says that values come from the clock, so that each split builds its rows anew.
	clocked bool
}

func newList(t *plugin.Table, rows []RowOptions, now time.Time) (*list, error) {
	l := &list{table: t, rows: rows}
	var err error
	l.batch, err = l.build(memory.DefaultAllocator, now)
	return l, err
}

// build makes the batch.
func (l *list) build(alloc memory.Allocator, now time.Time) (plugin.Batch, error) {
	b := column.NewBuilder(l.table, alloc)
	defer b.Release()
	for i, row := range l.rows {
		kind, err := plugin.ParseRowKind(row.Kind)
		if err == nil {
			err = l.append(b, row.Fields, now)
		}
		if err != nil {
			return plugin.Batch{}, &plugin.Error{Code: plugin.CodeConfig, Table: l.table.ID,
				Row: fmt.Sprintf("rows[%d]", i), Err: err}
		}
		b.EndRow(kind)
	}
	return b.Batch(), nil
}

// append adds the values of one row. Values that are missing are null, as in SeaTunnel.
func (l *list) append(b *column.Builder, fields config.Value, now time.Time) error {
	if fields.Kind != config.List && fields.Kind != config.Object {
		return fmt.Errorf("fields must be a list or an object, not %s", fields.Kind)
	}
	for i, c := range l.table.Columns {
		v := l.field(fields, i)
		var err error
		if v.Scalar() && isClockWord(c.Type.Kind, v.Text) {
			l.clocked = true
			err = column.AppendValue(b.Column(i), c.Type, clockValue(c.Type, now))
		} else {
			err = column.AppendConfig(b.Column(i), c.Type, v)
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return nil
}

// field returns the value of column i, a null if there is none.
func (l *list) field(fields config.Value, i int) config.Value {
	if v, ok := fields.Get(l.table.Columns[i].Name); ok {
		return v
	}
	if i < len(fields.Items) {
		return fields.Items[i]
	}
	return config.Value{Kind: config.Null}
}

// misfits says which values of the rows belong to no column: SeaTunnel ignores them, so they are worth a warning only.
func (l *list) misfits() []string {
	var found []string
	for i, row := range l.rows {
		if n := len(l.table.Columns); len(row.Fields.Items) > n {
			found = append(found, fmt.Sprintf("rows[%d] has %d values for %d columns", i, len(row.Fields.Items), n))
		}
		for _, m := range row.Fields.Members {
			if l.table.Index(m.Key) >= 0 {
				continue
			}
			text := fmt.Sprintf("rows[%d] has a value for %q, which is no column", i, m.Key)
			if near, ok := config.Nearest(m.Key, l.table.Names()); ok {
				text += fmt.Sprintf("; did you mean %q?", near)
			}
			found = append(found, text)
		}
	}
	return found
}
