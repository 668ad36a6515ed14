package binlog

import (
	"errors"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// Column is a column of a table as the log has it, in the table's order: what information_schema.columns says.
type Column struct {
	// Name is the column's name.
	Name string
	// Type is COLUMN_TYPE, for example "int(10) unsigned" or "enum('a','b')".
	Type string
	// Charset is CHARACTER_SET_NAME; "" if the column has none.
	Charset string
	// Out is the position of the out table's column that takes its values; -1: none.
	Out int
}

// ZeroDates says what dates become that are no days of the calendar, such as 0000-00-00.
type ZeroDates uint8

// What becomes of zero dates, as the driver property zeroDateTimeBehavior has it.
const (
	ZeroIsError   ZeroDates = iota
	ZeroIsNull              // only 0000-00-00; partly zero ones stay errors
	ZeroIsRounded           // to the first day of the year 1
)

// Missing says what becomes of columns that an image lacks, which happens where binlog_row_image is not FULL.
type Missing uint8

// What becomes of missing columns.
const (
	MissingIsError  Missing = iota // the row is an error with ErrImage
	MissingIsNull                  // null
	MissingIsBefore                // the value of the before image if it is there, else null
)

// DecoderOptions say how rows become rows of the out table.
type DecoderOptions struct {
	// Zone is the time zone in which TIMESTAMP values are shown, see [Zone]; default UTC.
	Zone *time.Location
	// ZeroDates says what dates become that are no days.
	ZeroDates ZeroDates
	// Missing says what becomes of columns that an image lacks.
	Missing Missing
	// AfterOnly leaves the before images of updates out: an update is one row, +U.
	AfterOnly bool
}

// Decoder appends rows of one table of the log to a builder of the out table. It is for one goroutine.
//
// Use it event by event: [Decoder.Open] with the event's rows, then as long as [Decoder.More] is true one of
// [Decoder.Append] and [Decoder.Skip], or [Decoder.AppendAll] for many. [Decoder.Key] looks at the next row before that.
type Decoder struct{}

// NewDecoder returns a decoder for the tables whose maps equal m. columns are the table's columns; their number and
// types must be those of m, and their names if m has names, else the error has [ErrColumns]. A column of the out table
// that no column goes to is null in every row.
func NewDecoder(m *TableMap, columns []Column, out *plugin.Table, o DecoderOptions) (*Decoder, error) {
	return nil, errors.ErrUnsupported
}

// Bind makes rows go to a builder of the out table from now on.
func (d *Decoder) Bind(b *column.Builder) {}

// Open starts on the rows of an event. Their bytes must stay as they are until the last one is taken: no
// [Stream.Next] before that.
func (d *Decoder) Open(r Rows) error { return errors.ErrUnsupported }

// More reports whether a row is left of the event.
func (d *Decoder) More() bool { return false }

// Append appends the next row to the builder: an update as -U and +U (or only +U, see [DecoderOptions]), an insert as
// +I, a delete as -D. After an error, which is a [*plugin.Error] with the column and the row's key, the builder has no
// part of the row, and the decoder stands behind the row if it could be read to its end.
func (d *Decoder) Append() error { return errors.ErrUnsupported }

// AppendAll appends rows until the event has no more or the builder is full, and returns how many rows of the log
// those were; an update counts once.
func (d *Decoder) AppendAll() (int, error) { return 0, errors.ErrUnsupported }

// Skip leaves the next row out.
func (d *Decoder) Skip() error { return errors.ErrUnsupported }

// Image is one of the two sides of a change.
type Image uint8

// The images. An insert has no Before, a delete no After; both may be asked for either and answer with what is there.
const (
	Before Image = iota
	After
)

// Key reads the value of a column, by its position in the log's table, of the next row without taking it. The value's
// bytes are valid until the next call of Key. Its form is the one that the snapshot's keys have.
func (d *Decoder) Key(columns int, from Image, into *Value) error { return errors.ErrUnsupported }

// ValueKind is the form of a [Value].
type ValueKind uint8

// The forms of values.
const (
	NullValue  ValueKind = iota
	IntValue             // an integer that an int64 holds
	UintValue            // an integer above that
	FloatValue           // float and double
	TextValue            // texts in UTF-8, decimals, and dates and times as wire.AppendDateTime and wire.AppendTime write them
	BytesValue           // binary, bit, blob, geometry
)

// Value is one value: that of wire.Column.Value for the same column in a result of the server.
type Value struct {
	Kind  ValueKind
	Int   int64
	Uint  uint64
	Float float64
	// Text holds the bytes of TextValue and BytesValue; they are not the value's own.
	Text []byte
}

// Zone returns the time zone of a name as the servers write it: +02:00, UTC, Europe/Berlin.
func Zone(name string) (*time.Location, error) { return nil, errors.ErrUnsupported }
