package jdbc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// ApplyChange alters the target table. A job with a statement of its own looks after its target itself; the statement
// must still fit the columns.
func (s *Sink) ApplyChange(ctx context.Context, c plugin.SchemaChange) error {
	before, err := newTarget(s.options, c.Old)
	if err != nil {
		return err
	}
	after, err := newTarget(s.options, c.New)
	if err != nil {
		return err
	}
	if after.Statement != nil {
		return sameParameters(before, after)
	}
	if err := keepsKey(before, after, c); err != nil {
		return err
	}
	admin, err := s.db.Admin(ctx)
	if err != nil {
		return err
	}
	return errors.Join(alter(ctx, admin, before, after, c), admin.Close())
}

// Truncate empties the target table, if it has rows of no other table.
func (s *Sink) Truncate(ctx context.Context, t *plugin.Table) error {
	target, err := newTarget(s.options, t)
	if err != nil {
		return err
	}
	if target.Statement != nil {
		return &plugin.Error{
			Code: plugin.CodeConfig, Table: t.ID, Err: errors.New("the table was truncated; the job has a statement of its own, " +
				"so its target is not known"), Fix: "let the sink generate its statements, or do not follow truncations",
		}
	}
	for _, other := range s.inputs {
		o, err := newTarget(s.options, other)
		if err == nil && other.ID != t.ID && o.ID == target.ID {
			return &plugin.Error{
				Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("the table was truncated; its target %s has the rows of %s, too",
					target.ID, other.ID), Fix: "delete its rows there by hand, and do not follow truncations",
			}
		}
	}
	admin, err := s.db.Admin(ctx)
	if err != nil {
		return err
	}
	return errors.Join(admin.Clear(ctx, target.ID), admin.Close())
}

// alter makes the steps that are still to be done, with the names of the target.
func alter(ctx context.Context, a Admin, before, after *Target, c plugin.SchemaChange) error {
	have, err := a.Columns(ctx, after.ID)
	if err != nil {
		return err
	}
	if have == nil {
		return &plugin.Error{
			Code: plugin.CodeNotFound, Table: after.ID, Err: errors.New("the columns changed, but there is no target table"),
			Fix: "make the table again, with its new columns, and resume the job",
		}
	}
	steps, err := remaining(before, after, c, have)
	if err != nil || len(steps) == 0 {
		return err
	}
	return a.Alter(ctx, after, steps)
}

// remaining returns the steps that turn the columns that the target has into those of the new version. A change that
// is applied again after a crash leaves the modifications only, which may be made twice.
func remaining(before, after *Target, c plugin.SchemaChange, have []string) ([]plugin.ColumnChange, error) {
	steps := named(before, after, c)
	gone, came := without(before.Columns, after.Columns), without(after.Columns, before.Columns)
	missing := without(came, have)
	done := len(gone)+len(came) > 0 && len(missing) == 0 && len(without(gone, have)) == len(gone)
	if len(gone)+len(came) == 0 && slices.ContainsFunc(steps, isRename) {
		return nil, &plugin.Error{
			Code: plugin.CodeConfig, Table: after.ID, Err: errors.New("columns of the table have exchanged their names"),
			Fix: "rename them in the target by hand, and start the job anew: nobody could tell whether it was done already",
		}
	}
	return slices.DeleteFunc(steps, func(s plugin.ColumnChange) bool {
		switch s.Action {
		case plugin.ModifyColumn:
			return false
		case plugin.AddColumn:
			return done || has(have, s.New.Name) && has(came, s.New.Name)
		case plugin.DropColumn:
			return done || !has(have, s.Old.Name)
		default:
			return done || !has(have, s.Old.Name) && has(have, s.New.Name)
		}
	}), nil
}

func isRename(s plugin.ColumnChange) bool { return s.Action == plugin.RenameColumn }

// named returns the steps of a change with the target's column names.
func named(before, after *Target, c plugin.SchemaChange) []plugin.ColumnChange {
	names := map[string]string{}
	for _, t := range []*Target{before, after} {
		for i, column := range t.Source.Columns {
			names[column.Name] = t.Columns[i]
		}
	}
	steps := c.Steps()
	for i := range steps {
		s := &steps[i]
		s.Old.Name, s.New.Name, s.After = names[s.Old.Name], names[s.New.Name], names[s.After]
	}
	return slices.DeleteFunc(steps, func(s plugin.ColumnChange) bool { return isRename(s) && s.Old.Name == s.New.Name })
}

// has reports whether a name is in a list; databases differ in whether case matters, targets must not depend on it.
func has(list []string, name string) bool {
	return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
}

// without returns the names of a list that another one does not have.
func without(list, other []string) []string {
	var left []string
	for _, name := range list {
		if !has(other, name) {
			left = append(left, name)
		}
	}
	return left
}

// keepsKey checks that the same columns identify a row as before.
func keepsKey(before, after *Target, c plugin.SchemaChange) error {
	names := func(t *Target) (list []string) {
		for _, k := range t.Key {
			list = append(list, t.Source.Columns[k].Name)
		}
		return list
	}
	old := names(before)
	for i, name := range old {
		if n := slices.IndexFunc(c.Renamed, func(r plugin.Rename) bool { return r.From == name }); n >= 0 {
			old[i] = c.Renamed[n].To
		}
	}
	now := names(after)
	if slices.Equal(slices.Sorted(slices.Values(old)), slices.Sorted(slices.Values(now))) {
		return nil
	}
	return &plugin.Error{
		Code: plugin.CodeConfig, Table: after.ID,
		Err: fmt.Errorf("the key changed from (%s) to (%s), which the sink does not follow", strings.Join(old, ", "),
			strings.Join(now, ", ")),
		Fix: "give the target that key by hand and start the job anew, or name the columns that identify a row in primary_keys",
	}
}

// sameParameters checks that a job's own statement gets the values that it got before.
func sameParameters(before, after *Target) error {
	for i, n := range after.Statement.Columns {
		if old := before.Statement.Columns[i]; before.Columns[old] != after.Columns[n] {
			return &plugin.Error{
				Code: plugin.CodeConfig, Table: after.ID,
				Err: fmt.Errorf("query: parameter %d was column %s and would be %s after the change of the table's columns", i+1,
					before.Columns[old], after.Columns[n]),
				Fix: "name the columns in the query, as :name, or let the sink generate its statements",
			}
		}
	}
	return nil
}

// FillDefault returns the text of a default that rows get which are there when a column is added that may not be null
// and has no default: what MySQL gives them. Empty types have none.
func FillDefault(t plugin.Type) (text string, ok bool) {
	switch t.Kind {
	case plugin.Boolean, plugin.TinyInt, plugin.SmallInt, plugin.Int, plugin.BigInt, plugin.Float, plugin.Double,
		plugin.Decimal:
		return "0", true
	case plugin.String:
		return "", true
	default:
		return "", false
	}
}

// IsNow reports whether the default of a column of some time type is the time of writing.
func IsNow(c plugin.Column) bool {
	if c.Default == nil || c.Type.Kind != plugin.Timestamp && c.Type.Kind != plugin.Date && c.Type.Kind != plugin.Time {
		return false
	}
	text := strings.ToLower(strings.TrimSpace(*c.Default))
	return strings.HasPrefix(text, "current_") || strings.HasPrefix(text, "now(") || strings.HasPrefix(text, "localtime")
}
