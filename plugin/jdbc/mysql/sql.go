package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Columns of a staging table beside those of its target, which are c0, c1, ...
const (
	seqColumn = "culvert_seq"
	opColumn  = "culvert_op"
)

// stageMark stands for the name of the staging table in a statement, fromMark and toMark for the ends of a range of it.
const (
	stageMark = "\x01stage\x01"
	fromMark  = "\x01from\x01"
	toMark    = "\x01to\x01"
)

// placed puts a staging table and a range of its rows into a statement.
func placed(sql, stage string, from, to int64) string {
	return strings.NewReplacer(stageMark, stage, fromMark, fmt.Sprint(from), toMark, fmt.Sprint(to)).Replace(sql)
}

func stageColumn(i int) string { return fmt.Sprintf("c%d", i) }

func stageColumns(prefix string, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = prefix + stageColumn(i)
	}
	return strings.Join(names, ", ")
}

// moves are the statements that bring rows of a staging table to their target.
type moves struct {
	// Ops has a statement for each operation on a range of rows.
	Ops map[jdbc.Op]string `json:"ops"`
	// Last has those for upserts and deletes in any order, of which only the last of each key counts.
	Last []string `json:"last,omitempty"`
	// Statement is the job's own, with Columns as its parameters.
	Statement string `json:"statement,omitempty"`
	Columns   []int  `json:"columns,omitempty"`
}

// movesOf returns the statements for a target of the given name. nullable says which key columns may be null.
func movesOf(t *jdbc.Target, name string, nullable []bool) moves {
	if t.Statement != nil {
		return moves{Statement: t.Statement.Render(func(int) string { return "?" }), Columns: t.Statement.Columns}
	}
	const rows = "s." + seqColumn + " BETWEEN " + fromMark + " AND " + toMark
	n := len(t.Columns)
	insert := "INSERT INTO " + name + " (" + quoteAll(t.Columns) + ") SELECT " + stageColumns("s.", n) + " FROM "
	inOrder := " ORDER BY s." + seqColumn
	m := moves{Ops: map[jdbc.Op]string{jdbc.Insert: insert + stageMark + " AS s WHERE " + rows + inOrder}}
	if len(t.Key) == 0 {
		return m
	}
	match := matchSQL(t, nullable)
	m.Ops[jdbc.Upsert] = m.Ops[jdbc.Insert] + onDuplicate(t)
	m.Ops[jdbc.Delete] = "DELETE t FROM " + stageMark + " AS s STRAIGHT_JOIN " + name + " AS t ON " + match +
		" WHERE " + rows
	last := lastOfKey(t, rows)
	m.Ops[jdbc.Update] = "UPDATE " + last + " STRAIGHT_JOIN " + name + " AS t ON " + match + " SET " + updateSet(t) +
		" WHERE s.culvert_last = 1"
	m.Last = []string{
		"DELETE t FROM " + last + " STRAIGHT_JOIN " + name + " AS t ON " + match +
			fmt.Sprintf(" WHERE s.culvert_last = 1 AND s.%s = %d", opColumn, jdbc.Delete),
		insert + last + fmt.Sprintf(" WHERE s.culvert_last = 1 AND s.%s = %d", opColumn, jdbc.Upsert) + inOrder +
			onDuplicate(t),
	}
	return m
}

// lastOfKey numbers the rows of each key from the last to the first.
func lastOfKey(t *jdbc.Target, rows string) string {
	var keys []string
	for _, k := range t.Key {
		keys = append(keys, "s."+stageColumn(k))
	}
	return "(SELECT s.*, ROW_NUMBER() OVER (PARTITION BY " + strings.Join(keys, ", ") + " ORDER BY s." + seqColumn +
		" DESC) AS culvert_last FROM " + stageMark + " AS s WHERE " + rows + ") AS s"
}

// matchSQL compares the key of a staged row with that of a row in the target. The operator for nulls keeps the server
// from using some indexes, so it is used where a key may be null only.
func matchSQL(t *jdbc.Target, nullable []bool) string {
	var conditions []string
	for i, k := range t.Key {
		operator := "="
		if nullable[i] {
			operator = "<=>"
		}
		conditions = append(conditions, fmt.Sprintf("t.%s %s s.%s", quote(t.Columns[k]), operator, stageColumn(k)))
	}
	return strings.Join(conditions, " AND ")
}

func onDuplicate(t *jdbc.Target) string {
	return " ON DUPLICATE KEY UPDATE " + strings.Join(assignments(t, ""), ", ")
}

func updateSet(t *jdbc.Target) string { return strings.Join(assignments(t, "t."), ", ") }

func assignments(t *jdbc.Target, prefix string) []string {
	var sets []string
	for i, name := range t.Columns {
		if t.KeyUpdated || !slices.Contains(t.Key, i) {
			sets = append(sets, prefix+quote(name)+" = s."+stageColumn(i))
		}
	}
	if sets == nil { // all columns are keys
		k := t.Key[0]
		sets = append(sets, prefix+quote(t.Columns[k])+" = s."+stageColumn(k))
	}
	return sets
}
