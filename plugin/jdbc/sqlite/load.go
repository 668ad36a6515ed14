package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// loader writes the batches of one lane. Its statements and its sheet belong to the shared connection and are used
// only while the lane has its turn.
type loader struct {
	d     *database
	s     *session
	sheet *sheet
	stage *stage // of an exactly-once sink
	stmts map[stmtKey]*rowStmt

	affinities map[*jdbc.Target][]affinity // of each target's columns
}

// Loader implements [jdbc.Database].
func (d *database) Loader(ctx context.Context, o jdbc.Owner, _ int) (jdbc.Loader, error) {
	if o.ExactlyOnce && d.inMemory() {
		return nil, configError(errors.New("is_exactly_once: a database in memory does not survive the process"),
			"set is_exactly_once = false, or name a file in the url")
	}
	l := &loader{d: d, stmts: map[stmtKey]*rowStmt{}, affinities: map[*jdbc.Target][]affinity{}}
	err := d.acquire(ctx, func(s *session) error {
		d.users++
		l.s, l.sheet = s, newSheet(s.Conn)
		if !o.ExactlyOnce {
			return nil
		}
		l.stage = newStage(o)
		return s.transaction(ctx, func() error { return s.Exec(stageTables) })
	})
	return l, err
}

// Load implements [jdbc.Loader].
func (l *loader) Load(ctx context.Context, t *jdbc.Target, b plugin.Batch, runs []jdbc.Run) error {
	return l.d.acquire(ctx, func(s *session) error {
		affinities, err := l.affinitiesOf(t)
		if err != nil {
			return ofTable(s.ended(ctx, err), t.ID)
		}
		if err := l.sheet.load(b, affinities); err != nil {
			return err
		}
		l.d.dirty = true
		refused := &plugin.RowErrors{}
		err = s.transaction(ctx, func() error {
			for _, run := range runs {
				if err := l.run(t, b, run, refused); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return ofTable(err, t.ID)
		}
		if len(refused.Rows) > 0 {
			return refused
		}
		return nil
	})
}

// stmtKey finds a prepared statement.
type stmtKey struct {
	target *jdbc.Target
	op     jdbc.Op
	rows   int
}

// rowStmt is a statement for one or several rows.
type rowStmt struct {
	*lite.Stmt
	rows    int
	columns []int // of the batch, one for each parameter; nil: all in order
	op      int   // leading parameter of a staged row: -1, there is none
}

// run applies one run: most rows by the statement for many, the rest by that for one.
func (l *loader) run(t *jdbc.Target, b plugin.Batch, run jdbc.Run, refused *plugin.RowErrors) error {
	row := run.From
	if many := l.manyRows(t, run.Op); many > 1 && run.To-row >= many {
		stmt, err := l.stmt(t, run.Op, many)
		if err != nil {
			return err
		}
		for ; run.To-row >= many; row += many {
			err := l.exec(stmt, row)
			if isRefusal(err) {
				err = l.oneByOne(t, b, jdbc.Run{Op: run.Op, From: row, To: row + many}, refused)
			}
			if err != nil {
				return err
			}
		}
	}
	return l.oneByOne(t, b, jdbc.Run{Op: run.Op, From: row, To: run.To}, refused)
}

func (l *loader) oneByOne(t *jdbc.Target, b plugin.Batch, run jdbc.Run, refused *plugin.RowErrors) error {
	if run.From == run.To {
		return nil
	}
	stmt, err := l.stmt(t, run.Op, 1)
	if err != nil {
		return err
	}
	for row := run.From; row < run.To; row++ {
		err := l.exec(stmt, row)
		if isRefusal(err) {
			refused.Rows = append(refused.Rows, plugin.RowError{Index: row, Err: describeRow(t, b, row, err)})
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// exec runs a statement with the rows from the given one on.
func (l *loader) exec(stmt *rowStmt, row int) error {
	if err := l.bind(stmt, row); err != nil {
		return err
	}
	_, err := stmt.Step()
	stmt.Reset()
	return err
}

func (l *loader) bind(stmt *rowStmt, row int) error {
	if stmt.columns != nil {
		return l.sheet.bindColumns(stmt.Stmt, stmt.columns, row)
	}
	param := 1
	for i := range stmt.rows {
		if stmt.op >= 0 {
			if err := stmt.BindInt(param, int64(stmt.op)); err != nil {
				return err
			}
			param++
		}
		if err := l.sheet.bind(stmt.Stmt, param, row+i); err != nil {
			return err
		}
		param += len(l.sheet.columns)
	}
	return nil
}

// isRefusal reports that an error is about the row, not about the database.
func isRefusal(err error) bool {
	switch lite.CodeOf(err) {
	case lite.Constraint, lite.Mismatch, lite.TooBig:
		return true
	}
	return errors.Is(err, errNaN) || errors.Is(err, errDigits)
}

func describeRow(t *jdbc.Target, b plugin.Batch, row int, err error) error {
	e := &plugin.Error{
		Code: plugin.CodeData, Table: t.ID, Err: err, Fix: "correct the row, or relax the target table's constraints",
	}
	for n, k := range t.Key {
		if n > 0 {
			e.Row += ", "
		}
		e.Row += fmt.Sprintf("%s = %s", t.Columns[k], b.Rows.Column(k).ValueStr(row))
	}
	return e
}

// Statements for many rows have about so many parameters: more gain nothing.
const manyParams = 256

// manyRows returns how many rows one statement takes.
func (l *loader) manyRows(t *jdbc.Target, op jdbc.Op) int {
	if l.stage == nil && op != jdbc.Insert && op != jdbc.Upsert {
		return 1
	}
	return max(1, manyParams/(len(t.Columns)+1))
}

// stmt returns the statement of an operation, prepared.
func (l *loader) stmt(t *jdbc.Target, op jdbc.Op, rows int) (*rowStmt, error) {
	key := stmtKey{t, op, rows}
	if s, ok := l.stmts[key]; ok {
		return s, nil
	}
	r := &rowStmt{rows: rows, op: -1}
	var sql string
	if l.stage != nil {
		table, err := l.stage.table(l.s, t)
		if err != nil {
			return nil, err
		}
		sql, r.op = stageSQL(table, len(t.Columns), rows), int(op)
	} else {
		sql, r.columns = rowSQL(t, op, rows)
	}
	stmt, err := l.s.Prepare(sql)
	if err != nil {
		return nil, err
	}
	r.Stmt = stmt
	l.stmts[key] = r
	return r, nil
}

// affinitiesOf returns the affinities of a target's columns, nil if the job has a statement of its own.
func (l *loader) affinitiesOf(t *jdbc.Target) ([]affinity, error) {
	if known, ok := l.affinities[t]; ok || t.Statement != nil {
		return known, nil
	}
	list, err := rows(l.s.Conn, "SELECT name, type FROM pragma_table_info(?1)", t.ID.Name)
	if err != nil {
		return nil, err
	}
	columns := make([]affinity, len(t.Columns))
	for _, row := range list {
		name, _ := row[0].(string)
		declared, _ := row[1].(string)
		for i, c := range t.Columns {
			if strings.EqualFold(c, name) {
				columns[i] = affinityOf(declared)
			}
		}
	}
	l.affinities[t] = columns
	return columns, nil
}

func (l *loader) closeStmts() {
	for _, s := range l.stmts {
		s.Close()
	}
	clear(l.stmts)
}

// Flush implements [jdbc.Loader].
func (l *loader) Flush(ctx context.Context, epoch uint64) (token []byte, err error) {
	err = l.d.acquire(ctx, func(s *session) error {
		if l.stage == nil && !l.d.dirty {
			return nil
		}
		if l.stage == nil {
			return s.sync(ctx)
		}
		l.closeStmts()
		token, err = l.stage.seal(ctx, s, epoch)
		return err
	})
	return token, err
}

// sync brings the write-ahead log to the disk. Commits don't: only one under synchronous = FULL does, with all that
// came before it. One that writes the file's user version as it is changes nothing.
func (s *session) sync(ctx context.Context) error {
	return s.synced(ctx, func() error {
		version, err := s.Row("PRAGMA user_version")
		if err != nil {
			return err
		}
		return s.Exec(fmt.Sprintf("PRAGMA user_version = %d", version[0]))
	})
}

// synced runs a transaction whose commit waits for the disk.
func (s *session) synced(ctx context.Context, f func() error) error {
	before, err := s.Row("PRAGMA synchronous")
	if err != nil {
		return err
	}
	if err := s.Exec("PRAGMA synchronous = FULL"); err != nil {
		return err
	}
	if err = s.transaction(ctx, f); err == nil {
		s.d.dirty = false
	}
	return errors.Join(err, s.Exec(fmt.Sprintf("PRAGMA synchronous = %d", before[0])))
}

// Close implements [jdbc.Loader].
func (l *loader) Close() error {
	if l.s == nil {
		return nil
	}
	l.s = nil
	return l.d.leave(func() {
		l.closeStmts()
		l.sheet.arena.Close()
	})
}
