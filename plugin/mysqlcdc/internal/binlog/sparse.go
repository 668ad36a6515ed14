package binlog

import (
	"fmt"
)

// Image is one of the two sides of a change.
type Image uint8

// The images. An insert has no Before, a delete no After; asked for the one that is not there, they answer with the
// other.
const (
	Before Image = iota
	After
)

// side is what is known of one image of the next row.
type side struct {
	columns int // that the images of the event have
	image
	places []int32 // where each column's value is in values
}

// The places of values that are not there.
const (
	placeNull   = -1
	placeAbsent = -2
)

// locate finds the values of an image and returns what follows it.
func (d *Decoder) locate(s *side, data, present []byte, partial bool) ([]byte, error) {
	v, ok := d.m.imageOf(data, present, s.columns, partial)
	if !ok {
		return nil, errShort
	}
	s.image = v
	if s.places == nil {
		s.places = make([]int32, len(d.fields))
	}
	at, bit := 0, 0
	for i := range d.fields {
		switch {
		case !has(present, i):
			s.places[i] = placeAbsent
			continue
		case has(v.nulls, bit):
			s.places[i] = placeNull
		default:
			n := d.fields[i].log.size(v.values[at:])
			if n > len(v.values)-at {
				return nil, errShort
			}
			s.places[i] = int32(at)
			at += n
		}
		bit++
	}
	return v.values[at:], nil
}

// locateRow finds the values of both images of the next row and returns what follows it.
func (d *Decoder) locateRow(data []byte) ([]byte, error) {
	var err error
	if d.rows.before != nil {
		if data, err = d.locate(&d.sides[Before], data, d.rows.before, false); err != nil {
			return nil, err
		}
	}
	if d.rows.after != nil {
		data, err = d.locate(&d.sides[After], data, d.rows.after, d.rows.partial)
	}
	return data, err
}

// appendSparse appends a row whose images lack columns or have parts of JSON values.
func (d *Decoder) appendSparse(data []byte) ([]byte, error) {
	rest, err := d.locateRow(data)
	if err != nil {
		return nil, err
	}
	if d.rows.before != nil && (d.rows.after == nil || !d.o.AfterOnly) {
		if err := d.appendSide(Before); err != nil {
			return nil, err
		}
	}
	if d.rows.after != nil {
		err = d.appendSide(After)
	}
	return rest, err
}

func (d *Decoder) appendSide(which Image) error {
	s, other := &d.sides[which], &d.sides[1-which]
	for i, c := range d.columns {
		if c == nil {
			continue
		}
		from := s
		place := s.places[i]
		if place == placeAbsent {
			if d.o.Missing == MissingIsError {
				return &cellError{i, ErrImage}
			}
			if d.o.Missing == MissingIsOther && d.rows.Change == Update {
				from, place = other, other.places[i]
			}
		}
		if place < 0 {
			c.AppendNull()
			continue
		}
		if err := d.appendFrom(i, from, which); err != nil {
			return &cellError{i, err}
		}
	}
	for _, c := range d.nulls {
		c.AppendNull()
	}
	return nil
}

// appendFrom appends a value of an image.
func (d *Decoder) appendFrom(i int, from *side, which Image) error {
	if d.isPart(i, from) {
		text, null, err := d.patched(i)
		if err != nil {
			return err
		}
		if null {
			d.columns[i].AppendNull()
			return nil
		}
		return d.appendJSONText(i, text)
	}
	d.run.at[0] = int(from.places[i])
	return d.appends[i](from.values, d.run.at[:1])
}

// Key reads the value of a column, by its position in the log's table, of the next row without taking it. The value's
// text is valid until the next use of into, and of the stream. It is the value that [wire.Column.Value] returns for the
// row in a result.
func (d *Decoder) Key(i int, from Image, into *Value) error {
	if d.rows.before == nil {
		from = After
	} else if d.rows.after == nil {
		from = Before
	}
	data := d.rest
	if from == After && d.rows.before != nil {
		n, err := d.rows.imageSize(data, d.rows.before, false)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	present, partial := d.rows.before, false
	if from == After {
		present, partial = d.rows.after, d.rows.partial
	}
	return d.find(i, data, present, d.sides[from].columns, partial, into)
}

// find reads a value of the image at the head of data.
func (d *Decoder) find(want int, data, present []byte, columns int, partial bool, into *Value) error {
	v, ok := d.m.imageOf(data, present, columns, partial)
	if !ok {
		return fmt.Errorf("%w: %w", ErrCorrupt, errShort)
	}
	if !has(present, want) {
		return ErrImage
	}
	rest, bit := v.values, 0
	for i := range want {
		if !has(present, i) {
			continue
		}
		if !has(v.nulls, bit) {
			n := d.fields[i].log.size(rest)
			if n > len(rest) {
				return fmt.Errorf("%w: %w", ErrCorrupt, errShort)
			}
			rest = rest[n:]
		}
		bit++
	}
	if has(v.nulls, bit) {
		into.Kind = NullValue
		return nil
	}
	_, err := d.fields[want].value(rest, into)
	return err
}
