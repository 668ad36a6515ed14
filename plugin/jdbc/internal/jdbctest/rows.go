package jdbctest

import (
	"errors"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// Row is a row for [Batch].
type Row struct {
	Kind   plugin.RowKind
	Values []any
}

// Insert is a row that is new.
func Insert(values ...any) Row { return Row{plugin.Insert, values} }

// Before is the old form of a row that is updated.
func Before(values ...any) Row { return Row{plugin.UpdateBefore, values} }

// After is the new form of a row that is updated.
func After(values ...any) Row { return Row{plugin.UpdateAfter, values} }

// Remove is a row that is deleted.
func Remove(values ...any) Row { return Row{plugin.Delete, values} }

// Batch makes a batch of rows.
func Batch(t testing.TB, tab *plugin.Table, rows ...Row) plugin.Batch {
	t.Helper()
	b, err := makeBatch(tab, rows)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func makeBatch(tab *plugin.Table, rows []Row) (plugin.Batch, error) {
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	for _, r := range rows {
		if err := b.AppendRow(r.Kind, r.Values...); err != nil {
			return plugin.Batch{}, err
		}
	}
	return b.Batch(), nil
}

// Table makes a table.
func Table(t testing.TB, tab plugin.Table) *plugin.Table {
	t.Helper()
	made, err := plugin.NewTable(tab)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Sorted returns a sorted copy.
func Sorted(rows []string) []string {
	rows = slices.Clone(rows)
	slices.Sort(rows)
	return rows
}

// Collector is an Out that keeps rows.
type Collector struct {
	// Rows are printed, all and for each table.
	Rows   []string
	ByName map[string][]string
	// Values are the same rows as Go values.
	Values [][]any
	// Table is that of the last batch.
	Table *plugin.Table
	// Stop makes Read return after each batch.
	Stop bool
}

// Batch implements plugin.Out.
func (c *Collector) Batch(b plugin.Batch) error {
	defer b.Release()
	if c.ByName == nil {
		c.ByName = map[string][]string{}
	}
	c.Table = b.Table
	name := b.Table.ID.String()
	for i := range b.Len() {
		values := make([]any, len(b.Table.Columns))
		for j, col := range b.Table.Columns {
			values[j] = column.Value(b.Rows.Column(j), col.Type, i)
		}
		text := dbtest.Join(values)
		c.Values = append(c.Values, values)
		c.Rows = append(c.Rows, text)
		c.ByName[name] = append(c.ByName[name], text)
	}
	return nil
}

// Row implements plugin.Out.
func (c *Collector) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.ErrUnsupported }

// Change implements plugin.Out.
func (c *Collector) Change(plugin.SchemaChange) error { return errors.ErrUnsupported }

// Full implements plugin.Out.
func (c *Collector) Full() bool { return c.Stop }

// Wake implements plugin.Out.
func (c *Collector) Wake() <-chan struct{} { return nil }
