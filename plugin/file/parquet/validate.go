package parquet

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet/file"
)

// validate checks what a file says about itself, since the library beneath trusts it: columns must lie within the file,
// and numbers of rows and values must agree.
func validate(r *file.Reader, size int64) error {
	rows := int64(0)
	for i := range r.NumRowGroups() {
		group := r.MetaData().RowGroup(i)
		if group.NumRows() < 0 || group.NumColumns() != r.MetaData().Schema.NumColumns() {
			return fmt.Errorf("row group %d has %d rows of %d columns", i, group.NumRows(), group.NumColumns())
		}
		rows += group.NumRows()
		for j := range group.NumColumns() {
			chunk, err := group.ColumnChunk(j)
			if err != nil {
				return fmt.Errorf("row group %d, column %d: %w", i, j, err)
			}
			start := chunk.DataPageOffset()
			if chunk.HasDictionaryPage() && chunk.DictionaryPageOffset() > 0 {
				start = min(start, chunk.DictionaryPageOffset())
			}
			length := chunk.TotalCompressedSize()
			if start < 0 || length < 0 || start > size || length > size-start || chunk.NumValues() < 0 {
				return fmt.Errorf("row group %d, column %d: %d bytes at %d lie outside of the file", i, j, length, start)
			}
			if flat := r.MetaData().Schema.Column(j).MaxRepetitionLevel() == 0; flat && chunk.NumValues() != group.NumRows() {
				return fmt.Errorf("row group %d, column %d: %d values in %d rows", i, j, chunk.NumValues(), group.NumRows())
			}
		}
	}
	if rows != r.NumRows() {
		return fmt.Errorf("the row groups have %d rows, the file says %d", rows, r.NumRows())
	}
	return nil
}

// guarded runs f and turns a panic of the library, which damaged files cause, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file cannot be decoded: %v", r)
		}
	}()
	return f()
}
