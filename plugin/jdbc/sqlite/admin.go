package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// admin makes and empties the tables of a sink. It shares the lanes' connection and takes turns with them.
type admin struct{ d *database }

// Admin implements [jdbc.Database].
func (d *database) Admin(ctx context.Context) (jdbc.Admin, error) {
	err := d.acquire(ctx, func(*session) error {
		d.users++
		return nil
	})
	return admin{d}, err
}

// Close implements [jdbc.Admin].
func (a admin) Close() error { return a.d.leave(func() {}) }

// Columns implements [jdbc.Admin].
func (a admin) Columns(ctx context.Context, id plugin.TableID) (names []string, err error) {
	err = a.d.acquire(ctx, func(s *session) error {
		list, err := rows(s.Conn, "SELECT name FROM pragma_table_info(?1)", id.Name)
		for _, row := range list {
			name, _ := row[0].(string)
			names = append(names, name)
		}
		return s.ended(ctx, err)
	})
	return names, ofTable(err, id)
}

// Create implements [jdbc.Admin].
func (a admin) Create(ctx context.Context, t *jdbc.Target, indexes bool) error {
	sql, err := createSQL(t, indexes)
	if err != nil {
		return ofTable(err, t.ID)
	}
	return a.exec(ctx, t.ID, sql)
}

// Drop implements [jdbc.Admin].
func (a admin) Drop(ctx context.Context, id plugin.TableID) error {
	return a.exec(ctx, id, "DROP TABLE "+quote(id.Name))
}

// Clear implements [jdbc.Admin].
func (a admin) Clear(ctx context.Context, id plugin.TableID) error {
	return a.exec(ctx, id, "DELETE FROM "+quote(id.Name))
}

// HasRows implements [jdbc.Admin].
func (a admin) HasRows(ctx context.Context, id plugin.TableID) (has bool, err error) {
	err = a.d.acquire(ctx, func(s *session) error {
		row, err := s.Row("SELECT 1 FROM " + quote(id.Name) + " LIMIT 1")
		has = row != nil
		return s.ended(ctx, err)
	})
	return has, ofTable(err, id)
}

// Exec implements [jdbc.Admin].
func (a admin) Exec(ctx context.Context, sql string) error { return a.exec(ctx, plugin.TableID{}, sql) }

func (a admin) exec(ctx context.Context, id plugin.TableID, sql string) error {
	err := a.d.acquire(ctx, func(s *session) error {
		return s.transaction(ctx, func() error { return s.Exec(sql) })
	})
	return ofTable(err, id)
}

// createSQL returns the statements that make a target table. A table with a key is stored in the key's order, without
// row ids; one whose key is a single INT uses the row id itself.
func createSQL(t *jdbc.Target, indexes bool) (string, error) {
	key := t.Key
	if !indexes {
		key = nil
	}
	rowID := len(key) == 1 && t.Source.Columns[key[0]].Type.Kind == plugin.Int
	var lines []string
	var errs []error
	for i, c := range t.Source.Columns {
		declared, err := declare(c)
		errs = append(errs, err)
		line := quote(t.Columns[i]) + " " + declared
		switch {
		case rowID && i == key[0]:
			line = quote(t.Columns[i]) + " INTEGER PRIMARY KEY"
		case c.NotNull || slices.Contains(key, i):
			line += " NOT NULL"
		}
		lines = append(lines, line)
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	options := ""
	if len(key) > 0 && !rowID {
		lines = append(lines, "PRIMARY KEY ("+quoteAll(names(t, key))+")")
		options = " WITHOUT ROWID"
	}
	sql := "CREATE TABLE " + quote(t.ID.Name) + " (\n\t" + strings.Join(lines, ",\n\t") + "\n)" + options
	if indexes {
		sql += constraintSQL(t)
	}
	return sql, nil
}

func names(t *jdbc.Target, columns []int) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = t.Columns[c]
	}
	return list
}

// constraintSQL makes the unique and plain indexes of the incoming table. Those that equal the key are left out.
func constraintSQL(t *jdbc.Target) string {
	var sql strings.Builder
	for n, c := range t.Source.Constraints {
		if c.Kind != plugin.UniqueKey && c.Kind != plugin.IndexKey {
			continue
		}
		var columns []int
		var list []string
		for _, col := range c.Columns {
			i := t.Source.Index(col.Name)
			if i < 0 {
				columns = nil
				break
			}
			columns = append(columns, i)
			item := quote(t.Columns[i])
			if col.Desc {
				item += " DESC"
			}
			list = append(list, item)
		}
		if columns == nil || slices.Equal(columns, t.Key) {
			continue
		}
		unique := ""
		if c.Kind == plugin.UniqueKey {
			unique = "UNIQUE "
		}
		name := quote(fmt.Sprintf("%s_index_%d", t.ID.Name, n+1))
		fmt.Fprintf(&sql, ";\nCREATE %sINDEX %s ON %s (%s)", unique, name, quote(t.ID.Name), strings.Join(list, ", "))
	}
	return sql.String()
}
