package sqlite

import (
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// move is how staged rows get to their target: for each operation a statement that moves the rows ?1 to ?2 of a staging
// table, or one that is run for each row.
type move struct {
	Ops map[jdbc.Op]moveOp `json:"ops"`
}

type moveOp struct {
	SQL string `json:"sql"`
	// Each says that the statement is run for each row, with these columns.
	Each []int `json:"each,omitempty"`
}

// stageMark stands for the name of the staging table in a statement.
const stageMark = "\x01stage\x01"

func newMove(t *jdbc.Target) move {
	if t.Statement != nil {
		sql, columns := rowSQL(t, jdbc.Exec, 1)
		return move{map[jdbc.Op]moveOp{jdbc.Exec: {SQL: sql, Each: columns}}}
	}
	staged := stageColumns(len(t.Columns))
	rows := " FROM " + stageMark + " WHERE rowid BETWEEN ?1 AND ?2"
	insert := insertInto(t) + " SELECT " + strings.Join(staged, ", ") + rows + " ORDER BY rowid"
	m := move{map[jdbc.Op]moveOp{jdbc.Insert: {SQL: insert}}}
	if len(t.Key) == 0 {
		return m
	}
	var keys, values []string
	for _, k := range t.Key {
		keys = append(keys, t.Columns[k])
		values = append(values, staged[k])
	}
	m.Ops[jdbc.Upsert] = moveOp{SQL: insert + onConflict(t)}
	m.Ops[jdbc.Delete] = moveOp{SQL: "DELETE FROM " + quote(t.ID.Name) + " WHERE (" + quoteAll(keys) + ") IN (SELECT " +
		strings.Join(values, ", ") + rows + ")"}
	sql, columns := rowSQL(t, jdbc.Update, 1)
	m.Ops[jdbc.Update] = moveOp{SQL: sql, Each: columns}
	return m
}

// moveRuns finds the runs of equal operations and moves each.
func (s *session) moveRuns(id int64, m move) error {
	ends, err := s.Row("SELECT min(op), max(op), min(rowid), max(rowid) FROM " + stageName(id))
	if err != nil || ends[0] == nil {
		return err
	}
	mover := newMover(s, id, m)
	defer mover.close()
	if ends[0] == ends[1] {
		return mover.move(ends[0].(int64), ends[2].(int64), ends[3].(int64))
	}
	list, err := s.Prepare("SELECT rowid, op FROM " + stageName(id) + " ORDER BY rowid")
	if err != nil {
		return err
	}
	defer list.Close()
	op, from, to := int64(-1), int64(0), int64(-1)
	for {
		more, err := list.Step()
		if err != nil {
			return err
		}
		if more && list.Int(1) == op {
			to = list.Int(0)
			continue
		}
		if op >= 0 {
			if err := mover.move(op, from, to); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		op, from, to = list.Int(1), list.Int(0), list.Int(0)
	}
}

// mover moves runs of one staging table.
type mover struct {
	s     *session
	id    int64
	m     move
	stmts map[int64]*lite.Stmt
	rows  *lite.Stmt
}

func newMover(s *session, id int64, m move) *mover {
	return &mover{s: s, id: id, m: m, stmts: map[int64]*lite.Stmt{}}
}

func (v *mover) close() {
	for _, s := range v.stmts {
		s.Close()
	}
	if v.rows != nil {
		v.rows.Close()
	}
}

func (v *mover) move(op, from, to int64) error {
	how, ok := v.m.Ops[jdbc.Op(op)]
	if !ok {
		return fmt.Errorf("staged rows hold the unknown operation %d", op)
	}
	stmt := v.stmts[op]
	if stmt == nil {
		var err error
		if stmt, err = v.s.Prepare(strings.ReplaceAll(how.SQL, stageMark, stageName(v.id))); err != nil {
			return err
		}
		v.stmts[op] = stmt
	}
	if how.Each == nil {
		return stmt.Run(from, to)
	}
	return v.each(stmt, how.Each, from, to)
}

// each runs a statement for each row of a run.
func (v *mover) each(stmt *lite.Stmt, columns []int, from, to int64) error {
	if v.rows == nil {
		var err error
		v.rows, err = v.s.Prepare("SELECT * FROM " + stageName(v.id) + " WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid")
		if err != nil {
			return err
		}
	}
	if err := v.rows.Bind(from, to); err != nil {
		return err
	}
	defer v.rows.Reset()
	args := make([]any, len(columns))
	for {
		more, err := v.rows.Step()
		if err != nil || !more {
			return err
		}
		for i, c := range columns {
			args[i] = v.rows.Value(c + 1) // behind the operation
		}
		if err := stmt.Run(args...); err != nil {
			return err
		}
	}
}
