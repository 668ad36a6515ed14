package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/file/format"
)

// reader reads ranges of rows.
type reader struct {
	table *plugin.Table
	alloc memory.Allocator

	name  string
	file  *file.Reader
	rows  pqarrow.RecordReader
	order []int // for each column of the table, its place among the columns that are read
	at    int64 // the next row
	end   int64
}

// NewReader implements [format.Format].
func (parquetFormat) NewReader(o format.ReadOptions) (format.Reader, error) {
	return &reader{table: o.Table, alloc: zeroed(o.Alloc)}, nil
}

// Open implements [format.Reader].
func (r *reader) Open(ctx context.Context, in format.Input, span format.Range, from *format.Position) error {
	if err := r.Close(); err != nil {
		return err
	}
	f, err := open(in, r.alloc)
	if err != nil {
		return err
	}
	r.file, r.name, r.at, r.end = f, in.Name, span.Start, span.End
	if r.end < 0 || r.end > f.NumRows() {
		r.end = f.NumRows()
	}
	if from != nil {
		r.at = from.At
	}
	if r.at >= r.end {
		return nil
	}
	return r.start(ctx)
}

// start begins reading at the row r.at.
func (r *reader) start(ctx context.Context) error {
	leaves, err := r.project()
	if err != nil {
		return err
	}
	groups, first, size := r.groups()
	err = guarded(func() error {
		props := pqarrow.ArrowReadProperties{BatchSize: batchRows(size, r.end-first)}
		arrows, err := pqarrow.NewFileReader(r.file, props, r.alloc)
		if err != nil {
			return err
		}
		if r.rows, err = arrows.GetRecordReader(ctx, leaves, groups); err != nil {
			return err
		}
		if skip := r.at - first; skip > 0 {
			return r.rows.SeekToRow(skip)
		}
		return nil
	})
	if err != nil {
		return r.damaged(err)
	}
	return nil
}

// batchRows returns how many rows of the given size make a batch.
func batchRows(size, rows int64) int64 {
	const least = 64
	if size <= 0 || rows <= 0 {
		return column.FullRows
	}
	return max(least, min(column.FullRows, column.FullBytes*rows/size))
}

// groups returns the row groups from the row r.at to the end of the range, their first row, and their size in bytes.
func (r *reader) groups() (groups []int, first, size int64) {
	row := int64(0)
	for i := range r.file.NumRowGroups() {
		group := r.file.MetaData().RowGroup(i)
		next := row + group.NumRows()
		if next > r.at && row < r.end {
			if groups == nil {
				first = row
			}
			groups = append(groups, i)
			size += group.TotalByteSize()
		}
		row = next
	}
	return groups, first, size
}

// project finds the table's columns in the file. It returns the leaf columns to read.
func (r *reader) project() ([]int, error) {
	schema := r.file.MetaData().Schema
	root := schema.Root()
	wanted := make([]int, len(r.table.Columns)) // places in the file
	for i, c := range r.table.Columns {
		wanted[i] = root.FieldIndexByName(c.Name)
		if wanted[i] < 0 {
			return nil, r.missing(c.Name)
		}
	}
	read := slices.Clone(wanted)
	slices.Sort(read)
	r.order = r.order[:0]
	for _, w := range wanted {
		at, _ := slices.BinarySearch(read, w)
		r.order = append(r.order, at)
	}
	var leaves []int
	for leaf := range schema.NumColumns() {
		field := root.FieldIndexByField(schema.ColumnRoot(leaf))
		if slices.Contains(wanted, field) {
			leaves = append(leaves, leaf)
		}
	}
	return leaves, nil
}

func (r *reader) missing(name string) error {
	root := r.file.MetaData().Schema.Root()
	var have []string
	for i := range root.NumFields() {
		have = append(have, root.Field(i).Name())
	}
	err := &plugin.Error{
		Code: plugin.CodeNotFound, Table: r.table.ID,
		Err: fmt.Errorf("%s has no column %q, which the first file has", r.name, name),
		Fix: "read files of equal columns, or choose the common ones by read_columns",
	}
	if near, ok := config.Nearest(name, have); ok {
		err.Fix += fmt.Sprintf("; did you mean %q?", near)
	}
	return err
}

func (r *reader) damaged(err error) error {
	return &plugin.Error{
		Code: plugin.CodeData, Table: r.table.ID, Row: fmt.Sprintf("%s after row %d", r.name, r.at), Err: err,
		Fix: "the file is damaged, or uses what this reader does not know",
	}
}

// Next implements [format.Reader].
func (r *reader) Next(ctx context.Context) (plugin.Batch, error) {
	if err := ctx.Err(); err != nil {
		return plugin.Batch{}, err
	}
	if r.at >= r.end || r.rows == nil {
		return plugin.Batch{}, io.EOF
	}
	var rows arrow.RecordBatch
	err := guarded(func() (err error) {
		rows, err = r.rows.Read()
		return err
	})
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the file ends %d rows early", r.end-r.at)
	}
	if err != nil {
		return plugin.Batch{}, r.damaged(err)
	}
	if most := r.end - r.at; rows.NumRows() > most {
		rows = rows.NewSlice(0, most)
		defer rows.Release()
	}
	columns := make([]arrow.Array, len(r.table.Columns))
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, c := range r.table.Columns {
		if columns[i], err = adapt(rows.Column(r.order[i]), c.Type, r.alloc); err != nil {
			return plugin.Batch{}, r.badColumn(c, err)
		}
	}
	batch := plugin.Batch{Table: r.table, Rows: array.NewRecordBatch(r.table.Schema, columns, rows.NumRows())}
	r.at += rows.NumRows()
	return batch, nil
}

func (r *reader) badColumn(c plugin.Column, err error) error {
	row := r.at
	var bad *badValue
	if errors.As(err, &bad) {
		row += int64(bad.row)
	}
	return &plugin.Error{
		Code: plugin.CodeData, Table: r.table.ID, Row: fmt.Sprintf("%s row %d", r.name, row+1),
		Err: fmt.Errorf("column %s, wanted as %s: %w", c.Name, c.Type, err),
		Fix: "correct the file, or leave the column out with read_columns",
	}
}

// Position implements [format.Reader].
func (r *reader) Position() format.Position { return format.Position{At: r.at, Row: r.at} }

// Close implements [format.Reader].
func (r *reader) Close() error {
	if r.rows != nil {
		r.rows.Release()
		r.rows = nil
	}
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
