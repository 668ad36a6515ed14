package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// isRefusal reports that an error is about a row, not about the database.
func isRefusal(err error) bool {
	var value *valueError
	if errors.As(err, &value) {
		return true
	}
	pg := serverError(err)
	if pg == nil {
		return false
	}
	switch pg.Code[:2] {
	case "22", "23", "21": // data exception, constraint violation, one row twice in one upsert
		return true
	}
	return pg.Code == "P0001" // a trigger's own error
}

// pieces writes runs, cutting those that are refused until the bad rows stand alone. A transaction is open. It returns
// *plugin.RowErrors for rows that were left out.
func (w *work) pieces(ctx context.Context, runs []jdbc.Run) error {
	refused := &plugin.RowErrors{}
	if err := w.piece(ctx, runs, refused); err != nil {
		return err
	}
	if len(refused.Rows) > 0 {
		return refused
	}
	return nil
}

func (w *work) piece(ctx context.Context, runs []jdbc.Run, refused *plugin.RowErrors) error {
	if err := w.s.exec(ctx, "SAVEPOINT culvert"); err != nil {
		return err
	}
	err := w.apply(ctx, runs)
	if err == nil {
		return w.s.exec(ctx, "RELEASE SAVEPOINT culvert")
	}
	if !isRefusal(err) {
		return err
	}
	if err := w.s.exec(ctx, "ROLLBACK TO SAVEPOINT culvert; RELEASE SAVEPOINT culvert"); err != nil {
		return err
	}
	w.forget()
	parts := cutRuns(runs, badRow(runs, err))
	if len(parts) == 1 {
		row := runs[0].From
		refused.Rows = append(refused.Rows, plugin.RowError{Index: row, Err: w.describe(ctx, row, err)})
		return nil
	}
	for _, part := range parts {
		if err := w.piece(ctx, part, refused); err != nil {
			return err
		}
	}
	return nil
}

// forget drops what was made since the savepoint.
func (w *work) forget() {
	w.states[w.l].temporary = false
	if w.stage != nil {
		w.stage.forget()
	}
}

// copyLine is where a COPY says which row, and which column, it could not take.
var copyLine = regexp.MustCompile(`^COPY \S+, line (\d+)(?:, column ([^:]+))?`)

// badRow returns the row that an error names, -1 if it names none.
func badRow(runs []jdbc.Run, err error) int {
	var value *valueError
	if errors.As(err, &value) {
		return value.row
	}
	pg := serverError(err)
	if pg == nil || len(runs) > 1 || runs[0].Op != jdbc.Insert {
		return -1
	}
	parts := copyLine.FindStringSubmatch(pg.Where)
	if parts == nil {
		return -1
	}
	line, _ := strconv.Atoi(parts[1])
	if row := runs[0].From + line - 1; row < runs[0].To {
		return row
	}
	return -1
}

// cutRuns cuts runs around a bad row, or in the middle if it is not known. A single row stays as it is.
func cutRuns(runs []jdbc.Run, bad int) [][]jdbc.Run {
	n := 0
	for _, run := range runs {
		n += run.To - run.From
	}
	if n == 1 {
		return [][]jdbc.Run{runs}
	}
	if bad < 0 {
		head, tail := splitRuns(runs, n/2)
		return [][]jdbc.Run{head, tail}
	}
	before := 0
	for _, run := range runs {
		if bad < run.To {
			before += max(0, bad-run.From)
			break
		}
		before += run.To - run.From
	}
	head, rest := splitRuns(runs, before)
	row, tail := splitRuns(rest, 1)
	var parts [][]jdbc.Run
	for _, part := range [][]jdbc.Run{head, row, tail} {
		if len(part) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// splitRuns cuts runs after n rows.
func splitRuns(runs []jdbc.Run, n int) (head, tail []jdbc.Run) {
	for _, run := range runs {
		size := run.To - run.From
		switch {
		case n >= size:
			head = append(head, run)
		case n <= 0:
			tail = append(tail, run)
		default:
			head = append(head, jdbc.Run{Op: run.Op, From: run.From, To: run.From + n})
			tail = append(tail, jdbc.Run{Op: run.Op, From: run.From + n, To: run.To})
		}
		n -= min(n, size)
	}
	return head, tail
}

// describe names the row, and the column and the value if the error is about one.
func (w *work) describe(ctx context.Context, row int, err error) error {
	i := -1
	var value *valueError
	if errors.As(err, &value) {
		i = w.l.columns[value.cell]
		err = value.err
	} else if pg := serverError(err); pg != nil {
		name := pg.ColumnName
		if parts := copyLine.FindStringSubmatch(pg.Where); name == "" && parts != nil {
			name = parts[2]
		}
		if i = w.columnOf(name, pg.Where); i < 0 && pg.Code[:2] == "22" {
			i = w.uncastable(ctx, row)
		}
	}
	var known *plugin.Error
	if errors.As(err, &known) {
		err = known.Err
	}
	if i >= 0 {
		err = fmt.Errorf("column %s, value %s: %w", w.b.Table.Columns[i].Name, w.value(row, i), err)
	}
	e := &plugin.Error{
		Code: plugin.CodeData, Table: w.l.t.ID, Err: err,
		Fix: "correct the row, or make the target's column or constraints take it",
	}
	for n, k := range w.l.t.Key {
		if n > 0 {
			e.Row += ", "
		}
		e.Row += fmt.Sprintf("%s = %s", w.b.Table.Columns[k].Name, w.value(row, k))
	}
	return e
}

// columnOf finds the column that an error of the server names, also by its name in a staging table.
func (w *work) columnOf(name, where string) int {
	for cell, quoted := range w.l.names {
		staged := "c" + strconv.Itoa(cell)
		if name != "" && (quoted == quote(name) || name == staged && strings.Contains(where, "culvert_")) {
			return w.l.columns[cell]
		}
	}
	return -1
}

// uncastable finds the column whose value the server cannot cast, -1 if there is none: its error does not say. A
// transaction is open.
func (w *work) uncastable(ctx context.Context, row int) int {
	data, err := appendRow(nil, w.cells, row)
	if err != nil {
		return -1
	}
	for cell, cast := range w.l.casts {
		var v []byte
		if v, data, err = cut(data); err != nil || v == nil || cast == "%s" {
			continue
		}
		if err := w.s.exec(ctx, "SAVEPOINT culvert"); err != nil {
			return -1
		}
		refusal := w.s.ExecParams(ctx, "SELECT "+fmt.Sprintf(cast, "$1::text"), [][]byte{v}, nil, nil, nil).Read().Err
		if err := w.s.exec(ctx, "ROLLBACK TO SAVEPOINT culvert; RELEASE SAVEPOINT culvert"); err != nil {
			return -1
		}
		if refusal != nil {
			return w.l.columns[cell]
		}
	}
	return -1
}

func (w *work) value(row, i int) string {
	const most = 64
	a := w.b.Rows.Column(i)
	if column.IsNull(a, row) {
		return "null"
	}
	text := string(column.FormatJSON(nil, a, w.b.Table.Columns[i].Type, row))
	if len(text) > most {
		text = text[:most] + "..."
	}
	return text
}
