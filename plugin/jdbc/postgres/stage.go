package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// stage is where one lane of an exactly-once sink puts its rows until their epoch is committed.
type stage struct {
	owner  jdbc.Owner
	tables map[*layout]*staged // of the open transaction
	fresh  []*layout           // made since the last savepoint
}

// staged is a staging table of the open transaction.
type staged struct {
	name  string
	moves moves
	mixed bool // there are other rows than upserts
}

// moves is how staged rows get into their target, from the simplest to the most demanding.
type moves uint8

const (
	moveInserts moves = iota // all at once
	moveMerge                // the last row of each key
	moveEach                 // one after the other
)

// sealed is a staging table of an epoch that has ended; the token lists them.
type sealed struct {
	Table  string `json:"table"`
	Target string `json:"target"`
	// Copy moves the rows by one statement that fails if a key is there; Rest moves them in any case. One may be empty.
	Copy string   `json:"copy,omitempty"`
	Rest []string `json:"rest,omitempty"`
}

func newStage(o jdbc.Owner) *stage {
	return &stage{owner: o, tables: map[*layout]*staged{}}
}

// stagePrefix begins the names of an owner's staging tables.
func stagePrefix(o jdbc.Owner) string {
	h := fnv.New32a()
	h.Write([]byte(o.Vertex))
	return fmt.Sprintf("culvert_%s_%08x_", strconv.FormatUint(uint64(o.Job), 36), h.Sum32())
}

// table returns the staging table of a layout, made if need be.
func (st *stage) table(ctx context.Context, s *session, l *layout) (*staged, error) {
	if t, ok := st.tables[l]; ok {
		return t, nil
	}
	t := &staged{name: stagePrefix(st.owner) + strings.ToLower(rand.Text()[:8])}
	sql := "CREATE TABLE " + quote(t.name) + " (" + l.typed().staging() + ") WITH (autovacuum_enabled = false)"
	note := fmt.Sprintf("Culvert: job %d, %s: rows for %s, not committed yet", st.owner.Job, st.owner.Vertex, l.t.ID)
	if err := s.exec(ctx, sql+"; COMMENT ON TABLE "+quote(t.name)+" IS "+literal(note)); err != nil {
		return nil, err
	}
	st.tables[l] = t
	st.fresh = append(st.fresh, l)
	return t, nil
}

// forget drops the tables that a rollback to the savepoint has dropped.
func (st *stage) forget() {
	for _, l := range st.fresh {
		delete(st.tables, l)
	}
	st.fresh = nil
}

// stageRuns copies runs into the staging table. Values that have to be cast are cast on the way, so that one that
// cannot be is found now and not at the commit, when nothing but the job's failure would be left.
func (w *work) stageRuns(ctx context.Context, runs []jdbc.Run) error {
	w.stage.fresh = nil
	t, err := w.stage.table(ctx, w.s, w.l)
	if err != nil {
		return err
	}
	if err := w.stageInto(ctx, quote(t.name), runs); err != nil {
		return err
	}
	w.stage.fresh = nil
	t.note(w.l, runs)
	return nil
}

func (w *work) stageInto(ctx context.Context, name string, runs []jdbc.Run) error {
	if w.l.direct {
		return w.copyStaged(ctx, name, runs)
	}
	temporary, err := w.temporary(ctx)
	if err != nil {
		return err
	}
	if err := w.copyStaged(ctx, temporary, runs); err != nil {
		return err
	}
	return w.s.exec(ctx, "INSERT INTO "+name+" SELECT s.seq, s.op, "+w.l.staged()+" FROM "+temporary+" s")
}

// note notes what the rows of a batch ask of their move.
func (t *staged) note(l *layout, runs []jdbc.Run) {
	only := func(op jdbc.Op) bool {
		return !slices.ContainsFunc(runs, func(r jdbc.Run) bool { return r.Op != op })
	}
	need := moveEach
	switch {
	case only(jdbc.Insert):
		need = moveInserts
	case l.t.Statement == nil && !hasOther(runs):
		need = moveMerge
	}
	t.mixed = t.mixed || !only(jdbc.Upsert)
	t.moves = max(t.moves, need)
}

// seal returns the statements that move the rows out of a table.
func (t *staged) seal(l *layout, table string) sealed {
	d := sealed{Table: table, Target: l.t.ID.String()}
	name := quote(table)
	switch {
	case t.moves == moveInserts:
		d.Copy = l.insertSQL(name, "")
	case t.moves == moveEach || t.mixed && !l.t.Upserts:
		d.Rest = []string{l.eachSQL(name)}
	default:
		if !t.mixed {
			d.Copy = l.insertSQL(name, "")
		}
		from := lastOfEach(l, name)
		d.Rest = []string{l.deleteSQL(from, " AND s.op = 3"), l.upsertSQL(from, " WHERE s.op = 1")}
	}
	return d
}

// lastOfEach selects the last staged row of each key.
func lastOfEach(l *layout, stage string) string {
	keys := make([]string, len(l.key))
	for i, k := range l.key {
		keys[i] = "c" + strconv.Itoa(k)
	}
	list := strings.Join(keys, ", ")
	return "(SELECT DISTINCT ON (" + list + ") * FROM " + stage + " ORDER BY " + list + ", seq DESC)"
}

// seal ends an epoch: the names of its staging tables get its number. The token lists them.
func (st *stage) seal(ctx context.Context, s *session, epoch uint64) ([]byte, error) {
	if len(st.tables) == 0 {
		return nil, nil
	}
	var list []sealed
	for l, t := range st.tables {
		name := fmt.Sprintf("%s_%d", t.name, epoch)
		if err := s.exec(ctx, "ALTER TABLE "+quote(t.name)+" RENAME TO "+quote(name)); err != nil {
			return nil, err
		}
		list = append(list, t.seal(l.typed(), name))
	}
	clear(st.tables)
	return json.Marshal(list)
}

// ensureCommits makes the table that notes the last epoch of each sink. The lock keeps two sessions from making it at
// the same time.
func ensureCommits(ctx context.Context, s *session) error {
	has, err := s.value(ctx, "SELECT to_regclass('culvert_commits')::text")
	if err != nil || has != nil {
		return err
	}
	return s.transaction(ctx, func() error {
		return s.exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('culvert_commits'));
			CREATE TABLE IF NOT EXISTS culvert_commits (
				job bigint, vertex text, epoch bigint NOT NULL, PRIMARY KEY (job, vertex))`)
	})
}

// Commit implements [jdbc.Database].
func (d *database) Commit(ctx context.Context, o jdbc.Owner, epoch uint64, tokens [][]byte) error {
	var tables []sealed
	for _, token := range tokens {
		var some []sealed
		if err := json.Unmarshal(token, &some); err != nil {
			return fmt.Errorf("commit token: %w", err)
		}
		tables = append(tables, some...)
	}
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := ensureCommits(ctx, s); err != nil {
		return err
	}
	return s.transaction(ctx, func() error { return s.move(ctx, o, epoch, tables) })
}

// move notes the epoch and moves its rows, unless it is noted already.
func (s *session) move(ctx context.Context, o jdbc.Owner, epoch uint64, tables []sealed) error {
	noted, err := s.query(ctx, `INSERT INTO culvert_commits AS c VALUES ($1::bigint, $2, $3::bigint)
		ON CONFLICT (job, vertex) DO UPDATE SET epoch = EXCLUDED.epoch WHERE c.epoch < EXCLUDED.epoch RETURNING 1`,
		strconv.FormatInt(o.Job, 10), o.Vertex, strconv.FormatUint(epoch, 10))
	if err != nil || len(noted) == 0 {
		return err
	}
	for _, t := range tables {
		if err := s.moveTable(ctx, t); err != nil {
			if pg := serverError(err); pg != nil && pg.Code == undefinedTable && strings.Contains(pg.Message, t.Table) {
				err = &plugin.Error{
					Code: plugin.CodeNotFound, Err: fmt.Errorf("staged rows of this checkpoint, %s, are gone", t.Table),
					Fix: "somebody has dropped them from the database; start the job afresh",
				}
			}
			id, _ := plugin.ParseTableID(t.Target, true)
			return ofTable(err, id)
		}
	}
	return nil
}

func (s *session) moveTable(ctx context.Context, t sealed) error {
	moved := false
	if t.Copy != "" {
		err := s.exec(ctx, "SAVEPOINT culvert; "+t.Copy)
		pg := serverError(err)
		switch {
		case err == nil:
			moved = true
		case pg != nil && pg.Code == uniqueViolation && t.Rest != nil:
			if err := s.exec(ctx, "ROLLBACK TO SAVEPOINT culvert"); err != nil {
				return err
			}
		default:
			return err
		}
	}
	for _, sql := range t.Rest {
		if moved {
			break
		}
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	return s.exec(ctx, "DROP TABLE "+quote(t.Table))
}

// Abort implements [jdbc.Database].
func (d *database) Abort(ctx context.Context, o jdbc.Owner, after uint64) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	prefix := stagePrefix(o)
	rows, err := s.query(ctx, `SELECT relname FROM pg_class WHERE relkind = 'r' AND starts_with(relname, $1)
		AND relnamespace = current_schema()::regnamespace`, prefix)
	if err != nil {
		return err
	}
	for _, row := range rows {
		name := string(row[0])
		epoch, err := strconv.ParseUint(name[strings.LastIndexByte(name, '_')+1:], 10, 64)
		if err == nil && epoch <= after {
			continue
		}
		if err := s.exec(ctx, "DROP TABLE IF EXISTS "+quote(name)); err != nil {
			return err
		}
	}
	if after > 0 {
		return nil
	}
	// The job starts from scratch, and counts its epochs anew.
	has, err := s.value(ctx, "SELECT to_regclass('culvert_commits')::text")
	if err != nil || has == nil {
		return err
	}
	_, err = s.query(ctx, "DELETE FROM culvert_commits WHERE job = $1::bigint AND vertex = $2",
		strconv.FormatInt(o.Job, 10), o.Vertex)
	return err
}
