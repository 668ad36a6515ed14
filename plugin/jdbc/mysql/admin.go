package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// admin makes and empties the tables of a sink.
type admin struct{ s *session }

// Admin implements [jdbc.Database]. The database of the url may be missing: Create makes it.
func (d *database) Admin(ctx context.Context) (jdbc.Admin, error) {
	s, err := d.connect(ctx)
	var e *plugin.Error
	if errors.As(err, &e) && e.Code == plugin.CodeNotFound {
		bare := *d
		bare.config.Database = ""
		if s, err = bare.connect(ctx); err == nil {
			s.d = d
		}
	}
	if err != nil {
		return nil, err
	}
	return admin{s}, nil
}

// Close implements [jdbc.Admin].
func (a admin) Close() error { return a.s.Close() }

// Columns implements [jdbc.Admin].
func (a admin) Columns(ctx context.Context, id plugin.TableID) ([]string, error) {
	stop := a.s.Watch(ctx)
	defer stop()
	t, err := a.s.readStructure(id)
	if err != nil || t == nil {
		return nil, ofTable(a.s.ended(ctx, err), id)
	}
	return t.names(), nil
}

// Create implements [jdbc.Admin].
func (a admin) Create(ctx context.Context, t *jdbc.Target, indexes bool) error {
	id := a.s.d.full(t.ID)
	sql, err := createSQL(id, t, indexes, a.s.MariaDB)
	if err != nil {
		return ofTable(err, id)
	}
	if id.Database == "" {
		return a.exec(ctx, id, sql)
	}
	return a.exec(ctx, id, "CREATE DATABASE IF NOT EXISTS "+quote(id.Database)+" DEFAULT CHARACTER SET utf8mb4", sql)
}

// Drop implements [jdbc.Admin].
func (a admin) Drop(ctx context.Context, id plugin.TableID) error {
	id = a.s.d.full(id)
	return a.exec(ctx, id, "DROP TABLE "+tableName(id))
}

// Clear implements [jdbc.Admin]. A table that others refer to cannot be truncated, only emptied row by row.
func (a admin) Clear(ctx context.Context, id plugin.TableID) error {
	id = a.s.d.full(id)
	err := a.exec(ctx, id, "TRUNCATE TABLE "+tableName(id))
	if err == nil || ctx.Err() != nil {
		return err
	}
	return a.exec(ctx, id, "DELETE FROM "+tableName(id))
}

// HasRows implements [jdbc.Admin].
func (a admin) HasRows(ctx context.Context, id plugin.TableID) (bool, error) {
	stop := a.s.Watch(ctx)
	defer stop()
	id = a.s.d.full(id)
	v, err := a.s.one("SELECT 1 FROM " + tableName(id) + " LIMIT 1")
	return v != nil, ofTable(a.s.ended(ctx, err), id)
}

// Exec implements [jdbc.Admin].
func (a admin) Exec(ctx context.Context, sql string) error {
	return a.exec(ctx, plugin.TableID{}, strings.TrimRight(sql, "; \t\r\n"))
}

func (a admin) exec(ctx context.Context, id plugin.TableID, statements ...string) error {
	stop := a.s.Watch(ctx)
	defer stop()
	return ofTable(a.s.ended(ctx, a.s.exec(statements...)), id)
}

// createSQL returns the statement that makes a target table.
func createSQL(id plugin.TableID, t *jdbc.Target, indexes, mariaDB bool) (string, error) {
	key := t.Key
	var constraints []plugin.Constraint
	if indexes {
		constraints = usable(t)
	} else {
		key = nil
	}
	lines, err := columnLines(t, key, constraints, mariaDB)
	if err != nil {
		return "", err
	}
	if len(key) > 0 {
		lines = append(lines, "PRIMARY KEY ("+quoteAll(namesOf(t, key))+")")
	}
	for n, c := range constraints {
		lines = append(lines, constraintSQL(t, c, n))
	}
	sql := "CREATE TABLE " + tableName(id) + " (\n\t" + strings.Join(lines, ",\n\t") +
		"\n) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4"
	if t.Source.Comment != "" {
		sql += " COMMENT = " + quoteText(t.Source.Comment)
	}
	return sql, nil
}

// columnLines returns the definitions of the target's columns.
func columnLines(t *jdbc.Target, key []int, constraints []plugin.Constraint, mariaDB bool) ([]string, error) {
	var lines []string
	var errs []error
	for i, c := range t.Source.Columns {
		line, err := columnLine(t, i, c, key, constraints, mariaDB)
		lines, errs = append(lines, line), append(errs, err)
	}
	return lines, errors.Join(errs...)
}

// columnLine returns the definition of column i, which is declared as c.
func columnLine(t *jdbc.Target, i int, c plugin.Column, key []int, constraints []plugin.Constraint,
	mariaDB bool) (string, error) {
	indexed := slices.Contains(key, i) || slices.ContainsFunc(constraints, func(x plugin.Constraint) bool {
		return slices.ContainsFunc(x.Columns, func(c plugin.ConstraintColumn) bool { return t.Source.Index(c.Name) == i })
	})
	declared, err := declare(c, t.Source.Catalog, indexed)
	if indexed && c.Type.Kind == plugin.String && strings.Contains(strings.ToLower(declared), "char") {
		declared += exactly(mariaDB)
	}
	return columnSQL(t.Columns[i], declared, c, slices.Contains(key, i)), err
}

// exactly keeps texts of a key apart that differ in case, accents or blanks at the end: other databases do.
func exactly(mariaDB bool) string {
	if mariaDB {
		return " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
	}
	return " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
}

func columnSQL(name, declared string, c plugin.Column, key bool) string {
	line := quote(name) + " " + declared
	switch {
	case c.NotNull || key:
		line += " NOT NULL"
	default:
		line += " NULL"
	}
	switch {
	case c.Default == nil || !takesDefault(declared):
	case jdbc.IsNow(c):
		line += " DEFAULT " + now(c)
	default:
		line += " DEFAULT " + quoteText(*c.Default)
	}
	if c.Comment != "" {
		line += " COMMENT " + quoteText(c.Comment)
	}
	return line
}

// now is the time of writing, with the digits that the column has.
func now(c plugin.Column) string {
	if c.Type.Kind == plugin.Timestamp && c.Type.Scale > 0 {
		return fmt.Sprintf("CURRENT_TIMESTAMP(%d)", min(c.Type.Scale, 6))
	}
	return "CURRENT_TIMESTAMP"
}

// takesDefault reports whether a type may have a literal as its default.
func takesDefault(declared string) bool {
	declared = strings.ToLower(declared)
	for _, kind := range []string{"text", "blob", "json", "geometry", "bit", "point", "polygon", "linestring"} {
		if strings.Contains(declared, kind) {
			return false
		}
	}
	return true
}

// usable returns the incoming table's indexes that the target can have: all but those that equal the key.
func usable(t *jdbc.Target) []plugin.Constraint {
	var list []plugin.Constraint
	for _, c := range t.Source.Constraints {
		var columns []int
		for _, column := range c.Columns {
			columns = append(columns, t.Source.Index(column.Name))
		}
		if c.Kind != plugin.UniqueKey && c.Kind != plugin.IndexKey || slices.Contains(columns, -1) ||
			slices.Equal(columns, t.Key) {
			continue
		}
		list = append(list, c)
	}
	return list
}

func constraintSQL(t *jdbc.Target, c plugin.Constraint, n int) string {
	var items []string
	for _, column := range c.Columns {
		item := quote(t.Columns[t.Source.Index(column.Name)])
		if column.Desc {
			item += " DESC"
		}
		items = append(items, item)
	}
	name := c.Name
	if name == "" {
		name = fmt.Sprintf("%s_index_%d", t.ID.Name, n+1)
	}
	kind := "INDEX "
	if c.Kind == plugin.UniqueKey {
		kind = "UNIQUE INDEX "
	}
	return kind + quote(name) + " (" + strings.Join(items, ", ") + ")"
}

func namesOf(t *jdbc.Target, columns []int) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = t.Columns[c]
	}
	return list
}
