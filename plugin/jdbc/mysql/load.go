package mysql

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// loader writes the batches of one lane.
type loader struct {
	d      *database
	s      *session // nil after the connection was lost
	tables map[*jdbc.Target]*table
	stmts  map[*jdbc.Target]*wire.Stmt // of the jobs' own statements
	stage  *stage                      // of an exactly-once sink

	owner    string // names the sink and its lane, over restarts
	ordinary bool   // the user may not make temporary tables: others, by the same names, do their work
	form     form   // asSQL on servers that take no local files
	fields   []field
	buf      []byte
}

// table is what a loader knows about a target.
type table struct {
	target        *jdbc.Target
	name          string
	moves         moves
	bits          []bool    // columns of type BIT, for which texts of numbers must become numbers
	checks        []checker // of values that the server would change silently
	transactional bool
	temporary     bool // there is a temporary staging table
	// Loading upserts straight into the target is tried again after so many batches; each failure doubles the pause.
	wait, pause int
}

// Loader implements [jdbc.Database].
func (d *database) Loader(ctx context.Context, o jdbc.Owner, lane int) (jdbc.Loader, error) {
	l := &loader{d: d, owner: fmt.Sprintf("%d/%s/%d", o.Job, o.Vertex, lane)}
	if o.ExactlyOnce {
		if d.config.Database == "" {
			return nil, configError(errors.New("is_exactly_once: the url names no database"),
				"name one in the url: the connector keeps its staging tables and its record of commits there")
		}
		l.stage = newStage(o, lane)
	}
	return l, l.connect(ctx)
}

// connect starts a session, which knows no temporary tables and no statements yet.
func (l *loader) connect(ctx context.Context) error {
	s, err := l.d.connect(ctx)
	if err != nil {
		return err
	}
	l.s = s
	l.tables, l.stmts = map[*jdbc.Target]*table{}, map[*jdbc.Target]*wire.Stmt{}
	stop := s.Watch(ctx)
	defer stop()
	local, err := s.one("SELECT @@GLOBAL.local_infile")
	if err == nil && number(local) == 0 {
		l.form = asSQL
	}
	if err == nil && l.stage != nil {
		err = s.exec(stageTables...)
	}
	return s.ended(ctx, err)
}

// deadlocks is how often a batch is tried again when the server rolls it back in favour of another.
const deadlocks = 10

// Load implements [jdbc.Loader]. A batch is one transaction.
func (l *loader) Load(ctx context.Context, t *jdbc.Target, b plugin.Batch, runs []jdbc.Run) error {
	if l.s == nil {
		if err := l.connect(ctx); err != nil {
			return err
		}
	}
	stop := l.s.Watch(ctx)
	defer stop()
	var err error
	var refused *plugin.RowErrors
	for range deadlocks {
		refused, err = l.load(t, b, runs)
		if !isDeadlock(err) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		s := l.s
		if errors.Is(err, wire.ErrLost) {
			_ = s.Close()
			l.s = nil
		}
		return ofTable(s.ended(ctx, err), t.ID)
	}
	if len(refused.Rows) > 0 {
		slices.SortFunc(refused.Rows, func(a, b plugin.RowError) int { return a.Index - b.Index })
		return refused
	}
	return nil
}

// load applies the runs in a transaction.
func (l *loader) load(t *jdbc.Target, b plugin.Batch, runs []jdbc.Run) (*plugin.RowErrors, error) {
	tab, err := l.table(t)
	if err != nil {
		return nil, err
	}
	w := &work{l: l, tab: tab, batch: b, refused: &plugin.RowErrors{}}
	if t.Statement == nil || l.stage != nil {
		if l.fields, err = fieldsOf(b, l.form, l.fields); err != nil {
			return nil, err
		}
	}
	if runs = w.screen(runs); len(runs) == 0 {
		return w.refused, nil
	}
	if w.direct(runs) {
		if done, err := w.loadDirect(runs[0]); done || err != nil {
			return w.refused, err
		}
	}
	prepare, apply := w.plan(runs)
	if err := prepare(); err != nil {
		return nil, err
	}
	return w.refused, l.s.transaction(apply)
}

// table looks a target up, once in each session.
func (l *loader) table(t *jdbc.Target) (*table, error) {
	if tab, ok := l.tables[t]; ok {
		return tab, nil
	}
	tab := &table{target: t, transactional: true}
	if t.Statement == nil {
		if err := l.inspect(tab); err != nil {
			return nil, err
		}
	} else {
		tab.moves = movesOf(t, "", nil)
	}
	l.tables[t] = tab
	return tab, nil
}

// inspect compares the target with the table in the database.
func (l *loader) inspect(tab *table) error {
	t := tab.target
	have, err := l.s.readStructure(t.ID)
	if err != nil {
		return err
	}
	if have == nil {
		return l.s.noTable(t.ID)
	}
	tab.name, tab.transactional = tableName(have.id), have.transactional
	if l.stage != nil && !tab.transactional {
		return configError(fmt.Errorf("is_exactly_once: the table's engine %s has no transactions", have.engine),
			"change it to InnoDB")
	}
	tab.bits, tab.checks = make([]bool, len(t.Columns)), make([]checker, len(t.Columns))
	for i, name := range t.Columns {
		if n := have.index(name); n >= 0 {
			tab.bits[i] = have.columns[n].dataType == "bit" && t.Source.Columns[i].Type.Kind != plugin.Bytes
			tab.checks[i] = checkerOf(t.Source.Columns[i].Type, have.columns[n])
		}
	}
	nullable := make([]bool, len(t.Key))
	for i, k := range t.Key {
		n := have.index(t.Columns[k])
		nullable[i] = n >= 0 && !have.columns[n].notNull
	}
	if len(t.Key) > 0 && t.Upserts && !t.InsertOnly && !have.identifies(namesOf(t, t.Key)) {
		return configError(
			fmt.Errorf("upserts need a primary key or unique index on exactly %s", strings.Join(namesOf(t, t.Key), ", ")),
			"make one, set primary_keys to the columns of one that is there, or set enable_upsert = false")
	}
	tab.moves = movesOf(t, tab.name, nullable)
	return nil
}

// work applies one batch.
type work struct {
	l       *loader
	tab     *table
	batch   plugin.Batch
	refused *plugin.RowErrors
}

// plan returns what has to be done before the transaction, and in it.
func (w *work) plan(runs []jdbc.Run) (prepare, apply func() error) {
	nothing := func() error { return nil }
	switch {
	case w.l.stage != nil:
		return func() error { return w.l.stage.open(w.l, w.tab) }, func() error { return w.l.stage.put(w, runs) }
	case w.tab.target.Statement != nil:
		return w.l.prepare(w.tab.target), func() error { return w.execute(runs) }
	case onlyOp(runs, jdbc.Insert):
		return nothing, func() error { return w.insert(runs) }
	}
	return func() error { return w.l.emptyTemporary(w.tab) }, func() error { return w.throughStage(runs) }
}

func onlyOp(runs []jdbc.Run, op jdbc.Op) bool {
	for _, r := range runs {
		if r.Op != op {
			return false
		}
	}
	return true
}

// insert loads rows straight into their table.
func (w *work) insert(runs []jdbc.Run) error {
	into := destination{name: w.tab.name, columns: quoteEach(w.tab.target.Columns), bits: w.tab.bits}
	for _, r := range runs {
		if err := w.send(into, r, 0); err != nil {
			return err
		}
	}
	return nil
}

// maxPause is the greatest number of batches that are staged after one could not be loaded straight.
const maxPause = 256

// direct reports whether runs are upserts that may turn out to be inserts.
func (w *work) direct(runs []jdbc.Run) bool {
	plain := w.l.stage == nil && w.tab.target.Statement == nil
	if !plain || !w.tab.transactional || len(runs) > 1 || runs[0].Op != jdbc.Upsert {
		return false
	}
	if w.tab.wait > 0 {
		w.tab.wait--
		return false
	}
	return true
}

// loadDirect loads upserts as inserts. If a key is there, or a row is refused, nothing is done and done is false.
func (w *work) loadDirect(r jdbc.Run) (done bool, err error) {
	into := destination{name: w.tab.name, columns: quoteEach(w.tab.target.Columns), bits: w.tab.bits}
	err = w.l.s.transaction(func() error { return w.sendAll(into, r) })
	if err == nil {
		w.tab.pause = 0
		return true, nil
	}
	if !isRefusal(err) {
		return false, err
	}
	w.tab.pause = min(2*w.tab.pause+1, maxPause)
	w.tab.wait = w.tab.pause
	return false, nil
}

const temporaryPrefix = "culvert_temporary_"

// maxName is the number of characters that a table's name may have.
const maxName = 64

// temporary returns the name of the staging table of a session. One that is no temporary table must not be another
// lane's, and is found again after a crash.
func (l *loader) temporary(tab *table) string {
	name := temporaryPrefix + tab.target.ID.Name
	if l.ordinary || utf8.RuneCountInString(name) > maxName {
		h := fnv.New64a()
		_, _ = h.Write([]byte(l.owner + "/" + name)) // never fails
		name = fmt.Sprintf("%s%x", temporaryPrefix, h.Sum64())
	}
	return tableName(plugin.TableID{Database: l.d.full(tab.target.ID).Database, Name: name})
}

// emptyTemporary makes or empties the session's staging table. Making it takes no part in a transaction.
func (l *loader) emptyTemporary(tab *table) error {
	switch {
	case tab.temporary && l.ordinary:
		return l.s.exec("DELETE FROM " + l.temporary(tab))
	case tab.temporary:
		return l.s.exec("TRUNCATE TABLE " + l.temporary(tab))
	}
	err := l.makeTemporary(tab)
	if !l.ordinary && isDenied(err) {
		l.d.log.Warn("the user may not make temporary tables; ordinary ones do their work, more slowly",
			"database", l.d.full(tab.target.ID).Database)
		l.ordinary = true
		err = l.makeTemporary(tab)
	}
	tab.temporary = err == nil
	return err
}

// makeTemporary makes the staging table. There may be one of an older version of the target.
func (l *loader) makeTemporary(tab *table) error {
	kind := "TEMPORARY TABLE"
	if l.ordinary {
		kind = "TABLE"
	}
	return l.s.exec("DROP "+kind+" IF EXISTS "+l.temporary(tab), "CREATE "+kind+" "+l.temporary(tab)+stageLike(tab))
}

// dropTemporary drops what the server does not drop by itself with the session.
func (l *loader) dropTemporary() {
	for _, tab := range l.tables {
		if l.ordinary && tab.temporary && l.s != nil {
			_ = l.s.exec("DROP TABLE IF EXISTS " + l.temporary(tab)) // the next run drops it otherwise
		}
	}
}

// isDenied reports that the user has no right to do what was asked.
func isDenied(err error) bool {
	var answer *wire.Error
	return errors.As(err, &answer) && (answer.Number == 1044 || answer.Number == 1142 || answer.Number == 1227)
}

// stageLike returns the columns of a staging table: those of the target with their exact types, so that a value that
// does not fit is found when it is staged.
func stageLike(tab *table) string {
	columns := make([]string, len(tab.target.Columns))
	for i, name := range tab.target.Columns {
		columns[i] = quote(name) + " AS " + stageColumn(i)
	}
	return " (" + seqColumn + " BIGINT NOT NULL PRIMARY KEY, " + opColumn +
		" TINYINT NOT NULL) ENGINE = InnoDB AS SELECT " +
		"CAST(0 AS SIGNED) AS " + seqColumn + ", CAST(0 AS SIGNED) AS " + opColumn + ", " +
		strings.Join(columns, ", ") + " FROM " + tab.name + " LIMIT 0"
}

// throughStage loads all rows into the staging table and brings them to their target from there.
func (w *work) throughStage(runs []jdbc.Run) error {
	name := w.l.temporary(w.tab)
	into := stageDestination(name, w.tab)
	for _, r := range runs {
		if err := w.send(into, r, 0); err != nil {
			return err
		}
	}
	from, to := runs[0].From, runs[len(runs)-1].To
	if w.tab.moves.Last != nil && len(runs) > 1 && !hasOp(runs, jdbc.Insert) && !hasOp(runs, jdbc.Update) {
		done, err := w.moveLast(name, from, to)
		if done || err != nil {
			return err
		}
	}
	for _, r := range runs {
		if err := w.move(name, r); err != nil {
			return err
		}
	}
	return nil
}

func hasOp(runs []jdbc.Run, op jdbc.Op) bool {
	for _, r := range runs {
		if r.Op == op {
			return true
		}
	}
	return false
}

// moveLast applies the last change of each key; false: a row was refused, and nothing is done.
func (w *work) moveLast(stage string, from, to int) (bool, error) {
	if err := w.l.s.exec("SAVEPOINT culvert"); err != nil {
		return false, err
	}
	for _, sql := range w.tab.moves.Last {
		err := w.l.s.exec(placed(sql, stage, int64(from), int64(to-1)))
		if isRefusal(err) && w.tab.transactional {
			return false, w.l.s.exec("ROLLBACK TO SAVEPOINT culvert")
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// move applies a run of staged rows. Where a row is refused, halves are tried until it is found.
func (w *work) move(stage string, r jdbc.Run) error {
	if r.From == r.To {
		return nil
	}
	err := w.l.s.exec(placed(w.tab.moves.Ops[r.Op], stage, int64(r.From), int64(r.To-1)))
	if !isRefusal(err) || !w.tab.transactional {
		return err
	}
	if r.To-r.From == 1 {
		w.refuse(r.From, err)
		return nil
	}
	half := (r.From + r.To) / 2
	return errors.Join(w.move(stage, jdbc.Run{Op: r.Op, From: r.From, To: half}), w.move(stage, jdbc.Run{Op: r.Op,
		From: half, To: r.To}))
}

func (w *work) refuse(row int, err error) {
	t := w.tab.target
	if w.l.stage != nil || w.tab.temporary {
		err = w.named(err)
	}
	e := &plugin.Error{Code: plugin.CodeData, Table: t.ID, Err: err, Fix: "correct the row, or relax the target table"}
	for n, k := range t.Key {
		if n > 0 {
			e.Row += ", "
		}
		text := column.FormatText(nil, w.batch.Rows.Column(k), t.Source.Columns[k].Type, row, nil)
		e.Row += fmt.Sprintf("%s = %s", t.Columns[k], text)
	}
	w.refused.Rows = append(w.refused.Rows, plugin.RowError{Index: row, Err: e})
}

// namedError shows the columns of the target instead of those of a staging table.
type namedError struct {
	error
	text string
}

func (e namedError) Error() string { return e.text }
func (e namedError) Unwrap() error { return e.error }

func (w *work) named(err error) error {
	text := err.Error()
	for i, name := range w.tab.target.Columns {
		for _, form := range []string{"'%s'", "`%s`"} {
			text = strings.ReplaceAll(text, fmt.Sprintf(form, stageColumn(i)), fmt.Sprintf(form, name))
		}
	}
	return namedError{err, text}
}

// Flush implements [jdbc.Loader]. Every batch was committed when Load returned.
func (l *loader) Flush(ctx context.Context, epoch uint64) ([]byte, error) {
	if l.stage == nil {
		return nil, nil
	}
	return l.stage.seal(ctx, l, epoch)
}

// Close implements [jdbc.Loader].
func (l *loader) Close() error {
	if l.s == nil {
		return nil
	}
	l.dropTemporary()
	err := l.s.Close()
	l.s = nil
	return err
}
