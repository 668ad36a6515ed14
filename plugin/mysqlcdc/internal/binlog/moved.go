package binlog

import (
	"bytes"

	"github.com/culvertdata/culvert/plugin"
)

// AppendImage appends one image of the next row with a kind of the caller's, without taking the row: [Decoder.Skip]
// does that. After an error, which is that of [Decoder.Append], the builder has no part of the image.
func (d *Decoder) AppendImage(from Image, kind plugin.RowKind) error {
	_, err := d.locateRow(d.rest)
	if err == nil {
		err = d.appendSide(from)
	}
	if err != nil {
		d.builder.Rollback()
		return d.explain(err)
	}
	d.builder.EndRow(kind)
	return nil
}

// Changed reports whether the images of the next row, an update, differ in any of the log's columns. A column that the
// after image lacks did not change.
func (d *Decoder) Changed(columns []int) (bool, error) {
	if d.rows.Change != Update {
		return false, nil
	}
	n, err := d.rows.imageSize(d.rest, d.rows.before, false)
	if err != nil {
		return false, err
	}
	before, ok := d.m.imageOf(d.rest, d.rows.before, d.sides[Before].columns, false)
	after, ok2 := d.m.imageOf(d.rest[n:], d.rows.after, d.sides[After].columns, d.rows.partial)
	if !ok || !ok2 {
		return false, d.m.badRow()
	}
	for _, column := range columns {
		was, ok := d.raw(&before, column)
		now, ok2 := d.raw(&after, column)
		if ok && ok2 && (was == nil) != (now == nil) || ok && ok2 && !bytes.Equal(was, now) {
			return true, nil
		}
	}
	return false, nil
}

// raw returns the bytes of a value in an image, nil for null; false if the image does not have it.
func (d *Decoder) raw(v *image, want int) ([]byte, bool) {
	if !has(v.present, want) {
		return nil, false
	}
	rest, bit := v.values, 0
	for i := range want + 1 {
		if !has(v.present, i) {
			continue
		}
		null := has(v.nulls, bit)
		bit++
		n := 0
		if !null {
			if n = d.fields[i].log.size(rest); n > len(rest) {
				return nil, false
			}
		}
		if i == want {
			if null {
				return nil, true
			}
			return rest[:n:n], true
		}
		rest = rest[n:]
	}
	return nil, false
}
