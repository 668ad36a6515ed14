package fake

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// offsetWidth is what each list or map takes beside its elements.
const offsetWidth = float64(arrow.Int32SizeBytes)

// lists generates arrays of one size.
type lists struct {
	typ  arrow.DataType
	elem generator
	size int
}

func (l lists) width() float64 { return float64(l.size)*l.elem.width() + offsetWidth }

func (l lists) generate(r *random, n int, alloc memory.Allocator) arrow.Array {
	return makeArray(l.typ, n, []*memory.Buffer{nil, steps(alloc, n, l.size)}, l.elem.generate(r, n*l.size, alloc))
}

// rows generates nested rows.
type rows struct {
	typ    arrow.DataType
	fields []generator
}

func (s rows) width() float64 {
	width := 0.0
	for _, f := range s.fields {
		width += f.width()
	}
	return width
}

func (s rows) generate(r *random, n int, alloc memory.Allocator) arrow.Array {
	columns := make([]arrow.Array, len(s.fields))
	for i, f := range s.fields {
		columns[i] = f.generate(r, n, alloc)
	}
	return makeArray(s.typ, n, []*memory.Buffer{nil}, columns...)
}

// maps generates maps of up to size entries: an entry whose key is in the map already is left out.
type maps struct {
	typ        *arrow.MapType
	entries    *plugin.Table // key and value as a table of two columns
	key, value generator
	size       int
	seen       keySet
	kept       []int32 // memory of distinct, from one batch to the next
}

func newMaps(t plugin.Type, key, value generator, size int) (*maps, error) {
	entries, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{
		{Name: "key", Type: *t.Key}, {Name: "value", Type: *t.Elem},
	}})
	if err != nil {
		return nil, err
	}
	return &maps{typ: t.Arrow().(*arrow.MapType), entries: entries, key: key, value: value, size: size,
		seen: newKeySet(*t.Key, size)}, nil
}

func (m *maps) width() float64 {
	return float64(m.size)*(m.key.width()+m.value.width()) + offsetWidth
}

func (m *maps) generate(r *random, n int, alloc memory.Allocator) arrow.Array {
	keys, values := m.key.generate(r, n*m.size, alloc), m.value.generate(r, n*m.size, alloc)
	ends := steps(alloc, n, m.size)
	if m.distinct(keys, arrow.GetData[int32](ends.Bytes())); len(m.kept) < n*m.size {
		keys, values = m.take(keys, values, alloc)
	}
	pairs := makeArray(m.typ.Elem(), keys.Len(), []*memory.Buffer{nil}, keys, values)
	return makeArray(m.typ, n, []*memory.Buffer{nil, ends}, pairs)
}

// distinct notes the positions of the first of equal keys within each map and moves the maps' offsets to match.
func (m *maps) distinct(keys arrow.Array, offsets []int32) {
	m.kept = m.kept[:0]
	for i := range len(offsets) - 1 {
		m.seen.clear()
		offsets[i] = int32(len(m.kept))
		for k := i * m.size; k < (i+1)*m.size; k++ {
			if m.seen.add(keys, k) {
				m.kept = append(m.kept, int32(k))
			}
		}
	}
	offsets[len(offsets)-1] = int32(len(m.kept))
}

// take replaces keys and values, whose references it takes over, by those at the positions kept.
func (m *maps) take(keys, values arrow.Array, alloc memory.Allocator) (arrow.Array, arrow.Array) {
	all := column.Assemble(m.entries, []arrow.Array{keys, values}, nil)
	keys.Release()
	values.Release()
	defer all.Release()
	some := column.Take(all, m.kept, alloc)
	defer some.Release()
	keys, values = some.Rows.Column(0), some.Rows.Column(1)
	keys.Retain()
	values.Retain()
	return keys, values
}
