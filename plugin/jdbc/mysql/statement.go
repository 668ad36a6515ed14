package mysql

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

func isBytes(b plugin.Batch, column int) bool {
	_, ok := b.Rows.Column(column).(*array.Binary)
	return ok
}

// prepare returns what compiles the job's own statement, once in each session.
func (l *loader) prepare(t *jdbc.Target) func() error {
	return func() error {
		if l.stmts[t] != nil {
			return nil
		}
		stmt, err := l.s.Prepare(t.Statement.Render(func(int) string { return "?" }))
		if err == nil {
			l.stmts[t] = stmt
		}
		return err
	}
}

// ahead is how many executions are sent before the answer to the first is read.
const ahead = 64

// execute runs the job's own statement for each row. Executions are sent ahead of the answers, so that they don't wait
// for the network.
func (w *work) execute(runs []jdbc.Run) error {
	stmt := w.l.stmts[w.tab.target]
	for _, r := range runs {
		sent := r.From
		for row := r.From; row < r.To; row++ {
			for ; sent < min(row+ahead, r.To); sent++ {
				b := stmt.Begin()
				w.l.buf = bindRow(b, w.batch, w.tab.target.Statement.Columns, sent, w.l.buf)
				if err := b.Send(); err != nil {
					return err
				}
			}
			if err := w.answer(row, sent); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer reads the answer for a row. After an error that is not about the row the other answers are read, so that the
// connection can be used for a rollback.
func (w *work) answer(row, sent int) error {
	_, err := w.l.s.Done()
	if isRefusal(err) {
		w.refuse(row, err)
		return nil
	}
	if err == nil || errors.Is(err, wire.ErrLost) {
		return err
	}
	for range sent - row - 1 {
		if _, e := w.l.s.Done(); errors.Is(e, wire.ErrLost) {
			return errors.Join(err, e)
		}
	}
	return err
}
