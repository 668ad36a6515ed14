package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// smallRows is up to how many rows go by a prepared statement for each. They need one round trip and touch no staging
// table, whose upkeep costs as much as some hundred rows.
const smallRows = 100

// rowStatement applies one row.
type rowStatement struct {
	name    string
	columns []int // of the layout, one for each parameter; nil: the row changes nothing
	formats []int16
}

// small writes a batch of few rows, in order, as one transaction. done is false if it is to be written otherwise.
func (w *work) small(ctx context.Context, runs []jdbc.Run) (done bool, err error) {
	rows := 0
	for _, run := range runs {
		rows += run.To - run.From
	}
	if rows > smallRows || w.l.t.Statement != nil {
		return false, nil
	}
	if err := w.boundPrepared(ctx); err != nil {
		return true, err
	}
	var statements [jdbc.Exec]*rowStatement
	for _, run := range runs {
		if statements[run.Op] == nil {
			if statements[run.Op], err = w.rowStatement(ctx, run.Op); err != nil {
				return true, err
			}
		}
	}
	batch := &pgconn.Batch{}
	for _, run := range runs {
		st := statements[run.Op]
		for row := run.From; row < run.To && st.columns != nil; row++ {
			params, err := w.params(st, row)
			if err != nil {
				return true, err
			}
			batch.ExecPrepared(st.name, params, st.formats, nil)
		}
	}
	return true, w.s.explained(ctx, w.s.ExecBatch(ctx, batch).Close())
}

// params are the values of a row for a statement.
func (w *work) params(st *rowStatement, row int) ([][]byte, error) {
	params := make([][]byte, len(st.columns))
	for i, c := range st.columns {
		data, err := appendRow(nil, w.cells[c:c+1], row)
		if err != nil {
			return nil, err
		}
		if params[i], _, err = cut(data); err != nil {
			return nil, err
		}
	}
	return params, nil
}

// rowStatement returns the statement of an operation, prepared.
func (w *work) rowStatement(ctx context.Context, op jdbc.Op) (*rowStatement, error) {
	state := w.states[w.l]
	if st := state.rows[op]; st != nil {
		return st, nil
	}
	st := &rowStatement{name: fmt.Sprintf("culvert_row_%d_%d", state.number, op)}
	sql := w.l.rowSQL(op, st)
	if sql != "" {
		if _, err := w.s.Prepare(ctx, st.name, sql, nil); err != nil {
			return nil, w.s.explained(ctx, err)
		}
		w.prepared++
	}
	for _, c := range st.columns {
		format := int16(0)
		if w.l.casts[c] == "%s" {
			format = 1
		}
		st.formats = append(st.formats, format)
	}
	state.rows[op] = st
	return st, nil
}

// rowSQL returns the statement that applies one row, and notes its parameters; empty if there is nothing to do.
func (l *layout) rowSQL(op jdbc.Op, st *rowStatement) string {
	value := func(c int) string {
		i := slices.Index(st.columns, c)
		if i < 0 {
			i = len(st.columns)
			st.columns = append(st.columns, c)
		}
		param := "$" + strconv.Itoa(i+1)
		if l.casts[c] != "%s" {
			param += "::text"
		}
		return fmt.Sprintf(l.casts[c], param)
	}
	var where, sets []string
	for _, k := range l.key {
		if op == jdbc.Update || op == jdbc.Delete {
			where = append(where, l.names[k]+" = "+value(k))
		}
	}
	condition := " WHERE " + strings.Join(where, " AND ")
	switch op {
	case jdbc.Delete:
		return "DELETE FROM " + l.name + condition
	case jdbc.Update:
		for i, name := range l.names {
			if !slices.Contains(l.key, i) {
				sets = append(sets, name+" = "+value(i))
			}
		}
		if len(sets) == 0 {
			st.columns = nil
			return ""
		}
		return "UPDATE " + l.name + " SET " + strings.Join(sets, ", ") + condition
	}
	values := make([]string, len(l.names))
	for i := range l.names {
		values[i] = value(i)
	}
	sql := "INSERT INTO " + l.name + " (" + strings.Join(l.names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
	if op == jdbc.Upsert {
		sql += l.onConflict()
	}
	return sql
}
