package column

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
)

// Mapper maps a Go struct to rows. It is made once and never changed, so several goroutines may share one.
//
// Every exported field is a column, named by its tag or by its name in snake case (OrderID is order_id). Fields of
// embedded structs count as fields of the outer one. A tag holds the column's name and options, all of which may be
// left out:
//
//	ID    int64          `culvert:"order_id,key"`       // part of the primary key
//	Price column.Decimal `culvert:",decimal(10,2)"`     // the digits of a Decimal; without it 38 and 18
//	Due   time.Time      `culvert:",date"`              // a Date or, with time, a Time instead of a Timestamp
//	Seen  time.Time      `culvert:",timestamp(9)"`      // with nanoseconds
//	cache string         // not exported: not a column
//	Extra string         `culvert:"-"`                  // not a column
//
// Types map as follows; unsigned ones get a type that holds all their values:
//
//	bool, string, []byte, int8 to int64, float32, float64   the type of that name; int is BigInt
//	uint8, uint16, uint32, uint64 and uint                  SmallInt, Int, BigInt, Decimal(20, 0)
//	time.Time, time.Duration, Decimal                       Timestamp, Time, Decimal
//	structs, slices, maps                                   Row, Array, Map
//	pointers and the null types of database/sql             what they hold, or null
//	plugin.RowKind                                          no column: the kind of the row
//
// A field that cannot hold null makes its column NotNull.
type Mapper[T any] struct {
	columns []plugin.Column
	key     []int
	fields  []mapped
	kind    uintptr // offset of the field that takes the row kind
	hasKind bool
}

// mapped is one column's place in a struct.
type mapped struct {
	offset uintptr
	codec  codec
}

// NewMapper compiles the mapping of T, which must be a struct. Errors name the field.
func NewMapper[T any]() (*Mapper[T], error) {
	typ := reflect.TypeFor[T]()
	if typ.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is no struct", typ)
	}
	m := &Mapper[T]{}
	if err := m.scan(typ, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", typ, err)
	}
	if len(m.columns) == 0 {
		return nil, fmt.Errorf("%s has no exported fields", typ)
	}
	for i, c := range m.columns {
		if slices.ContainsFunc(m.columns[:i], func(o plugin.Column) bool { return o.Name == c.Name }) {
			return nil, fmt.Errorf("%s has two columns named %s", typ, c.Name)
		}
	}
	return m, nil
}

func (m *Mapper[T]) scan(typ reflect.Type, base uintptr) error {
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, tagged := f.Tag.Lookup("culvert")
		switch {
		case tag == "-":
			continue
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && isPlainStruct(f.Type):
			if err := m.scan(f.Type, base+f.Offset); err != nil {
				return err
			}
			continue
		case !f.IsExported():
			continue
		case f.Type == reflect.TypeFor[plugin.RowKind]():
			if m.hasKind {
				return fmt.Errorf("field %s: another field takes the row kind already", f.Name)
			}
			m.kind, m.hasKind = base+f.Offset, true
			continue
		}
		o, err := parseTag(f.Name, tag)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		c, err := codecOf(f.Type, o, nil)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		if o.key {
			m.key = append(m.key, len(m.columns))
		}
		m.columns = append(m.columns, plugin.Column{Name: o.name, Type: c.typ, NotNull: !c.nullable})
		m.fields = append(m.fields, mapped{offset: base + f.Offset, codec: c})
	}
	return nil
}

// Columns returns the columns that T maps to.
func (m *Mapper[T]) Columns() []plugin.Column { return slices.Clone(m.columns) }

// Table returns a table with the columns and the key of T.
func (m *Mapper[T]) Table(id plugin.TableID) (*plugin.Table, error) {
	return plugin.NewTable(plugin.Table{ID: id, Columns: m.Columns(), Key: slices.Clone(m.key)})
}

// Kind returns the row kind that v has in its field of type plugin.RowKind, Insert if T has none.
func (m *Mapper[T]) Kind(v *T) plugin.RowKind {
	if !m.hasKind {
		return plugin.Insert
	}
	return *(*plugin.RowKind)(unsafe.Add(unsafe.Pointer(v), m.kind))
}

// Append appends rows to a builder, whose table must have the columns of [Mapper.Table] in that order. The error is a
// *plugin.Error that names the table and the row; the rows before it are part of the batch then.
func (m *Mapper[T]) Append(b *Builder, rows ...T) error {
	if !slices.EqualFunc(b.table.Columns, m.columns, func(a, b plugin.Column) bool {
		return a.Name == b.Name && a.Type.Equal(b.Type)
	}) {
		return fmt.Errorf("table %s does not have the columns of %s", b.table.ID, reflect.TypeFor[T]())
	}
	for i := range rows {
		if err := m.appendRow(b, &rows[i]); err != nil {
			return &plugin.Error{Code: plugin.CodeData, Table: b.table.ID, Row: fmt.Sprintf("row %d", i), Err: err}
		}
	}
	return nil
}

func (m *Mapper[T]) appendRow(b *Builder, row *T) error {
	for j := range m.fields {
		f := &m.fields[j]
		if err := f.codec.append(b.cols[j], unsafe.Add(unsafe.Pointer(row), f.offset)); err != nil {
			b.Rollback()
			return fmt.Errorf("column %s: %w", m.columns[j].Name, err)
		}
	}
	b.EndRow(m.Kind(row))
	return nil
}

// Binding is a [Mapper] for reading the rows of one table.
type Binding[T any] struct {
	m     *Mapper[T]
	table *plugin.Table
	from  []int // the column of each field
}

// Bind prepares reading rows of a table, which must have a column for every field; others are left out. Types may
// differ where a value's conversion loses nothing.
func (m *Mapper[T]) Bind(t *plugin.Table) (*Binding[T], error) {
	r := &Binding[T]{m: m, table: t, from: make([]int, len(m.columns))}
	for j, c := range m.columns {
		i := t.Index(c.Name)
		if i < 0 {
			return nil, &plugin.Error{Code: plugin.CodeConfig, Table: t.ID,
				Err: fmt.Errorf("column %s is missing; the table has %s", c.Name, strings.Join(t.Names(), ", ")),
				Fix: fmt.Sprintf("rename the field of %s, tag it, or add the column", reflect.TypeFor[T]())}
		}
		r.from[j] = i
	}
	return r, nil
}

// Read appends the rows of a batch to rows. Texts and bytes are copied, so the rows may be kept. A row kind that T has
// no field for is an error, and so is a null for a field that cannot hold one.
func (r *Binding[T]) Read(rows []T, b plugin.Batch) ([]T, error) {
	at := len(rows)
	rows = slices.Grow(rows, b.Len())[:at+b.Len()]
	added := rows[at:]
	clear(added)
	if err := r.readKinds(added, b); err != nil {
		return rows[:at], err
	}
	for j := range r.m.fields {
		f := &r.m.fields[j]
		a := b.Rows.Column(r.from[j])
		t := r.table.Columns[r.from[j]].Type
		for i := range added {
			if err := f.codec.get(a, t, i, unsafe.Add(unsafe.Pointer(&added[i]), f.offset)); err != nil {
				err = fmt.Errorf("column %s: %w", r.m.columns[j].Name, err)
				return rows[:at], &plugin.Error{Code: plugin.CodeData, Table: r.table.ID, Row: fmt.Sprintf("row %d", i), Err: err}
			}
		}
	}
	return rows, nil
}

func (r *Binding[T]) readKinds(rows []T, b plugin.Batch) error {
	for i, k := range b.Kinds {
		switch {
		case r.m.hasKind:
			*(*plugin.RowKind)(unsafe.Add(unsafe.Pointer(&rows[i]), r.m.kind)) = k
		case k != plugin.Insert:
			return &plugin.Error{Code: plugin.CodeData, Table: r.table.ID, Row: fmt.Sprintf("row %d", i),
				Err: fmt.Errorf("the row is %s, and %s has no field for the kind of a row", k.Name(), reflect.TypeFor[T]()),
				Fix: "add a field of type plugin.RowKind"}
		}
	}
	return nil
}

// get reads value i of an array into a field.
func (c *codec) get(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
	if IsNull(a, i) {
		if !c.nullable {
			return fmt.Errorf("null does not fit into a %s; use a pointer", c.goType)
		}
		return nil // the field is zero
	}
	return c.read(a, t, i, p)
}

// snake turns OrderID into order_id.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			afterLower := unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1])
			beforeLower := unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterLower || beforeLower {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
