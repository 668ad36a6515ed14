package column

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

// FullRows and FullBytes are what a batch should hold: whichever is reached first.
const (
	FullRows  = 8192
	FullBytes = 1 << 20
)

// Builder builds batches of one table, column by column or row by row. It is not safe for several goroutines.
type Builder struct {
	table   *plugin.Table
	cols    []Column
	varying []Column // the columns whose values have no fixed size
	width   int      // bytes of a row in all other columns
	n       int
	names   map[string]int   // column positions, made when needed
	kinds   []plugin.RowKind // nil while every row is an insert
}

// NewBuilder returns an empty builder, which has allocated nothing yet.
func NewBuilder(t *plugin.Table, alloc memory.Allocator) *Builder {
	b := &Builder{table: t, cols: make([]Column, len(t.Columns))}
	for i, c := range t.Columns {
		b.cols[i] = newColumn(c.Type, alloc)
		if w, fixed := width(c.Type); fixed {
			b.width += w
		} else {
			b.varying = append(b.varying, b.cols[i])
		}
	}
	return b
}

// width returns the bytes of one value, if all values of t have the same.
func width(t plugin.Type) (int, bool) {
	switch t.Kind {
	case plugin.Null:
		return 0, true
	case plugin.Boolean, plugin.TinyInt:
		return 1, true
	case plugin.SmallInt:
		return 2, true
	case plugin.Int, plugin.Date, plugin.Float:
		return 4, true
	case plugin.BigInt, plugin.Double, plugin.Time, plugin.Timestamp:
		return 8, true
	case plugin.Decimal:
		return 16, true
	default:
		return 0, false
	}
}

// Table returns the table whose rows are built.
func (b *Builder) Table() *plugin.Table { return b.table }

// Len returns the number of complete rows.
func (b *Builder) Len() int { return b.n }

// Size returns about how many bytes the rows take.
func (b *Builder) Size() int {
	size := b.n * b.width
	for _, c := range b.varying {
		size += c.size()
	}
	return size
}

// Full reports that the batch should be cut: [FullRows] or [FullBytes] is reached.
func (b *Builder) Full() bool { return b.n >= FullRows || b.Size() >= FullBytes }

// Column returns column i, whose dynamic type is that of the table's column; see [Column].
func (b *Builder) Column(i int) Column { return b.cols[i] }

// EndRow counts a row; every column has got one more value.
func (b *Builder) EndRow(k plugin.RowKind) {
	if k != plugin.Insert && b.kinds == nil {
		b.kinds = make([]plugin.RowKind, b.n, max(2*b.n, 8))
	}
	if b.kinds != nil {
		b.kinds = append(b.kinds, k)
	}
	b.n++
}

// EndRows counts n inserted rows; every column has got n more values.
func (b *Builder) EndRows(n int) {
	if b.kinds != nil {
		b.kinds = append(b.kinds, make([]plugin.RowKind, n)...)
	}
	b.n += n
}

// Rollback drops the values of a row that was not ended, for example after a bad value.
func (b *Builder) Rollback() {
	for _, c := range b.cols {
		c.truncate(b.n)
	}
}

// Truncate keeps the first n rows only, and drops the values of a row that was not ended.
func (b *Builder) Truncate(n int) {
	b.n = min(b.n, n)
	if b.kinds != nil {
		b.kinds = b.kinds[:b.n]
	}
	b.Rollback()
}

// AppendRow appends one row of Go values by the rules of [AppendValue]. After an error the row is not part of the
// batch and the builder can go on.
func (b *Builder) AppendRow(k plugin.RowKind, values ...any) error {
	if len(values) != len(b.cols) {
		return fmt.Errorf("table %s has %d columns, the row has %d values", b.table.ID, len(b.cols), len(values))
	}
	for i, v := range values {
		if err := AppendValue(b.cols[i], b.table.Columns[i].Type, v); err != nil {
			b.Rollback()
			return fmt.Errorf("column %s: %w", b.table.Columns[i].Name, err)
		}
	}
	b.EndRow(k)
	return nil
}

// Batch returns the rows so far and starts anew; the caller releases the batch. Values of a row that was not ended are
// dropped.
func (b *Builder) Batch() plugin.Batch {
	b.Rollback()
	arrays := make([]arrow.Array, len(b.cols))
	for i, c := range b.cols {
		data := c.detach(b.table.Schema.Field(i).Type)
		arrays[i] = array.MakeFromData(data)
		data.Release()
	}
	rows := array.NewRecordBatch(b.table.Schema, arrays, int64(b.n))
	for _, a := range arrays {
		a.Release()
	}
	batch := plugin.Batch{Table: b.table, Rows: rows, Kinds: b.kinds}
	b.kinds, b.n = nil, 0
	return batch
}

// Release gives all memory back. The builder is empty then and may be used again.
func (b *Builder) Release() {
	for _, c := range b.cols {
		c.release()
	}
	b.kinds, b.n = nil, 0
}
