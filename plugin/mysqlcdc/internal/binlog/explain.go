package binlog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// cellError is a value that its column cannot take.
type cellError struct {
	column int
	cause  error
}

func (e *cellError) Error() string { return e.cause.Error() }
func (e *cellError) Unwrap() error { return e.cause }

// explain says where an error has come up, while the decoder stands before the row.
func (d *Decoder) explain(err error) error {
	e := &plugin.Error{
		Code: plugin.CodeData, Table: d.out.ID, Row: d.rowName(),
		Fix: "correct the value, or leave the column out",
	}
	var cell *cellError
	if !errors.As(err, &cell) {
		if errors.Is(err, errShort) {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		e.Err, e.Fix = err, ""
		return e
	}
	f := &d.fields[cell.column]
	if d.outs[cell.column] < 0 {
		e.Err, e.Fix = fmt.Errorf("column %s: %w: %w", f.name, ErrCorrupt, err), ""
		return e
	}
	t := d.out.Columns[d.outs[cell.column]].Type
	e.Err = fmt.Errorf("column %s is %s: %w", f.name, t, err)
	if text, ok := d.shown(cell.column); ok {
		e.Err = fmt.Errorf("column %s is %s, its value is %q: %w", f.name, t, text, err)
	}
	var hint *hintError
	switch {
	case errors.As(err, &hint):
		e.Fix = hint.fix
	case errors.Is(err, ErrImage):
		e.Fix = "set binlog_row_image = FULL on the server"
	}
	return e
}

// shown returns the start of a value for an error, from the image that comes last.
func (d *Decoder) shown(i int) (string, bool) {
	var v Value
	if d.Key(i, After, &v) != nil || v.Kind == NullValue {
		return "", false
	}
	text := wire.String(v.Any())
	const most = 64
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text, true
}

// rowName names the row by the values of its key.
func (d *Decoder) rowName() string {
	var parts []string
	for i := range d.fields {
		out := d.outs[i]
		for _, k := range d.out.Key {
			if k != out {
				continue
			}
			var v Value
			if d.Key(i, After, &v) == nil {
				parts = append(parts, d.fields[i].name+" = "+wire.String(v.Any()))
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "row with " + strings.Join(parts, ", ")
}
