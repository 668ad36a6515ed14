package native

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// ends reads where each of n values ends in the elements. base is how many elements there are already.
func ends(s *stream, n, base int, buf []int) ([]int, error) {
	buf = buf[:0]
	last := uint64(0)
	err := eachChunk(s, n, 8, func(_ int, raw []byte) error {
		for ; len(raw) > 0; raw = raw[8:] {
			end := binary.LittleEndian.Uint64(raw)
			if end < last || end > 1<<30 {
				return fmt.Errorf("%w: an array ends at element %d", errForm, end)
			}
			last = end
			buf = append(buf, base+int(end))
		}
		return nil
	})
	return buf, err
}

type arrays struct {
	elem decoder
	ends []int
}

func (d *arrays) prefix(s *stream) error { return d.elem.prefix(s) }

func (d *arrays) decode(s *stream, n int, c column.Column, _ []byte) error {
	dst := c.(*column.Lists)
	base := dst.Elem().Len()
	var err error
	if d.ends, err = ends(s, n, base, d.ends); err != nil || n == 0 {
		return err
	}
	if count := d.ends[n-1] - base; count > 0 {
		if err := d.elem.decode(s, count, dst.Elem(), nil); err != nil {
			return err
		}
	}
	for _, end := range d.ends {
		dst.EndAt(end)
	}
	return nil
}

type maps struct {
	key, elem decoder
	ends      []int
}

func (d *maps) prefix(s *stream) error {
	if err := d.key.prefix(s); err != nil {
		return err
	}
	return d.elem.prefix(s)
}

func (d *maps) decode(s *stream, n int, c column.Column, _ []byte) error {
	dst := c.(*column.Maps)
	base := dst.Key().Len()
	var err error
	if d.ends, err = ends(s, n, base, d.ends); err != nil || n == 0 {
		return err
	}
	if count := d.ends[n-1] - base; count > 0 {
		if err := d.key.decode(s, count, dst.Key(), nil); err != nil {
			return err
		}
		if err := d.elem.decode(s, count, dst.Elem(), nil); err != nil {
			return err
		}
	}
	for _, end := range d.ends {
		dst.EndAt(end)
	}
	return nil
}

type tuple struct{ fields []decoder }

func newTuple(t Type, loc *time.Location) (decoder, error) {
	d := &tuple{}
	for _, a := range t.Args {
		f, err := newDecoder(a, loc)
		if err != nil {
			return nil, err
		}
		d.fields = append(d.fields, f)
	}
	return d, nil
}

func (d *tuple) prefix(s *stream) error {
	for _, f := range d.fields {
		if err := f.prefix(s); err != nil {
			return err
		}
	}
	return nil
}

func (d *tuple) decode(s *stream, n int, c column.Column, _ []byte) error {
	dst := c.(*column.Rows)
	for i, f := range d.fields {
		if err := f.decode(s, n, dst.Field(i), nil); err != nil {
			return err
		}
	}
	for range n {
		dst.End()
	}
	return nil
}

// lowCardinality reads a dictionary and the positions of the values in it.
type lowCardinality struct {
	inner    decoder
	nullable bool // the first entry of a dictionary stands for null
	table    *plugin.Table
}

func newLowCardinality(bare Type, inner decoder, nullable bool) (decoder, error) {
	p, err := bare.Plugin()
	if err != nil {
		return nil, err
	}
	table, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{{Name: "entry", Type: p}}})
	return &lowCardinality{inner: inner, nullable: nullable, table: table}, err
}

func (d *lowCardinality) prefix(s *stream) error {
	v, err := s.take(8)
	if err == nil && binary.LittleEndian.Uint64(v) != 1 {
		err = fmt.Errorf("%w: a dictionary of version %d", errForm, binary.LittleEndian.Uint64(v))
	}
	return err
}

func (d *lowCardinality) decode(s *stream, n int, c column.Column, _ []byte) error {
	if n == 0 {
		return nil
	}
	head, err := s.take(16)
	if err != nil {
		return err
	}
	flags, size := binary.LittleEndian.Uint64(head), binary.LittleEndian.Uint64(head[8:])
	width := 1 << (flags & 3)
	if flags&0xff > 3 || flags&0x100 != 0 || size > 1<<28 {
		return fmt.Errorf("%w: a dictionary of form %#x with %d entries", errForm, flags, size)
	}
	entries := column.NewBuilder(d.table, memory.DefaultAllocator)
	defer entries.Release()
	if err := d.inner.decode(s, int(size), entries.Column(0), nil); err != nil {
		return err
	}
	entries.EndRows(int(size))
	batch := entries.Batch()
	defer batch.Release()
	count, err := s.take(8)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint64(count) != uint64(n) {
		return fmt.Errorf("%w: %d positions in a dictionary, want %d", errForm, binary.LittleEndian.Uint64(count), n)
	}
	return d.spread(s, n, width, int(size), batch, c)
}

// spread appends the entries that the positions name.
func (d *lowCardinality) spread(s *stream, n, width, size int, entries plugin.Batch, c column.Column) error {
	put, err := copier(c, entries.Rows.Column(0), d.table.Columns[0].Type)
	if err != nil {
		return err
	}
	return eachChunk(s, n, width, func(_ int, raw []byte) error {
		for ; len(raw) > 0; raw = raw[width:] {
			at := 0
			for i := width - 1; i >= 0; i-- {
				at = at<<8 | int(raw[i])
			}
			switch {
			case at < 0 || at >= size:
				return fmt.Errorf("%w: position %d of a dictionary of %d entries", errForm, at, size)
			case at == 0 && d.nullable:
				c.AppendNull()
			default:
				if err := put(at); err != nil {
					return valueError{err}
				}
			}
		}
		return nil
	})
}
