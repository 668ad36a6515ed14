package parquet

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
)

// Format returns the parquet format.
func Format() format.Format { return parquetFormat{} }

type parquetFormat struct{}

// Info implements [format.Format].
func (parquetFormat) Info() format.Info {
	return format.Info{Name: "parquet", Suffix: ".parquet", Describes: true, Codecs: codecNames()}
}

// readBuffer is how much of each column is read from the file at once. Without it a whole column of a row group would
// be.
const readBuffer = 256 << 10

// open reads the end of a file, which describes the rest.
func open(in format.Input, alloc memory.Allocator) (*file.Reader, error) {
	if in.ReaderAt == nil || in.Size < 0 {
		return nil, &plugin.Error{
			Code: plugin.CodeConfig, Fix: "unpack the file first",
			Err: fmt.Errorf("%s: parquet files cannot be read out of archives or compressed streams", in.Name),
		}
	}
	props := parquet.NewReaderProperties(alloc)
	props.BufferedStreamEnabled = true
	props.BufferSize = readBuffer
	var r *file.Reader
	err := guarded(func() (err error) {
		r, err = file.NewParquetReader(io.NewSectionReader(in.ReaderAt, 0, in.Size), file.WithReadProps(props))
		if err != nil {
			return err
		}
		return validate(r, in.Size)
	})
	if err != nil {
		return nil, &plugin.Error{
			Code: plugin.CodeData, Err: fmt.Errorf("%s: %w", in.Name, err), Fix: "the file is no parquet file, or is damaged",
		}
	}
	// Arrow's writers store the Arrow types that values had in memory, such as large strings. What the file itself says
	// is enough, and has fewer forms.
	r.MetaData().FileMetaData.KeyValueMetadata = nil
	return r, nil
}

// Columns implements [format.Format].
func (parquetFormat) Columns(_ context.Context, in format.Input) ([]plugin.Column, error) {
	r, err := open(in, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var schema *arrow.Schema
	err = guarded(func() (err error) {
		schema, err = pqarrow.FromParquet(r.MetaData().Schema, nil, nil)
		return err
	})
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeType, Err: fmt.Errorf("%s: %w", in.Name, err), Fix: "read another format"}
	}
	return columnsOf(in.Name, r.MetaData().Schema, schema)
}

// Ranges implements [format.Format]: row groups are put together up to the wanted size.
func (parquetFormat) Ranges(_ context.Context, in format.Input, o format.ReadOptions) ([]format.Range, error) {
	r, err := open(in, zeroed(o.Alloc))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var ranges []format.Range
	var row, size int64
	current := format.Range{}
	for i := range r.NumRowGroups() {
		group := r.MetaData().RowGroup(i)
		row += group.NumRows()
		size += group.TotalByteSize()
		if o.SplitSize > 0 && size >= o.SplitSize && row > current.Start {
			current.End, current.Rows = row, row-current.Start
			ranges = append(ranges, current)
			current, size = format.Range{Start: row}, 0
		}
	}
	if row > current.Start {
		current.End, current.Rows = row, row-current.Start
		ranges = append(ranges, current)
	}
	return ranges, nil
}
