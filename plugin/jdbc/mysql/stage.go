package mysql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// stageTables make the tables of exactly-once sinks, in the url's database. culvert_stages lists what is staged: epoch
// is null until a flush has ended one. culvert_commits holds the last epoch that each sink has committed.
var stageTables = []string{
	`CREATE TABLE IF NOT EXISTS culvert_stages (
		id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, job BIGINT NOT NULL, vertex VARCHAR(500) NOT NULL, epoch BIGINT NULL,
		target TEXT NOT NULL, moves LONGTEXT NOT NULL
	) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
	`CREATE TABLE IF NOT EXISTS culvert_commits (
		job BIGINT NOT NULL, vertex VARCHAR(500) NOT NULL, epoch BIGINT NOT NULL, PRIMARY KEY (job, vertex)
	) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
}

// stage is where one lane puts its rows until their epoch is committed.
type stage struct {
	owner  jdbc.Owner
	lane   int
	staged map[*jdbc.Target]*staged // of the epoch that is being written
}

// staged is one staging table.
type staged struct {
	id   int64
	next int64 // number of the next row
}

func newStage(o jdbc.Owner, lane int) *stage {
	return &stage{owner: o, lane: lane, staged: map[*jdbc.Target]*staged{}}
}

func stageName(id int64) string { return fmt.Sprintf("culvert_stage_%d", id) }

// open makes the staging table of a target for this epoch. It is listed before it is made: what is not listed would
// never be dropped.
func (st *stage) open(l *loader, tab *table) error {
	t := tab.target
	if st.staged[t] != nil {
		return nil
	}
	text, err := json.Marshal(tab.moves)
	if err != nil {
		return err
	}
	insert, err := l.s.Prepare("INSERT INTO culvert_stages (job, vertex, target, moves) VALUES (?, ?, ?, ?)")
	if err != nil {
		return err
	}
	res, err := insert.Exec(st.owner.Job, st.owner.Vertex, t.ID.String(), text)
	if err = errors.Join(err, insert.Close()); err != nil {
		return err
	}
	id := int64(res.LastID)
	columns := stageLike(tab)
	if t.Statement != nil {
		if columns, err = stageDeclared(t, l.s.MariaDB); err != nil {
			return err
		}
	}
	if err := l.s.exec("CREATE TABLE " + stageName(id) + columns); err != nil {
		return err
	}
	st.staged[t] = &staged{id: id}
	return nil
}

// stageDeclared returns the columns of a staging table for the job's own statement, whose target is not known.
func stageDeclared(t *jdbc.Target, _ bool) (string, error) {
	lines := []string{seqColumn + " BIGINT NOT NULL PRIMARY KEY", opColumn + " TINYINT NOT NULL"}
	for i, c := range t.Source.Columns {
		c.Length = 0
		declared, err := declare(c, "", false)
		if err != nil {
			return "", err
		}
		lines = append(lines, stageColumn(i)+" "+declared)
	}
	return " (" + strings.Join(lines, ", ") + ") ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4", nil
}

// put stages the rows of a batch.
func (st *stage) put(w *work, runs []jdbc.Run) error {
	to := st.staged[w.tab.target]
	into := stageDestination(stageName(to.id), w.tab)
	for _, r := range runs {
		if err := w.send(into, r, to.next); err != nil {
			return err
		}
	}
	to.next += int64(w.batch.Len())
	return nil
}

// seal ends an epoch: its staging tables get its number. The token lists them.
func (st *stage) seal(ctx context.Context, l *loader, epoch uint64) ([]byte, error) {
	if len(st.staged) == 0 {
		return nil, nil
	}
	if l.s == nil {
		return nil, l.d.unreachable(wire.ErrLost)
	}
	stop := l.s.Watch(ctx)
	defer stop()
	var ids []int64
	for _, s := range st.staged {
		ids = append(ids, s.id)
	}
	err := l.s.exec(fmt.Sprintf("UPDATE culvert_stages SET epoch = %d WHERE id IN (%s)", epoch, idList(ids)))
	if err != nil {
		return nil, l.s.ended(ctx, err)
	}
	clear(st.staged)
	return json.Marshal(ids)
}

func idList(ids []int64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]")
}

// Commit implements [jdbc.Database]. The rows move to their targets, and the epoch is noted, in one transaction: after
// a crash at any moment either both are there or neither is. Staging tables are dropped when that is done.
func (d *database) Commit(ctx context.Context, o jdbc.Owner, epoch uint64, tokens [][]byte) error {
	var ids []int64
	for _, token := range tokens {
		if len(token) == 0 {
			continue
		}
		var some []int64
		if err := json.Unmarshal(token, &some); err != nil {
			return fmt.Errorf("commit token: %w", err)
		}
		ids = append(ids, some...)
	}
	if len(ids) == 0 {
		return nil
	}
	return d.bookkeeping(ctx, func(s *session) error {
		err := s.transaction(func() error { return s.commit(o, epoch, ids) })
		for try := 1; isDeadlock(err) && try < deadlocks; try++ {
			err = s.transaction(func() error { return s.commit(o, epoch, ids) })
		}
		if err != nil {
			return err
		}
		return s.dropStages(ids)
	})
}

// bookkeeping runs f in a session in which the tables of exactly-once sinks are there.
func (d *database) bookkeeping(ctx context.Context, f func(*session) error) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	stop := s.Watch(ctx)
	defer stop()
	if err = s.exec(stageTables...); err == nil {
		err = f(s)
	}
	return errors.Join(s.ended(ctx, err), s.Close())
}

// commit moves staged rows and notes the epoch. Another process that died while it did the same may still hold the
// commit's row; this one waits for it, and then finds the epoch there.
func (s *session) commit(o jdbc.Owner, epoch uint64, ids []int64) error {
	if err := s.run("INSERT IGNORE INTO culvert_commits VALUES (?, ?, 0)", o.Job, o.Vertex); err != nil {
		return err
	}
	last, err := s.one("SELECT epoch FROM culvert_commits WHERE job = ? AND vertex = ? FOR UPDATE", o.Job, o.Vertex)
	if err != nil || number(last) >= int64(epoch) {
		return err
	}
	for _, id := range ids {
		if err := s.moveStage(id); err != nil {
			return err
		}
	}
	return s.run("UPDATE culvert_commits SET epoch = ? WHERE job = ? AND vertex = ?", int64(epoch), o.Job, o.Vertex)
}

// run executes a statement with parameters.
func (s *session) run(sql string, args ...any) error {
	stmt, err := s.Prepare(sql)
	if err != nil {
		return err
	}
	_, err = stmt.Exec(args...)
	if errors.Is(err, wire.ErrLost) {
		return err
	}
	return errors.Join(err, stmt.Close())
}

// moveStage moves the rows of one staging table to their target, in order.
func (s *session) moveStage(id int64) error {
	rows, err := s.Rows("SELECT target, moves FROM culvert_stages WHERE id = ?", id)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return &plugin.Error{
			Code: plugin.CodeNotFound, Err: fmt.Errorf("staged rows of this checkpoint, %s, are gone", stageName(id)),
			Fix: "somebody has dropped them from the database; start the job afresh",
		}
	}
	var m moves
	if err := json.Unmarshal([]byte(wire.String(rows[0][1])), &m); err != nil {
		return fmt.Errorf("%s: %w", stageName(id), err)
	}
	if m.Statement != "" {
		err = s.moveEach(id, m)
	} else {
		err = s.moveRuns(id, m)
	}
	if isRefusal(err) { // to repeat it would not help
		err = &plugin.Error{Code: plugin.CodeData, Err: err,
			Fix: "correct the rows that are in the way in the target, then resume the job"}
	}
	return ofTable(err, plugin.TableID{Name: wire.String(rows[0][0])})
}

// moveRuns moves all rows with as few statements as their operations allow.
func (s *session) moveRuns(id int64, m moves) error {
	rows, err := s.Rows(fmt.Sprintf("SELECT COUNT(*), MIN(%s), MAX(%[1]s), MIN(%s), MAX(%[2]s) FROM %s", seqColumn,
		opColumn, stageName(id)))
	if err != nil || number(rows[0][0]) == 0 {
		return err
	}
	from, to := number(rows[0][1]), number(rows[0][2])
	low, high := jdbc.Op(number(rows[0][3])), jdbc.Op(number(rows[0][4]))
	if low == high {
		return s.exec(placed(m.Ops[low], stageName(id), from, to))
	}
	other, err := s.one(fmt.Sprintf("SELECT 1 FROM %s WHERE %s NOT IN (%d, %d) LIMIT 1", stageName(id), opColumn,
		jdbc.Upsert, jdbc.Delete))
	if err != nil {
		return err
	}
	if other == nil && m.Last != nil {
		for _, sql := range m.Last {
			if err := s.exec(placed(sql, stageName(id), from, to)); err != nil {
				return err
			}
		}
		return nil
	}
	return s.moveInOrder(id, m)
}

// moveInOrder moves one run of equal operations after the other.
func (s *session) moveInOrder(id int64, m moves) error {
	rows, err := s.Rows(fmt.Sprintf("SELECT %s, %s FROM %s ORDER BY 1", seqColumn, opColumn, stageName(id)))
	if err != nil {
		return err
	}
	for i := 0; i < len(rows); {
		op, end := number(rows[i][1]), i+1
		for end < len(rows) && number(rows[end][1]) == op {
			end++
		}
		sql := placed(m.Ops[jdbc.Op(op)], stageName(id), number(rows[i][0]), number(rows[end-1][0]))
		if err := s.exec(sql); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// moveChunk is how many rows moveEach reads at a time.
const moveChunk = 4096

// moveEach runs the job's own statement for each row.
func (s *session) moveEach(id int64, m moves) error {
	stmt, err := s.Prepare(m.Statement)
	if err != nil {
		return err
	}
	from := int64(-1)
	for {
		rows, err := s.Rows(fmt.Sprintf("SELECT * FROM %s WHERE %s > ? ORDER BY %[2]s LIMIT %d", stageName(id), seqColumn,
			moveChunk), from)
		if err != nil {
			return err
		}
		for _, row := range rows {
			args := make([]any, len(m.Columns))
			for i, c := range m.Columns {
				args[i] = row[c+2] // behind number and operation
			}
			if _, err := stmt.Exec(args...); err != nil {
				return err
			}
			from = number(row[0])
		}
		if len(rows) < moveChunk {
			return stmt.Close()
		}
	}
}

// dropStages drops staging tables and takes them off the list.
func (s *session) dropStages(ids []int64) error {
	for _, id := range ids {
		if err := s.exec("DROP TABLE IF EXISTS "+stageName(id), fmt.Sprintf("DELETE FROM culvert_stages WHERE id = %d",
			id)); err != nil {
			return err
		}
	}
	return nil
}

// Abort implements [jdbc.Database].
func (d *database) Abort(ctx context.Context, o jdbc.Owner, after uint64) error {
	if d.config.Database == "" {
		return nil
	}
	return d.bookkeeping(ctx, func(s *session) error { return s.abort(o, after) })
}

func (s *session) abort(o jdbc.Owner, after uint64) error {
	rows, err := s.Rows("SELECT id FROM culvert_stages WHERE job = ? AND vertex = ? AND (epoch IS NULL OR epoch > ?)",
		o.Job, o.Vertex, int64(after))
	if err != nil {
		return err
	}
	var ids []int64
	for _, row := range rows {
		ids = append(ids, number(row[0]))
	}
	if err := s.dropStages(ids); err != nil {
		return err
	}
	if after > 0 {
		return nil
	}
	// The job starts from scratch, and counts its epochs anew.
	return s.run("DELETE FROM culvert_commits WHERE job = ? AND vertex = ?", o.Job, o.Vertex)
}
