package postgrescdc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// captured is one table that the job follows.
type captured struct {
	relation *jdbc.Relation
	// keyType is the type of the column that the snapshot is cut by, as SQL text with its collation.
	keyType string
	integer bool // the column holds integers
	number  int  // the highest number that a column ever had
	oid     uint32
	numbers []int // of the columns of the relation's table
	layout  postgres.Layout
}

func (c *captured) table() *plugin.Table { return c.relation.Table }

// discover finds and checks all tables; all problems are reported together.
func (s *Source) discover(ctx context.Context, c *postgres.Session) ([]*captured, error) {
	ids, err := s.names(ctx, c)
	if err != nil {
		return nil, err
	}
	var tables []*captured
	var errs []error
	for _, id := range ids {
		t, err := s.capture(ctx, c, id)
		var e *plugin.Error
		if errors.As(err, &e) && e.Table.Name == "" {
			e.Table = id
		}
		errs = append(errs, err)
		tables = append(tables, t)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return tables, nil
}

// names returns the tables that the job names, or that match its pattern.
func (s *Source) names(ctx context.Context, c *postgres.Session) ([]plugin.TableID, error) {
	var ids []plugin.TableID
	for _, name := range s.options.TableNames {
		id, err := s.options.tableID(s.server.Database(), name)
		if err != nil {
			return nil, configError(fmt.Errorf("table-names: %w", err), "")
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if s.options.TablePattern == "" {
		return ids, nil
	}
	pattern, err := s.options.pattern()
	if err != nil {
		return nil, err
	}
	rows, err := c.Query(ctx, `SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
			AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		id := plugin.TableID{Database: s.server.Database(), Schema: string(row[0]), Name: string(row[1])}
		wanted := len(s.options.Schemas) == 0 || slices.Contains(s.options.Schemas, id.Schema)
		if wanted && (pattern.MatchString(id.String()) || pattern.MatchString(id.Schema+"."+id.Name)) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, configError(errors.New("table-pattern: no table matches"),
			"it must match database.schema.table, or schema.table, from start to end")
	}
	return ids, nil
}

// capture describes a table and checks that its changes can be followed. All that it finds is of one moment, whoever
// alters the table meanwhile.
func (s *Source) capture(ctx context.Context, c *postgres.Session, id plugin.TableID) (t *captured, err error) {
	if err := checkTable(ctx, c, id); err != nil { // others cannot be held
		return nil, err
	}
	err = c.Hold(ctx, id, func() error {
		t, err = s.captureHeld(ctx, c, id)
		return err
	})
	return t, err
}

func (s *Source) captureHeld(ctx context.Context, c *postgres.Session, id plugin.TableID) (*captured, error) {
	identities, err := readIdentities(ctx, c, id)
	if err != nil {
		return nil, err
	}
	special := s.options.of(id)
	split := special.Split
	if split == "" && len(special.Keys) > 0 {
		split = special.Keys[0]
	}
	relation, err := s.server.Describe(ctx, c, id, split)
	if err != nil && postgres.ServerCode(err) == "" && special.Split == "" && split != "" { // it may have no order
		relation, err = s.server.Describe(ctx, c, id, "")
	}
	if err != nil {
		return nil, err
	}
	if err := setKey(relation, special.Keys, identities); err != nil {
		return nil, err
	}
	if err := identities.check(relation); err != nil {
		return nil, err
	}
	if s.options.ExactlyOnce && relation.Table.Key == nil && relation.Key == "" {
		return nil, configError(errors.New("exactly_once needs a primary key or a unique key"),
			"add a key to the table, or name the columns that identify a row in table-names-config")
	}
	if relation.Key != "" && !identities.hold(relation.Key) {
		if special.Split != "" {
			return nil, configError(fmt.Errorf("snapshotSplitColumn: %s is not part of the replica identity", special.Split),
				"choose a column of the primary key, or ALTER TABLE ... REPLICA IDENTITY FULL")
		}
		relation.Key, relation.Unique = "", false
	}
	t := &captured{relation: relation}
	return t, t.read(ctx, c)
}

// read reads what the catalog tells beyond the relation. The session holds the table.
func (t *captured) read(ctx context.Context, c *postgres.Session) error {
	id := t.table().ID
	rows, err := c.Query(ctx,
		"SELECT relnatts::text, oid::text FROM pg_class WHERE oid = to_regclass($1)", postgres.Qualified(id))
	if err != nil {
		return err
	}
	oid, err := strconv.ParseUint(string(rows[0][1]), 10, 32)
	if err != nil {
		return err
	}
	t.oid = uint32(oid)
	if t.number, err = strconv.Atoi(string(rows[0][0])); err != nil {
		return err
	}
	if t.layout, err = c.Layout(ctx, id); err != nil {
		return err
	}
	names, err := columnNames(ctx, c, t.oid)
	if err != nil {
		return err
	}
	t.numbers = make([]int, len(t.table().Columns))
	for number, name := range names {
		if i := t.table().Index(name); i >= 0 {
			t.numbers[i] = number
		}
	}
	return t.readKeyType(ctx, c)
}

// numbersOf returns the numbers of the columns of a version of the table, 0 for those that the table does not have.
func (t *captured) numbersOf(version *plugin.Table) []int {
	numbers := make([]int, len(version.Columns))
	for i, c := range version.Columns {
		if at := t.table().Index(c.Name); at >= 0 {
			numbers[i] = t.numbers[at]
		}
	}
	return numbers
}

// cutNumber returns the number of the column that the relation is cut by, -1 if there is none.
func (t *captured) cutNumber() int {
	if i := t.table().Index(t.relation.Key); i >= 0 {
		return t.numbers[i]
	}
	return -1
}

// columnNames returns the names of a table's columns by their numbers, which they keep when they are renamed.
func columnNames(ctx context.Context, c *postgres.Session, oid uint32) (map[int]string, error) {
	rows, err := c.Query(ctx, `SELECT attnum::text, attname FROM pg_attribute
		WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped`, strconv.FormatUint(uint64(oid), 10))
	if err != nil {
		return nil, err
	}
	names := make(map[int]string, len(rows))
	for _, row := range rows {
		number, err := strconv.Atoi(string(row[0]))
		if err != nil {
			return nil, err
		}
		names[number] = string(row[1])
	}
	return names, nil
}

// setKey makes the columns of the job, else those of the identity's index, the table's key where it has no primary one.
func setKey(r *jdbc.Relation, names []string, ids identities) error {
	table := *r.Table
	if len(names) == 0 && table.Key == nil {
		names = ids.index()
	}
	if len(names) == 0 {
		return nil
	}
	table.Key, table.KeyName = nil, ""
	for _, name := range names {
		i := table.Index(name)
		if i < 0 {
			return configError(fmt.Errorf("table-names-config: there is no column %q", name),
				"the columns are "+strings.Join(table.Names(), ", "))
		}
		table.Key = append(table.Key, i)
	}
	made, err := plugin.NewTable(table)
	r.Table = made
	return err
}

// readKeyType finds how values of the column that the snapshot is cut by are compared.
func (t *captured) readKeyType(ctx context.Context, c *postgres.Session) error {
	if t.relation.Key == "" {
		return nil
	}
	rows, err := c.Query(ctx, `SELECT format_type(a.atttypid, a.atttypmod),
			quote_ident(n.nspname) || '.' || quote_ident(l.collname)
		FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
			LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
		WHERE a.attrelid = to_regclass($1) AND a.attname = $2`, postgres.Qualified(t.table().ID), t.relation.Key)
	if err != nil {
		return err
	}
	t.keyType = string(rows[0][0])
	if rows[0][1] != nil {
		t.keyType += " COLLATE " + string(rows[0][1])
	}
	kind := t.table().Columns[t.table().Index(t.relation.Key)].Type.Kind
	t.integer = kind == plugin.SmallInt || kind == plugin.Int || kind == plugin.BigInt
	return nil
}

// identity is the REPLICA IDENTITY of a table or of one of its partitions.
type identity struct {
	table   string
	kind    string   // d, f, i or n
	columns []string // of d and i
}

type identities []identity

// checkTable refuses what has no log.
func checkTable(ctx context.Context, c *postgres.Session, id plugin.TableID) error {
	rows, err := c.Query(ctx, `SELECT c.relkind::text, c.relpersistence::text, has_table_privilege(c.oid, 'SELECT')::text
		FROM pg_class c WHERE c.oid = to_regclass($1)`, postgres.Qualified(id))
	switch {
	case err != nil:
		return err
	case len(rows) == 0:
		return postgres.NoTable(ctx, c, id)
	case string(rows[0][0]) != "r" && string(rows[0][0]) != "p":
		return configError(
			errors.New("this is no table: views and foreign tables have no log"), "name the tables below it")
	case string(rows[0][1]) != "p":
		return configError(errors.New("the table is unlogged or temporary: its changes are not in the log"),
			"ALTER TABLE ... SET LOGGED, or leave it out")
	case string(rows[0][2]) != "true":
		return &plugin.Error{Code: plugin.CodeDenied, Err: errors.New("the user may not read the table"),
			Fix: "GRANT SELECT ON the table TO the user"}
	}
	return nil
}

// readIdentities reads the identities of a table, or of its partitions.
func readIdentities(ctx context.Context, c *postgres.Session, id plugin.TableID) (identities, error) {
	rows, err := c.Query(ctx, `SELECT p.oid::regclass::text, p.relreplident::text, a.attname
		FROM pg_class p
		LEFT JOIN pg_index i ON i.indrelid = p.oid
			AND (p.relreplident = 'd' AND i.indisprimary OR p.relreplident = 'i' AND i.indisreplident)
		LEFT JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(att, n) ON k.n <= i.indnkeyatts
		LEFT JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum = k.att
		WHERE p.oid = to_regclass($1) AND NOT EXISTS (SELECT FROM pg_partition_tree(to_regclass($1)) WHERE isleaf)
			OR p.oid IN (SELECT relid FROM pg_partition_tree(to_regclass($1)) WHERE isleaf)
		ORDER BY p.oid, k.n`, postgres.Qualified(id))
	if err != nil {
		return nil, err
	}
	var all identities
	for _, row := range rows {
		if len(all) == 0 || all[len(all)-1].table != string(row[0]) {
			all = append(all, identity{table: string(row[0]), kind: string(row[1])})
		}
		if row[2] != nil {
			last := &all[len(all)-1]
			last.columns = append(last.columns, string(row[2]))
		}
	}
	return all, nil
}

// index returns the columns of the index that is the identity of all parts of the table, nil if there is none.
func (ids identities) index() []string {
	for _, d := range ids {
		if d.kind != "i" || !slices.Equal(d.columns, ids[0].columns) {
			return nil
		}
	}
	return ids[0].columns
}

// hold reports whether the log has a column of every old row.
func (ids identities) hold(column string) bool {
	for _, d := range ids {
		if d.kind != "f" && !slices.Contains(d.columns, column) {
			return false
		}
	}
	return true
}

// check makes sure that the log tells which row an update or a delete is about.
func (ids identities) check(r *jdbc.Relation) error {
	for _, d := range ids {
		if d.kind == "f" {
			continue
		}
		full := fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY FULL", d.table)
		switch {
		case d.kind == "n":
			return configError(fmt.Errorf("%s has REPLICA IDENTITY NOTHING: the log does not tell which rows are updated "+
				"and deleted", d.table), cmp.Or(fixDefault(r, d.table), full))
		case len(d.columns) == 0:
			return configError(fmt.Errorf("%s has no primary key: the log does not tell which rows are updated and deleted, "+
				"and once the table is published the server refuses to", d.table), "add a primary key, or "+full)
		}
		for _, name := range r.Table.KeyNames() {
			if !slices.Contains(d.columns, name) {
				return configError(fmt.Errorf("the key's column %s is not part of the replica identity of %s: the log does not "+
					"hold it of deleted rows", name, d.table), full+", or REPLICA IDENTITY USING INDEX with an index on the key")
			}
		}
	}
	return nil
}

func fixDefault(r *jdbc.Relation, table string) string {
	if r.Table.KeyName == "" {
		return ""
	}
	return fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY DEFAULT", table)
}
