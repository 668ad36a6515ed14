package assert

import (
	"fmt"
	"slices"

	"github.com/culvertdata/culvert/plugin"
)

// check compares the declaration of a table with the rule.
func (r *CatalogRule) check(t *plugin.Table) error {
	err := r.PrimaryKey.check(t)
	if err == nil && len(r.Constraints) > 0 {
		err = checkConstraints(t, r.Constraints)
	}
	if err == nil && len(r.Columns) > 0 {
		err = checkColumns(t, r.Columns)
	}
	if err == nil {
		err = r.Table.check(t)
	}
	if err != nil {
		return &plugin.Error{Code: CodeRule, Table: t.ID, Err: err}
	}
	return nil
}

func (r *PrimaryKeyRule) check(t *plugin.Table) error {
	if r == nil {
		return nil
	}
	switch have := t.KeyNames(); {
	case len(have) == 0:
		return fmt.Errorf("primaryKey is null, not %s %s", r.Name, r.Columns)
	case t.KeyName != r.Name:
		return fmt.Errorf("primaryKey: %s is not equal to %s", t.KeyName, r.Name)
	case !sameSet(have, r.Columns):
		return fmt.Errorf("primaryKey columns: %s is not equal to %s", have, r.Columns)
	}
	return nil
}

// sameSet reports whether two lists have the same elements, in any order.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func checkConstraints(t *plugin.Table, rules []ConstraintRule) error {
	have := make([]string, len(t.Constraints))
	for i, c := range t.Constraints {
		have[i] = constraintText(c)
	}
	want := make([]string, len(rules))
	for i, r := range rules {
		want[i] = r.String()
	}
	if !sameSet(have, want) {
		return fmt.Errorf("constraintKeys: %s is not equal to %s", have, want)
	}
	return nil
}

func constraintText(c plugin.Constraint) string {
	r := ConstraintRule{Name: c.Name, Kind: c.Kind.String()}
	for _, col := range c.Columns {
		sort := "ASC"
		if col.Desc {
			sort = "DESC"
		}
		r.Columns = append(r.Columns, ConstraintColumnRule{Name: col.Name, Sort: sort})
	}
	return r.String()
}

// String returns the rule in words.
func (r ConstraintRule) String() string { return fmt.Sprintf("%s %s %v", r.Kind, r.Name, r.Columns) }

func checkColumns(t *plugin.Table, rules []ColumnRule) error {
	for _, r := range rules {
		i := t.Index(r.Name)
		if i < 0 {
			return fmt.Errorf("columns: there is no column %s; the table has %s", r.Name, t.Names())
		}
		if have, want := columnText(t.Columns[i]), r.String(); have != want {
			return fmt.Errorf("columns: %s is not equal to %s", have, want)
		}
	}
	if len(rules) != len(t.Columns) {
		return fmt.Errorf("columns: the table has %d, %s, the rule has %d", len(t.Columns), t.Names(), len(rules))
	}
	return nil
}

func columnText(c plugin.Column) string {
	value := "null"
	if c.Default != nil {
		value = *c.Default
	}
	return columnWords(c.Name, c.Type, c.Length, !c.NotNull, value, c.Comment)
}

// String returns the rule in words.
func (r ColumnRule) String() string {
	return columnWords(r.Name, r.Type.Type, r.Length, r.Nullable, r.defaultText(), r.Comment)
}

func (r ColumnRule) defaultText() string {
	if !r.Default.Scalar() {
		return "null"
	}
	return r.Default.Text
}

func columnWords(name string, t plugin.Type, length int64, nullable bool, value, comment string) string {
	return fmt.Sprintf("%s %s (length %d, nullable %v, default %s, comment %q)", name, t, length, nullable, value, comment)
}

func (r *IdentifierRule) check(t *plugin.Table) error {
	if r == nil || t.Catalog == r.Catalog && t.ID.String() == r.Table {
		return nil
	}
	return fmt.Errorf("tableIdentifier: %s.%s is not equal to %s.%s", t.Catalog, t.ID, r.Catalog, r.Table)
}
