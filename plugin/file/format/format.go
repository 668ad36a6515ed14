// Package format is the contract between the LocalFile connector and the file formats: how files of a format are cut,
// read and written. The connector finds and stages files, keeps positions and commits; a format knows bytes and rows.
//
// A host picks its formats when it makes the plugin list, so one that wants csv does not link parquet:
//
//	reg := plugin.NewRegistry(file.With(parquet.Format()))
//
// Each reader and writer belongs to one goroutine. A Format is a stateless value, safe for several.
package format

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

// Info describes a format.
type Info struct {
	// Name is the value of file_format_type, in lower case: csv.
	Name string
	// Suffix ends the names of written files, and picks the entries to read out of archives; with its point: .csv.
	Suffix string
	// Describes says that files hold their own columns: [Format.Columns] is asked, and fields of a configured schema
	// are not used. Otherwise the job file must give a schema.
	Describes bool
	// Streams says that a file is read and written front to back. Such files may be packed in archives and be
	// compressed as a whole by compress_codec, both done by the connector; ReaderAt is not needed to read them.
	Streams bool
	// Codecs are the values of compress_codec beside none that the format's own writer takes. A format that streams
	// leaves it empty.
	Codecs []string
}

// Format is a file format.
type Format interface {
	Info() Info
	// Columns returns the columns of a file. It is asked at plan time, for the first file of a table; a format that
	// does not describe its columns returns an error that says so.
	Columns(ctx context.Context, in Input) ([]plugin.Column, error)
	// Ranges cuts a file into pieces that lanes can read on their own, in order, together the whole file. Their
	// number and bounds depend on nothing but the file and o. An empty file may have no range.
	Ranges(ctx context.Context, in Input, o ReadOptions) ([]Range, error)
	// NewReader makes the reader of one lane. It fails if the options or column types do not fit the format.
	NewReader(o ReadOptions) (Reader, error)
	// NewWriter starts a file. It fails if the options or column types do not fit the format; the connector makes one
	// on [io.Discard] at plan time to find that out.
	NewWriter(w io.Writer, o WriteOptions) (Writer, error)
}

// Input is a file to read.
type Input struct {
	// Name is the path, for messages; an archive's entry follows its archive after a "!".
	Name string
	// Size is in bytes, -1 if it is unknown because the content is compressed or comes out of an archive.
	Size int64
	// ReaderAt reads anywhere; nil if the content can only be read front to back.
	ReaderAt io.ReaderAt
	// Stream opens the content, decompressed and unpacked, at a byte offset of it. A format that reads by ReaderAt
	// has no use for it.
	Stream func(offset int64) (io.ReadCloser, error)
}

// Range is a piece of a file, from Start up to End, in the format's own unit: bytes for lines of text, rows for
// parquet. End is -1 if the piece ends where the file does.
type Range struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Rows is an estimate for progress displays, -1 if unknown.
	Rows int64 `json:"-"`
}

// Position is a place between two rows of a range, in the range's unit.
type Position struct {
	At int64 `json:"at"`
	// Row counts the rows or lines of the file before At, for messages; -1 if unknown.
	Row int64 `json:"row"`
}

// ReadOptions say what a reader makes of files.
type ReadOptions struct {
	// File has all columns of a file, in their order there. Nil for a format that describes its columns.
	File *plugin.Table
	// Table is what the reader's batches are of: some columns of the file, in any order, found by name.
	Table *plugin.Table
	// SplitSize is the size of a range in bytes that is aimed at; 0 means one range for each file.
	SplitSize int64
	// MaxRecord is the size in bytes above which a row of a line format is refused.
	MaxRecord int
	// Alloc is the lane's allocator.
	Alloc memory.Allocator

	// The options of that name, see the options of the connector. Delimiter is empty if none was set.
	Delimiter      string
	SkipHeader     int64
	Encoding       string
	QuotedNewlines bool
}

// Reader reads ranges of files, one after the other.
type Reader interface {
	// Open starts a range, at its start if from is nil, else where Position was.
	Open(ctx context.Context, in Input, r Range, from *Position) error
	// Next returns the next rows, about 8,192 or 1 MiB, and gives its reference away. io.EOF comes after the last row
	// of the range, without a batch. A row that cannot be read is a *plugin.Error that names the file and the line or
	// row in Row, the column, the value and the type that was wanted.
	Next(ctx context.Context) (plugin.Batch, error)
	// Position is the place right after the last row that Next returned.
	Position() Position
	// Close ends the range that is open, if any; Open may be called again.
	Close() error
}

// WriteOptions say how files are written.
type WriteOptions struct {
	// Table has the columns to write, in their order in the file.
	Table *plugin.Table
	// Codec is compress_codec, one of Info.Codecs; empty or none for no compression.
	Codec string
	// Alloc is the lane's allocator.
	Alloc memory.Allocator

	// The options of that name, see the options of the connector. FieldDelimiter is empty if none was set.
	FieldDelimiter   string
	RowDelimiter     string
	Header           bool
	Encoding         string
	DateFormat       string
	DatetimeFormat   string
	TimeFormat       string
	TimestampAsInt96 bool
	FixedAsInt96     []string
}

// Writer writes one file.
type Writer interface {
	// Write appends rows, which it borrows, with the columns of WriteOptions.Table. Row kinds are not looked at.
	Write(b plugin.Batch) error
	// Size is the size of the file in bytes so far, about, with what is still buffered.
	Size() int64
	// Finish writes what is buffered and the file's end. It does not close the underlying writer. A writer that is
	// given up is dropped without Finish.
	Finish() error
}
