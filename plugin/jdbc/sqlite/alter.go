package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Alter implements [jdbc.Admin]. All steps are one transaction.
func (a admin) Alter(ctx context.Context, t *jdbc.Target, steps []plugin.ColumnChange) error {
	err := a.d.acquire(ctx, func(s *session) error {
		return s.transaction(ctx, func() error {
			for _, step := range steps {
				if err := s.alter(t, step); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return ofTable(err, t.ID)
}

// alter makes one step. New columns come last, as SQLite has no other place for them.
func (s *session) alter(t *jdbc.Target, step plugin.ColumnChange) error {
	table := "ALTER TABLE " + quote(t.ID.Name) + " "
	switch step.Action {
	case plugin.DropColumn:
		if err := s.dropIndexesOn(t.ID.Name, step.Old.Name); err != nil {
			return err
		}
		return s.Exec(table + "DROP COLUMN " + quote(step.Old.Name))
	case plugin.RenameColumn:
		return s.Exec(table + "RENAME COLUMN " + quote(step.Old.Name) + " TO " + quote(step.New.Name))
	case plugin.AddColumn:
		line, err := addSQL(step.New)
		if err != nil {
			return err
		}
		return s.Exec(table + "ADD COLUMN " + line)
	default:
		return s.modify(t, step)
	}
}

// addSQL returns the definition of an added column. One that may not be null needs a default for the rows that are
// there.
func addSQL(c plugin.Column) (string, error) {
	declared, err := declare(c)
	if err != nil {
		return "", err
	}
	line := quote(c.Name) + " " + declared
	value, ok := jdbc.FillDefault(c.Type)
	switch {
	case c.Default != nil && !jdbc.IsNow(c):
		value, ok = *c.Default, true
	case !c.NotNull:
		ok = false
	}
	if !ok {
		return line, nil
	}
	if c.NotNull {
		line += " NOT NULL"
	}
	return line + " DEFAULT '" + strings.ReplaceAll(value, "'", "''") + "'", nil
}

// dropIndexesOn drops the indexes that a column is part of, as other databases do by themselves.
func (s *session) dropIndexesOn(table, column string) error {
	list, err := rows(s.Conn, `SELECT i.name FROM pragma_index_list(?1) i, pragma_index_info(i.name) c
		WHERE i.origin = 'c' AND c.name = ?2 COLLATE NOCASE`, table, column)
	if err != nil {
		return err
	}
	for _, row := range list {
		name, _ := row[0].(string)
		if err := s.Exec("DROP INDEX " + quote(name)); err != nil {
			return err
		}
	}
	return nil
}

// modify changes a column's type or whether it may be null, for which SQLite has no statement: the table is made anew.
func (s *session) modify(t *jdbc.Target, step plugin.ColumnChange) error {
	before, err := declare(step.Old)
	if err != nil {
		return err
	}
	after, err := declare(step.New)
	if err != nil {
		return err
	}
	if before == after && step.Old.NotNull == step.New.NotNull {
		return nil
	}
	old, err := s.definitionOf(t.ID.Name)
	if err != nil {
		return err
	}
	for i := range old.columns {
		c := &old.columns[i]
		if strings.EqualFold(c.name, step.New.Name) {
			c.declared, c.notNull = after, step.New.NotNull || c.key > 0
		}
	}
	return s.rebuild(t.ID.Name, old)
}

// definition is what a table is made anew from.
type definition struct {
	columns      []definedColumn
	withoutRowID bool
	others       []string // statements that make its indexes and triggers
}

type definedColumn struct {
	name, declared, value string
	notNull               bool
	key                   int64 // place in the primary key, from 1
}

// cannotRebuild are words of a table's statement that mean more than a definition holds.
var cannotRebuild = []string{"CHECK", "REFERENCES", "COLLATE", "GENERATED", "AUTOINCREMENT", "UNIQUE"}

func (s *session) definitionOf(table string) (*definition, error) {
	row, err := s.Row("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE", table)
	if err != nil || row == nil {
		return nil, errors.Join(err, fmt.Errorf("%s is no table", table))
	}
	text, _ := row[0].(string)
	for _, word := range cannotRebuild {
		if strings.Contains(strings.ToUpper(text), word) {
			return nil, &plugin.Error{
				Code: plugin.CodeConfig, Err: fmt.Errorf("a column's type changed, and the table has a %s", word),
				Fix: "SQLite cannot change a column in place; change the table by hand and resume the job",
			}
		}
	}
	d := &definition{}
	if row, err = s.Row("SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main'", table); err != nil {
		return nil, err
	}
	d.withoutRowID = row != nil && row[0] == int64(1)
	list, err := rows(s.Conn, `SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?1)`, table)
	if err != nil {
		return nil, err
	}
	for _, row := range list {
		c := definedColumn{notNull: row[2] == int64(1)}
		c.name, _ = row[0].(string)
		c.declared, _ = row[1].(string)
		c.value, _ = row[3].(string)
		c.key, _ = row[4].(int64)
		d.columns = append(d.columns, c)
	}
	list,
		err = rows(s.Conn, `SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 COLLATE NOCASE AND type IN ('index', 'trigger')
		AND sql IS NOT NULL`, table)
	for _, row := range list {
		text, _ := row[0].(string)
		d.others = append(d.others, text)
	}
	return d, err
}

// rebuild makes a table anew and moves its rows.
func (s *session) rebuild(table string, d *definition) error {
	var lines, names []string
	key := slices.Clone(d.columns)
	for _, c := range d.columns {
		line := quote(c.name) + " " + c.declared
		if c.notNull {
			line += " NOT NULL"
		}
		if c.value != "" {
			line += " DEFAULT " + c.value
		}
		lines, names = append(lines, line), append(names, c.name)
	}
	key = slices.DeleteFunc(key, func(c definedColumn) bool { return c.key == 0 })
	slices.SortFunc(key, func(a, b definedColumn) int { return cmp.Compare(a.key, b.key) })
	if len(key) > 0 {
		var parts []string
		for _, c := range key {
			parts = append(parts, c.name)
		}
		lines = append(lines, "PRIMARY KEY ("+quoteAll(parts)+")")
	}
	options := ""
	if d.withoutRowID {
		options = " WITHOUT ROWID"
	}
	fresh := quote("culvert_new_" + table)
	for _, sql := range append([]string{
		"CREATE TABLE " + fresh + " (" + strings.Join(lines, ", ") + ")" + options,
		"INSERT INTO " + fresh + " SELECT " + quoteAll(names) + " FROM " + quote(table),
		"DROP TABLE " + quote(table),
		"ALTER TABLE " + fresh + " RENAME TO " + quote(table),
	}, d.others...) {
		if err := s.Exec(sql); err != nil {
			return err
		}
	}
	return nil
}
