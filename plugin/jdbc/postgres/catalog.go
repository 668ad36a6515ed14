package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// catalog looks at tables for a source.
type catalog struct {
	d       *database
	s       *session
	release func() error
	ahead   boundaries
}

// Catalog implements [jdbc.Database].
func (d *database) Catalog(ctx context.Context) (jdbc.Catalog, error) {
	s, release, err := d.connectReading(ctx)
	if err != nil {
		return nil, err
	}
	return &catalog{d: d, s: s, release: release}, nil
}

// Close implements [jdbc.Catalog].
func (c *catalog) Close() error { return c.release() }

// alive connects again if a canceled statement took the connection with it. In a snapshot a failed statement ends the
// transaction, too, so there the session is made anew.
func (c *catalog) alive(ctx context.Context) error {
	if !c.s.IsClosed() && c.s.TxStatus() != 'E' {
		return nil
	}
	s, release, err := c.d.connectReading(ctx)
	if err != nil {
		return err
	}
	err = c.release() // after the new session: the snapshot must keep a user
	c.s, c.release = s, release
	return err
}

// Describe implements [jdbc.Catalog].
func (c *catalog) Describe(ctx context.Context, r jdbc.Request) (*jdbc.Relation, error) {
	if err := c.alive(ctx); err != nil {
		return nil, err
	}
	id := r.ID
	if r.Path != "" {
		var err error
		if id, err = plugin.ParseTableID(r.Path, true); err != nil {
			return nil, configError(err, "write table_path as table, schema.table or database.schema.table")
		}
		if id.Database != "" && id.Database != c.d.config.Database {
			return nil, ofTable(configError(fmt.Errorf("table_path: the url is that of the database %s", c.d.config.Database),
				"read tables of one database in each source, and name it in the url"), id)
		}
	}
	relation, err := settled(func() (*jdbc.Relation, error) { return c.describe(ctx, r, id) })
	return relation, ofTable(err, id)
}

// describeTries is how often a table is described that is altered meanwhile.
const describeTries = 5

// settled describes a table, anew if a column has gone since the catalog was asked for its name.
func settled(describe func() (*jdbc.Relation, error)) (*jdbc.Relation, error) {
	for try := 1; ; try++ {
		relation, err := describe()
		if pg := serverError(err); pg == nil || pg.Code != undefinedColumn || try == describeTries {
			return relation, err
		}
	}
}

func (c *catalog) describe(ctx context.Context, r jdbc.Request, id plugin.TableID) (*jdbc.Relation, error) {
	var from *structure
	var err error
	if r.Path != "" {
		if from, err = readStructure(ctx, c.s, id); err != nil {
			return nil, err
		}
		if from == nil {
			return nil, noTable(ctx, c.s, id)
		}
	}
	sql := r.Query
	if sql == "" {
		sql = "SELECT " + quoteAll(from.names()) + " FROM " + qualified(id)
	}
	columns, forms, err := c.columns(ctx, trimQuery(sql))
	if err != nil {
		return nil, err
	}
	t := plugin.Table{ID: id, Columns: columns, Catalog: catalogName}
	if from != nil {
		from.describe(&t)
	}
	relation := &jdbc.Relation{Request: r}
	if relation.Table, err = plugin.NewTable(t); err != nil {
		return nil, configError(err, "name the columns apart with AS")
	}
	p := &plan{forms: forms, table: qualified(id)}
	if err := chooseKey(relation, from, p); err != nil {
		return nil, err
	}
	relation.From = fromClause(relation, id, p)
	c.d.remember(relation, p)
	return relation, nil
}

func trimQuery(sql string) string { return strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n") }

// columns asks the server what a query returns.
func (c *catalog) columns(ctx context.Context, sql string) ([]plugin.Column, []form, error) {
	desc, err := c.s.Prepare(ctx, "", sql, nil)
	if err != nil {
		return nil, nil, c.s.explained(ctx, err)
	}
	if len(desc.Fields) == 0 || len(desc.ParamOIDs) > 0 {
		return nil, nil, configError(
			errors.New("query: the statement must return rows and have no parameters"), "write a SELECT")
	}
	columns := make([]plugin.Column, len(desc.Fields))
	forms := make([]form, len(desc.Fields))
	var oids, mods []string
	for i, f := range desc.Fields {
		forms[i] = formOf(f.DataTypeOID, f.TypeModifier)
		columns[i] = plugin.Column{Name: f.Name, Type: forms[i].typ, Length: forms[i].length}
		oids = append(oids, strconv.FormatUint(uint64(f.DataTypeOID), 10))
		mods = append(mods, strconv.Itoa(int(f.TypeModifier)))
	}
	names, err := c.s.query(ctx,
		"SELECT format_type(o, m) FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY x(o, m, n) ORDER BY n",
		"{"+strings.Join(oids, ",")+"}", "{"+strings.Join(mods, ",")+"}")
	if err != nil {
		return nil, nil, err
	}
	for i, row := range names {
		columns[i].SourceType = string(row[0])
	}
	return columns, forms, nil
}

// fromClause returns what stands behind FROM: a table, or a query in brackets, named q. A condition goes inside, so
// that it may end with more than a condition.
func fromClause(r *jdbc.Relation, id plugin.TableID, p *plan) string {
	switch {
	case r.Query != "" && r.Where != "":
		return "(SELECT * FROM (" + trimQuery(r.Query) + "\n) q " + r.Where + "\n) q"
	case r.Query != "":
		return "(" + trimQuery(r.Query) + "\n) q"
	case r.Where == "":
		return qualified(id) + " q"
	}
	columns := "*"
	if p.places {
		columns = "*, tableoid, ctid"
	}
	return "(SELECT " + columns + " FROM " + qualified(id) + " " + r.Where + "\n) q"
}

// chooseKey finds the column to cut by: the job's, else the first column of the primary key or of a unique one.
func chooseKey(r *jdbc.Relation, from *structure, p *plan) error {
	table := r.Table
	if r.Query == "" && from != nil {
		p.places = strings.Contains("rmp", from.kind)
	}
	if r.Request.Key != "" {
		i := table.Index(r.Request.Key)
		if i < 0 {
			return unknownKey(r.Request.Key, table.Names())
		}
		r.Key = r.Request.Key
		r.Unique = r.Query == "" && from != nil && table.Columns[i].NotNull && from.uniqueOn([]int{from.index(r.Key)})
		return p.setKey(table, i, true)
	}
	if r.Query != "" || from == nil {
		return nil
	}
	for _, x := range from.indexes {
		if !x.unique || p.setKey(table, x.columns[0], false) != nil {
			continue
		}
		r.Key = from.columns[x.columns[0]].name
		r.Unique = len(x.columns) == 1 && from.columns[x.columns[0]].notNull
		return nil
	}
	return nil
}

func unknownKey(name string, have []string) error {
	err := fmt.Errorf("partition_column: there is no column %q", name)
	if near, ok := config.Nearest(name, have); ok {
		return configError(err, fmt.Sprintf("did you mean %q?", near))
	}
	return configError(err, "the columns are "+strings.Join(have, ", "))
}

// Extent implements [jdbc.Catalog]. A table's rows are estimated as the planner does it.
func (c *catalog) Extent(ctx context.Context, r *jdbc.Relation) (jdbc.Extent, error) {
	var e jdbc.Extent
	if err := c.alive(ctx); err != nil {
		return e, err
	}
	p := c.d.plan(r)
	e.Rows = -1
	var err error
	if r.Query == "" && r.Where == "" {
		e.Rows, err = c.number(ctx, `SELECT
				(reltuples / relpages * (pg_relation_size(oid) / current_setting('block_size')::int))::int8
			FROM pg_class WHERE oid = to_regclass(`+literal(p.table)+`) AND reltuples > 0 AND relpages > 0
				AND relkind IN ('r', 'm')`)
	}
	if err == nil && e.Rows < 0 {
		e.Rows, err = c.number(ctx, "SELECT count(*) FROM "+r.From)
	}
	if i := r.Table.Index(r.Key); err == nil && !r.Table.Columns[i].NotNull {
		e.Nulls, err = c.number(ctx, "SELECT count(*) FROM "+r.From+" WHERE "+p.key.name+" IS NULL")
	}
	if err != nil {
		return e, ofTable(err, r.Table.ID)
	}
	e.Rows = max(e.Rows, e.Nulls)
	if e.Min, err = c.end(ctx, r, p, ""); err == nil {
		e.Max, err = c.end(ctx, r, p, " DESC")
	}
	return e, ofTable(err, r.Table.ID)
}

// end returns the first key in an order.
func (c *catalog) end(ctx context.Context, r *jdbc.Relation, p *plan, order string) (*jdbc.Key, error) {
	text, err := c.s.value(ctx, "SELECT (k)::text FROM (SELECT "+p.key.name+" AS k FROM "+r.From+" WHERE "+p.key.name+
		" IS NOT NULL ORDER BY "+p.key.name+order+" LIMIT 1) a")
	if err != nil || text == nil {
		return nil, err
	}
	return p.key.parse(text)
}

// number returns the value of a query as a number, -1 if there is none.
func (c *catalog) number(ctx context.Context, sql string) (int64, error) {
	text, err := c.s.value(ctx, sql)
	if err != nil || text == nil {
		return -1, err
	}
	return strconv.ParseInt(string(text), 10, 64)
}

// boundaries are keys that Advance has looked up beyond the one that was asked for.
type boundaries struct {
	relation *jdbc.Relation
	rows     int64
	from     any // the key that the next boundary was looked up from
	keys     []*jdbc.Key
	last     bool // there are none after these
}

// lookAhead is how many boundaries one query finds.
const lookAhead = 64

// Advance implements [jdbc.Catalog].
func (c *catalog) Advance(ctx context.Context, r *jdbc.Relation, from jdbc.Key, n int64) (*jdbc.Key, error) {
	b := &c.ahead
	if b.relation != r || b.rows != n || b.from != from.Value || len(b.keys) == 0 && !b.last {
		if err := c.look(ctx, r, from, n); err != nil {
			return nil, ofTable(err, r.Table.ID)
		}
	}
	if len(b.keys) == 0 {
		return nil, nil
	}
	key := b.keys[0]
	b.keys, b.from = b.keys[1:], key.Value
	return key, nil
}

// look finds the boundaries after a key: every nth key, and where one value fills more than a chunk, the next greater.
func (c *catalog) look(ctx context.Context, r *jdbc.Relation, from jdbc.Key, n int64) error {
	if err := c.alive(ctx); err != nil {
		return err
	}
	p := c.d.plan(r)
	k := p.key.name
	rows, err := c.s.query(ctx, fmt.Sprintf(`SELECT b.k::text FROM (
			SELECT k, row_number() OVER (ORDER BY k) - 1 AS rn FROM (
				SELECT %s AS k FROM %s WHERE %s >= %s ORDER BY %s LIMIT %d) a) b
		WHERE rn %% %d = 0 AND rn > 0 AND k > %s GROUP BY b.k ORDER BY b.k`,
		k, r.From, k, p.key.literal(from), k, n*lookAhead+1, n, p.key.literal(from)))
	if err != nil {
		return err
	}
	c.ahead = boundaries{relation: r, rows: n, from: from.Value, last: true}
	for _, row := range rows {
		key, err := p.key.parse(row[0])
		if err != nil {
			return err
		}
		c.ahead.keys = append(c.ahead.keys, key)
		c.ahead.last = false
	}
	if len(rows) > 0 {
		return nil
	}
	text, err := c.s.value(ctx, fmt.Sprintf(`SELECT (a.k)::text FROM (SELECT %s AS k FROM %s) a WHERE a.k > %s
		AND (SELECT count(*) FROM (SELECT 1 FROM %s WHERE %s >= %s LIMIT %d) b) > %d ORDER BY a.k LIMIT 1`,
		k, r.From, p.key.literal(from), r.From, k, p.key.literal(from), n+1, n))
	if err != nil || text == nil {
		return err
	}
	key, err := p.key.parse(text)
	c.ahead.keys, c.ahead.last = []*jdbc.Key{key}, false
	return err
}
