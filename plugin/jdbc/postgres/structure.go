package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// structure is what the server knows about a table.
type structure struct {
	oid     string
	kind    string // pg_class.relkind
	comment string
	columns []columnInfo
	indexes []index
}

type columnInfo struct {
	name     string
	oid      uint32 // type; of a domain, the type below it
	declared string // as SQL text
	notNull  bool
	fixed    bool // the server computes it: nobody may write it
	value    *string
	comment  string
	number   string
}

// index is a valid index on plain columns of all rows.
type index struct {
	name            string
	unique, primary bool
	columns         []int
	desc            []bool
}

func (s *structure) names() []string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.name
	}
	return names
}

func (s *structure) index(name string) int {
	i := slices.IndexFunc(s.columns, func(c columnInfo) bool { return c.name == name })
	if i < 0 {
		i = slices.IndexFunc(s.columns, func(c columnInfo) bool { return strings.EqualFold(c.name, name) })
	}
	return i
}

// readStructure looks up a table or view; nil if there is none.
func readStructure(ctx context.Context, s *session, id plugin.TableID) (*structure, error) {
	rows, err := s.query(ctx, `SELECT c.oid::text, c.relkind::text, obj_description(c.oid, 'pg_class')
		FROM pg_class c WHERE c.oid = to_regclass($1)`, qualified(id))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	t := &structure{oid: string(rows[0][0]), kind: string(rows[0][1]), comment: string(rows[0][2])}
	if err := t.readColumns(ctx, s); err != nil {
		return nil, err
	}
	return t, t.readIndexes(ctx, s)
}

func (t *structure) readColumns(ctx context.Context, s *session) error {
	rows, err := s.query(ctx, `SELECT a.attname, CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END::text,
			format_type(a.atttypid, a.atttypmod), a.attnotnull::int::text,
			(a.attgenerated <> '' OR a.attidentity = 'a')::int::text,
			CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
			col_description(a.attrelid, a.attnum), a.attnum::text
		FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
		LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, t.oid)
	if err != nil {
		return err
	}
	for _, row := range rows {
		oid, err := strconv.ParseUint(string(row[1]), 10, 32)
		if err != nil {
			return err
		}
		c := columnInfo{
			name: string(row[0]), oid: uint32(oid), declared: string(row[2]), notNull: string(row[3]) == "1",
			fixed: string(row[4]) == "1", comment: string(row[6]), number: string(row[7]),
		}
		if row[5] != nil {
			c.value = plainDefault(string(row[5]))
		}
		t.columns = append(t.columns, c)
	}
	return nil
}

// plainDefault returns the value of a default that is a plain literal, nil for expressions.
func plainDefault(sql string) *string {
	text, _, _ := strings.Cut(sql, "::")
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		text = strings.ReplaceAll(text[1:len(text)-1], "''", "'")
		return &text
	}
	if text == "true" || text == "false" {
		return &text
	}
	if _, err := strconv.ParseFloat(strings.Trim(text, "()"), 64); err == nil {
		text = strings.Trim(text, "()")
		return &text
	}
	return nil
}

// readIndexes finds the indexes that keys are made of: the primary key first, then the unique ones.
func (t *structure) readIndexes(ctx context.Context, s *session) error {
	rows, err := s.query(ctx, `SELECT c.relname, i.indisunique::int::text, i.indisprimary::int::text,
			array_to_string((i.indkey::int2[])[0:i.indnkeyatts - 1], ' '), array_to_string(i.indoption::int2[], ' ')
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
		ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indexrelid`, t.oid)
	if err != nil {
		return err
	}
	for _, row := range rows {
		x := index{name: string(row[0]), unique: string(row[1]) == "1", primary: string(row[2]) == "1"}
		for _, number := range strings.Fields(string(row[3])) {
			x.columns = append(x.columns, slices.IndexFunc(t.columns, func(c columnInfo) bool { return c.number == number }))
		}
		for _, option := range strings.Fields(string(row[4])) {
			n, _ := strconv.Atoi(option)
			x.desc = append(x.desc, n&1 != 0)
		}
		if !slices.Contains(x.columns, -1) {
			t.indexes = append(t.indexes, x)
		}
	}
	return nil
}

// uniqueOn reports whether a unique index has exactly these columns, in any order.
func (t *structure) uniqueOn(columns []int) bool {
	want := slices.Sorted(slices.Values(columns))
	return slices.ContainsFunc(t.indexes, func(x index) bool {
		return x.unique && slices.Equal(want, slices.Sorted(slices.Values(x.columns)))
	})
}

// describe adds keys, constraints, defaults and comments to a table whose columns may come from a query.
func (t *structure) describe(tab *plugin.Table) {
	position := make([]int, len(t.columns))
	for i, c := range t.columns {
		position[i] = slices.IndexFunc(tab.Columns, func(o plugin.Column) bool { return o.Name == c.name })
		if p := position[i]; p >= 0 {
			tab.Columns[p].NotNull = c.notNull
			tab.Columns[p].Default = c.value
			tab.Columns[p].Comment = c.comment
		}
	}
	tab.Comment = t.comment
	for _, x := range t.indexes {
		if slices.ContainsFunc(x.columns, func(c int) bool { return position[c] < 0 }) {
			continue
		}
		if x.primary {
			tab.KeyName = x.name
			for _, c := range x.columns {
				tab.Key = append(tab.Key, position[c])
			}
			continue
		}
		constraint := plugin.Constraint{Name: x.name, Kind: plugin.IndexKey}
		if x.unique {
			constraint.Kind = plugin.UniqueKey
		}
		for i, c := range x.columns {
			constraint.Columns = append(constraint.Columns,
				plugin.ConstraintColumn{Name: t.columns[c].name, Desc: i < len(x.desc) && x.desc[i]})
		}
		tab.Constraints = append(tab.Constraints, constraint)
	}
}

// noTable is the error of a missing table, with the nearest name of those that are there.
func noTable(ctx context.Context, s *session, id plugin.TableID) error {
	e := &plugin.Error{
		Code: plugin.CodeNotFound, Table: id, Err: errors.New("there is no such table"),
		Fix: "check the name, its schema, and the database in the url",
	}
	rows, err := s.query(ctx, `SELECT n.nspname, c.relname, pg_table_is_visible(c.oid)::int::text FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
		ORDER BY 1, 2 LIMIT 5000`)
	if err != nil {
		return errors.Join(e, err)
	}
	var names []string
	for _, row := range rows {
		if id.Schema == "" && string(row[2]) == "1" {
			names = append(names, string(row[1]))
		} else {
			names = append(names, string(row[0])+"."+string(row[1]))
		}
	}
	wanted := id
	wanted.Database = ""
	if near, ok := config.Nearest(wanted.String(), names); ok {
		e.Fix = "did you mean " + near + "?"
	}
	return e
}
