package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The target has no key: a row that comes twice shows.
const pairJob = `
env {
  job.mode = BATCH, parallelism = ${parallelism}, checkpoint.interval = 200, read_limit.rows_per_second = 5000
  job.retry.times = 1000, job.retry.interval.seconds = 1
}
source {
  Jdbc { %s, table_path = "%s", split.size = 3000 }
}
sink {
  Jdbc {
    %s, table = target, is_exactly_once = true
    generate_sink_sql = true, enable_upsert = false, support_upsert_by_insert_only = true
  }
}
`

// pair copies a table from a database of one kind to one of another.
type pair struct{ from, to *database }

// pairOf opens a pair, each database on a server of its own.
func pairOf(from, to func() kind) opener {
	return func(ctx context.Context, services, dir string) (*scenario, error) {
		s := &scenario{}
		p := &pair{}
		for _, end := range []struct {
			name string
			kind kind
			db   **database
		}{{"source", from(), &p.from}, {"target", to(), &p.to}} {
			server, err := startOpen(ctx, filepath.Join(services, end.kind.name), dir, end.name)
			if err != nil {
				s.stop(ctx)
				return nil, err
			}
			s.servers = append(s.servers, server)
			*end.db = &database{kind: end.kind, server: server}
		}
		s.prepare, s.check = p.prepare, p.check
		return s, nil
	}
}

// startOpen starts a server in a directory that another user, who runs it, can enter.
func startOpen(ctx context.Context, script, dir, name string) (*server, error) {
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	return startServer(ctx, script, filepath.Join(dir, name))
}

func (p *pair) prepare(ctx context.Context, _ string, rows int) (string, error) {
	err := p.from.exec(ctx, "DROP TABLE IF EXISTS source", "CREATE TABLE source "+p.from.columns("PRIMARY KEY"),
		p.from.filling("source", 1, rows))
	if err == nil {
		err = p.to.exec(ctx, "DROP TABLE IF EXISTS target", "CREATE TABLE target "+p.to.columns(""))
	}
	return fmt.Sprintf(pairJob, p.from.access(), p.from.path, p.to.access()), err
}

// check compares both tables row by row, in the order of their key.
func (p *pair) check(ctx context.Context, _ string, _ int) (string, error) {
	from, err := p.from.read(ctx, "source")
	if err != nil {
		return "", err
	}
	defer from.close()
	to, err := p.to.read(ctx, "target")
	if err != nil {
		return "", err
	}
	defer to.close()
	n, err := sameRows(from, to)
	if err != nil {
		return "", err
	}
	rest, err := p.to.leftOver(ctx)
	if err != nil {
		return "", err
	}
	if len(rest) > 0 {
		return "", fmt.Errorf("left over in the target: %q", rest)
	}
	return fmt.Sprintf("%d rows, each once, nothing left over", n), nil
}

// cursor reads rows as text.
type cursor struct {
	db     *sql.DB
	rows   *sql.Rows
	values []sql.NullString
	into   []any
}

// next returns the next row, empty after the last.
func (c *cursor) next() (string, error) {
	if !c.rows.Next() {
		return "", c.rows.Err()
	}
	if err := c.rows.Scan(c.into...); err != nil {
		return "", err
	}
	text := ""
	for _, v := range c.values {
		if !v.Valid {
			v.String = "NULL"
		}
		text += "|" + v.String
	}
	return text, nil
}

func (c *cursor) close() error { return errors.Join(c.rows.Close(), c.db.Close()) }
