package ddl

// Renaming is a column that gets another name.
type Renaming struct{ From, To string }

// Renames returns the columns of a table that a statement gives other names, in the order of its clauses. A name that
// differs in case only is another one too.
func (s Statement) Renames(t Table) []Renaming {
	var renames []Renaming
	for i := range s.Changes {
		c := &s.Changes[i]
		if c.kind != renameColumn && c.kind != changeColumn {
			continue
		}
		at := index(t.Columns, c.name)
		if at >= 0 && t.Columns[at].Name != c.column.Name {
			renames = append(renames, Renaming{t.Columns[at].Name, c.column.Name})
		}
	}
	return renames
}
