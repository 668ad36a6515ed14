package mysql

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Alter implements [jdbc.Admin]. All steps are one statement, which the server does wholly or not at all.
func (a admin) Alter(ctx context.Context, t *jdbc.Target, steps []plugin.ColumnChange) error {
	id := a.s.d.full(t.ID)
	var parts []string
	var errs []error
	for _, s := range steps {
		part, err := alterSQL(t, s, steps, a.s.MariaDB)
		errs = append(errs, err)
		if part != "" {
			parts = append(parts, part)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return ofTable(err, id)
	}
	return a.exec(ctx, id, "ALTER TABLE "+tableName(id)+" "+strings.Join(parts, ", "))
}

// alterSQL returns the part of the statement that makes a step. A rename goes with the modification of the same column,
// since all parts name the columns as they are before. The text is empty for a step that another one includes.
func alterSQL(t *jdbc.Target, s plugin.ColumnChange, steps []plugin.ColumnChange, mariaDB bool) (string, error) {
	sameColumn := func(a plugin.ColumnAction) int {
		return slices.IndexFunc(steps, func(o plugin.ColumnChange) bool {
			return o.Action == a && o.New.Name == s.New.Name
		})
	}
	switch s.Action {
	case plugin.DropColumn:
		return "DROP COLUMN " + quote(s.Old.Name), nil
	case plugin.RenameColumn:
		if sameColumn(plugin.ModifyColumn) >= 0 {
			return "", nil
		}
		return "RENAME COLUMN " + quote(s.Old.Name) + " TO " + quote(s.New.Name), nil
	case plugin.ModifyColumn:
		line, err := definition(t, s, mariaDB)
		if i := sameColumn(plugin.RenameColumn); i >= 0 {
			return "CHANGE COLUMN " + quote(steps[i].Old.Name) + " " + line, err
		}
		return "MODIFY COLUMN " + line, err
	default:
		line, err := definition(t, s, mariaDB)
		return "ADD COLUMN " + line + place(s), err
	}
}

// place says where an added column comes; nothing says that it comes last.
func place(s plugin.ColumnChange) string {
	switch {
	case s.Last:
		return ""
	case s.After == "":
		return " FIRST"
	default:
		return " AFTER " + quote(s.After)
	}
}

// definition returns a column's line as in the statement that makes the table.
func definition(t *jdbc.Target, s plugin.ColumnChange, mariaDB bool) (string, error) {
	i := slices.Index(t.Columns, s.New.Name)
	c := t.Source.Columns[i]
	if s.Action == plugin.AddColumn && c.Default == nil {
		switch c.Type.Kind {
		case plugin.Date, plugin.Time, plugin.Timestamp:
			c.NotNull = false // the rows that are there would get a date that is none
		}
	}
	return columnLine(t, i, c, t.Key, usable(t), mariaDB)
}
