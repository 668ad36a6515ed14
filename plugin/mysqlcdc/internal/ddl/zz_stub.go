package ddl
type Renaming struct{ From, To string }
func (s Statement) Renames() []Renaming { return nil }
