package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Alter implements [jdbc.Admin]. All steps are one transaction.
func (a admin) Alter(ctx context.Context, t *jdbc.Target, steps []plugin.ColumnChange) error {
	var list []string
	var errs []error
	for _, s := range steps {
		sql, err := alterSQL(t, s)
		list, errs = append(list, sql...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return ofTable(err, t.ID)
	}
	if len(list) == 0 {
		return nil
	}
	return ofTable(a.s.transaction(ctx, func() error { return a.s.exec(ctx, strings.Join(list, ";\n")) }), t.ID)
}

// alterSQL returns the statements of one step. New columns come last, as the server has no other place for them.
func alterSQL(t *jdbc.Target, s plugin.ColumnChange) ([]string, error) {
	table := "ALTER TABLE " + qualified(t.ID) + " "
	switch s.Action {
	case plugin.DropColumn:
		return []string{table + "DROP COLUMN " + quote(s.Old.Name)}, nil
	case plugin.RenameColumn:
		return []string{table + "RENAME COLUMN " + quote(s.Old.Name) + " TO " + quote(s.New.Name)}, nil
	case plugin.AddColumn:
		return addSQL(t, table, s.New)
	default:
		return modifySQL(t, table, s)
	}
}

func addSQL(t *jdbc.Target, table string, c plugin.Column) ([]string, error) {
	typ, err := declare(t.Source, c)
	if err != nil {
		return nil, err
	}
	name := quote(c.Name)
	line := table + "ADD COLUMN " + name + " " + typ
	value := defaultSQL(c)
	filler, fills := jdbc.FillDefault(c.Type)
	fills = fills && c.NotNull && value == ""
	switch {
	case value != "":
		line += " DEFAULT " + value
	case fills:
		line += " DEFAULT " + literal(filler)
	}
	if c.NotNull && (value != "" || fills) {
		line += " NOT NULL"
	}
	list := []string{line}
	if fills {
		list = append(list, table+"ALTER COLUMN "+name+" DROP DEFAULT")
	}
	if c.Comment != "" {
		list = append(list, commentSQL(t, c))
	}
	return list, nil
}

// defaultSQL returns the default as SQL, empty if there is none or the database could not take it.
func defaultSQL(c plugin.Column) string {
	switch {
	case c.Default == nil || c.Type.Kind == plugin.Bytes || c.Type.Kind == plugin.Array:
		return ""
	case jdbc.IsNow(c):
		return "CURRENT_TIMESTAMP"
	}
	return literal(*c.Default)
}

func commentSQL(t *jdbc.Target, c plugin.Column) string {
	return "COMMENT ON COLUMN " + qualified(t.ID) + "." + quote(c.Name) + " IS " + literal(c.Comment)
}

// modifySQL changes what differs. A default goes first and comes back last: the server would not convert it.
func modifySQL(t *jdbc.Target, table string, s plugin.ColumnChange) ([]string, error) {
	before, err := declare(t.Source, s.Old)
	if err != nil {
		return nil, err
	}
	after, err := declare(t.Source, s.New)
	if err != nil {
		return nil, err
	}
	column := table + "ALTER COLUMN " + quote(s.New.Name)
	was, value := defaultSQL(s.Old), defaultSQL(s.New)
	var list []string
	if was != "" && (was != value || before != after) {
		list = append(list, column+" DROP DEFAULT")
	}
	if before != after {
		list = append(list, column+" TYPE "+after+using(s, after))
	}
	key := slices.ContainsFunc(t.Key, func(k int) bool { return t.Columns[k] == s.New.Name })
	switch {
	case s.New.NotNull && !s.Old.NotNull:
		list = append(list, column+" SET NOT NULL")
	case !s.New.NotNull && s.Old.NotNull && !key:
		list = append(list, column+" DROP NOT NULL")
	}
	if value != "" && (was != value || before != after) {
		list = append(list, column+" SET DEFAULT "+value)
	}
	if s.New.Comment != s.Old.Comment {
		list = append(list, commentSQL(t, s.New))
	}
	return list, nil
}

// using converts the values where the server does not do so by itself. Where it does, it refuses values that don't fit,
// while an explicit conversion would cut them.
func using(s plugin.ColumnChange, after string) string {
	old, now := s.Old.Type.Kind, s.New.Type.Kind
	explicit := old == plugin.String || old == plugin.Boolean || now == plugin.Boolean || now == plugin.Bytes ||
		old == plugin.Bytes
	if old == now || !explicit || now == plugin.String {
		return ""
	}
	name := quote(s.New.Name)
	switch {
	case old == plugin.Bytes || now == plugin.Bytes:
		return "" // there is no conversion; the server says so
	case old == plugin.Boolean:
		return " USING " + name + "::integer::" + after
	case now == plugin.Boolean && old != plugin.String:
		return " USING " + name + " <> 0"
	}
	return " USING " + name + "::" + after
}
