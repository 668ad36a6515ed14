package sqlite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// rowSQL returns the statement of an operation for a number of rows, and the columns that its parameters take; nil:
// all columns in order, for each row.
func rowSQL(t *jdbc.Target, op jdbc.Op, rows int) (string, []int) {
	switch op {
	case jdbc.Delete:
		var conditions []string
		for i, k := range t.Key {
			conditions = append(conditions, fmt.Sprintf("%s IS ?%d", quote(t.Columns[k]), i+1))
		}
		return "DELETE FROM " + quote(t.ID.Name) + " WHERE " + strings.Join(conditions, " AND "), t.Key
	case jdbc.Update:
		return updateSQL(t)
	case jdbc.Exec:
		sql := t.Statement.Render(func(n int) string { return fmt.Sprintf("?%d", n) })
		return sql, t.Statement.Columns
	}
	sql := insertInto(t) + " VALUES " + tuples(len(t.Columns), rows)
	if op == jdbc.Upsert {
		sql += onConflict(t)
	}
	return sql, nil
}

// tuples returns (?,?),(?,?): n parameters for each row.
func tuples(n, rows int) string {
	tuple := "(" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(tuple+",", rows), ",")
}

func insertInto(t *jdbc.Target) string {
	return "INSERT INTO " + quote(t.ID.Name) + " (" + quoteAll(t.Columns) + ")"
}

func onConflict(t *jdbc.Target) string {
	var keys, sets []string
	for i, name := range t.Columns {
		if slices.Contains(t.Key, i) {
			continue
		}
		sets = append(sets, quote(name)+" = excluded."+quote(name))
	}
	for _, k := range t.Key {
		keys = append(keys, t.Columns[k])
	}
	clause := " ON CONFLICT (" + quoteAll(keys) + ") DO "
	if sets == nil {
		return clause + "NOTHING"
	}
	return clause + "UPDATE SET " + strings.Join(sets, ", ")
}

// updateSQL sets the columns in order and then names the key.
func updateSQL(t *jdbc.Target) (string, []int) {
	var sets, conditions []string
	var params []int
	param := func(column int) string {
		params = append(params, column)
		return fmt.Sprintf("?%d", len(params))
	}
	for i, name := range t.Columns {
		if !t.KeyUpdated && slices.Contains(t.Key, i) {
			continue
		}
		sets = append(sets, quote(name)+" = "+param(i))
	}
	for _, k := range t.Key {
		conditions = append(conditions, quote(t.Columns[k])+" IS "+param(k))
	}
	if sets == nil { // all columns are keys
		sets = append(sets, quote(t.Columns[t.Key[0]])+" = "+param(t.Key[0]))
	}
	return "UPDATE " + quote(t.ID.Name) + " SET " + strings.Join(sets, ", ") +
		" WHERE " + strings.Join(conditions, " AND "), params
}
