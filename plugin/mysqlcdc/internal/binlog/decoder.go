package binlog

import (
	"fmt"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
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

// ZeroDates says what dates become that are no days of the calendar.
type ZeroDates uint8

// What becomes of 0000-00-00, as the driver property zeroDateTimeBehavior has it. Dates that are partly zero, and the
// 31st of February, are errors always.
const (
	ZeroIsError   ZeroDates = iota
	ZeroIsNull              // null
	ZeroIsRounded           // the first day of the year 1
)

// Missing says what becomes of columns that an image lacks, which happens where binlog_row_image is not FULL.
type Missing uint8

// What becomes of missing columns.
const (
	MissingIsError Missing = iota // the row is an error with ErrImage
	MissingIsNull                 // null
	MissingIsOther                // the value of the other image of the row if it is there, else null
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
// [Decoder.Append] and [Decoder.Skip], or [Decoder.AppendAll] for many. [Decoder.Key] looks at the next row before
// that.
type Decoder struct {
	m      *TableMap
	out    *plugin.Table
	o      DecoderOptions
	fields []field
	outs   []int // Column.Out of each field
	unfed  []int // columns of the out table that no field goes to

	builder *column.Builder
	appends []appendFunc    // of all fields; those that go nowhere are stepped over
	columns []column.Column // that they append to; nil for those
	nulls   []column.Column // the unfed ones

	rows  Rows
	rest  []byte
	plain bool // all images of the event have all columns
	run   run
	sides [2]side
}

// NewDecoder returns a decoder for the tables that m describes. columns are the table's columns; their number and types
// must be those of m, and their names if m has names, else the error has [ErrColumns]. A column of the out table that
// no column goes to is null in every row.
func NewDecoder(m *TableMap, columns []Column, out *plugin.Table, o DecoderOptions) (*Decoder, error) {
	if len(columns) != len(m.Columns) {
		return nil, fmt.Errorf("%w: %s.%s has %d there, %d are known", ErrColumns, m.Schema, m.Name, len(m.Columns),
			len(columns))
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	d := &Decoder{m: m, out: out, o: o, fields: make([]field, len(columns)), outs: make([]int, len(columns))}
	d.run.nulls = make([]byte, m.nullBytes())
	fed := make([]bool, len(out.Columns))
	z := &zone{loc: o.Zone}
	for i, c := range columns {
		f, err := newField(m.Columns[i], c, z)
		if err != nil {
			return nil, fmt.Errorf("table %s.%s, column %s: %w", m.Schema, m.Name, c.Name, err)
		}
		d.fields[i], d.outs[i] = f, c.Out
		if c.Out < 0 {
			continue
		}
		if c.Out >= len(fed) || fed[c.Out] {
			return nil, fmt.Errorf("table %s.%s, column %s: column %d of the out table is not free", m.Schema, m.Name,
				c.Name, c.Out)
		}
		fed[c.Out] = true
	}
	for i := range fed {
		if !fed[i] {
			d.unfed = append(d.unfed, i)
		}
	}
	return d, nil
}

// newField describes a column, after it was compared with the log's.
func newField(log LogColumn, c Column, z *zone) (field, error) {
	f := field{name: c.Name, log: log, zone: z}
	var err error
	if f.typ, err = parseColumnType(c.Type); err != nil {
		return f, err
	}
	if log.Name != "" && !strings.EqualFold(log.Name, c.Name) {
		return f, fmt.Errorf("%w: it is %s there", ErrColumns, log.Name)
	}
	if !f.typ.fits(&log) {
		return f, fmt.Errorf("%w: type number %d with %d there, %s is known", ErrColumns, log.Type, log.Meta, c.Type)
	}
	switch log.Type {
	case wire.TypeNewDecimal:
		f.decimal = newDecimal(int(log.Meta>>8), int(log.Meta&0xff))
	case typeTime2, typeDateTime2, typeTimestamp2:
		f.fraction = fractionSize(log.Meta)
	case wire.TypeEnum, wire.TypeSet:
		return f, nil // their names are known in UTF-8
	}
	if f.typ.name == "binary" {
		f.pad = f.typ.arg(0, 1)
	}
	if f.log.head > 0 && !f.typ.isBytes() && log.Type != wire.TypeJSON && f.plain() {
		f.charset, err = newConverter(c.Charset)
	}
	return f, err
}

// Table returns the out table.
func (d *Decoder) Table() *plugin.Table { return d.out }

// Bind makes rows go to a builder of the out table from now on.
func (d *Decoder) Bind(b *column.Builder) {
	d.builder = b
	d.appends = make([]appendFunc, len(d.fields))
	d.columns = make([]column.Column, len(d.fields))
	for i := range d.fields {
		out := d.outs[i]
		if out < 0 {
			d.appends[i] = eachOf(d.fields[i].skip)
			continue
		}
		d.columns[i] = b.Column(out)
		d.appends[i] = d.fields[i].appender(d.columns[i], d.out.Columns[out].Type, d.o.ZeroDates)
	}
	d.nulls = nil
	for _, i := range d.unfed {
		d.nulls = append(d.nulls, b.Column(i))
	}
}

// Open starts on the rows of an event. Their bytes must stay as they are until the last one is taken: no
// [Stream.Next] before that. r.Map must be the decoder's, or nil for no rows.
func (d *Decoder) Open(r Rows) error {
	if r.Map != nil && r.Map != d.m {
		return fmt.Errorf("%w: the rows are of another table or another version of %s.%s", ErrColumns, d.m.Schema, d.m.Name)
	}
	d.rows, d.rest = r, r.data
	n := len(d.fields)
	d.plain = !r.partial
	some := false
	for i, present := range [...][]byte{Before: r.before, After: r.after} {
		d.sides[i].columns = n
		if present != nil {
			d.sides[i].columns = ones(present, n)
			d.plain = d.plain && d.sides[i].columns == n
			some = some || d.sides[i].columns > 0
		}
	}
	if !some && len(d.rest) > 0 {
		d.rest = nil
		return d.m.badRow()
	}
	return nil
}

// More reports whether a row is left of the event.
func (d *Decoder) More() bool { return len(d.rest) > 0 }

// AppendAll appends rows until the event has no more or the builder is full, and returns how many rows of the log
// those were; an update counts once. See [Decoder.Append].
func (d *Decoder) AppendAll() (int, error) {
	n := 0
	for len(d.rest) > 0 && !d.builder.Full() {
		most := min(runRows, column.FullRows-d.builder.Len())
		if d.plain && d.rows.Change != Update {
			if done := d.appendImages(most, d.rows.Change.kind()); done > 0 {
				n += done
				continue // else the error comes row by row
			}
		}
		for ; most > 0 && len(d.rest) > 0; most-- {
			if err := d.Append(); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// Append appends the next row to the builder: an update as -U and +U (or only +U, see [DecoderOptions]), an insert as
// +I, a delete as -D. After an error, which is a [*plugin.Error] that names the column and the row, the builder has no
// part of the row, and the decoder stands behind the row if its end could be found, else behind the event's last.
func (d *Decoder) Append() error {
	var err error
	rest := d.rest
	if d.plain {
		rest, err = d.appendPlain(rest)
	} else {
		rest, err = d.appendSparse(rest)
	}
	if err != nil {
		d.builder.Rollback()
		err = d.explain(err)
		if d.Skip() != nil {
			d.rest = nil
		}
		return err
	}
	d.rest = rest
	if d.rows.Change == Update && !d.o.AfterOnly {
		d.builder.EndRow(plugin.UpdateBefore)
	}
	d.builder.EndRow(d.rows.Change.kind())
	return nil
}

// appendPlain appends the images of a row that have all columns.
func (d *Decoder) appendPlain(data []byte) ([]byte, error) {
	if d.rows.Change == Update {
		var err error
		if d.o.AfterOnly {
			var n int
			n, err = d.rows.imageSize(data, d.rows.before, false)
			data = data[n:]
		} else {
			data, err = d.appendImage(data)
		}
		if err != nil {
			return nil, err
		}
	}
	return d.appendImage(data)
}

// Skip leaves the next row out.
func (d *Decoder) Skip() error {
	n, err := d.rows.size(d.rest)
	if err == nil {
		d.rest = d.rest[n:]
	}
	return err
}
