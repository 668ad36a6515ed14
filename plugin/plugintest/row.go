package plugintest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// Row is one row that a case expects.
type Row struct {
	// Table is the text of the table's ID.
	Table string
	Kind  plugin.RowKind
	// Values are in the order of the table's columns, as column.AppendValue takes them.
	Values []any
}

// render returns the rows of a batch as comparable texts: table, kind, values as JSON.
func render(b plugin.Batch) []string {
	rows := make([]string, b.Len())
	var buf []byte
	for i := range rows {
		buf = fmt.Appendf(buf[:0], "%s %s", b.Table.ID, b.Kind(i))
		for j, c := range b.Table.Columns {
			buf = append(append(buf, ' '), c.Name...)
			buf = column.FormatJSON(append(buf, '='), b.Rows.Column(j), c.Type, i)
		}
		rows[i] = string(buf)
	}
	return rows
}

// renderValues renders rows of Go values.
func renderValues(t *plugin.Table, rows [][]any) ([]string, error) {
	b := column.NewBuilder(t, memory.DefaultAllocator)
	defer b.Release()
	for i, values := range rows {
		if err := b.AppendRow(plugin.Insert, values...); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
	}
	batch := b.Batch()
	defer batch.Release()
	return render(batch), nil
}

// renderWant renders the rows that a source's case expects.
func renderWant(tables []*plugin.Table, rows []Row) ([]string, error) {
	var texts []string
	for i, row := range rows {
		at := slices.IndexFunc(tables, func(t *plugin.Table) bool { return t.ID.String() == row.Table })
		if at < 0 {
			return nil, fmt.Errorf("the source has no table %s, which row %d of the case expects", row.Table, i)
		}
		b := column.NewBuilder(tables[at], memory.DefaultAllocator)
		if err := b.AppendRow(row.Kind, row.Values...); err != nil {
			return nil, fmt.Errorf("row %d of the case: %w", i, err)
		}
		batch := b.Batch()
		texts = append(texts, render(batch)...)
		batch.Release()
	}
	return texts, nil
}

// sameRows reports rows that are missing and rows that are too many, in any order.
func sameRows(want, got []string) error {
	count := make(map[string]int, len(want))
	for _, row := range want {
		count[row]++
	}
	for _, row := range got {
		count[row]--
	}
	var missing, extra []string
	for row, n := range count {
		for ; n > 0; n-- {
			missing = append(missing, row)
		}
		for ; n < 0; n++ {
			extra = append(extra, row)
		}
	}
	return errors.Join(some("missing", missing), some("too many", extra))
}

// some describes a list of rows by its length and its first few.
func some(what string, rows []string) error {
	if len(rows) == 0 {
		return nil
	}
	slices.Sort(rows)
	first := rows[:min(len(rows), 5)]
	return fmt.Errorf("%d rows are %s, such as\n\t%s", len(rows), what, strings.Join(first, "\n\t"))
}

// wellFormed checks what every batch must hold.
func wellFormed(b plugin.Batch) error {
	if b.Table == nil || b.Rows == nil {
		return errors.New("a batch has no table or no rows")
	}
	if b.Kinds != nil && len(b.Kinds) != b.Len() {
		return fmt.Errorf("a batch of %d rows has %d kinds", b.Len(), len(b.Kinds))
	}
	if !b.Rows.Schema().Equal(b.Table.Schema) {
		return fmt.Errorf("a batch of table %s has the schema %v, want %v", b.Table.ID, b.Rows.Schema(), b.Table.Schema)
	}
	for i, c := range b.Table.Columns {
		a := b.Rows.Column(i)
		for j := range b.Len() {
			if c.NotNull && column.IsNull(a, j) {
				return fmt.Errorf("table %s: column %s is not null, but row %d of a batch is", b.Table.ID, c.Name, j)
			}
			if c.Type.Kind != plugin.String || column.IsNull(a, j) {
				continue
			}
			if err := column.ValidText(column.FormatText(nil, a, c.Type, j, nil)); err != nil {
				return fmt.Errorf("table %s: column %s, row %d of a batch: %w", b.Table.ID, c.Name, j, err)
			}
		}
	}
	return nil
}
