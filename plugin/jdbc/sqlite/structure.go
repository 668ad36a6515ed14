package sqlite

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// structure is what SQLite knows about a table.
type structure struct {
	columns      []columnInfo
	key          []int  // positions of the primary key
	rowID        string // a name of the row id; empty: there is none
	withoutRowID bool
	unique       []plugin.Constraint
}

type columnInfo struct {
	name    string
	notNull bool
	rowID   bool // another name of the row id
	value   *string
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

// describe adds keys, constraints and defaults to a table whose columns may come from a query.
func (s *structure) describe(t *plugin.Table) {
	position := func(name string) int {
		return slices.IndexFunc(t.Columns, func(c plugin.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	for _, c := range s.columns {
		if i := position(c.name); i >= 0 {
			t.Columns[i].NotNull = c.notNull
			t.Columns[i].Default = c.value
		}
	}
	for _, k := range s.key {
		i := position(s.columns[k].name)
		if i < 0 {
			t.Key = nil
			break
		}
		t.Key = append(t.Key, i)
	}
	for _, u := range s.unique {
		if !slices.ContainsFunc(u.Columns, func(c plugin.ConstraintColumn) bool { return position(c.Name) < 0 }) {
			t.Constraints = append(t.Constraints, u)
		}
	}
}

// readStructure looks up a table or view.
func readStructure(c *lite.Conn, id plugin.TableID) (*structure, error) {
	schema := id.Database
	if schema == "" {
		schema = "main"
	}
	table, err := c.Row("SELECT type, wr FROM pragma_table_list(?1) WHERE schema = ?2 COLLATE NOCASE", id.Name, schema)
	if err != nil {
		return nil, err
	}
	if table == nil {
		return nil, noTable(c, id)
	}
	s := &structure{withoutRowID: table[1] == int64(1)}
	if err := s.readColumns(c, id.Name, schema); err != nil {
		return nil, err
	}
	if table[0] == "table" && !s.withoutRowID {
		s.findRowID(c, id.Name, schema)
	}
	return s, s.readUnique(c, id.Name, schema)
}

// rows runs a query and returns all of its rows.
func rows(c *lite.Conn, sql string, args ...any) ([][]any, error) {
	stmt, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	if err := stmt.Bind(args...); err != nil {
		return nil, err
	}
	var all [][]any
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return all, err
		}
		all = append(all, stmt.Values())
	}
}

// hiddenColumn marks the columns of virtual tables that SELECT * leaves out.
const hiddenColumn = int64(1)

func (s *structure) readColumns(c *lite.Conn, table, schema string) error {
	list, err := rows(c, `SELECT name, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, ?2)`, table, schema)
	if err != nil {
		return err
	}
	type member struct{ column, order int }
	var key []member
	for _, row := range list {
		if row[4] == hiddenColumn {
			continue
		}
		name, _ := row[0].(string)
		info := columnInfo{name: name, notNull: row[1] == int64(1)}
		if text, ok := row[2].(string); ok {
			info.value = literal(text)
		}
		if order, _ := row[3].(int64); order > 0 {
			key = append(key, member{len(s.columns), int(order)})
		}
		s.columns = append(s.columns, info)
	}
	slices.SortFunc(key, func(a, b member) int { return cmp.Compare(a.order, b.order) })
	for _, m := range key {
		s.key = append(s.key, m.column)
	}
	return nil
}

// literal returns the value of a default that is a plain literal, nil for expressions.
func literal(sql string) *string {
	if strings.EqualFold(sql, "null") {
		return nil
	}
	if len(sql) >= 2 && sql[0] == '\'' && sql[len(sql)-1] == '\'' {
		text := strings.ReplaceAll(sql[1:len(sql)-1], "''", "'")
		return &text
	}
	for _, r := range sql {
		if (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' {
			return nil
		}
	}
	return &sql
}

// findRowID finds a name of the row id that no column takes, and the column that is another name for it. A key of
// exactly the type INTEGER is one, unless it was declared in a way that keeps it apart; that shows in the index that
// SQLite makes for every other key.
func (s *structure) findRowID(c *lite.Conn, table, schema string) {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if s.index(name) < 0 {
			s.rowID = name
			break
		}
	}
	if len(s.key) != 1 {
		return
	}
	index, err := c.Row("SELECT 1 FROM pragma_index_list(?1, ?2) WHERE origin = 'pk'", table, schema)
	s.columns[s.key[0]].rowID = err == nil && index == nil
}

// readUnique finds the unique indexes on plain columns.
func (s *structure) readUnique(c *lite.Conn, table, schema string) error {
	list, err := rows(c, `SELECT name FROM pragma_index_list(?1, ?2) WHERE "unique" = 1 AND origin <> 'pk' AND partial = 0
		ORDER BY seq DESC`, table, schema)
	if err != nil {
		return err
	}
	for _, row := range list {
		name, _ := row[0].(string)
		columns, err := rows(c, `SELECT name, "desc" FROM pragma_index_xinfo(?1, ?2) WHERE key = 1 ORDER BY seqno`,
			name, schema)
		if err != nil {
			return err
		}
		constraint := plugin.Constraint{Name: name, Kind: plugin.UniqueKey}
		for _, column := range columns {
			text, ok := column[0].(string)
			if !ok { // an expression
				constraint.Columns = nil
				break
			}
			c := plugin.ConstraintColumn{Name: text, Desc: column[1] == int64(1)}
			constraint.Columns = append(constraint.Columns, c)
		}
		if constraint.Columns != nil {
			s.unique = append(s.unique, constraint)
		}
	}
	return nil
}

// noTable is the error of a missing table, with the names of those that are there.
func noTable(c *lite.Conn, id plugin.TableID) error {
	e := &plugin.Error{Code: plugin.CodeNotFound, Table: id, Err: errors.New("there is no such table")}
	list, err := rows(c, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
	if err != nil {
		return errors.Join(e, err)
	}
	var names []string
	for _, row := range list {
		name, _ := row[0].(string)
		names = append(names, name)
	}
	e.Fix = "check the name and the file in the url"
	if near, ok := config.Nearest(id.Name, names); ok {
		e.Fix = "did you mean " + near + "?"
	}
	return e
}
