package native

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/culvertdata/culvert/plugin/column"
)

// Column is a column as a server describes it.
type Column struct {
	Name string
	Type Type
}

// Decoder reads blocks.
type Decoder struct {
	s        *stream
	columns  []Column
	decoders []decoder
	rows     int64
}

// decoder reads the values of one column. It is made for the wire type of the column.
type decoder interface {
	// prefix reads what comes before the values of a column.
	prefix(s *stream) error
	// decode reads n values. nulls is nil, or says with a byte for each value whether it is null.
	decode(s *stream, n int, c column.Column, nulls []byte) error
}

// NewDecoder returns a decoder of a stream with these columns. loc is the zone of times whose type names none.
func NewDecoder(src io.Reader, columns []Column, loc *time.Location) (*Decoder, error) {
	d := &Decoder{s: newStream(src), columns: columns}
	for _, c := range columns {
		dec, err := newDecoder(c.Type, loc)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		d.decoders = append(d.decoders, dec)
	}
	return d, nil
}

// ServerError is the text of an exception that a server wrote in place of the next block.
type ServerError struct{ Text string }

// Error returns the text.
func (e *ServerError) Error() string { return e.Text }

// RowError is a value that cannot be taken over.
type RowError struct {
	// Row is the number of the row: in the stream for a Decoder, in the batch for an Encoder.
	Row    int64
	Column string
	Err    error
}

// Error names the column and the row.
func (e *RowError) Error() string {
	return fmt.Sprintf("column %s, row %d: %v", e.Column, e.Row, e.Err)
}

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }

// Rows returns the number of rows that were read.
func (d *Decoder) Rows() int64 { return d.rows }

// Sum returns a hash of everything that was read.
func (d *Decoder) Sum() uint64 { return d.s.sum() }

// Next appends the rows of the next block to a builder, and returns their number, which may be 0. It returns io.EOF
// behind the last block, io.ErrUnexpectedEOF if the stream is cut, and a *ServerError if the server gave up.
func (d *Decoder) Next(b *column.Builder) (int, error) {
	if end, err := d.s.ended(); err != nil || end {
		if err == nil {
			err = io.EOF
		}
		return 0, err
	}
	if err := d.exception(); err != nil {
		return 0, err
	}
	n, err := d.header()
	if err != nil {
		return 0, err
	}
	for i, c := range d.columns {
		if err := d.column(i, c, n, b.Column(i)); err != nil {
			return 0, err
		}
	}
	b.EndRows(n)
	d.rows += int64(n)
	return n, nil
}

func (d *Decoder) header() (rows int, err error) {
	columns, err := d.s.uvarint()
	if err != nil {
		return 0, err
	}
	n, err := d.s.uvarint()
	if err != nil {
		return 0, err
	}
	if columns != uint64(len(d.columns)) || n > 1<<28 {
		return 0, fmt.Errorf("%w: a block of %d columns and %d rows, want %d columns", errForm, columns, n, len(d.columns))
	}
	return int(n), nil
}

// exception looks for the text of an exception where a block should begin.
func (d *Decoder) exception() error {
	for _, mark := range []string{"Code: ", "\r\n__exception__", "__exception__"} {
		if !bytes.HasPrefix(d.s.rest(len(mark)), []byte(mark)) {
			continue
		}
		if text := d.s.rest(16 << 10); bytes.Contains(text, []byte("DB::")) || bytes.Contains(text, []byte("xception")) {
			return &ServerError{Text: string(bytes.TrimSpace(text))}
		}
	}
	return nil
}

func (d *Decoder) column(i int, c Column, rows int, dst column.Column) error {
	name, err := d.s.text()
	if err != nil {
		return err
	}
	if string(name) != c.Name {
		return fmt.Errorf("%w: column %d is %q, want %q", errForm, i+1, name, c.Name)
	}
	text, err := d.s.text()
	if err != nil {
		return err
	}
	t, err := ParseType(string(text))
	if err != nil {
		return err
	}
	if !t.sameForm(c.Type) {
		return fmt.Errorf("%w: column %s is a %s now, it was a %s", errForm, c.Name, t, c.Type)
	}
	if rows == 0 {
		return nil
	}
	if err := d.decoders[i].prefix(d.s); err != nil {
		return err
	}
	at := dst.Len()
	if err := d.decoders[i].decode(d.s, rows, dst, nil); err != nil {
		if isForm(err) {
			return err
		}
		return &RowError{Row: d.rows + int64(dst.Len()-at) + 1, Column: c.Name, Err: err}
	}
	return nil
}
