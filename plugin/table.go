package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// TableID is the path of a table. Empty parts are left out, so a table may be "t", "db.t" or "db.schema.t".
type TableID struct {
	Database string
	Schema   string
	Name     string
}

// DefaultTableID is SeaTunnel's name for a dataset that has none.
func DefaultTableID() TableID { return TableID{"default", "default", "default"} }

// ParseTableID reads a table path of one to three parts. Two parts are database and table, or schema and table if
// schemaFirst is set.
func ParseTableID(path string, schemaFirst bool) (TableID, error) {
	parts := strings.Split(path, ".")
	if slices.Contains(parts, "") || len(parts) > 3 {
		return TableID{}, fmt.Errorf("table path %q is none of table, database.table, database.schema.table", path)
	}
	switch {
	case len(parts) == 1:
		return TableID{Name: parts[0]}, nil
	case len(parts) == 3:
		return TableID{parts[0], parts[1], parts[2]}, nil
	case schemaFirst:
		return TableID{Schema: parts[0], Name: parts[1]}, nil
	default:
		return TableID{Database: parts[0], Name: parts[1]}, nil
	}
}

// String joins the parts with points.
func (id TableID) String() string {
	if id.Database == "" && id.Schema == "" {
		return id.Name
	}
	parts := make([]string, 0, 3)
	for _, p := range []string{id.Database, id.Schema, id.Name} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ".")
}

// Column is one column of a [Table].
type Column struct {
	Name string
	Type Type
	// NotNull forbids nulls; the zero value allows them.
	NotNull bool
	// Length is the declared length of a String or Bytes column in characters or bytes; 0 means none was declared.
	Length int64
	// Default is the declared default in the text form of the job language; nil means there is none.
	Default *string
	// Comment is free text.
	Comment string
	// SourceType is the type's text in the database that the column comes from, for example "mediumtext"; may be empty.
	SourceType string
}

// ConstraintKind is the kind of a [Constraint].
type ConstraintKind uint8

// The constraint kinds of the job language.
const (
	IndexKey ConstraintKind = iota
	UniqueKey
	ForeignKey
	VectorIndexKey
)

// String returns the job language's spelling, for example UNIQUE_KEY.
func (k ConstraintKind) String() string {
	return [...]string{"INDEX_KEY", "UNIQUE_KEY", "FOREIGN_KEY", "VECTOR_INDEX_KEY"}[k]
}

// Constraint is an index or key of a [Table] beside its primary key.
type Constraint struct {
	Name    string
	Kind    ConstraintKind
	Columns []ConstraintColumn
}

// ConstraintColumn is one column of a [Constraint].
type ConstraintColumn struct {
	Name string
	Desc bool // sorted from high to low
}

// Table is one version of one table. It is made by [NewTable] and never changed after that, so equal pointers mean
// the same table with the same columns.
type Table struct {
	ID TableID
	// Version counts schema changes of the table within a job, from 0.
	Version uint32
	Columns []Column
	// Key holds the positions of the primary key's columns; nil means the table has none.
	Key []int
	// KeyName is the name of the primary key; may be empty.
	KeyName     string
	Constraints []Constraint
	Comment     string
	// Catalog names what the table comes from, usually the plugin; may be empty.
	Catalog string
	// Schema is the Arrow form of Columns; NewTable sets it.
	Schema *arrow.Schema
}

// NewTable checks t, fills in its Arrow schema and returns it. Problems: no columns, a column without a name, two
// columns of one name, a decimal out of range, a key position that does not exist or comes twice, an incomplete array,
// map or row type.
func NewTable(t Table) (*Table, error) {
	if t.ID.Name == "" {
		t.ID = DefaultTableID()
	}
	if len(t.Columns) == 0 {
		return nil, fmt.Errorf("table %s has no columns", t.ID)
	}
	seen := make(map[string]bool, len(t.Columns))
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		if c.Name == "" {
			return nil, fmt.Errorf("table %s: column %d has no name", t.ID, i+1)
		}
		if seen[c.Name] {
			return nil, fmt.Errorf("table %s has two columns named %q", t.ID, c.Name)
		}
		seen[c.Name] = true
		if err := c.Type.check(); err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", t.ID, c.Name, err)
		}
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true}
	}
	for i, k := range t.Key {
		if slices.Contains(t.Key[:i], k) {
			return nil, fmt.Errorf("table %s: the key names column %d twice", t.ID, k)
		}
		if k < 0 || k >= len(t.Columns) {
			return nil, fmt.Errorf("table %s: key column %d does not exist", t.ID, k)
		}
	}
	t.Schema = arrow.NewSchema(fields, nil)
	return &t, nil
}

func (t Type) check() error {
	switch t.Kind {
	case Decimal:
		if t.Precision < 1 || t.Precision > MaxPrecision || t.Scale < 0 || t.Scale > t.Precision {
			return fmt.Errorf("decimal(%d,%d) is out of range: 1 to %d digits, 0 to all of them behind the point",
				t.Precision, t.Scale, MaxPrecision)
		}
	case Time, Timestamp:
		if t.Scale < 0 || t.Scale > 9 {
			return fmt.Errorf("%d fractional second digits are out of range: 0 to 9", t.Scale)
		}
	case Array:
		if t.Elem == nil {
			return fmt.Errorf("array without an element type")
		}
		return t.Elem.check()
	case Map:
		if t.Key == nil || t.Elem == nil {
			return fmt.Errorf("map without a key or value type")
		}
		if err := t.Key.check(); err != nil {
			return err
		}
		return t.Elem.check()
	case Row:
		if len(t.Fields) == 0 {
			return fmt.Errorf("row without fields")
		}
		for i, f := range t.Fields {
			if slices.ContainsFunc(t.Fields[:i], func(o Field) bool { return o.Name == f.Name }) {
				return fmt.Errorf("row with two fields named %q", f.Name)
			}
			if err := f.Type.check(); err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
	}
	return nil
}

// Index returns the position of the column of that name, or -1.
func (t *Table) Index(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// Names returns the column names in order.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// KeyNames returns the names of the primary key's columns, nil if there is no primary key.
func (t *Table) KeyNames() []string {
	var names []string
	for _, k := range t.Key {
		names = append(names, t.Columns[k].Name)
	}
	return names
}

// SameColumns reports whether both tables have the same column names and types in the same order.
func (t *Table) SameColumns(o *Table) bool {
	return slices.EqualFunc(t.Columns, o.Columns, func(a, b Column) bool {
		return a.Name == b.Name && a.Type.Equal(b.Type)
	})
}
