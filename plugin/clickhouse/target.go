package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
	"github.com/culvertdata/culvert/plugin/config"
)

// target is a table of the server and how rows get into it.
type target struct {
	source *plugin.Table
	id     plugin.TableID
	// key holds the positions of the columns that identify a row; nil: rows are inserted whatever their kind is.
	key     []int
	engine  engine
	columns []native.Target
	// marks fill the columns of a versioned table that the rows lack.
	marks marks
	// left are columns of the table that the rows lack.
	left []string
}

// engine is what a table's engine does.
type engine struct {
	name string
	// stores is the engine that stores the rows: behind a Distributed table that of its shards.
	stores string
	// full is its definition.
	full string
	// sorting is the list of columns in ORDER BY.
	sorting string
	// replaces says that rows replace those with the same key.
	replaces bool
	// tokens says that the table remembers which inserts it took.
	tokens bool
	// version and deleted are the columns that a ReplacingMergeTree is made with; may be empty.
	version, deleted string
}

// targetID names the target of a table.
func targetID(o SinkOptions, t *plugin.Table) (plugin.TableID, error) {
	id := plugin.TableID{Database: plugin.Expand(o.Database, t), Name: plugin.Expand(o.Table, t)}
	if id.Name == "" {
		return id, &plugin.Error{
			Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("table: %q leaves no name", o.Table),
			Fix: "name the target table",
		}
	}
	return id, nil
}

// targetKey finds the columns of primary_key.
func targetKey(o SinkOptions, t *plugin.Table) ([]int, error) {
	text := plugin.Expand(o.PrimaryKey, t)
	if text == "" || strings.HasPrefix(text, "${") { // the table has no such key
		return nil, nil
	}
	var key []int
	for name := range strings.SplitSeq(text, ",") {
		i, err := columnOf(t, "primary_key", strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		key = append(key, i)
	}
	return key, nil
}

func columnOf(t *plugin.Table, option, name string) (int, error) {
	i := t.Index(name)
	if i >= 0 {
		return i, nil
	}
	fix := "their columns are " + strings.Join(t.Names(), ", ")
	if near, ok := config.Nearest(name, t.Names()); ok {
		fix = fmt.Sprintf("did you mean %q? Their columns are %s", near, strings.Join(t.Names(), ", "))
	}
	return -1, &plugin.Error{
		Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("%s: the incoming rows have no column %q", option, name),
		Fix: fix,
	}
}

// newTarget finds out what the server knows of a table.
func newTarget(ctx context.Context, s *server, o SinkOptions, t *plugin.Table) (*target, error) {
	id, err := targetID(o, t)
	if err != nil {
		return nil, err
	}
	out := &target{source: t, id: id}
	if out.key, err = targetKey(o, t); err != nil {
		return nil, err
	}
	found, err := s.describe(ctx, tableName(id))
	if err != nil {
		return nil, inTable(err, id)
	}
	if out.engine, err = engineOf(ctx, s, id); err != nil {
		return nil, inTable(err, id)
	}
	if err := out.match(found, o); err != nil {
		return nil, err
	}
	out.keyed()
	return out, nil
}

// inTable says which table an error is about.
func inTable(err error, id plugin.TableID) error {
	var e *plugin.Error
	if errors.As(err, &e) && e.Table.Name == "" {
		e.Table = id
	}
	return err
}

func (t *target) keyNames() []string {
	names := make([]string, len(t.key))
	for i, k := range t.key {
		names[i] = t.source.Columns[k].Name
	}
	return names
}

func engineOf(ctx context.Context, s *server, id plugin.TableID) (engine, error) {
	rows, err := s.Rows(ctx, fmt.Sprintf("SELECT engine, engine_full, sorting_key FROM system.tables WHERE database = %s "+
		"AND name = %s", native.Quote(id.Database), native.Quote(id.Name)))
	if err != nil || len(rows) == 0 {
		return engine{}, err
	}
	e := engine{name: rows[0][0], full: rows[0][1], sorting: rows[0][2], stores: rows[0][0]}
	if _, local, ok := distributed(e.full); ok {
		behind, err := engineOf(ctx, s, local)
		if err != nil {
			return engine{}, err
		}
		e.stores, e.sorting, e.version, e.deleted = behind.stores, behind.sorting, behind.version, behind.deleted
		return e, nil
	}
	e.tokens = s.version.atLeast(22, 2) && (strings.HasPrefix(e.name, "Replicated") ||
		strings.Contains(e.full, "non_replicated_deduplication_window"))
	e.version, e.deleted = e.replacing()
	return e, nil
}

// sortingKey returns the columns of ORDER BY; an expression is none.
func (e engine) sortingKey() []string {
	return strings.Split(strings.NewReplacer(" ", "", "`", "", "(", "", ")", "").Replace(e.sorting), ",")
}

// keyed finds out whether rows replace those with the same key. A table that keeps versions and marks deleted rows is
// there for changes: without primary_key its own key holds.
func (t *target) keyed() {
	sorting := t.engine.sortingKey()
	if t.key == nil && t.marks.deletes {
		for _, name := range sorting {
			i := t.source.Index(name)
			if i < 0 {
				t.key = nil
				break
			}
			t.key = append(t.key, i)
		}
	}
	key := t.keyNames()
	slices.Sort(sorting)
	slices.Sort(key)
	t.engine.replaces = strings.HasSuffix(t.engine.stores, "ReplacingMergeTree") && len(key) > 0 &&
		slices.Equal(sorting, key)
	t.marks.deletes = t.marks.deletes && t.engine.replaces
	for i, c := range t.columns { // a deleted row may come with its key alone
		if t.key != nil && c.Fill == nil && !slices.Contains(t.key, c.Index) {
			t.columns[i].Exempt = t.marks.gone
		}
	}
}

// match pairs the columns of the rows with those of the table.
func (t *target) match(found []described, o SinkOptions) error {
	var missing, names []string
	var errs []error
	fed := make([]bool, len(found))
	for i, c := range t.source.Columns {
		at := slices.IndexFunc(found, func(d described) bool { return d.Name == c.Name })
		switch {
		case at < 0:
			missing = append(missing, c.Name)
			continue
		case found[at].kind == "MATERIALIZED" || found[at].kind == "ALIAS":
			fed[at] = true // the server computes it
			continue
		case found[at].err != nil:
			errs = append(errs, found[at].err)
		}
		fed[at] = true
		t.columns = append(t.columns, native.Target{Column: found[at].Column, From: c.Type, Index: i})
	}
	for i, d := range found {
		names = append(names, d.Name)
		if !fed[i] && d.kind != "MATERIALIZED" && d.kind != "ALIAS" {
			t.left = append(t.left, d.Name)
		}
	}
	t.version(found, o)
	if missing != nil {
		return &plugin.Error{
			Code: plugin.CodeNotFound, Table: t.id, Err: errors.New("the table has no column " + strings.Join(missing, ", ")),
			Fix: "add it, or drop it from the rows with a transform; the table has " + strings.Join(names, ", "),
		}
	}
	if err := errors.Join(errs...); err != nil {
		return &plugin.Error{Code: plugin.CodeType, Table: t.id, Err: err,
			Fix: "drop the column from the rows with a transform"}
	}
	return nil
}

// encoder returns an encoder of the target's blocks.
func (t *target) encoder(s *server) (*native.Encoder, error) {
	e, err := native.NewEncoder(t.columns, s.zone)
	if err != nil {
		return nil, &plugin.Error{
			Code: plugin.CodeType, Table: t.id, Err: err, Fix: "change the column's type, or convert the rows with a transform",
		}
	}
	return e, nil
}

// insert returns the statement in front of the blocks for a table of the same columns.
func (t *target) insert(id plugin.TableID) string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = native.Identifier(c.Name)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) FORMAT Native", tableName(id), strings.Join(names, ", "))
}
