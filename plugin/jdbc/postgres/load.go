package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// loader writes the batches of one lane.
type loader struct {
	d       *database
	s       *session
	layouts map[*jdbc.Target]*layout
	states  map[*layout]*loadState
	buf     []byte // of the last COPY
	seen    reducer
	durable string // synchronous_commit of flushes
	dirty   bool   // there are commits that did not wait for the disk
	inside  bool   // a transaction is open
	stage   *stage // of an exactly-once sink
	next    int64  // the number of the next batch's first row

	numbered    int // layouts so far
	prepared    int // statements of the session, for single rows
	temporaries int // staging tables of the session
}

// loadState is what a session knows about a layout.
type loadState struct {
	number    int  // names its temporary staging table
	temporary bool // which exists
	used      bool // and may hold rows of the open transaction
	// Copying into the target is tried again after so many batches; each failure doubles the pause.
	wait, pause int
	rows        [jdbc.Exec]*rowStatement // by operation
}

// maxPause is the greatest number of batches that are merged after one could not be copied.
const maxPause = 256

// Loader implements [jdbc.Database].
func (d *database) Loader(ctx context.Context, o jdbc.Owner, _ int) (jdbc.Loader, error) {
	s, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	l := &loader{d: d, s: s, layouts: map[*jdbc.Target]*layout{}, states: map[*layout]*loadState{}}
	if err := l.setUp(ctx, o); err != nil {
		s.Close()
		return nil, err
	}
	return l, nil
}

func (ld *loader) setUp(ctx context.Context, o jdbc.Owner) error {
	if o.ExactlyOnce {
		ld.stage = newStage(o)
		return ensureCommits(ctx, ld.s)
	}
	level, err := ld.s.value(ctx, "SHOW synchronous_commit")
	if err != nil {
		return err
	}
	ld.durable = string(level)
	if ld.durable == "off" {
		ld.durable = "on"
	}
	return ld.s.exec(ctx, "SET synchronous_commit = off")
}

// Close implements [jdbc.Loader].
func (ld *loader) Close() error { return ld.s.Close() }

// Load implements [jdbc.Loader].
func (ld *loader) Load(ctx context.Context, t *jdbc.Target, b plugin.Batch, runs []jdbc.Run) error {
	l, err := ld.layout(ctx, t)
	if err == nil {
		err = ld.load(ctx, l, b, runs)
	}
	var rows *plugin.RowErrors
	if errors.As(err, &rows) {
		return rows
	}
	return ofTable(ld.s.explained(ctx, err), t.ID)
}

func (ld *loader) layout(ctx context.Context, t *jdbc.Target) (*layout, error) {
	if l, ok := ld.layouts[t]; ok {
		return l, nil
	}
	l, err := newLayout(ctx, ld.s, t)
	if err != nil {
		return nil, err
	}
	ld.forget(t)
	ld.layouts[t] = l
	ld.numbered++
	ld.states[l] = &loadState{number: ld.numbered}
	return l, nil
}

// load writes a batch in one go, and if the server refuses a row, piece by piece.
func (ld *loader) load(ctx context.Context, l *layout, b plugin.Batch, runs []jdbc.Run) error {
	cells := bind(l.binders, l.columns, b)
	w := &work{loader: ld, l: l, b: b, cells: cells, first: ld.next}
	ld.next += int64(b.Len())
	if ld.stage != nil {
		if err := ld.begin(ctx); err != nil {
			return err
		}
		return w.pieces(ctx, runs)
	}
	ld.dirty = true
	done, err := w.small(ctx, runs)
	if !done && err == nil {
		done, err = w.direct(ctx, runs)
	}
	if !done && err == nil {
		err = ld.s.transaction(ctx, func() error { return w.apply(ctx, runs) })
	}
	ld.states[l].used = false
	if err != nil {
		ld.states[l].temporary = false // it may have been made in that transaction
	}
	if !isRefusal(err) {
		return err
	}
	if err := ld.begin(ctx); err != nil {
		return err
	}
	failure := w.pieces(ctx, runs)
	var rows *plugin.RowErrors
	if failure != nil && !errors.As(failure, &rows) {
		ld.inside = false
		return errors.Join(failure, ld.s.rollback(ctx))
	}
	return errors.Join(failure, ld.commit(ctx))
}

func (ld *loader) begin(ctx context.Context) error {
	if ld.inside {
		return nil
	}
	ld.inside = true
	return ld.s.exec(ctx, "BEGIN")
}

func (ld *loader) commit(ctx context.Context) error {
	if !ld.inside {
		return nil
	}
	ld.inside = false
	for _, state := range ld.states {
		state.used = false
	}
	return ld.s.exec(ctx, "COMMIT")
}

// Flush implements [jdbc.Loader]. The commits before did not wait for the disk; one that does takes them along, if it
// has something to write: a message that nobody reads.
func (ld *loader) Flush(ctx context.Context, epoch uint64) ([]byte, error) {
	if ld.stage != nil {
		token, err := ld.stage.seal(ctx, ld.s, epoch)
		if err != nil {
			return nil, ld.s.explained(ctx, err)
		}
		return token, ld.commit(ctx)
	}
	if !ld.dirty {
		return nil, nil
	}
	err := ld.s.exec(ctx, "BEGIN; SET LOCAL synchronous_commit = "+ld.durable+
		"; SELECT pg_logical_emit_message(true, 'culvert', ''); COMMIT")
	ld.dirty = err != nil
	return nil, err
}

// work is a batch on its way into a target.
type work struct {
	*loader
	l     *layout
	b     plugin.Batch
	cells []cellOut
	first int64 // the number of the batch's first row
}

// direct copies a batch into the target if that is all there is to do, or if upserts may turn out to be inserts. done
// is false if it is still to be written.
func (w *work) direct(ctx context.Context, runs []jdbc.Run) (done bool, err error) {
	state := w.states[w.l]
	upserts := runs[0].Op == jdbc.Upsert
	if len(runs) > 1 || !w.l.direct || !upserts && runs[0].Op != jdbc.Insert {
		return false, nil
	}
	if upserts && state.wait > 0 {
		state.wait--
		return false, nil
	}
	err = w.copyRun(ctx, runs[0])
	if !upserts {
		return true, err
	}
	if pg := serverError(err); pg != nil && pg.Code == uniqueViolation {
		state.pause = min(2*state.pause+1, maxPause)
		state.wait = state.pause
		return false, nil
	}
	state.pause = 0
	return true, err
}

const (
	uniqueViolation = "23505"
	undefinedTable  = "42P01"
	undefinedColumn = "42703"
)

// apply writes runs within a transaction.
func (w *work) apply(ctx context.Context, runs []jdbc.Run) error {
	switch {
	case w.stage != nil:
		return w.stageRuns(ctx, runs)
	case w.l.t.Statement != nil:
		return w.execute(ctx, runs)
	case len(runs) == 1 && runs[0].Op == jdbc.Insert && w.l.direct:
		return w.copyRun(ctx, runs[0])
	case len(w.l.key) == 0 || hasOther(runs):
		return w.applyEach(ctx, runs)
	default:
		return w.merge(ctx, runs)
	}
}

// hasOther reports whether there are other runs than upserts and deletes, whose order does not matter once each key has
// only its last row.
func hasOther(runs []jdbc.Run) bool {
	for _, run := range runs {
		if run.Op != jdbc.Upsert && run.Op != jdbc.Delete {
			return true
		}
	}
	return false
}

// copyRun copies a run into the target.
func (w *work) copyRun(ctx context.Context, run jdbc.Run) error {
	return w.copy(ctx, w.l.copySQL(), func(f *feed) error {
		for row := run.From; row < run.To; row++ {
			if err := w.put(f, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *work) copy(ctx context.Context, sql string, fill func(f *feed) error) (err error) {
	w.buf, err = w.s.copyIn(ctx, w.buf, sql, fill)
	return err
}

// put adds a row to a COPY.
func (w *work) put(f *feed, row int) (err error) {
	f.buf = binary.BigEndian.AppendUint16(f.buf, uint16(len(w.cells)))
	if f.buf, err = appendRow(f.buf, w.cells, row); err != nil {
		return err
	}
	return f.full()
}

// putStaged adds a row with its number and operation in front to a COPY into a staging table.
func (w *work) putStaged(f *feed, op jdbc.Op, row int) (err error) {
	f.buf = binary.BigEndian.AppendUint16(f.buf, uint16(len(w.cells)+2))
	f.buf = append(f.buf, 0, 0, 0, 8)
	f.buf = binary.BigEndian.AppendUint64(f.buf, uint64(w.first+int64(row)))
	f.buf = append(f.buf, 0, 0, 0, 2, 0, byte(op))
	if f.buf, err = appendRow(f.buf, w.cells, row); err != nil {
		return err
	}
	return f.full()
}

// temporary returns the session's temporary staging table, empty.
func (w *work) temporary(ctx context.Context) (string, error) {
	state := w.states[w.l]
	name := fmt.Sprintf("pg_temp.culvert_stage_%d", state.number)
	if !state.temporary {
		if err := w.boundTemporaries(ctx); err != nil {
			return "", err
		}
		err := w.s.exec(ctx, "CREATE TEMPORARY TABLE IF NOT EXISTS "+name+" ("+w.l.staging()+") ON COMMIT DELETE ROWS")
		if err != nil {
			return "", err
		}
	}
	if state.used {
		if err := w.s.exec(ctx, "TRUNCATE "+name); err != nil {
			return "", err
		}
	}
	state.temporary, state.used = true, true
	return name, nil
}

// merge writes upserts and deletes: the last row of each key goes through a staging table into the target.
func (w *work) merge(ctx context.Context, runs []jdbc.Run) error {
	if err := w.seen.reduce(w.cells, w.l.key, runs); err != nil {
		return err
	}
	stage, err := w.temporary(ctx)
	if err != nil {
		return err
	}
	var has [jdbc.Exec + 1]bool
	err = w.copy(ctx, "COPY "+stage+" FROM STDIN (FORMAT BINARY)", func(f *feed) error {
		for i, row := range w.seen.rows {
			op := w.seen.ops[i]
			has[op] = true
			if err := w.putStaged(f, op, int(row)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if has[jdbc.Delete] {
		if err := w.s.exec(ctx, w.l.deleteSQL(stage, " AND s.op = 3")); err != nil {
			return err
		}
	}
	if has[jdbc.Upsert] {
		return w.s.exec(ctx, w.l.upsertSQL(stage, " WHERE s.op = 1"))
	}
	return nil
}

// applyEach writes runs whose order matters, row by row within the server; runs of inserts alone in one statement.
func (w *work) applyEach(ctx context.Context, runs []jdbc.Run) error {
	stage, err := w.temporary(ctx)
	if err != nil {
		return err
	}
	err = w.copyStaged(ctx, stage, runs)
	if err != nil {
		return err
	}
	if len(runs) == 1 && runs[0].Op == jdbc.Insert {
		return w.s.exec(ctx, w.l.insertSQL(stage, ""))
	}
	return w.s.exec(ctx, w.l.eachSQL(stage))
}

func (w *work) copyStaged(ctx context.Context, stage string, runs []jdbc.Run) error {
	return w.copy(ctx, "COPY "+stage+" FROM STDIN (FORMAT BINARY)", func(f *feed) error {
		for _, run := range runs {
			for row := run.From; row < run.To; row++ {
				if err := w.putStaged(f, run.Op, row); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// execute runs the job's own statement for each row.
func (w *work) execute(ctx context.Context, runs []jdbc.Run) error {
	formats := make([]int16, len(w.l.casts))
	for i, cast := range w.l.casts {
		if cast == "%s" {
			formats[i] = 1
		}
	}
	batch := &pgconn.Batch{}
	for _, run := range runs {
		for row := run.From; row < run.To; row++ {
			data, err := appendRow(nil, w.cells, row)
			if err != nil {
				return err
			}
			params := make([][]byte, len(w.cells))
			for i := range params {
				if params[i], data, err = cut(data); err != nil {
					return err
				}
			}
			batch.ExecPrepared(w.l.statement, params, formats, nil)
		}
	}
	return w.s.explained(ctx, w.s.ExecBatch(ctx, batch).Close())
}
