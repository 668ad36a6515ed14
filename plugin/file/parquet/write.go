package parquet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
)

// codec is a value of compress_codec.
type codec struct {
	name string
	kind compress.Compression
}

// codecs lists what can be written. lz4 is the raw block format, which all readers of today know.
var codecs = []codec{
	{"snappy", compress.Codecs.Snappy}, {"lz4", compress.Codecs.Lz4Raw}, {"gzip", compress.Codecs.Gzip},
	{"brotli", compress.Codecs.Brotli}, {"zstd", compress.Codecs.Zstd},
}

func codecNames() []string {
	names := make([]string, len(codecs))
	for i, c := range codecs {
		names[i] = c.name
	}
	return names
}

// groupBytes and groupRows are where a row group ends: at that encoded size, or at so many rows. A writer holds a row
// group in memory, and beside it a page of pageBytes, and what that grew out of, for each column. Go's heap may be
// twice as large as what is held, so these sizes decide how much memory a job with several lanes takes.
const (
	groupBytes = 6 << 20
	groupRows  = 1 << 20
	pageBytes  = 64 << 10
)

// dictionaryLimit is the size at which a column's dictionary is given up: columns of many different values get there
// soon and cost little then.
const dictionaryLimit = 256 << 10

// writer writes one file.
type writer struct {
	schema *arrow.Schema
	out    *pqarrow.FileWriter

	finished bool
}

// NewWriter implements [format.Format].
func (parquetFormat) NewWriter(w io.Writer, o format.WriteOptions) (format.Writer, error) {
	kind, err := compression(o.Codec)
	if err != nil {
		return nil, err
	}
	if len(o.FixedAsInt96) > 0 {
		return nil, &plugin.Error{
			Code: plugin.CodeConfig, Table: o.Table.ID,
			Err: errors.New("parquet_avro_write_fixed_as_int96 is not supported"),
			Fix: "leave it out: bytes are written as BINARY",
		}
	}
	schema, err := fileSchema(o.Table)
	if err != nil {
		return nil, err
	}
	// A writer that is given up is dropped as it is, so what it holds must not be missed by the lane's allocator.
	alloc := memory.DefaultAllocator
	props := parquet.NewWriterProperties(
		parquet.WithAllocator(alloc), parquet.WithVersion(parquet.V2_LATEST), parquet.WithCompression(kind),
		parquet.WithMaxRowGroupLength(groupRows), parquet.WithDataPageSize(pageBytes),
		parquet.WithDictionaryPageSizeLimit(dictionaryLimit), parquet.WithCreatedBy("culvert"),
	)
	options := []pqarrow.WriterOption{pqarrow.WithAllocator(alloc)}
	if o.TimestampAsInt96 {
		options = append(options, pqarrow.WithDeprecatedInt96Timestamps(true),
			pqarrow.WithCoerceTimestamps(arrow.Nanosecond))
	}
	// The file writer closes what can be closed; this one cannot.
	file := struct{ io.Writer }{w}
	out, err := pqarrow.NewFileWriter(schema, file, props, pqarrow.NewArrowWriterProperties(options...))
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeType, Table: o.Table.ID, Err: err}
	}
	return &writer{schema: schema, out: out}, nil
}

func compression(name string) (compress.Compression, error) {
	if name == "" || strings.EqualFold(name, "none") {
		return compress.Codecs.Uncompressed, nil
	}
	i := slices.IndexFunc(codecs, func(c codec) bool { return strings.EqualFold(c.name, name) })
	if i < 0 {
		return 0, &plugin.Error{
			Code: plugin.CodeConfig, Err: fmt.Errorf("compress_codec: parquet files cannot be written with %q", name),
			Fix: "use none, " + strings.Join(codecNames(), ", "),
		}
	}
	return codecs[i].kind, nil
}

// fileSchema returns the table's columns under their names in the file.
func fileSchema(t *plugin.Table) (*arrow.Schema, error) {
	fields := slices.Clone(t.Schema.Fields())
	seen := map[string]string{}
	for i, f := range fields {
		lower := strings.ToLower(f.Name)
		if first, ok := seen[lower]; ok {
			return nil, &plugin.Error{
				Code: plugin.CodeConfig, Table: t.ID,
				Err: fmt.Errorf("the columns %s and %s are both called %s in a parquet file", first, f.Name, lower),
				Fix: "rename one of them with a transform",
			}
		}
		seen[lower] = f.Name
		fields[i].Name = lower
	}
	return arrow.NewSchema(fields, nil), nil
}

// Write implements [format.Writer].
func (w *writer) Write(b plugin.Batch) error {
	rows := array.NewRecordBatch(w.schema, b.Rows.Columns(), b.Rows.NumRows())
	defer rows.Release()
	if w.out.RowGroupTotalBytesWritten() >= groupBytes {
		if err := w.out.NewBufferedRowGroupChecked(); err != nil {
			return err
		}
	}
	return w.out.WriteBuffered(rows)
}

// Size implements [format.Writer].
func (w *writer) Size() int64 {
	size := w.out.TotalBytesWritten()
	if !w.finished { // the row group is in memory still
		size += w.out.RowGroupTotalBytesWritten()
	}
	return size
}

// Finish implements [format.Writer].
func (w *writer) Finish() error {
	w.finished = true
	return w.out.Close()
}
