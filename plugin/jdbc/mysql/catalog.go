package mysql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// catalog looks at tables for a source.
type catalog struct {
	d *database
	s *session // nil after the connection was lost
}

// Catalog implements [jdbc.Database].
func (d *database) Catalog(ctx context.Context) (jdbc.Catalog, error) {
	s, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &catalog{d, s}, nil
}

// Close implements [jdbc.Catalog].
func (c *catalog) Close() error {
	if c.s == nil {
		return nil
	}
	return c.s.Close()
}

// use runs f with a session. A context that ends takes the session with it, so the next call makes a new one.
func (c *catalog) use(ctx context.Context, id plugin.TableID, f func() error) error {
	if c.s == nil {
		s, err := c.d.connect(ctx)
		if err != nil {
			return err
		}
		c.s = s
	}
	stop := c.s.Watch(ctx)
	defer stop()
	err := f()
	lost := errors.Is(err, wire.ErrLost) || ctx.Err() != nil
	err = ofTable(c.s.ended(ctx, err), id)
	if lost {
		_ = c.s.Close() // it may be in the middle of an answer
		c.s = nil
	}
	return err
}

// Describe implements [jdbc.Catalog].
func (c *catalog) Describe(ctx context.Context, r jdbc.Request) (relation *jdbc.Relation, err error) {
	id := r.ID
	if r.Path != "" {
		id, _ = plugin.ParseTableID(r.Path, false)
	}
	err = c.use(ctx, id, func() (err error) {
		relation, err = c.describe(r)
		return err
	})
	return relation, err
}

func (c *catalog) describe(r jdbc.Request) (*jdbc.Relation, error) {
	t := plugin.Table{ID: r.ID, Catalog: catalogName}
	relation := &jdbc.Relation{Request: r}
	var from *structure
	if r.Path != "" {
		id, err := plugin.ParseTableID(r.Path, false)
		if err != nil {
			return nil, configError(err, "write table_path as database.table")
		}
		if from, err = c.s.readStructure(id); err != nil {
			return nil, err
		}
		if from == nil {
			return nil, c.s.noTable(id)
		}
		t.ID = from.id
	}
	relation.From = fromClause(relation, t.ID)
	columns, types, err := c.columns(relation)
	if err != nil {
		return nil, err
	}
	t.Columns = columns
	if from != nil {
		from.describe(&t)
	}
	if relation.Table, err = plugin.NewTable(t); err != nil {
		return nil, err
	}
	return relation, c.chooseKey(relation, types)
}

// fromClause returns what stands behind FROM: a table, or a query in brackets.
func fromClause(r *jdbc.Relation, id plugin.TableID) string {
	if r.Query != "" {
		query := strings.TrimRight(strings.TrimSpace(r.Query), "; \t\r\n")
		if r.Where != "" {
			query = "SELECT * FROM (" + query + "\n) AS q " + r.Where
		}
		return "(" + query + "\n) AS q"
	}
	table := tableName(id)
	if r.Where != "" {
		return "(SELECT * FROM " + table + " " + r.Where + "\n) AS q"
	}
	return table
}

func tableName(id plugin.TableID) string {
	if id.Database == "" {
		return quote(id.Name)
	}
	return quote(id.Database) + "." + quote(id.Name)
}

// columns asks the server to compile the relation and returns its columns. All columns of unknown types are reported
// together.
func (c *catalog) columns(r *jdbc.Relation) ([]plugin.Column, []wire.Column, error) {
	if r.Query != "" {
		query := strings.TrimRight(strings.TrimSpace(r.Query), "; \t\r\n")
		if _, err := c.compile(query); err != nil { // by itself, so that a mistake is reported in its own words
			return nil, nil, err
		}
	}
	types, err := c.compile("SELECT * FROM " + r.From)
	if err != nil {
		return nil, nil, err
	}
	columns := make([]plugin.Column, len(types))
	var errs []error
	for i, w := range types {
		t, ok := c.s.d.typeOf(w)
		if !ok {
			errs = append(errs, &plugin.Error{
				Code: plugin.CodeType, Err: fmt.Errorf("column %s has the unknown type number %d", w.Name, w.Type),
				Fix: "read it by a query with an expression, such as CAST(" + w.Name + " AS CHAR) AS " + w.Name,
			})
		}
		columns[i] = plugin.Column{
			Name: w.Name, Type: t, Length: lengthOf(w, t), NotNull: w.Flags&wire.FlagNotNull != 0,
		}
	}
	return columns, types, errors.Join(errs...)
}

func (c *catalog) compile(query string) ([]wire.Column, error) {
	stmt, err := c.s.Prepare(query)
	if err != nil {
		return nil, err
	}
	if err := stmt.Close(); err != nil {
		return nil, err
	}
	if len(stmt.Columns) == 0 || stmt.Params > 0 {
		return nil, configError(errors.New("query: the statement must return rows and have no parameters"), "write a SELECT")
	}
	return stmt.Columns, nil
}

// chooseKey finds the column to cut by: the job's, else the first of the primary key, else of a unique key.
func (c *catalog) chooseKey(r *jdbc.Relation, types []wire.Column) error {
	t := r.Table
	if r.Request.Key != "" {
		i := slices.IndexFunc(t.Columns, func(c plugin.Column) bool { return strings.EqualFold(c.Name, r.Request.Key) })
		if i < 0 {
			return unknownKey(r.Request.Key, t.Names())
		}
		if !cuts(types[i]) {
			return configError(fmt.Errorf("partition_column: values of %s, %s, cannot be cut into ranges", t.Columns[i].Name,
				t.Columns[i].Type),
				"use a column of numbers, texts, bytes, dates or timestamps")
		}
		r.Key = t.Columns[i].Name
		r.Unique = r.Path != "" && unique(t, i)
		return nil
	}
	if r.Query != "" && r.Path == "" {
		return nil
	}
	candidates := slices.Clone(t.Key)
	for _, u := range t.Constraints {
		if u.Kind == plugin.UniqueKey {
			candidates = append(candidates, t.Index(u.Columns[0].Name))
		}
	}
	for _, i := range candidates {
		if i >= 0 && cuts(types[i]) {
			r.Key, r.Unique = t.Columns[i].Name, unique(t, i)
			return nil
		}
	}
	return nil
}

// unique reports that a column alone identifies a row. A query that has a path is trusted not to double rows, except
// that nothing is lost if it does: see [jdbc.Relation].
func unique(t *plugin.Table, i int) bool {
	if len(t.Key) == 1 && t.Key[0] == i {
		return true
	}
	return t.Columns[i].NotNull && slices.ContainsFunc(t.Constraints, func(c plugin.Constraint) bool {
		return c.Kind == plugin.UniqueKey && len(c.Columns) == 1 && c.Columns[0].Name == t.Columns[i].Name
	})
}

// cuts reports whether ranges of a column's values can be told by literals.
func cuts(c wire.Column) bool {
	if c.Flags&(wire.FlagEnum|wire.FlagSet) != 0 {
		return false
	}
	switch c.Type {
	case wire.TypeFloat, wire.TypeBit, wire.TypeJSON, wire.TypeGeometry, wire.TypeNull, wire.TypeTime, wire.TypeVector,
		wire.TypeEnum, wire.TypeSet:
		return false
	}
	return true
}

func unknownKey(name string, have []string) error {
	fix := "the columns are " + strings.Join(have, ", ")
	if near, ok := config.Nearest(name, have); ok {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	return configError(fmt.Errorf("partition_column: there is no column %q", name), fix)
}

// Extent implements [jdbc.Catalog]. Rows of whole tables are estimated; a wrong estimate changes the number of chunks
// only.
func (c *catalog) Extent(ctx context.Context, r *jdbc.Relation) (e jdbc.Extent, err error) {
	err = c.use(ctx, r.Table.ID, func() (err error) {
		e, err = c.extent(r)
		return err
	})
	return e, err
}

func (c *catalog) extent(r *jdbc.Relation) (jdbc.Extent, error) {
	var e jdbc.Extent
	key := quote(r.Key)
	ends, err := c.s.Rows("SELECT MIN(" + key + "), MAX(" + key + ") FROM " + r.From)
	if err != nil {
		return e, err
	}
	e.Min, e.Max = keyOf(ends[0][0]), keyOf(ends[0][1])
	if e.Rows, err = c.count(r); err != nil {
		return e, err
	}
	if r.Unique {
		return e, nil
	}
	nulls, err := c.s.one("SELECT COUNT(*) FROM " + r.From + " WHERE " + key + " IS NULL")
	e.Nulls = number(nulls)
	e.Rows = max(e.Rows, e.Nulls)
	return e, err
}

// estimateFrom is the estimate from which on it is used: below it, counting is cheap.
const estimateFrom = 200_000

func (c *catalog) count(r *jdbc.Relation) (int64, error) {
	if r.Path != "" && r.Query == "" && r.Where == "" {
		t, err := c.s.readStructure(r.Table.ID)
		if err != nil {
			return 0, err
		}
		if t != nil && t.rows >= estimateFrom {
			return t.rows, nil
		}
	}
	n, err := c.s.one("SELECT COUNT(*) FROM " + r.From)
	return number(n), err
}

// keyOf returns a value as a key; nil for null. Whole numbers that an int64 holds are such, also those of unsigned and
// decimal columns, so that they can be cut by steps.
func keyOf(v any) *jdbc.Key {
	switch v := v.(type) {
	case nil:
		return nil
	case uint64:
		if v <= math.MaxInt64 {
			return &jdbc.Key{Value: int64(v)}
		}
		return &jdbc.Key{Value: wire.String(v)}
	default:
		return &jdbc.Key{Value: v}
	}
}

// Advance implements [jdbc.Catalog].
func (c *catalog) Advance(ctx context.Context, r *jdbc.Relation, from jdbc.Key, n int64) (to *jdbc.Key, err error) {
	err = c.use(ctx, r.Table.ID, func() (err error) {
		to, err = c.advance(r, from, n)
		return err
	})
	return to, err
}

func (c *catalog) advance(r *jdbc.Relation, from jdbc.Key, n int64) (*jdbc.Key, error) {
	key, param := quote(r.Key), keyParam(r, from)
	next := "SELECT " + key + " FROM " + r.From + " WHERE " + key + " >= " + param
	v, err := c.s.one(fmt.Sprintf("%s ORDER BY 1 LIMIT 1 OFFSET %d", next, n), from.Value)
	if err != nil || v == nil {
		return nil, err
	}
	// Where one value fills more than a chunk, the one after it is the boundary.
	to := keyOf(v)
	v, err = c.s.one(next+" AND "+key+" >= "+keyParam(r, *to)+" AND "+key+" > "+param+" ORDER BY 1 LIMIT 1",
		from.Value, to.Value, from.Value)
	return keyOf(v), err
}

// keyParam returns the parameter for a key in a comparison. A text must become what the column holds, or the server
// would compare both as floating point numbers.
func keyParam(r *jdbc.Relation, k jdbc.Key) string {
	if _, text := k.Value.(string); !text {
		return "?"
	}
	switch t := r.Table.Columns[r.Table.Index(r.Key)].Type; t.Kind {
	case plugin.Decimal:
		return fmt.Sprintf("CAST(? AS DECIMAL(65,%d))", t.Scale)
	case plugin.Date:
		return "CAST(? AS DATE)"
	case plugin.Timestamp:
		return fmt.Sprintf("CAST(? AS DATETIME(%d))", t.Scale)
	default:
		return "?"
	}
}
