package ddl

import (
	"slices"
	"strings"
)

// Apply returns the table after the changes of a statement. The error has [ErrNotUnderstood] if the columns cannot be
// the ones that the statement was made for, for example if it drops one that is not there.
//
// All changes of a statement happen at once, in the servers' order: columns are dropped, then changed where they are,
// then new and moved ones are put in their places, in the order of the clauses, beside columns by their new names.
func (t Table) Apply(s Statement) (Table, error) {
	a := &applier{from: t, to: t}
	for i := range s.Changes {
		if c := s.Changes[i]; c.kind == setCharset {
			a.setCharset(c)
		}
	}
	if err := a.existing(s.Changes); err != nil {
		return t, err
	}
	if err := a.place(s.Changes); err != nil {
		return t, err
	}
	if err := a.keys(s.Changes); err != nil {
		return t, err
	}
	return a.to, nil
}

type applier struct {
	from, to Table
}

func index(columns []Column, name string) int {
	return slices.IndexFunc(columns, func(c Column) bool { return strings.EqualFold(c.Name, name) })
}

func (a *applier) setCharset(c Change) {
	if c.charset != "" && c.charset != a.to.Charset {
		a.to.Charset, a.to.Collation = c.charset, ""
	}
	if c.collation != "" {
		a.to.Collation = c.collation
	}
}

// existing keeps, changes or drops the columns that are there. Those that move are left out, to be placed later.
func (a *applier) existing(changes []Change) error {
	touched := make([]int, len(a.from.Columns)) // the number of clauses that drop or define a column
	by := make([]*Change, len(a.from.Columns))
	for i := range changes {
		c := &changes[i]
		if !c.ofColumn() {
			continue
		}
		at := index(a.from.Columns, c.name)
		switch {
		case at < 0 && c.soft:
		case at < 0:
			return notUnderstood("there is no column %s", c.name)
		case c.kind != setDefault && c.kind != setVisible:
			by[at] = c
			if touched[at]++; touched[at] > 1 {
				return notUnderstood("column %s is changed twice", c.name)
			}
		}
	}
	a.followKey(by)
	a.to.Columns = make([]Column, 0, len(a.from.Columns)+len(changes))
	for i, col := range a.from.Columns {
		col.alter(changes)
		if err := a.keep(col, by[i]); err != nil {
			return err
		}
	}
	return nil
}

// followKey gives the key's columns their new names and leaves out those that are dropped. by is what changes each
// column.
func (a *applier) followKey(by []*Change) {
	a.to.Key = nil
	for _, k := range a.from.Key {
		at := index(a.from.Columns, k)
		switch {
		case at < 0 || by[at] == nil:
		case by[at].kind == dropColumn:
			continue
		default:
			k = by[at].column.Name
		}
		a.to.Key = append(a.to.Key, k)
	}
}

// ofColumn reports whether the change is one of a column that is there.
func (c *Change) ofColumn() bool {
	return c.kind != addColumn && c.kind != addKey && c.kind != dropKey && c.kind != setCharset
}

// alter applies the clauses that change a column a little.
func (col *Column) alter(changes []Change) {
	for i := range changes {
		c := &changes[i]
		if !strings.EqualFold(c.name, col.Name) {
			continue
		}
		switch c.kind {
		case setDefault:
			col.Default = c.column.Default
		case setVisible:
			col.Invisible = c.column.Invisible
		}
	}
}

// keep does to one column what a clause says.
func (a *applier) keep(col Column, c *Change) error {
	if c == nil {
		a.to.Columns = append(a.to.Columns, col)
		return nil
	}
	switch c.kind {
	case dropColumn:
		return nil
	case renameColumn:
		col.Name = c.column.Name
		a.to.Columns = append(a.to.Columns, col)
		return nil
	}
	if c.place != (place{}) {
		return nil
	}
	made, err := a.define(c)
	if err == nil {
		a.to.Columns = append(a.to.Columns, made)
	}
	return err
}

// define makes the column of a definition.
func (a *applier) define(c *Change) (Column, error) {
	col := c.column
	var err error
	col.Type, col.Charset, col.Collation, err = col.typ.resolve(&a.to)
	col.typ = dataType{}
	return col, err
}

// place puts new and moved columns in their places.
func (a *applier) place(changes []Change) error {
	for i := range changes {
		c := &changes[i]
		if c.kind != addColumn && (c.kind != changeColumn || c.place == (place{})) {
			continue
		}
		if c.kind == changeColumn && c.soft && index(a.from.Columns, c.name) < 0 {
			continue
		}
		if index(a.to.Columns, c.column.Name) >= 0 {
			if c.soft && c.kind == addColumn {
				continue
			}
			return notUnderstood("there is a column %s already", c.column.Name)
		}
		col, err := a.define(c)
		if err != nil {
			return err
		}
		at := len(a.to.Columns)
		if c.place.first {
			at = 0
		}
		if c.place.after != "" {
			if at = index(a.to.Columns, c.place.after) + 1; at == 0 {
				return notUnderstood("there is no column %s to come after", c.place.after)
			}
		}
		a.to.Columns = slices.Insert(a.to.Columns, at, col)
	}
	names := map[string]bool{}
	for _, col := range a.to.Columns {
		if name := strings.ToLower(col.Name); names[name] {
			return notUnderstood("there would be two columns %s", col.Name)
		} else {
			names[name] = true
		}
	}
	if len(names) == 0 {
		return notUnderstood("no column would be left")
	}
	return nil
}

// keys drops and makes the primary key, whose columns cannot be null.
func (a *applier) keys(changes []Change) error {
	for i := range changes {
		if changes[i].kind == dropKey {
			a.to.Key = nil
		}
	}
	for i := range changes {
		c := &changes[i]
		switch {
		case c.kind == addKey:
			a.to.Key = slices.Clone(c.key)
		case c.primary && index(a.to.Columns, c.column.Name) >= 0:
			if !(c.soft && index(a.from.Columns, c.column.Name) >= 0 && c.kind == addColumn) {
				a.to.Key = []string{c.column.Name}
			}
		}
	}
	for i, k := range a.to.Key {
		at := index(a.to.Columns, k)
		if at < 0 {
			return notUnderstood("the key's column %s is not there", k)
		}
		a.to.Key[i] = a.to.Columns[at].Name
		a.to.Columns[at].NotNull = true
	}
	return nil
}
