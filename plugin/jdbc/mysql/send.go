package mysql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// destination is a table that rows are sent to.
type destination struct {
	name    string
	columns []string // quoted
	bits    []bool
	staged  bool // the rows begin with their number and operation
}

func quoteEach(names []string) []string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return quoted
}

func stageDestination(name string, tab *table) destination {
	into := destination{name: name, bits: tab.bits, staged: true}
	for i := range tab.target.Columns {
		into.columns = append(into.columns, stageColumn(i))
	}
	return into
}

// statementBytes is about how long a statement of literals becomes; servers take a megabyte at least.
const statementBytes = 512 << 10

// send loads a run of rows, whose numbers begin at base. A row that would be changed or dropped silently shows by a
// warning: then the load is undone and its halves are tried, until the row is found and refused.
func (w *work) send(into destination, r jdbc.Run, base int64) error {
	for r.From < r.To {
		part := r
		if w.l.form == asSQL {
			part.To = w.encodeSQL(into, part, base)
		}
		if err := w.sendPart(into, part, base); err != nil {
			return err
		}
		r.From = part.To
	}
	return nil
}

// sendAll loads a run of rows, or fails with errValue if the server has not taken one of them as it is.
func (w *work) sendAll(into destination, r jdbc.Run) error {
	for r.From < r.To {
		part := r
		if w.l.form == asSQL {
			part.To = w.encodeSQL(into, part, 0)
		}
		whole, err := w.sendOnce(into, part, 0)
		if err != nil {
			return err
		}
		if !whole {
			return errValue
		}
		r.From = part.To
	}
	return nil
}

// sendOnce sends rows: those that are encoded, or all of them as a file. whole is false if the server has changed or
// dropped one.
func (w *work) sendOnce(into destination, r jdbc.Run, base int64) (whole bool, err error) {
	var res wire.Result
	if w.l.form == asFile {
		row := r.From
		res, err = w.l.s.Load(into.loadSQL(w), func() []byte {
			row = w.encodeFile(into, jdbc.Run{Op: r.Op, From: row, To: r.To}, base)
			return w.l.buf
		})
	} else {
		res, err = w.l.s.ExecBytes(w.l.buf)
	}
	return res.Warnings == 0 && res.Rows == uint64(r.To-r.From), err
}

// sendPart sends rows, and the halves of them if the server does not take all.
func (w *work) sendPart(into destination, r jdbc.Run, base int64) error {
	s := w.l.s
	if err := s.exec("SAVEPOINT culvert"); err != nil {
		return err
	}
	whole, err := w.sendOnce(into, r, base)
	if err == nil && whole {
		return nil
	}
	if err != nil && !isRefusal(err) {
		return err
	}
	reason := err
	if reason == nil {
		if reason, err = s.warning(); err != nil {
			return err
		}
	}
	return w.retryHalves(into, r, base, reason)
}

// retryHalves undoes a load and sends its halves, or refuses its only row.
func (w *work) retryHalves(into destination, r jdbc.Run, base int64, reason error) error {
	if !w.tab.transactional && !into.staged {
		return fmt.Errorf("rows were refused, and the table has no transactions to undo the others: %w", reason)
	}
	if err := w.l.s.exec("ROLLBACK TO SAVEPOINT culvert"); err != nil {
		return err
	}
	if r.To-r.From == 1 {
		w.refuse(r.From, reason)
		return nil
	}
	half := (r.From + r.To) / 2
	if err := w.send(into, jdbc.Run{Op: r.Op, From: r.From, To: half}, base); err != nil {
		return err
	}
	return w.send(into, jdbc.Run{Op: r.Op, From: half, To: r.To}, base)
}

// warning returns the server's reason for the first warning of the last statement.
func (s *session) warning() (error, error) {
	rows, err := s.Rows("SHOW WARNINGS LIMIT 1")
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return errors.New("the server has left rows out"), nil
	}
	text := wire.String(rows[0][2])
	if cut := strings.LastIndex(text, " at row "); cut > 0 { // the number counts from the load's first row
		text = text[:cut]
	}
	return fmt.Errorf("%s (error %s)", text, wire.String(rows[0][1])), nil
}

// loadSQL returns the statement that loads a file.
func (into destination) loadSQL(w *work) string {
	columns := make([]string, 0, len(into.columns)+2)
	var sets []string
	if into.staged {
		columns = append(columns, seqColumn, opColumn)
	}
	for i, name := range into.columns {
		value := "@culvert_" + strconv.Itoa(i)
		switch {
		case into.bits != nil && into.bits[i]:
			sets = append(sets, name+" = CAST("+value+" AS UNSIGNED)")
		case isBytes(w.batch, i):
			sets = append(sets, name+" = UNHEX("+value+")")
		default:
			value = name
		}
		columns = append(columns, value)
	}
	sql := "LOAD DATA LOCAL INFILE 'culvert' INTO TABLE " + into.name +
		` CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\t' ` +
		`ESCAPED BY '\\' LINES TERMINATED BY '\n' (` + strings.Join(columns, ", ") + ")"
	if sets != nil {
		sql += " SET " + strings.Join(sets, ", ")
	}
	return sql
}

// partBytes is about how much of a file is made at a time.
const partBytes = 64 << 10

// encodeFile writes some rows as lines and returns the number of the first that is left.
func (w *work) encodeFile(into destination, r jdbc.Run, base int64) int {
	buf := w.l.buf[:0]
	null := nullOf(asFile)
	row := r.From
	for ; row < r.To && len(buf) < partBytes; row++ {
		if into.staged {
			buf = strconv.AppendInt(buf, base+int64(row), 10)
			buf = append(buf, '\t', '0'+byte(r.Op), '\t')
		}
		for i := range w.l.fields {
			if i > 0 {
				buf = append(buf, '\t')
			}
			buf = w.l.fields[i].append(buf, row, null)
		}
		buf = append(buf, '\n')
	}
	w.l.buf = buf
	return row
}

// encodeSQL writes rows as an INSERT of bounded length and returns the end of those that it holds.
func (w *work) encodeSQL(into destination, r jdbc.Run, base int64) int {
	columns := strings.Join(into.columns, ", ")
	if into.staged {
		columns = seqColumn + ", " + opColumn + ", " + columns
	}
	buf := append(w.l.buf[:0], "INSERT INTO "+into.name+" ("+columns+") VALUES "...)
	null := nullOf(asSQL)
	row := r.From
	for ; row < r.To && (row == r.From || len(buf) < statementBytes); row++ {
		if row > r.From {
			buf = append(buf, ',')
		}
		buf = append(buf, '(')
		if into.staged {
			buf = strconv.AppendInt(buf, base+int64(row), 10)
			buf = append(buf, ',', '0'+byte(r.Op), ',')
		}
		for i := range w.l.fields {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = w.l.fields[i].append(buf, row, null)
		}
		buf = append(buf, ')')
	}
	w.l.buf = buf
	return row
}
