package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// catalog looks at tables for a source.
type catalog struct{ s *session }

// Catalog implements [jdbc.Database].
func (d *database) Catalog(ctx context.Context) (jdbc.Catalog, error) {
	s, err := d.connect(ctx, lite.ReadOnly)
	if err != nil {
		return nil, err
	}
	return catalog{s}, nil
}

// Close implements [jdbc.Catalog].
func (c catalog) Close() error { return c.s.Close() }

// Describe implements [jdbc.Catalog].
func (c catalog) Describe(ctx context.Context, r jdbc.Request) (*jdbc.Relation, error) {
	stop := c.s.Watch(ctx)
	defer stop()
	relation, err := c.describe(r)
	if err != nil {
		id := r.ID
		if r.Path != "" {
			id, _ = plugin.ParseTableID(r.Path, false)
		}
		return nil, ofTable(c.s.ended(ctx, err), id)
	}
	return relation, nil
}

func (c catalog) describe(r jdbc.Request) (*jdbc.Relation, error) {
	var from *structure
	t := plugin.Table{ID: r.ID, Catalog: "Jdbc"}
	if r.Path != "" {
		var err error
		if t.ID, err = plugin.ParseTableID(r.Path, false); err != nil {
			return nil, configError(err, "write table_path as table or main.table")
		}
		if from, err = readStructure(c.s.Conn, t.ID); err != nil {
			return nil, err
		}
	}
	if err := c.checkQuery(r.Query); err != nil {
		return nil, err
	}
	relation := &jdbc.Relation{Request: r}
	if err := c.chooseKey(relation, from); err != nil {
		return nil, err
	}
	relation.From = fromClause(relation, t.ID)
	columns, err := c.columns(relation, from)
	if err != nil {
		return nil, err
	}
	t.Columns = columns
	if from != nil {
		from.describe(&t)
	}
	relation.Table, err = plugin.NewTable(t)
	if err == nil && !relation.Hidden && relation.Key != "" && relation.Table.Index(relation.Key) < 0 {
		err = unknownKey(relation)
	}
	return relation, err
}

// checkQuery compiles the job's query by itself, so that a mistake in it is reported in its own words.
func (c catalog) checkQuery(query string) error {
	if query == "" {
		return nil
	}
	stmt, err := c.s.Prepare(query)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer stmt.Close()
	if stmt.Columns() == 0 || stmt.Params() > 0 {
		return configError(errors.New("query: the statement must return rows and have no parameters"), "write a SELECT")
	}
	return nil
}

// fromClause returns what stands behind FROM: a table, or a query in brackets. A condition goes inside, so that it may
// end with more than a condition.
func fromClause(r *jdbc.Relation, id plugin.TableID) string {
	if r.Query != "" {
		query := strings.TrimRight(strings.TrimSpace(r.Query), "; \t\r\n")
		if r.Where != "" {
			query = "SELECT * FROM (" + query + "\n) AS q " + r.Where
		}
		return "(" + query + "\n)"
	}
	table := quote(id.Name)
	if id.Database != "" {
		table = quote(id.Database) + "." + table
	}
	if r.Where == "" {
		return table
	}
	columns := "*"
	if r.Hidden {
		columns += ", " + r.Key
	}
	return "(SELECT " + columns + " FROM " + table + " " + r.Where + "\n)"
}

// chooseKey finds the column to cut by: the job's, else the row id, else the first column of the primary key.
func (c catalog) chooseKey(r *jdbc.Relation, from *structure) error {
	r.Key = r.Request.Key
	if r.Query != "" || from == nil {
		return nil
	}
	if r.Key != "" {
		i := from.index(r.Key)
		if i < 0 {
			return unknownKeyOf(r.Key, from.names())
		}
		r.Key = from.columns[i].name
		r.Unique = len(from.key) == 1 && from.key[0] == i && (from.withoutRowID || from.columns[i].rowID)
		return nil
	}
	switch {
	case from.rowID != "":
		r.Key, r.Unique, r.Hidden = from.rowID, true, true
	case len(from.key) > 0:
		r.Key, r.Unique = from.columns[from.key[0]].name, len(from.key) == 1
	}
	return nil
}

func unknownKey(r *jdbc.Relation) error { return unknownKeyOf(r.Key, r.Table.Names()) }

func unknownKeyOf(name string, have []string) error {
	fix := "the columns are " + strings.Join(have, ", ")
	if near, ok := config.Nearest(name, have); ok {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	return configError(fmt.Errorf("partition_column: there is no column %q", name), fix)
}

// columns returns the columns of a relation with their types. All columns without a type are reported together.
func (c catalog) columns(r *jdbc.Relation, from *structure) ([]plugin.Column, error) {
	list := "*"
	if from != nil && r.Query == "" {
		list = quoteAll(from.names())
	}
	stmt, err := c.s.Prepare("SELECT " + list + " FROM " + r.From)
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	columns := make([]plugin.Column, stmt.Columns())
	var errs []error
	for i := range columns {
		columns[i], err = c.column(r, stmt, i)
		errs = append(errs, err)
	}
	return columns, errors.Join(errs...)
}

func (c catalog) column(r *jdbc.Relation, stmt *lite.Stmt, i int) (plugin.Column, error) {
	column := plugin.Column{Name: stmt.Name(i), SourceType: stmt.Declared(i)}
	if column.SourceType == "" {
		kind, err := c.infer(r, column.Name)
		column.Type = plugin.TypeOf(kind)
		return column, err
	}
	t, length, ok := typeOf(column.SourceType)
	if !ok {
		return column, &plugin.Error{
			Code: plugin.CodeType, Err: fmt.Errorf("column %s has the unknown type %s", column.Name, column.SourceType),
			Fix: "read it by a query with an expression, such as CAST(" + column.Name + " AS TEXT) AS " + column.Name,
		}
	}
	column.Type, column.Length = t, length
	return column, nil
}

// sampleRows is how many rows decide the type of a column without a declared one.
const sampleRows = "1000"

// infer finds a type that holds the first values of a column.
func (c catalog) infer(r *jdbc.Relation, name string) (plugin.Kind, error) {
	stmt, err := c.s.Prepare("SELECT DISTINCT typeof(v) FROM (SELECT " + quote(name) + " AS v FROM " + r.From +
		" LIMIT " + sampleRows + ")")
	if err != nil {
		return plugin.String, err
	}
	defer stmt.Close()
	seen := map[string]bool{}
	for {
		more, err := stmt.Step()
		if err != nil {
			return plugin.String, err
		}
		if !more {
			break
		}
		seen[string(stmt.Bytes(0))] = true
	}
	switch {
	case seen["text"]:
		return plugin.String, nil
	case seen["blob"]:
		return plugin.Bytes, nil
	case seen["real"]:
		return plugin.Double, nil
	case seen["integer"]:
		return plugin.BigInt, nil
	default:
		return plugin.String, nil
	}
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}

// keyExpr returns the SQL text of a relation's key.
func keyExpr(r *jdbc.Relation) string {
	if r.Hidden {
		return r.Key // a row id's name in quotes would be a text where the table has none
	}
	return quote(r.Key)
}

// Extent implements [jdbc.Catalog]. The ends are looked up one at a time: so SQLite uses an index.
func (c catalog) Extent(ctx context.Context, r *jdbc.Relation) (jdbc.Extent, error) {
	stop := c.s.Watch(ctx)
	defer stop()
	var e jdbc.Extent
	key, from := keyExpr(r), " FROM "+r.From
	rows, err := c.one(ctx, "SELECT count(*)"+from)
	if err != nil {
		return e, ofTable(err, r.Table.ID)
	}
	e.Rows, _ = rows.(int64)
	if !r.Unique {
		nulls, err := c.one(ctx, "SELECT count(*)"+from+" WHERE "+key+" IS NULL")
		if err != nil {
			return e, ofTable(err, r.Table.ID)
		}
		e.Nulls, _ = nulls.(int64)
	}
	for _, end := range []struct {
		sql string
		key **jdbc.Key
	}{{"min", &e.Min}, {"max", &e.Max}} {
		v, err := c.one(ctx, "SELECT "+end.sql+"("+key+")"+from)
		if err != nil {
			return e, ofTable(err, r.Table.ID)
		}
		if v != nil {
			*end.key = &jdbc.Key{Value: v}
		}
	}
	return e, nil
}

// one returns the only value of a query.
func (c catalog) one(ctx context.Context, sql string, args ...any) (any, error) {
	var row []any
	err := c.s.patient(ctx, func() (err error) {
		row, err = c.s.Row(sql, args...)
		return err
	})
	if err != nil || row == nil {
		return nil, c.s.ended(ctx, err)
	}
	return row[0], nil
}

// Advance implements [jdbc.Catalog].
func (c catalog) Advance(ctx context.Context, r *jdbc.Relation, from jdbc.Key, n int64) (*jdbc.Key, error) {
	stop := c.s.Watch(ctx)
	defer stop()
	key := keyExpr(r)
	next := "SELECT " + key + " FROM " + r.From + " WHERE " + key + " >= ?1"
	v, err := c.one(ctx, next+" ORDER BY 1 LIMIT 1 OFFSET ?2", from.Value, n)
	if err != nil || v == nil {
		return nil, ofTable(err, r.Table.ID)
	}
	// Where one value fills more than a chunk, the one after it is the boundary.
	v, err = c.one(ctx, next+" AND "+key+" > ?2 ORDER BY 1 LIMIT 1", v, from.Value)
	if err != nil || v == nil {
		return nil, ofTable(err, r.Table.ID)
	}
	return &jdbc.Key{Value: v}, nil
}
