package binlog

import "github.com/culvertdata/culvert/plugin"

// Rows are appended in runs, column by column: a call for all of a run's values of a column, since a call for each
// would take longer than most values do.

// runRows is the most rows of a run. A run is also what is appended between two looks at the size of the builder.
const runRows = 128

// run is where some rows are in the bytes of their event.
type run struct {
	starts [runRows]int // of the rows, which begin with the bits of their nulls
	at     [runRows]int // of their next values
	nulls  []byte       // has a bit for each column of which one of them is null
}

// appendFunc appends the values at some places of data, none of which is null, to a column, and moves the places
// behind them. After an error the column may hold some of them.
type appendFunc func(data []byte, at []int) error

// eachOf returns the appendFunc that takes values one by one: f appends the value at the head of b and returns its
// size.
func eachOf(f func(b []byte) (int, error)) appendFunc {
	return func(data []byte, at []int) error {
		for i, p := range at {
			n, err := f(data[p:])
			if err != nil {
				return err
			}
			at[i] = p + n
		}
		return nil
	}
}

// appendImages appends rows that have one image with all columns, up to a number of them, and returns how many. It is 0
// if one of them has an error.
func (d *Decoder) appendImages(most int, kind plugin.RowKind) int {
	data, n, end := d.rest, 0, 0
	clear(d.run.nulls)
	for ; n < most && end < len(data); n++ {
		size := d.m.rowSize(data[end:])
		if size > len(data)-end {
			return 0
		}
		d.addRow(n, data, end)
		end += size
	}
	if d.appendRun(data, n) != nil {
		d.builder.Rollback()
		return 0
	}
	for range n {
		d.builder.EndRow(kind)
	}
	d.rest = data[end:]
	return n
}

// appendImage appends one image that has all columns, and returns what follows it.
func (d *Decoder) appendImage(data []byte) ([]byte, error) {
	if d.m.nullBytes() > len(data) {
		return nil, errShort
	}
	clear(d.run.nulls)
	d.addRow(0, data, 0)
	if err := d.appendRun(data, 1); err != nil {
		return nil, err
	}
	return data[d.run.at[0]:], nil
}

// addRow makes what starts at a place row i of the run.
func (d *Decoder) addRow(i int, data []byte, start int) {
	values := start + len(d.run.nulls)
	d.run.starts[i], d.run.at[i] = start, values
	for j, nulls := range data[start:values] {
		d.run.nulls[j] |= nulls
	}
}

// appendRun appends the n images of the run.
func (d *Decoder) appendRun(data []byte, n int) error {
	for i, appendValues := range d.appends {
		var err error
		if has(d.run.nulls, i) {
			err = d.appendNullable(i, data, n)
		} else {
			err = appendValues(data, d.run.at[:n])
		}
		if err != nil {
			return &cellError{i, err}
		}
	}
	for _, c := range d.nulls {
		for range n {
			c.AppendNull()
		}
	}
	return nil
}

// appendNullable appends the values and the nulls of a column.
func (d *Decoder) appendNullable(i int, data []byte, n int) error {
	null := func(row int) bool { return has(data[d.run.starts[row]:], i) }
	for row := 0; row < n; {
		from := row
		for row < n && !null(row) {
			row++
		}
		if from < row {
			if err := d.appends[i](data, d.run.at[from:row]); err != nil {
				return err
			}
		}
		for ; row < n && null(row); row++ {
			if c := d.columns[i]; c != nil {
				c.AppendNull()
			}
		}
	}
	return nil
}
