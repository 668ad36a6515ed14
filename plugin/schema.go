package plugin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/culvertdata/culvert/plugin/config"
)

// Schema is the block schema { table, schema_first, comment, fields | columns, primaryKey, constraintKeys } of a job
// file: the columns of a source that cannot know them. As an option's type it decodes itself and reports all problems.
// Columns may be left out for sources that know theirs and take only the table's name, such as parquet files.
type Schema struct {
	// ID is schema.table; the zero value if it is not given.
	ID      TableID
	Comment string
	// Columns are nil if neither fields nor columns is given.
	Columns []SchemaColumn
	// Long says that the columns were declared in the long form, columns = [...]. In it SeaTunnel takes a missing
	// columnLength for 0, in the short form for unlimited.
	Long bool
	// Key holds the names of the primary key's columns, KeyName its name.
	Key         []string
	KeyName     string
	Constraints []Constraint
}

// SchemaColumn is one column of a [Schema], with what its declaration said.
type SchemaColumn struct {
	Column
	// DeclaredLength is columnLength, nil if it was not given.
	DeclaredLength *int64
	// DeclaredScale is columnScale, nil if it was not given. For time and timestamp it is part of the type already.
	DeclaredScale *int
	// DefaultValue is defaultValue as written; Kind None if it was not given.
	DefaultValue config.Value
	Pos          config.Pos
}

type schemaOptions struct {
	Table       string             `opt:"table" help:"Name of the table: table, database.table or database.schema.table."`
	SchemaFirst bool               `opt:"schema_first" default:"false" help:"Read a name of two parts as schema.table."`
	Comment     string             `opt:"comment" help:"Comment of the table."`
	Fields      config.Value       `opt:"fields" help:"Columns in the short form: name = type."`
	Columns     []columnOptions    `opt:"columns" help:"Columns in the long form."`
	PrimaryKey  *primaryKeyOptions `opt:"primaryKey" help:"The primary key."`
	Constraints []keyOptions       `opt:"constraintKeys" help:"Other keys and indexes."`
}

// Rules implements config.Ruled.
func (schemaOptions) Rules() []config.Rule {
	return []config.Rule{config.AtMostOne("fields", "columns")}
}

type columnOptions struct {
	Name     config.Value `opt:"name" required:"true" help:"Name of the column."`
	Type     config.Value `opt:"type" required:"true" help:"Type of the column."`
	Length   *int64       `opt:"columnLength" min:"0" help:"Length in characters or bytes."`
	Scale    *int         `opt:"columnScale" min:"0" help:"Fractional digits."`
	Nullable bool         `opt:"nullable" default:"true" help:"Whether the column may be null."`
	Default  config.Value `opt:"defaultValue" help:"Value of rows that give none."`
	Comment  string       `opt:"comment" help:"Comment of the column."`
}

type primaryKeyOptions struct {
	Name    string   `opt:"name" required:"true" help:"Name of the key."`
	Columns []string `opt:"columnNames" required:"true" help:"Its columns."`
}

type keyOptions struct {
	Name    string             `opt:"constraintName" required:"true" help:"Name of the key."`
	Type    constraintType     `opt:"constraintType" required:"true" help:"Kind of the key."`
	Columns []keyColumnOptions `opt:"constraintColumns" required:"true" help:"Its columns."`
}

// constraintType is the kind of a key as the job language spells it, in any case.
type constraintType ConstraintKind

// DecodeConfig implements config.Decoder.
func (t *constraintType) DecodeConfig(v config.Value) error {
	var names []string
	for k := IndexKey; k <= VectorIndexKey; k++ {
		if strings.EqualFold(k.String(), v.Text) {
			*t = constraintType(k)
			return nil
		}
		names = append(names, k.String())
	}
	return fmt.Errorf("%q is not allowed; allowed: %s", v.String(), strings.Join(names, ", "))
}

type keyColumnOptions struct {
	Name string `opt:"columnName" required:"true" help:"Name of the column."`
	Sort string `opt:"sortType" default:"ASC" enum:"ASC,DESC" help:"Order of the key."`
}

var schemaSpec = sync.OnceValues(config.SpecOf[schemaOptions])

// DecodeConfig reads the block. Its error is a *config.Error.
func (s *Schema) DecodeConfig(v config.Value) error {
	spec, err := schemaSpec()
	if err != nil {
		return err
	}
	var o schemaOptions
	ps := spec.Decode(v, &o)
	*s = Schema{Comment: o.Comment, Long: o.Columns != nil}
	if o.Table != "" {
		if s.ID, err = ParseTableID(o.Table, o.SchemaFirst); err != nil {
			ps.Errorf("table", at(v, "table"), "%v", err)
		}
	}
	if s.Long {
		s.addColumns(o.Columns, &ps)
	} else if o.Fields.Kind != config.None {
		s.addFields(o.Fields, &ps)
	}
	s.addKeys(o, v, &ps)
	if len(ps) == 0 {
		return nil
	}
	return &config.Error{Problems: ps}
}

// at returns the place of an option, that of its block if it is not there.
func at(v config.Value, name string) config.Pos {
	if found, ok := v.Lookup(name); ok {
		return found.Pos
	}
	return v.Pos
}

func (s *Schema) addFields(v config.Value, ps *config.Problems) {
	if v.Kind != config.Object {
		ps.Errorf("fields", v.Pos, "must be an object of name = type, not %s", v.Kind)
		return
	}
	if len(v.Members) == 0 {
		ps.Errorf("fields", v.Pos, "must have at least one column")
	}
	s.Columns = make([]SchemaColumn, len(v.Members))
	for i, m := range v.Members {
		t := typeFromConfig(m.Value, "fields."+m.Key, 0, ps)
		s.Columns[i] = SchemaColumn{Column: Column{Name: m.Key, Type: t}, Pos: m.Pos}
	}
}

func (s *Schema) addColumns(columns []columnOptions, ps *config.Problems) {
	if len(columns) == 0 {
		ps.Errorf("columns", config.Pos{}, "must have at least one column")
	}
	seen := make(map[string]bool, len(columns))
	s.Columns = make([]SchemaColumn, len(columns))
	for i, o := range columns {
		path := fmt.Sprintf("columns[%d]", i)
		if o.Name.Kind == config.None || o.Type.Kind == config.None {
			continue // required, so it was reported
		}
		c := o.column()
		if seen[c.Name] {
			ps.Errorf(path+".name", c.Pos, "two columns are named %q", c.Name)
		}
		seen[c.Name] = true
		c.Type = typeFromConfig(o.Type, path+".type", 0, ps)
		if o.Scale != nil && (c.Type.Kind == Time || c.Type.Kind == Timestamp) {
			c.Type.Scale = *o.Scale
			if err := c.Type.check(); err != nil {
				ps.Errorf(path+".columnScale", c.Pos, "%v", err)
			}
		}
		s.Columns[i] = c
	}
}

func (o columnOptions) column() SchemaColumn {
	c := SchemaColumn{
		Column:         Column{Name: o.Name.String(), NotNull: !o.Nullable, Comment: o.Comment},
		DeclaredLength: o.Length, DeclaredScale: o.Scale, DefaultValue: o.Default, Pos: o.Name.Pos,
	}
	if o.Length != nil {
		c.Length = *o.Length
	}
	if o.Default.Kind != config.None && o.Default.Kind != config.Null {
		text := o.Default.String()
		c.Default = &text
	}
	return c
}

func (s *Schema) addKeys(o schemaOptions, v config.Value, ps *config.Problems) {
	if o.PrimaryKey != nil {
		s.Key, s.KeyName = o.PrimaryKey.Columns, o.PrimaryKey.Name
		for _, name := range s.Key {
			s.checkColumn(name, "primaryKey.columnNames", at(v, "primaryKey"), ps)
		}
	}
	for i, key := range o.Constraints {
		c := Constraint{Name: key.Name, Kind: ConstraintKind(key.Type)}
		for _, col := range key.Columns {
			s.checkColumn(col.Name, fmt.Sprintf("constraintKeys[%d].constraintColumns", i), at(v, "constraintKeys"), ps)
			c.Columns = append(c.Columns, ConstraintColumn{Name: col.Name, Desc: col.Sort == "DESC"})
		}
		s.Constraints = append(s.Constraints, c)
	}
}

func (s *Schema) checkColumn(name, path string, pos config.Pos, ps *config.Problems) {
	if name == "" || s.index(name) >= 0 {
		return
	}
	text := fmt.Sprintf("there is no column %q", name)
	if near, ok := config.Nearest(name, s.Names()); ok {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	ps.Errorf(path, pos, "%s", text)
}

func (s *Schema) index(name string) int {
	return slices.IndexFunc(s.Columns, func(c SchemaColumn) bool { return c.Name == name })
}

// Names returns the column names in order.
func (s Schema) Names() []string {
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = c.Name
	}
	return names
}

// Table makes the table. Its name is schema.table, else fallback, else that of [DefaultTableID]; catalog names the
// plugin. It fails if the schema has no columns.
func (s Schema) Table(fallback TableID, catalog string) (*Table, error) {
	if len(s.Columns) == 0 {
		return nil, &Error{Code: CodeConfig, Table: s.ID, Err: errors.New("schema has neither fields nor columns"),
			Fix: "list the columns in schema.fields as name = type"}
	}
	t := Table{ID: s.ID, Comment: s.Comment, KeyName: s.KeyName, Constraints: s.Constraints, Catalog: catalog}
	if t.ID.Name == "" {
		t.ID = fallback
	}
	for _, c := range s.Columns {
		t.Columns = append(t.Columns, c.Column)
	}
	for _, name := range s.Key {
		i := s.index(name)
		if i < 0 {
			return nil, fmt.Errorf("primary key: there is no column %q; the columns are %s", name,
				strings.Join(s.Names(), ", "))
		}
		t.Key = append(t.Key, i)
	}
	return NewTable(t)
}
