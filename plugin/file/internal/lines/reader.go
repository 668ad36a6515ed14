package lines

import (
	"context"
	"errors"
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/charset"
)

// Parser is a line format's way to read rows.
type Parser interface {
	// Find finds the fields of rows at the start of g.Data until g is full or the data ends. Data holds whole lines;
	// if final is not set and a row goes on behind it, Find stops in front of that row. n is the number of bytes that
	// the rows and what was skipped between them take, lines the number of lines. An error is one of the row that
	// g.Begin was last called for; the rows before it stand.
	Find(g *Group, final bool) (n, lines int, err error)
	// Append appends the values of column i of the first rows of g to c. After an error bad is the row of the value.
	Append(g *Group, rows, i int, c column.Column) (bad int, err error)
}

// fullRows and fullBytes are what a batch holds: whichever is reached first. They are larger than those of package
// column, since a batch costs a transaction in many targets.
const (
	fullRows  = 2 * column.FullRows
	fullBytes = 2 * column.FullBytes
)

// Reader turns lines into batches; it implements format.Reader.
type Reader struct {
	scan  Scanner
	parse Parser
	group *Group
	build *column.Builder
	table *plugin.Table
	err   error // comes after the rows that were built
}

// NewReader returns a reader of batches of o.Table.
func NewReader(o format.ReadOptions, p Parser) (*Reader, error) {
	cs, err := charset.Lookup(o.Encoding)
	if err != nil {
		return nil, err
	}
	return &Reader{
		scan:  Scanner{MaxRecord: o.MaxRecord, Charset: cs, Header: o.SkipHeader},
		parse: p,
		group: NewGroup(len(o.Table.Columns)),
		build: column.NewBuilder(o.Table, o.Alloc),
		table: o.Table,
	}, nil
}

// Open starts a range.
func (r *Reader) Open(ctx context.Context, in format.Input, rg format.Range, from *format.Position) error {
	r.err = nil
	return r.scan.Open(ctx, in, rg, from)
}

// Next returns the next batch, io.EOF after the last.
func (r *Reader) Next(ctx context.Context) (plugin.Batch, error) {
	if err := ctx.Err(); err != nil {
		return plugin.Batch{}, err
	}
	for r.err == nil && r.build.Len() < fullRows && r.build.Size() < fullBytes {
		r.err = r.step()
	}
	if r.build.Len() > 0 {
		return r.build.Batch(), nil
	}
	return plugin.Batch{}, r.err
}

// step builds the rows of one group, or reads on.
func (r *Reader) step() error {
	data, final := r.scan.Data()
	if len(data) == 0 && final {
		return io.EOF
	}
	g := r.group
	g.Reset(data)
	n, lines, err := r.parse.Find(g, final)
	if bad, badErr := r.fill(g, g.Rows); badErr != nil {
		r.build.Rollback()
		if _, again := r.fill(g, bad); again != nil {
			return r.rowError(g, bad, again)
		}
		g.Rows, err = bad, badErr
	}
	r.build.EndRows(g.Rows)
	if err != nil {
		bad := r.rowError(g, g.Rows, err)
		r.scan.Advance(g.starts[g.Rows].offset, g.starts[g.Rows].line)
		return bad
	}
	r.scan.Advance(n, lines)
	if n == 0 {
		return r.scan.More()
	}
	return nil
}

// fill appends the first rows of g to all columns. After an error bad is the first row with a bad value.
func (r *Reader) fill(g *Group, rows int) (bad int, err error) {
	bad = rows
	for i := range r.table.Columns {
		at, colErr := r.parse.Append(g, bad, i, r.build.Column(i))
		if colErr == nil {
			continue
		}
		bad, err = at, &valueError{column: r.table.Columns[i].Name, err: colErr}
	}
	return bad, err
}

func (r *Reader) rowError(g *Group, row int, err error) error {
	var known *plugin.Error
	if errors.As(err, &known) {
		return err
	}
	var fix *fixError
	errors.As(err, &fix)
	bad := r.scan.Error(g.starts[row].offset, g.starts[row].line, err, fix.text()).(*plugin.Error)
	bad.Table = r.table.ID
	return bad
}

// Position is the place right after the last row that Next returned.
func (r *Reader) Position() format.Position { return r.scan.Position() }

// Close ends the range.
func (r *Reader) Close() error {
	r.build.Release()
	return r.scan.Close()
}

// valueError names the column of a bad value.
type valueError struct {
	column string
	err    error
}

func (e *valueError) Error() string { return "column " + e.column + ": " + e.err.Error() }
func (e *valueError) Unwrap() error { return e.err }

// fixError carries a way out beside the reason.
type fixError struct {
	err error
	fix string
}

// WithFix adds what the user can do to the reason of a bad row.
func WithFix(err error, fix string) error { return &fixError{err, fix} }

func (e *fixError) Error() string { return e.err.Error() }
func (e *fixError) Unwrap() error { return e.err }

func (e *fixError) text() string {
	if e == nil {
		return ""
	}
	return e.fix
}
