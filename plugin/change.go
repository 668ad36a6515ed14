package plugin

import "slices"

// SchemaChange is a change of a table's columns, as an item in the stream. Both versions have the same ID; a table that
// gets another name is another table.
type SchemaChange struct {
	Old, New *Table
	// Renamed are the columns of New that have another name in Old. A column of New that is neither named here nor in
	// Old is new; a column of both is the same one. A statement that drops a column and adds one of its name is
	// therefore two changes.
	Renamed []Rename
	// Truncated says that the columns are the same, and that all rows before the change are gone. New is a version of
	// its own all the same.
	Truncated bool
	// Statement is the DDL text that caused it, where there was one; for logs and consoles only.
	Statement string
}

// Rename is a column that got another name.
type Rename struct{ From, To string }

// ColumnAction is what happens to a column in a [SchemaChange].
type ColumnAction uint8

// The actions.
const (
	DropColumn   ColumnAction = iota
	RenameColumn              // New differs from Old by its name; a change of its type is a step of its own
	ModifyColumn              // the type, nullability, default, length or comment
	AddColumn
)

// String returns the name in lower case, for example rename.
func (a ColumnAction) String() string { return [...]string{"drop", "rename", "modify", "add"}[a] }

// ColumnChange is one step of a [SchemaChange].
type ColumnChange struct {
	Action ColumnAction
	// Old is the column before the step; the zero value for AddColumn.
	Old Column
	// New is the column after it; the zero value for DropColumn.
	New Column
	// After is the column that an added one follows, by the name it has after all steps; empty means it comes first.
	After string
	// Last says that an added column comes behind all others, and so do those added after it.
	Last bool
}

// Steps returns what turns the columns of Old into those of New, in an order in which it can be done one by one: drops,
// renames, modifications, additions. Columns that only change places are no step.
func (c SchemaChange) Steps() []ColumnChange {
	var steps []ColumnChange
	from := make(map[string]string, len(c.Renamed)) // new name to old name
	for _, r := range c.Renamed {
		from[r.To] = r.From
	}
	origin := func(n Column) int {
		if name, ok := from[n.Name]; ok {
			return c.Old.Index(name)
		}
		if slices.ContainsFunc(c.Renamed, func(r Rename) bool { return r.From == n.Name }) {
			return -1 // the old column of this name lives on under another one
		}
		return c.Old.Index(n.Name)
	}
	kept := make([]bool, len(c.Old.Columns))
	var renames, modifies, adds []ColumnChange
	for i, n := range c.New.Columns {
		at := origin(n)
		if at < 0 {
			adds = append(adds, c.added(i))
			continue
		}
		kept[at] = true
		old := c.Old.Columns[at]
		if old.Name != n.Name {
			renamed := old
			renamed.Name = n.Name
			renames = append(renames, ColumnChange{Action: RenameColumn, Old: old, New: renamed})
			old = renamed
		}
		if !sameColumn(old, n) {
			modifies = append(modifies, ColumnChange{Action: ModifyColumn, Old: old, New: n})
		}
	}
	for i, old := range c.Old.Columns {
		if !kept[i] {
			steps = append(steps, ColumnChange{Action: DropColumn, Old: old})
		}
	}
	return slices.Concat(steps, inOrder(renames), modifies, adds)
}

// added is the step that makes column i of New.
func (c SchemaChange) added(i int) ColumnChange {
	step := ColumnChange{Action: AddColumn, New: c.New.Columns[i], Last: true}
	if i > 0 {
		step.After = c.New.Columns[i-1].Name
	}
	for _, behind := range c.New.Columns[i+1:] {
		renamed := slices.ContainsFunc(c.Renamed, func(r Rename) bool { return r.To == behind.Name })
		if renamed || c.Old.Index(behind.Name) >= 0 {
			step.Last = false
		}
	}
	return step
}

// inOrder puts each rename behind the one that frees its new name. Renames in a circle stay as they are.
func inOrder(renames []ColumnChange) []ColumnChange {
	var ordered []ColumnChange
	left := slices.Clone(renames)
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(r ColumnChange) bool {
			return !slices.ContainsFunc(left, func(o ColumnChange) bool { return o.Old.Name == r.New.Name })
		})
		if i < 0 {
			return append(ordered, left...)
		}
		ordered = append(ordered, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return ordered
}

// sameColumn reports whether two columns of one name are declared alike.
func sameColumn(a, b Column) bool {
	defaults := a.Default == nil && b.Default == nil ||
		a.Default != nil && b.Default != nil && *a.Default == *b.Default
	return defaults && a.Type.Equal(b.Type) && a.NotNull == b.NotNull && a.Length == b.Length &&
		a.Comment == b.Comment && a.SourceType == b.SourceType
}
