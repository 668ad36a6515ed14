package mysql

import (
	"errors"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// structure is what the server knows about a table.
type structure struct {
	id            plugin.TableID // with its database
	columns       []columnInfo
	key           []int // positions of the primary key
	unique        []plugin.Constraint
	engine        string
	comment       string
	rows          int64 // estimate
	transactional bool
}

type columnInfo struct {
	name, typeText, dataType, comment string
	notNull, generated                bool
	value                             *string // its default
	length                            int64
	fraction                          int64
}

func (s *structure) names() []string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.name
	}
	return names
}

func (s *structure) index(name string) int {
	return slices.IndexFunc(s.columns, func(c columnInfo) bool { return strings.EqualFold(c.name, name) })
}

// readStructure looks up a table or view; nil if there is none. Without a database it is the url's.
func (s *session) readStructure(id plugin.TableID) (*structure, error) {
	id = s.d.full(id)
	rows, err := s.Rows(`SELECT table_name, engine, table_comment, table_rows, table_type FROM information_schema.tables
		WHERE table_schema = ? AND table_name = ?`, id.Database, id.Name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	t := &structure{id: id, engine: wire.String(rows[0][1]), comment: wire.String(rows[0][2])}
	t.rows = -1
	switch n := rows[0][3].(type) {
	case int64:
		t.rows = n
	case uint64:
		t.rows = int64(n >> 1)
	}
	if wire.String(rows[0][4]) == "VIEW" {
		t.comment = ""
	}
	t.transactional = strings.EqualFold(t.engine, "InnoDB") || strings.EqualFold(t.engine, "ROCKSDB") ||
		strings.EqualFold(t.engine, "ndbcluster")
	if err := s.readColumns(t); err != nil {
		return nil, err
	}
	return t, s.readKeys(t)
}

// full fills in the url's database. There are no schemas here: a schema without a database is one.
func (d *database) full(id plugin.TableID) plugin.TableID {
	if id.Database == "" {
		id.Database = id.Schema
	}
	if id.Database == "" {
		id.Database = d.config.Database
	}
	id.Schema = ""
	return id
}

func (s *session) readColumns(t *structure) error {
	rows, err := s.Rows(`SELECT column_name, column_type, data_type, is_nullable, column_default, column_comment,
		character_maximum_length, extra, datetime_precision FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, t.id.Database, t.id.Name)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c := columnInfo{
			name: wire.String(row[0]), typeText: wire.String(row[1]), dataType: strings.ToLower(wire.String(row[2])),
			notNull: wire.String(row[3]) == "NO", comment: wire.String(row[5]),
		}
		extra := strings.ToLower(wire.String(row[7]))
		c.generated = strings.Contains(extra, "generated") && !strings.Contains(extra, "default_generated")
		if row[4] != nil && !strings.Contains(extra, "default_generated") {
			c.value = wire.Default(wire.String(row[4]), s.MariaDB)
		}
		c.length = number(row[6])
		c.fraction = number(row[8])
		t.columns = append(t.columns, c)
	}
	return nil
}

func number(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case uint64:
		return int64(min(v, 1<<62))
	}
	return 0
}

// readKeys finds the primary key and the unique indexes on whole columns.
func (s *session) readKeys(t *structure) error {
	rows, err := s.Rows(`SELECT index_name, non_unique, column_name, sub_part, collation FROM information_schema.statistics
		WHERE table_schema = ? AND table_name = ? AND index_type <> 'FULLTEXT' AND index_type <> 'SPATIAL'
		ORDER BY index_name, seq_in_index`, t.id.Database, t.id.Name)
	if err != nil {
		return err
	}
	partial := map[string]bool{}
	for _, row := range rows {
		name := wire.String(row[0])
		column := t.index(wire.String(row[2]))
		if name == "PRIMARY" && column < 0 {
			return &plugin.Error{Code: plugin.CodeUnavailable, Table: t.id, Retry: true,
				Err: errors.New("the table was altered while it was looked at")}
		}
		if name == "PRIMARY" {
			t.key = append(t.key, column)
			continue
		}
		if column < 0 || row[3] != nil {
			partial[name] = true
			continue
		}
		last := len(t.unique) - 1
		if last < 0 || t.unique[last].Name != name {
			kind := plugin.UniqueKey
			if number(row[1]) != 0 {
				kind = plugin.IndexKey
			}
			t.unique = append(t.unique, plugin.Constraint{Name: name, Kind: kind})
			last++
		}
		t.unique[last].Columns = append(t.unique[last].Columns, plugin.ConstraintColumn{
			Name: t.columns[column].name, Desc: wire.String(row[4]) == "D",
		})
	}
	t.unique = slices.DeleteFunc(t.unique, func(c plugin.Constraint) bool { return partial[c.Name] })
	return nil
}

// describe adds keys, constraints and defaults to a table whose columns may come from a query.
func (t *structure) describe(table *plugin.Table) {
	position := func(name string) int {
		return slices.IndexFunc(table.Columns, func(c plugin.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	table.Comment = t.comment
	for _, c := range t.columns {
		i := position(c.name)
		if i < 0 {
			continue
		}
		to := &table.Columns[i]
		to.NotNull, to.Default, to.Comment = c.notNull, c.value, c.comment
		if c.length > 0 && textual(c.dataType) {
			to.Length = c.length
		}
		to.SourceType = c.typeText
	}
	for _, k := range t.key {
		i := position(t.columns[k].name)
		if i < 0 {
			table.Key = nil
			break
		}
		table.Key = append(table.Key, i)
	}
	for _, u := range t.unique {
		if !slices.ContainsFunc(u.Columns, func(c plugin.ConstraintColumn) bool { return position(c.Name) < 0 }) {
			table.Constraints = append(table.Constraints, u)
		}
	}
}

// identifies reports whether columns are together the primary key or a unique index.
func (t *structure) identifies(names []string) bool {
	same := func(have []string) bool {
		return len(have) == len(names) && !slices.ContainsFunc(names, func(n string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, n) })
		})
	}
	var key []string
	for _, k := range t.key {
		key = append(key, t.columns[k].name)
	}
	if len(key) > 0 && same(key) {
		return true
	}
	return slices.ContainsFunc(t.unique, func(c plugin.Constraint) bool {
		var have []string
		for _, column := range c.Columns {
			have = append(have, column.Name)
		}
		return c.Kind == plugin.UniqueKey && same(have)
	})
}

// noTable is the error of a missing table, with the nearest name of those that are there.
func (s *session) noTable(id plugin.TableID) error {
	id = s.d.full(id)
	e := &plugin.Error{Code: plugin.CodeNotFound, Table: id, Err: errors.New("there is no such table"),
		Fix: "check its name"}
	if id.Database == "" {
		e.Fix = "name its database, in table_path or in the url"
		return e
	}
	rows, err := s.Rows("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", id.Database)
	if err != nil {
		return errors.Join(e, err)
	}
	var names []string
	for _, row := range rows {
		names = append(names, wire.String(row[0]))
	}
	if len(names) == 0 {
		e.Fix = "check the name of the database: there is none, it is empty, or the user may not see it"
	} else if near, ok := config.Nearest(id.Name, names); ok {
		e.Fix = "did you mean " + near + "?"
	}
	return e
}
