package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

// Take returns the rows of b at the given positions, in that order; a position may come several times. The caller
// releases the result. Rows that follow one another are shared with b instead of being copied.
func Take(b plugin.Batch, rows []int32, alloc memory.Allocator) plugin.Batch {
	if from, ok := run(rows); ok {
		return b.Slice(from, from+len(rows))
	}
	arrays := make([]arrow.Array, len(b.Table.Columns))
	for i, c := range b.Table.Columns {
		arrays[i] = takeArray(b.Rows.Column(i), c.Type, rows, alloc)
	}
	taken := plugin.Batch{Table: b.Table, Rows: array.NewRecordBatch(b.Rows.Schema(), arrays, int64(len(rows))),
		EventTime: b.EventTime}
	for _, a := range arrays {
		a.Release()
	}
	if b.Kinds != nil {
		taken.Kinds = make([]plugin.RowKind, len(rows))
		for i, row := range rows {
			taken.Kinds[i] = b.Kinds[row]
		}
	}
	return taken
}

// Concat returns the rows of batches of one table, one batch after the other, and the oldest of their event times. The
// caller releases the result. There must be one batch at least.
func Concat(batches []plugin.Batch, alloc memory.Allocator) (plugin.Batch, error) {
	t, rows, kinds := batches[0].Table, 0, false
	joined := plugin.Batch{Table: t}
	for _, b := range batches {
		rows += b.Len()
		kinds = kinds || b.Kinds != nil
		if joined.EventTime == 0 || b.EventTime != 0 && b.EventTime < joined.EventTime {
			joined.EventTime = b.EventTime
		}
	}
	columns := make([]arrow.Array, 0, len(t.Columns))
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	parts := make([]arrow.Array, len(batches))
	for i := range t.Columns {
		for n, b := range batches {
			parts[n] = b.Rows.Column(i)
		}
		c, err := array.Concatenate(parts, alloc)
		if err != nil {
			return joined, err
		}
		columns = append(columns, c)
	}
	joined.Rows = array.NewRecordBatch(t.Schema, columns, int64(rows))
	if kinds {
		joined.Kinds = make([]plugin.RowKind, 0, rows)
		for _, b := range batches {
			if b.Kinds == nil {
				joined.Kinds = append(joined.Kinds, make([]plugin.RowKind, b.Len())...)
			} else {
				joined.Kinds = append(joined.Kinds, b.Kinds...)
			}
		}
	}
	return joined, nil
}

// run reports whether rows are consecutive, and where they start.
func run(rows []int32) (from int, ok bool) {
	for i, row := range rows {
		if row != rows[0]+int32(i) {
			return 0, false
		}
	}
	if len(rows) == 0 {
		return 0, true
	}
	return int(rows[0]), true
}

func takeArray(a arrow.Array, t plugin.Type, rows []int32, alloc memory.Allocator) arrow.Array {
	c := newColumn(t, alloc)
	gather(c, a, t, rows)
	data := c.detach(a.DataType())
	defer data.Release()
	return array.MakeFromData(data)
}

// gather appends the values of an array at the given positions.
func gather(c Column, a arrow.Array, t plugin.Type, rows []int32) {
	switch c := c.(type) {
	case *Fixed[int8]:
		gatherFixed(c, a, rows)
	case *Fixed[int16]:
		gatherFixed(c, a, rows)
	case *Fixed[int32]:
		gatherFixed(c, a, rows)
	case *Fixed[int64]:
		gatherFixed(c, a, rows)
	case *Fixed[float32]:
		gatherFixed(c, a, rows)
	case *Fixed[float64]:
		gatherFixed(c, a, rows)
	case *Fixed[decimal128.Num]:
		gatherFixed(c, a, rows)
	case *Bools:
		gatherBools(c, a.(*array.Boolean), rows)
	case *Text:
		gatherText(c, a, rows)
	case *Nulls:
		c.n += len(rows)
	case *Lists:
		elems := gatherEnds(&c.ends, a, rows)
		gather(c.elem, a.(*array.List).ListValues(), *t.Elem, elems)
	case *Maps:
		elems := gatherEnds(&c.ends, a, rows)
		keys, items := mapParts(a.(*array.Map))
		gather(c.key, keys, *t.Key, elems)
		gather(c.elem, items, *t.Elem, elems)
	case *Rows:
		gatherRows(c, a.(*array.Struct), t, rows)
	}
}

// gatherNulls notes the nulls among values that were appended from position at on.
func gatherNulls(v *validity, a arrow.Array, rows []int32, at int) {
	if a.NullN() == 0 {
		return
	}
	bitmap, offset := a.NullBitmapBytes(), a.Data().Offset()
	for i, row := range rows {
		if !bitutil.BitIsSet(bitmap, offset+int(row)) {
			v.null(at + i)
		}
	}
}

func gatherFixed[T Plain](c *Fixed[T], a arrow.Array, rows []int32) {
	if len(rows) == 0 {
		return
	}
	at := len(c.vals)
	data := a.Data()
	from := cast[T](data.Buffers()[1].Bytes())[data.Offset():]
	to := c.extend(len(rows))
	for i, row := range rows {
		to[i] = from[row]
	}
	gatherNulls(&c.valid, a, rows, at)
}

func gatherBools(c *Bools, a *array.Boolean, rows []int32) {
	at := c.n
	for _, row := range rows {
		c.Append(a.Value(int(row)))
	}
	gatherNulls(&c.valid, a, rows, at)
}

func gatherText(c *Text, a arrow.Array, rows []int32) {
	if len(rows) == 0 {
		return
	}
	ends := offsetsOf(a)
	total := 0
	for _, row := range rows {
		total += int(ends[row+1] - ends[row])
	}
	c.Reserve(len(rows))
	c.ReserveBytes(total)
	at := c.Len()
	var bytes []byte
	if buf := a.Data().Buffers()[2]; buf != nil {
		bytes = buf.Bytes()
	}
	for _, row := range rows {
		c.Append(bytes[ends[row]:ends[row+1]])
	}
	gatherNulls(&c.valid, a, rows, at)
}

// gatherEnds appends lists without their elements and returns which elements they have.
func gatherEnds(e *ends, a arrow.Array, rows []int32) []int32 {
	if len(rows) == 0 {
		return nil
	}
	ends := offsetsOf(a)
	at, last := e.Len(), e.last()
	var elems []int32
	for _, row := range rows {
		if a.IsValid(int(row)) {
			for j := ends[row]; j < ends[row+1]; j++ {
				elems = append(elems, j)
			}
		}
		e.end(last + len(elems))
	}
	gatherNulls(&e.valid, a, rows, at)
	return elems
}

func gatherRows(c *Rows, a *array.Struct, t plugin.Type, rows []int32) {
	for i, f := range t.Fields {
		gather(c.fields[i], a.Field(i), f.Type, rows)
	}
	gatherNulls(&c.valid, a, rows, c.n)
	c.n += len(rows)
}

// Select returns the columns of b at the given positions as rows of out, which must describe them. Nothing is copied;
// the caller releases the result.
func Select(b plugin.Batch, out *plugin.Table, columns []int) plugin.Batch {
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		arrays[i] = b.Rows.Column(c)
	}
	selected := assemble(out, arrays, b.Len(), b.Kinds)
	selected.EventTime = b.EventTime
	return selected
}

// Assemble makes a batch of out from columns, which must be of one length and of the types of out. It borrows the
// columns and keeps kinds. Nothing is copied; the caller releases the result.
func Assemble(out *plugin.Table, columns []arrow.Array, kinds []plugin.RowKind) plugin.Batch {
	return assemble(out, columns, columns[0].Len(), kinds)
}

func assemble(out *plugin.Table, columns []arrow.Array, n int, kinds []plugin.RowKind) plugin.Batch {
	return plugin.Batch{Table: out, Rows: array.NewRecordBatch(out.Schema, columns, int64(n)), Kinds: kinds}
}
