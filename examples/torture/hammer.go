package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// hammerTables is how many tables the clients change.
const hammerTables = 20

// hammer is a job that follows the changes of many tables while clients make them.
type hammer struct {
	from   *database
	target target
	source func(h *hammer) string // the source's block
	exact  bool                   // two-phase writes, where the target has them
	jobs   int                    // that were prepared

	transactions, alterations atomic.Int64 // that clients made
}

// target is where the changes go.
type target interface {
	// sink returns the sink's block of a job. exact asks for two-phase writes where the target has them.
	sink(exact bool) string
	// clear drops what was there of the tables.
	clear(ctx context.Context, tables []string) error
	// columns returns a table's columns, in any order and without those of the sink's own; none: there is no table.
	columns(ctx context.Context, table string) ([]string, error)
	// read reads columns of a table in the order of its key, as text that is the same in all kinds of databases.
	read(ctx context.Context, table string, columns []string) (rowReader, error)
}

// rowReader reads rows as text.
type rowReader interface {
	// next returns the next row, empty after the last.
	next() (string, error)
	close() error
}

const hammerJob = `
env {
  job.mode = STREAMING, parallelism = ${parallelism}, checkpoint.interval = 300
  job.retry.times = 1000, job.retry.interval.seconds = 1
}
source {
%s
}
sink {
%s
}
`

const mysqlSource = `  MySQL-CDC {
    base-url = "jdbc:mysql://%s/torture", username = %q, password = %q
    table-names = [%s], snapshot.split.size = 1000, exactly_once = true, server-time-zone = UTC
    debezium { include.schema.changes = true }
  }`

func mysqlCDC(h *hammer) string {
	u := h.from.server.url
	password, _ := u.User.Password()
	return fmt.Sprintf(mysqlSource, u.Host, u.User.Username(), password, quotedNames("torture."))
}

const postgresSource = `  Postgres-CDC {
    base-url = "jdbc:postgresql://%s/postgres", username = %q, password = %q, slot.name = torture
    table-names = [%s], snapshot.split.size = 1000, exactly_once = true
    debezium { include.schema.changes = true }
  }`

func postgresCDC(h *hammer) string {
	u := h.from.server.url
	password, _ := u.User.Password()
	return fmt.Sprintf(postgresSource, u.Host, u.User.Username(), password, quotedNames("postgres.public."))
}

// tableNames returns the names of the tables that are changed.
func tableNames() []string {
	names := make([]string, hammerTables)
	for i := range names {
		names[i] = fmt.Sprintf("t%02d", i+1)
	}
	return names
}

func quotedNames(prefix string) string {
	names := tableNames()
	for i, name := range names {
		names[i] = fmt.Sprintf("%q", prefix+name)
	}
	return strings.Join(names, ", ")
}

// hammerOf opens a hammer with servers of its own.
func hammerOf(from func() kind, source func(h *hammer) string, openTarget func(*server) target, targetScript string,
	exact bool) opener {
	return func(ctx context.Context, services, dir string) (*scenario, error) {
		s := &scenario{endless: true}
		fromServer, err := startOpen(ctx, filepath.Join(services, from().name), dir, "source")
		if err != nil {
			return nil, err
		}
		s.servers = append(s.servers, fromServer)
		toServer, err := startOpen(ctx, filepath.Join(services, targetScript), dir, "target")
		if err != nil {
			s.stop(ctx)
			return nil, err
		}
		s.servers = append(s.servers, toServer)
		h := &hammer{from: &database{kind: from(), server: fromServer}, target: openTarget(toServer), source: source,
			exact: exact}
		s.hammer, s.prepare, s.work, s.check = h, h.prepare, h.work, h.check
		return s, nil
	}
}

// prepare fills the tables.
func (h *hammer) prepare(ctx context.Context, _ string, rows int) (string, error) {
	h.jobs++
	if err := h.target.clear(ctx, tableNames()); err != nil {
		return "", err
	}
	if h.from.driver == "pgx" { // the job before has left it, as jobs do
		if err := h.from.exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"); err != nil {
			return "", err
		}
	}
	for _, table := range tableNames() {
		err := h.from.exec(ctx, "DROP TABLE IF EXISTS "+table, "CREATE TABLE "+table+" "+h.from.columns("PRIMARY KEY"),
			h.from.filling(table, 1, max(1, rows/hammerTables)))
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf(hammerJob, h.source(h), h.target.sink(h.exact)), nil
}

// check compares all tables row by row, in the order of their key.
func (h *hammer) check(ctx context.Context, _ string, _ int) (string, error) {
	total := 0
	for _, table := range tableNames() {
		n, err := h.compare(ctx, table)
		if err != nil {
			return "", fmt.Errorf("table %s: %w", table, err)
		}
		total += n
	}
	if h.transactions.Load() == 0 {
		return "", errors.New("the clients could change nothing")
	}
	return fmt.Sprintf("%d rows in %d tables, as in the source, after %d transactions and %d changes of columns", total,
		hammerTables, h.transactions.Load(), h.alterations.Load()), nil
}

func (h *hammer) compare(ctx context.Context, table string) (int, error) {
	columns, err := h.from.columnsOf(ctx, table)
	if err != nil {
		return 0, err
	}
	got, err := h.target.columns(ctx, table)
	if err != nil {
		return 0, err
	}
	slices.Sort(columns)
	slices.Sort(got)
	if !slices.Equal(columns, got) {
		return 0, fmt.Errorf("the columns of the source are %v, of the target %v", columns, got)
	}
	from, err := h.from.readColumns(ctx, table, columns)
	if err != nil {
		return 0, err
	}
	defer from.close()
	to, err := h.target.read(ctx, table, columns)
	if err != nil {
		return 0, err
	}
	defer to.close()
	return sameRows(from, to)
}

// sameRows compares what two readers give and counts the rows.
func sameRows(from, to rowReader) (int, error) {
	for n := 0; ; n++ {
		want, err := from.next()
		if err != nil {
			return n, err
		}
		got, err := to.next()
		if err != nil {
			return n, err
		}
		if want != got {
			return n, fmt.Errorf("row %d of the source is %q, of the target %q", n+1, want, got)
		}
		if want == "" {
			return n, nil
		}
	}
}
