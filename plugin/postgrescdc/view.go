package postgrescdc

import (
	"context"
	"slices"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// view opens a view that shows what transactions have done, for the caller to read in and to COMMIT: the server sends a
// transaction when it is in the log, which is a little before others can see it. Statements in first run ahead of it.
func (s *stream) view(ctx context.Context, first string, xids ...uint32) (*postgres.Session, error) {
	session, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	for {
		rows, err := session.Rows(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"+first+"SELECT pg_current_snapshot()::text")
		if err != nil {
			return nil, err
		}
		view, err := pgoutput.ParseSnapshot(string(rows[0][0]))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(xids, func(xid uint32) bool { return !view.Sees(xid) }) {
			return session, nil
		}
		if err := session.Exec(ctx, "ROLLBACK"); err != nil {
			return nil, err
		}
		if err := plugin.Sleep(ctx, time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// catalog asks the catalog as it is after the transaction that is being read, or later.
func (s *stream) catalog(ctx context.Context, sql string, args ...string) ([][][]byte, error) {
	session, err := s.view(ctx, "", s.begin.XID)
	if err != nil {
		return nil, err
	}
	rows, err := session.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return rows, session.Exec(ctx, "COMMIT")
}
