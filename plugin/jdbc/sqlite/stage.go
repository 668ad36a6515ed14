package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// stageTables are the tables of exactly-once sinks. culvert_stages lists what is staged: epoch is null until a flush
// has ended one. culvert_commits holds the last epoch that each sink has committed.
const stageTables = `
CREATE TABLE IF NOT EXISTS culvert_stages (
	id INTEGER PRIMARY KEY AUTOINCREMENT, job BIGINT NOT NULL, vertex TEXT NOT NULL, epoch BIGINT,
	target TEXT NOT NULL, move TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS culvert_commits (
	job BIGINT NOT NULL, vertex TEXT NOT NULL, epoch BIGINT NOT NULL, PRIMARY KEY (job, vertex)
) WITHOUT ROWID`

// stage is where one lane puts its rows until their epoch is committed.
type stage struct {
	owner jdbc.Owner
	ids   map[*jdbc.Target]int64 // staging tables of the epoch that is being written
}

func newStage(o jdbc.Owner) *stage {
	return &stage{owner: o, ids: map[*jdbc.Target]int64{}}
}

// table returns the staging table of a target, made if need be.
func (st *stage) table(s *session, t *jdbc.Target) (string, error) {
	id, ok := st.ids[t]
	if !ok {
		move, err := json.Marshal(newMove(t))
		if err != nil {
			return "", err
		}
		row, err := s.Row("INSERT INTO culvert_stages (job, vertex, target, move) VALUES (?1, ?2, ?3, ?4) RETURNING id",
			st.owner.Job, st.owner.Vertex, t.ID.Name, string(move))
		if err != nil {
			return "", err
		}
		id, _ = row[0].(int64)
		columns := strings.Join(stageColumns(len(t.Columns)), ", ")
		if err := s.Exec("CREATE TABLE " + stageName(id) + " (op, " + columns + ")"); err != nil {
			return "", err
		}
		st.ids[t] = id
	}
	return stageName(id), nil
}

func stageName(id int64) string { return fmt.Sprintf("culvert_stage_%d", id) }

// stageColumns are c0, c1, ...: columns without a type keep every value as it is.
func stageColumns(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	return names
}

func stageSQL(table string, columns, rows int) string {
	return "INSERT INTO " + table + " VALUES " + tuples(columns+1, rows)
}

// seal ends an epoch: its staging tables get their number, and the disk has them. The token lists them.
func (st *stage) seal(ctx context.Context, s *session, epoch uint64) ([]byte, error) {
	if len(st.ids) == 0 {
		return nil, nil
	}
	var ids []int64
	for _, id := range st.ids {
		ids = append(ids, id)
	}
	err := s.synced(ctx, func() error {
		for _, id := range ids {
			if err := s.Exec("UPDATE culvert_stages SET epoch = ?1 WHERE id = ?2", int64(epoch), id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	clear(st.ids)
	return json.Marshal(ids)
}

// Commit implements [jdbc.Database].
func (d *database) Commit(ctx context.Context, o jdbc.Owner, epoch uint64, tokens [][]byte) error {
	var ids []int64
	for _, token := range tokens {
		var some []int64
		if err := json.Unmarshal(token, &some); err != nil {
			return fmt.Errorf("commit token: %w", err)
		}
		ids = append(ids, some...)
	}
	return d.acquire(ctx, func(s *session) error {
		return s.synced(ctx, func() error {
			if err := s.Exec(stageTables); err != nil {
				return err
			}
			return s.commit(o, epoch, ids)
		})
	})
}

// commit moves staged rows and notes the epoch.
func (s *session) commit(o jdbc.Owner, epoch uint64, ids []int64) error {
	last, err := s.Row("SELECT epoch FROM culvert_commits WHERE job = ?1 AND vertex = ?2", o.Job, o.Vertex)
	if err != nil {
		return err
	}
	if last != nil && last[0].(int64) >= int64(epoch) {
		return nil
	}
	for _, id := range ids {
		if err := s.moveStage(id); err != nil {
			return err
		}
	}
	return s.Exec("INSERT OR REPLACE INTO culvert_commits VALUES (?1, ?2, ?3)", o.Job, o.Vertex, int64(epoch))
}

// moveStage moves the rows of one staging table to their target, in order, and drops it.
func (s *session) moveStage(id int64) error {
	row, err := s.Row("SELECT target, move FROM culvert_stages WHERE id = ?1", id)
	if err != nil {
		return err
	}
	if row == nil {
		return &plugin.Error{
			Code: plugin.CodeNotFound, Err: fmt.Errorf("staged rows of this checkpoint, %s, are gone", stageName(id)),
			Fix: "somebody has dropped them from the database; start the job afresh",
		}
	}
	target, _ := row[0].(string)
	text, _ := row[1].(string)
	var m move
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("%s: %w", stageName(id), err)
	}
	if err := s.moveRuns(id, m); err != nil {
		return ofTable(s.d.explain(err), plugin.TableID{Name: target})
	}
	return s.dropStage(id)
}

func (s *session) dropStage(id int64) error {
	if err := s.Exec("DROP TABLE IF EXISTS " + stageName(id)); err != nil {
		return err
	}
	return s.Exec("DELETE FROM culvert_stages WHERE id = ?1", id)
}

// Abort implements [jdbc.Database].
func (d *database) Abort(ctx context.Context, o jdbc.Owner, after uint64) error {
	return d.acquire(ctx, func(s *session) error {
		has, err := s.Row("SELECT 1 FROM sqlite_schema WHERE name = 'culvert_stages'")
		if err != nil || has == nil {
			return s.ended(ctx, err)
		}
		return s.transaction(ctx, func() error { return s.abort(o, after) })
	})
}

func (s *session) abort(o jdbc.Owner, after uint64) error {
	list, err := rows(s.Conn, `SELECT id FROM culvert_stages
		WHERE job = ?1 AND vertex = ?2 AND (epoch IS NULL OR epoch > ?3)`, o.Job, o.Vertex, int64(after))
	if err != nil {
		return err
	}
	errs := make([]error, 0, len(list)+1)
	for _, row := range list {
		id, _ := row[0].(int64)
		errs = append(errs, s.dropStage(id))
	}
	if after == 0 { // the job starts from scratch, and counts its epochs anew
		errs = append(errs, s.Exec("DELETE FROM culvert_commits WHERE job = ?1 AND vertex = ?2", o.Job, o.Vertex))
	}
	return errors.Join(errs...)
}
