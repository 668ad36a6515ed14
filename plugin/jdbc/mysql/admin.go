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
	indexed := map[int]bool{}
	for _, k := range key {
		indexed[k] = true
	}
	for _, c := range constraints {
		for _, column := range c.Columns {
			indexed[t.Source.Index(column.Name)] = true
		}
	}
	var lines []string
	var errs []error
	for i, c := range t.Source.Columns {
		declared, err := declare(c, t.Source.Catalog, indexed[i])
		errs = append(errs, err)
		if indexed[i] && c.Type.Kind == plugin.String && strings.Contains(strings.ToLower(declared), "char") {
			declared += exactly(mariaDB)
		}
		lines = append(lines, columnSQL(t.Columns[i], declared, c, slices.Contains(key, i)))
	}
	if err := errors.Join(errs...); err != nil {
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
	if c.Default != nil && takesDefault(declared) {
		line += " DEFAULT " + quoteText(*c.Default)
	}
	if c.Comment != "" {
		line += " COMMENT " + quoteText(c.Comment)
	}
	return line
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
