package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

const (
	// soakWriters change rows at the same time. Each has tables of its own, so that none waits for another.
	soakWriters = 4
	// soakAhead is how many changes the writers may be ahead of the target: the source's log has to keep them.
	soakAhead = 1_000_000
	// markInterval is the time between two marks.
	markInterval = 200 * time.Millisecond
	// markPatience is how long the target may show nothing new.
	markPatience = 3 * time.Minute
)

// writers change rows as fast as the source takes them, and never far ahead of the target. The hammer's last table
// holds one row, the mark: how many changes were made before it.
type writers struct {
	*hammer
	db   *sql.DB
	rows int // of each table at the start
	goal int64
	seed uint64

	made, seen atomic.Int64 // changes in the source, and in the target
}

func newWriters(ctx context.Context, h *hammer, o options) (*writers, error) {
	statements := []string{fmt.Sprintf("DELETE FROM %s WHERE id > 1", markTable()), setMark(0)}
	if h.from.driver == "mysql" { // a PostgreSQL server finds out by itself which part of its log is needed no more
		statements = append(statements, "SET GLOBAL max_binlog_size = 64 * 1024 * 1024",
			"SET GLOBAL binlog_expire_logs_seconds = 180")
	}
	if err := h.from.exec(ctx, statements...); err != nil {
		return nil, err
	}
	db, err := h.from.open(ctx)
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(soakWriters + 1)
	return &writers{hammer: h, db: db, rows: max(1, o.rows/hammerTables), goal: o.changes, seed: o.seed}, nil
}

func (w *writers) close() error { return w.db.Close() }

func markTable() string { return tableNames()[hammerTables-1] }

func setMark(n int64) string { return fmt.Sprintf("UPDATE %s SET n = %d WHERE id = 1", markTable(), n) }

// run makes the changes and returns when the target shows the last mark.
func (w *writers) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for i := range soakWriters {
		running.Go(func() {
			if err := w.write(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	if err := w.mark(ctx); err != nil {
		cancel(err)
	}
	running.Wait()
	return context.Cause(ctx)
}

// write makes transactions in one writer's tables.
func (w *writers) write(ctx context.Context, number int) error {
	c := &changer{kind: w.from.kind, random: rand.New(rand.NewPCG(w.seed, uint64(number))), rows: w.rows}
	for i, table := range tableNames()[:hammerTables-1] {
		if i%soakWriters == number {
			c.tables = append(c.tables, table)
		}
	}
	for w.made.Load() < w.goal {
		for w.made.Load()-w.seen.Load() > soakAhead {
			if err := plugin.Sleep(ctx, markInterval); err != nil {
				return err
			}
		}
		n, err := c.transaction(ctx, w.db)
		if err != nil {
			return err
		}
		w.made.Add(n)
		w.transactions.Add(1)
	}
	return nil
}

// mark writes the mark and looks for it in the target, until all changes are there.
func (w *writers) mark(ctx context.Context) error {
	news := time.Now()
	for seen := int64(0); seen < w.goal; {
		if err := w.update(ctx, w.made.Load()); err != nil {
			return err
		}
		if err := plugin.Sleep(ctx, markInterval); err != nil {
			return err
		}
		was := seen
		var err error
		if seen, err = w.readMark(ctx); err == nil && seen > was {
			w.seen.Store(seen)
			news = time.Now()
		}
		if time.Since(news) > markPatience {
			return errors.Join(fmt.Errorf("the target has shown no more than %d changes for %s", was, markPatience), err)
		}
	}
	return nil
}

func (w *writers) update(ctx context.Context, n int64) error {
	_, err := w.db.ExecContext(ctx, setMark(n))
	return err
}

// readMark fails as long as the target has no such table.
func (w *writers) readMark(ctx context.Context) (int64, error) {
	r, err := w.target.read(ctx, markTable(), []string{"n"})
	if err != nil {
		return 0, err
	}
	defer r.close()
	row, err := r.next()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimPrefix(row, "|"), 10, 64)
}

// changer makes the transactions of one writer.
type changer struct {
	kind
	random *rand.Rand
	tables []string
	rows   int // of each table
}

// size is how many rows a transaction changes: mostly some hundred, sometimes one, seldom very many.
func (c *changer) size() int64 {
	switch what := c.random.IntN(500); {
	case what == 0:
		return 100_000
	case what < 100:
		return 1
	default:
		return 100 + c.random.Int64N(901)
	}
}

// transaction makes a transaction and returns how many rows it has changed.
func (c *changer) transaction(ctx context.Context, db *sql.DB) (changed int64, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	for size := c.size(); changed < size; {
		for _, statement := range c.statements(int(size - changed)) {
			result, err := tx.ExecContext(ctx, statement)
			if err != nil {
				return 0, err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return 0, err
			}
			changed += n
		}
	}
	return changed, tx.Commit()
}

// statements change up to so many neighbours. Rows are made again more often than they are deleted for good.
func (c *changer) statements(rows int) []string {
	rows = min(rows, c.rows)
	table := c.tables[c.random.IntN(len(c.tables))]
	first := 1 + c.random.IntN(c.rows-rows+1)
	last := first + rows - 1
	erase := fmt.Sprintf("DELETE FROM %s WHERE id BETWEEN %d AND %d", table, first, last)
	switch what := c.random.IntN(10); {
	case what < 6:
		return []string{fmt.Sprintf("UPDATE %s SET n = n + 1, amount = amount + 0.25, name = '%x' WHERE id BETWEEN %d AND %d",
			table, c.random.Uint64(), first, last)}
	case what < 7:
		return []string{erase}
	default:
		return []string{erase, c.filling(table, first, last)}
	}
}
