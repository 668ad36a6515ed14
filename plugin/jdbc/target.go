package jdbc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Target is a table of a sink, and how rows get into it. It is never changed after it was made.
type Target struct {
	// Source describes the rows as they arrive.
	Source *plugin.Table
	// ID is the target's name.
	ID plugin.TableID
	// Columns are the target's column names, one for each column of Source.
	Columns []string
	// Key holds the positions of the columns that identify a row; nil: rows are only ever inserted.
	Key []int
	// Statement is the job's own statement; nil: statements are generated.
	Statement *Statement
	// Upserts, KeyUpdated and InsertOnly are options of the same names in [SinkOptions].
	Upserts, KeyUpdated, InsertOnly bool
}

// newTarget names the target of a table and finds its key.
func newTarget(o SinkOptions, t *plugin.Table) (*Target, error) {
	target := &Target{Source: t, Upserts: o.Upserts, KeyUpdated: o.KeyUpdated, InsertOnly: o.InsertOnly}
	var err error
	if o.Query != "" {
		target.ID = t.ID
		target.Columns = t.Names()
		target.Statement, err = parseStatement(plugin.Expand(o.Query, t), t)
		return target, err
	}
	rename := renamer(o.Case)
	if target.ID, err = targetID(o, t, rename); err != nil {
		return nil, err
	}
	for _, name := range t.Names() {
		target.Columns = append(target.Columns, rename(name))
	}
	if again, ok := duplicate(target.Columns); ok {
		return nil, &plugin.Error{
			Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("two columns are called %s in the target", again),
			Fix: "set field_ide = ORIGINAL, or rename one of them with a transform",
		}
	}
	target.Key, err = targetKey(o, t)
	return target, err
}

func targetID(o SinkOptions, t *plugin.Table, rename func(string) string) (plugin.TableID, error) {
	name := plugin.Expand(orDefault(o.Table, "${table_name}"), t)
	parts := strings.Split(name, ".")
	last := len(parts) - 1
	parts[last] = rename(o.Prefix + parts[last] + o.Suffix)
	id, err := plugin.ParseTableID(strings.Join(parts, "."), true)
	if err != nil {
		return id, &plugin.Error{Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("table: %w", err)}
	}
	if id.Database == "" {
		id.Database = plugin.Expand(o.Database, t)
	}
	if id.Schema == "" {
		id.Schema = plugin.Expand(o.Schema, t)
	}
	return id, nil
}

func orDefault(s, standard string) string {
	if s == "" {
		return standard
	}
	return s
}

func renamer(spelling string) func(string) string {
	switch spelling {
	case "UPPERCASE":
		return strings.ToUpper
	case "LOWERCASE":
		return strings.ToLower
	default:
		return func(s string) string { return s }
	}
}

func duplicate(names []string) (string, bool) {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if seen[n] {
			return n, true
		}
		seen[n] = true
	}
	return "", false
}

// targetKey finds the columns that identify a row: those that the job names, else the primary key, else the first
// unique key.
func targetKey(o SinkOptions, t *plugin.Table) ([]int, error) {
	names := plugin.ExpandList(o.PrimaryKeys, t)
	if len(names) == 1 && strings.HasPrefix(names[0], "${") {
		names = nil // the table has no such key
	}
	if len(names) == 0 {
		if len(t.Key) > 0 {
			return t.Key, nil
		}
		names = firstUnique(t)
	}
	var key []int
	for _, name := range names {
		i := t.Index(name)
		if i < 0 {
			return nil, unknownColumn("primary_keys", name, t)
		}
		key = append(key, i)
	}
	return key, nil
}

func firstUnique(t *plugin.Table) []string {
	i := slices.IndexFunc(t.Constraints, func(c plugin.Constraint) bool { return c.Kind == plugin.UniqueKey })
	if i < 0 {
		return nil
	}
	var names []string
	for _, c := range t.Constraints[i].Columns {
		names = append(names, c.Name)
	}
	return names
}

func unknownColumn(option, name string, t *plugin.Table) error {
	err := &plugin.Error{
		Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("%s: the incoming rows have no column %q", option, name),
		Fix: "their columns are " + strings.Join(t.Names(), ", "),
	}
	if near, ok := config.Nearest(name, t.Names()); ok {
		err.Fix = fmt.Sprintf("did you mean %q? %s", near, "T"+err.Fix[1:])
	}
	return err
}

// plan cuts rows into runs, in the memory of old ones. kinds is nil if all n rows are inserts.
func (t *Target) plan(n int, kinds []plugin.RowKind, runs []Run) []Run {
	runs = runs[:0]
	if kinds == nil {
		op, _ := t.op(plugin.Insert)
		return append(runs, Run{Op: op, To: n})
	}
	for i, kind := range kinds {
		op, ok := t.op(kind)
		if !ok {
			continue
		}
		if last := len(runs) - 1; last >= 0 && runs[last].Op == op && runs[last].To == i {
			runs[last].To++
			continue
		}
		runs = append(runs, Run{Op: op, From: i, To: i + 1})
	}
	return runs
}

// op returns what happens to a row of a kind; false: nothing.
func (t *Target) op(kind plugin.RowKind) (Op, bool) {
	switch {
	case t.Statement != nil:
		return Exec, true
	case len(t.Key) == 0:
		return Insert, true
	case kind == plugin.UpdateBefore:
		return 0, false
	case kind == plugin.Delete:
		return Delete, true
	case t.InsertOnly:
		return Insert, true
	case t.Upserts:
		return Upsert, true
	case kind == plugin.UpdateAfter:
		return Update, true
	default:
		return Insert, true
	}
}

// checkColumns compares the target with the columns that a table in the database has.
func (t *Target) checkColumns(have []string) error {
	var missing []string
	for _, name := range t.Columns {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, name) }) {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	return &plugin.Error{
		Code: plugin.CodeNotFound, Table: t.ID,
		Err: errors.New("the table has no column " + strings.Join(missing, ", ")),
		Fix: "add it, drop it from the rows with a transform, or set schema_save_mode = RECREATE_SCHEMA; the table has " +
			strings.Join(have, ", "),
	}
}
