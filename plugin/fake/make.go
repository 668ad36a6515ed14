package fake

import (
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// maxRow is how many bytes one row may have: all text of a batch must fit into one buffer.
const maxRow = 256 << 20

// columns makes the values of all columns of a table.
type columns struct {
	generators []generator
	rows       int // of a full batch
}

func newColumns(o *TableOptions, now func() time.Time) (*columns, error) {
	m := maker{options: o, now: now}
	c, width := &columns{}, 0.0
	for _, sc := range o.Schema.Columns {
		if err := m.provide(sc.Type); err != nil {
			return nil, err
		}
		g, err := m.column(sc, o.Schema.Long)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", sc.Name, err)
		}
		c.generators = append(c.generators, g)
		width += g.width()
	}
	if width > maxRow {
		return nil, fmt.Errorf("a row would have %.0f bytes, the most is %d: lower the lengths or sizes", width, maxRow)
	}
	c.rows = column.FullRows
	if width > 0 {
		c.rows = int(min(column.FullRows, max(1, column.FullBytes/width)))
	}
	return c, nil
}

// maker makes the generators of one table.
type maker struct {
	options *TableOptions
	days    []int32 // nil until a column needs them
	now     func() time.Time
}

// provide works out what generators of t need.
func (m *maker) provide(t plugin.Type) (err error) {
	if m.days == nil && dated(t) {
		m.days, err = days(m.options, m.now())
	}
	return err
}

// dated reports whether values of t have dates in them.
func dated(t plugin.Type) bool {
	return t.Kind == plugin.Date || t.Kind == plugin.Timestamp ||
		t.Key != nil && dated(*t.Key) || t.Elem != nil && dated(*t.Elem) ||
		slices.ContainsFunc(t.Fields, func(f plugin.Field) bool { return dated(f.Type) })
}

// traits are what a column's declaration says about its values; they hold for the parts of nested values too.
type traits struct {
	length int64   // of strings
	scale  int     // digits of floats and doubles behind the point; -1: all
	value  *string // the same for every row; nil: random
}

func (m maker) column(c plugin.SchemaColumn, long bool) (generator, error) {
	t := traits{length: int64(m.options.StringLength), scale: -1, value: c.Default}
	switch {
	case c.DeclaredLength != nil:
		t.length = *c.DeclaredLength
	case long:
		t.length = 0
	}
	if c.DeclaredScale != nil {
		t.scale = *c.DeclaredScale
	}
	return m.generator(c.Type, t)
}

func (m maker) generator(t plugin.Type, c traits) (generator, error) {
	switch t.Kind {
	case plugin.Array:
		elem, err := m.generator(*t.Elem, c)
		return lists{typ: t.Arrow(), elem: elem, size: m.options.ArraySize}, err
	case plugin.Map:
		key, err := m.generator(*t.Key, c)
		if err != nil {
			return nil, err
		}
		value, err := m.generator(*t.Elem, c)
		if err != nil {
			return nil, err
		}
		return newMaps(t, key, value, m.options.MapSize)
	case plugin.Row:
		fields := make([]generator, len(t.Fields))
		for i, f := range t.Fields {
			var err error
			if fields[i], err = m.generator(f.Type, c); err != nil {
				return nil, err
			}
		}
		return rows{typ: t.Arrow(), fields: fields}, nil
	case plugin.Null:
		return nulls{}, nil
	}
	if c.value != nil {
		return newConstant(t, *c.value, m.now)
	}
	return m.scalar(t, c), nil
}

func (m maker) scalar(t plugin.Type, c traits) generator {
	o, dt := m.options, t.Arrow()
	switch t.Kind {
	case plugin.String:
		if len(o.StringTemplate) > 0 {
			return choices{o.StringTemplate}
		}
		return words{typ: dt, length: int(c.length)}
	case plugin.Bytes:
		return words{typ: dt, length: o.BytesLength}
	case plugin.Boolean:
		return booleans{}
	case plugin.TinyInt:
		return fixed[int8]{dt, either(o.TinyInts, narrow(o.TinyIntMin, o.TinyIntMax))}
	case plugin.SmallInt:
		return fixed[int16]{dt, either(o.SmallInts, narrow(o.SmallIntMin, o.SmallIntMax))}
	case plugin.Int:
		return fixed[int32]{dt, either(o.Ints, narrow(o.IntMin, o.IntMax))}
	case plugin.BigInt:
		return fixed[int64]{dt, either(o.BigInts, wide(o.BigIntMin, o.BigIntMax))}
	case plugin.Float:
		return fixed[float32]{dt, either(o.Floats, float(o.FloatMin, o.FloatMax, c.scale))}
	case plugin.Double:
		return fixed[float64]{dt, either(o.Doubles, float(o.DoubleMin, o.DoubleMax, c.scale))}
	case plugin.Decimal:
		return fixed[decimal128.Num]{dt, decimal(t.Precision)}
	case plugin.Date:
		return fixed[int32]{dt, pick(m.days)}
	case plugin.Time:
		return fixed[int64]{dt, newClock(o, t).times}
	case plugin.Timestamp:
		return fixed[int64]{dt, newClock(o, t).timestamps(m.days)}
	default:
		return nulls{}
	}
}

// either picks from the template, or does without one.
func either[T any](template []T, f filler[T]) filler[T] {
	if len(template) > 0 {
		return pick(template)
	}
	return f
}
