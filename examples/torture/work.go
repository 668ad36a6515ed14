package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

const (
	// hammerClients change rows at the same time, and one more changes columns.
	hammerClients = 8
	// hammerPause is the mean pause of a client between two transactions, alterPause that between two changes of columns.
	hammerPause = 20 * time.Millisecond
	alterPause  = 2 * time.Second
	// hammerIDs is how far new keys go beyond those of the start.
	hammerIDs = 8000
)

// work changes rows and columns until the context ends. Statements may fail: a server is killed, two clients want the
// same row, a column is gone. Then the transaction is as if it had never been, and the next one begins.
func (h *hammer) work(ctx context.Context) error {
	db, err := h.from.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(hammerClients + 1)
	var clients sync.WaitGroup
	for i := range hammerClients {
		clients.Go(func() {
			c := &client{kind: h.from.kind, random: rand.New(rand.NewPCG(uint64(h.jobs), uint64(i)))}
			for ctx.Err() == nil {
				if c.transaction(ctx, db) == nil {
					h.transactions.Add(1)
				}
				_ = plugin.Sleep(ctx, time.Duration(c.random.Int64N(int64(2*hammerPause))))
			}
		})
	}
	clients.Go(func() {
		a := &alterer{kind: h.from.kind, random: rand.New(rand.NewPCG(uint64(h.jobs), hammerClients)),
			added: map[string]int{}}
		for ctx.Err() == nil {
			_ = plugin.Sleep(ctx, time.Duration(a.random.Int64N(int64(2*alterPause))))
			if a.alter(ctx, db) == nil {
				h.alterations.Add(1)
			}
		}
	})
	clients.Wait()
	return ctx.Err()
}

// client changes rows.
type client struct {
	kind
	random *rand.Rand
}

// transaction changes some rows of some tables, and gives it up now and then.
func (c *client) transaction(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	statements := 1 + c.random.IntN(6)
	long := c.random.IntN(40) == 0
	for range statements {
		if _, err := tx.ExecContext(ctx, c.statement()); err != nil {
			return err
		}
		if long {
			_ = plugin.Sleep(ctx, 300*time.Millisecond)
		}
	}
	if c.random.IntN(20) == 0 {
		return nil // rolled back
	}
	return tx.Commit()
}

func (c *client) statement() string {
	table := tableNames()[c.random.IntN(hammerTables)]
	id, other := 1+c.random.IntN(hammerIDs), 1+c.random.IntN(hammerIDs)
	switch what := c.random.IntN(20); {
	case what < 6:
		return c.upsert(table, id, 1+c.random.IntN(3))
	case what < 7:
		return c.upsert(table, id, 300)
	case what < 13:
		return fmt.Sprintf("UPDATE %s SET n = n + 1, name = '%x' WHERE id = %d", table, c.random.Uint64(), id)
	case what < 14:
		return fmt.Sprintf("UPDATE %s SET note = NULL, amount = amount + 0.5 WHERE id BETWEEN %d AND %d", table, id, id+50)
	case what < 16:
		return fmt.Sprintf("UPDATE %s SET id = %d WHERE id = %d", table, other, id) // fails if the key is taken
	default:
		return fmt.Sprintf("DELETE FROM %s WHERE id = %d", table, id)
	}
}

// upsert inserts rows, or replaces them.
func (c *client) upsert(table string, id, rows int) string {
	values := make([]string, rows)
	for i := range values {
		values[i] = fmt.Sprintf("(%d, %d, 'name %d', %s, %d, %d.25, '2025-06-07 08:09:10.%06d', %s)", id+i,
			c.random.IntN(1000),
			i, c.note(), c.random.IntN(100), c.random.IntN(1000), c.random.IntN(1000000), c.truth())
	}
	names := strings.Join(columnNames[:], ", ")
	text := fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", table, names, strings.Join(values, ", "))
	set := make([]string, 0, len(columnNames)-1)
	for _, name := range columnNames[1:] {
		set = append(set, fmt.Sprintf(c.overwrite, name, name))
	}
	return text + c.onConflict + strings.Join(set, ", ")
}

// note is sometimes so long and so hard to compress that PostgreSQL keeps it beside the row.
func (c *client) note() string {
	switch c.random.IntN(8) {
	case 0:
		return "NULL"
	case 1:
		var b strings.Builder
		for range 600 {
			fmt.Fprintf(&b, "%016x", c.random.Uint64())
		}
		return "'" + b.String() + "'"
	default:
		return fmt.Sprintf("'note %d äß測'", c.random.IntN(1000))
	}
}

func (c *client) truth() string { return [...]string{"true", "false", "NULL"}[c.random.IntN(3)] }

// alterer adds, renames and drops columns.
type alterer struct {
	kind
	random *rand.Rand
	added  map[string]int // number of the column that a table has got; 0: none
	last   int
}

func (a *alterer) alter(ctx context.Context, db *sql.DB) error {
	table := tableNames()[a.random.IntN(hammerTables)]
	number := a.added[table]
	a.last++
	var statements []string
	switch {
	case number == 0:
		statements = []string{fmt.Sprintf("ALTER TABLE %s ADD COLUMN extra%d INT", table, a.last),
			fmt.Sprintf("UPDATE %s SET extra%d = id %% 100 WHERE id %% 3 = 0", table, a.last)}
		number = a.last
	case a.random.IntN(2) == 0:
		statements = []string{fmt.Sprintf("ALTER TABLE %s RENAME COLUMN extra%d TO extra%d", table, number, a.last)}
		number = a.last
	default:
		statements = []string{fmt.Sprintf("ALTER TABLE %s DROP COLUMN extra%d", table, number)}
		number = 0
	}
	// PostgreSQL's log tells of a change of columns with the next change of a row, so there is one, whatever else ends.
	statements = append(statements, fmt.Sprintf("UPDATE %s SET n = n + 1 WHERE id %% 50 = 0", table))
	ctx = context.WithoutCancel(ctx)
	for i, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
		if i == 0 {
			a.added[table] = number
		}
	}
	return nil
}
