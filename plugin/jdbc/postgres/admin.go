package postgres

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

// Admin implements [jdbc.Database].
func (d *database) Admin(ctx context.Context) (jdbc.Admin, error) {
	s, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	return admin{s}, nil
}

// Close implements [jdbc.Admin].
func (a admin) Close() error { return a.s.Close() }

// Columns implements [jdbc.Admin].
func (a admin) Columns(ctx context.Context, id plugin.TableID) ([]string, error) {
	t, err := readStructure(ctx, a.s, id)
	if err != nil || t == nil {
		return nil, ofTable(err, id)
	}
	return t.names(), nil
}

// Create implements [jdbc.Admin]. Table, key, indexes and comments are made in one transaction.
func (a admin) Create(ctx context.Context, t *jdbc.Target, indexes bool) error {
	sql, err := createSQL(t, indexes)
	if err != nil {
		return ofTable(err, t.ID)
	}
	err = a.s.transaction(ctx, func() error {
		if t.ID.Schema != "" {
			has, err := a.s.value(ctx, "SELECT 1 FROM pg_namespace WHERE nspname = $1", t.ID.Schema)
			if err == nil && has == nil {
				err = a.s.exec(ctx, "CREATE SCHEMA "+quote(t.ID.Schema))
			}
			if err != nil {
				return err
			}
		}
		return a.s.exec(ctx, sql)
	})
	return ofTable(err, t.ID)
}

// Drop implements [jdbc.Admin].
func (a admin) Drop(ctx context.Context, id plugin.TableID) error {
	return ofTable(a.s.exec(ctx, "DROP TABLE "+qualified(id)), id)
}

// Clear implements [jdbc.Admin]. Where the user may not truncate, or a foreign key is in the way, it deletes.
func (a admin) Clear(ctx context.Context, id plugin.TableID) error {
	err := a.s.exec(ctx, "TRUNCATE TABLE "+qualified(id))
	if pg := serverError(err); pg != nil && (pg.Code == "42501" || pg.Code == "0A000" || pg.Code == "42809") {
		err = a.s.exec(ctx, "DELETE FROM "+qualified(id))
	}
	return ofTable(err, id)
}

// HasRows implements [jdbc.Admin].
func (a admin) HasRows(ctx context.Context, id plugin.TableID) (bool, error) {
	row, err := a.s.value(ctx, "SELECT 1 FROM "+qualified(id)+" LIMIT 1")
	return row != nil, ofTable(err, id)
}

// Exec implements [jdbc.Admin].
func (a admin) Exec(ctx context.Context, sql string) error { return a.s.exec(ctx, sql) }

// createSQL returns the statements that make a target table.
func createSQL(t *jdbc.Target, indexes bool) (string, error) {
	name := qualified(t.ID)
	key := t.Key
	if !indexes {
		key = nil
	}
	var lines []string
	var errs []error
	for i, c := range t.Source.Columns {
		typ, err := declare(t.Source, c)
		errs = append(errs, err)
		line := quote(t.Columns[i]) + " " + typ
		if c.NotNull && !slices.Contains(key, i) {
			line += " NOT NULL"
		}
		lines = append(lines, line)
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	if len(key) > 0 {
		lines = append(lines, "PRIMARY KEY ("+quoteAll(keyNames(t))+")")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n\t%s\n)", name, strings.Join(lines, ",\n\t"))
	if indexes {
		indexSQL(&b, t, name)
	}
	if t.Source.Comment != "" {
		fmt.Fprintf(&b, ";\nCOMMENT ON TABLE %s IS %s", name, literal(t.Source.Comment))
	}
	for i, c := range t.Source.Columns {
		if c.Comment != "" {
			fmt.Fprintf(&b, ";\nCOMMENT ON COLUMN %s.%s IS %s", name, quote(t.Columns[i]), literal(c.Comment))
		}
	}
	return b.String(), nil
}

// indexSQL makes the unique and plain indexes of the incoming table, except those that equal the key. The server names
// them.
func indexSQL(b *strings.Builder, t *jdbc.Target, name string) {
	for _, c := range t.Source.Constraints {
		if c.Kind != plugin.UniqueKey && c.Kind != plugin.IndexKey {
			continue
		}
		var columns []int
		var list []string
		for _, col := range c.Columns {
			i := t.Source.Index(col.Name)
			if i < 0 {
				list = nil
				break
			}
			item := quote(t.Columns[i])
			if col.Desc {
				item += " DESC"
			}
			columns, list = append(columns, i), append(list, item)
		}
		if list == nil || slices.Equal(columns, t.Key) {
			continue
		}
		unique := ""
		if c.Kind == plugin.UniqueKey {
			unique = "UNIQUE "
		}
		fmt.Fprintf(b, ";\nCREATE %sINDEX ON %s (%s)", unique, name, strings.Join(list, ", "))
	}
}
