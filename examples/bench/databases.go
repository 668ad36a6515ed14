package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// The tables that the cases of databases read and write.
const (
	sourceTable = "culvert_bench_source"
	targetTable = "culvert_bench_target"
)

// databases makes the cases of databases.
type databases struct {
	flags    flags
	services *services
	used     []server
}

// databaseCase is one row of the table.
type databaseCase struct {
	name string
	run  func(ctx context.Context) ([]string, error)
}

// cases returns all cases. Servers are looked for when a case that needs them runs.
func (d *databases) cases() []databaseCase {
	pg, maria, click := &postgres{databases: d}, &mariadb{databases: d}, &clickhouse{databases: d}
	file := &csvFile{databases: d}
	d.used = []server{pg, maria, click}
	list := []comparison{
		{name: "postgres -> postgres", goal: 0.9, cpu: 1.5, from: pg, to: pg,
			limit: pg.pipe, limitName: "psql COPY TO | psql COPY FROM, binary"},
		{name: "csv -> postgres", goal: 1.3, from: file, to: pg, limit: pg.copyFile, limitName: `psql \copy`},
		{name: "mariadb -> postgres", goal: 0.85, from: maria, to: pg, limit: both(maria, pg), limitName: bothName},
		{name: "mariadb -> clickhouse", goal: 0.85, from: maria, to: click, limit: both(maria, click), limitName: bothName},
		{name: "postgres -> clickhouse", goal: 0.85, from: pg, to: click, limit: both(pg, click), limitName: bothName},
		{name: "postgres -> mariadb", goal: 0.9, from: pg, to: maria, limit: maria.write, limitName: "LOAD DATA LOCAL"},
	}
	var cases []databaseCase
	for _, c := range list {
		cases = append(cases, databaseCase{c.name, func(ctx context.Context) ([]string, error) { return d.compare(ctx, c) }})
	}
	return append(cases, databaseCase{"changes -> postgres", func(ctx context.Context) ([]string, error) {
		return d.changes(ctx, pg)
	}})
}

const bothName = "bare reader beside bare writer"

// both reads and writes at the same time, with nothing between the two.
func both(from, to server) func(context.Context) error {
	return func(ctx context.Context) error { return together(ctx, from.read, to.write) }
}

// close drops the tables of all servers that were used.
func (d *databases) close(ctx context.Context) error {
	var errs []error
	for _, s := range d.used {
		errs = append(errs, s.close(ctx))
	}
	return errors.Join(errs...)
}

// jobText makes a job file.
func jobText(f flags, source, sink string) string {
	const job = "env { job.mode = BATCH, parallelism = %d }\nsource {\n%s\n}\nsink {\n%s\n}\n"
	return fmt.Sprintf(job, f.lanes, source, sink)
}

// input makes the CSV file that all tables are filled from and returns its path.
func (d *databases) input() (string, error) {
	path := filepath.Join(d.flags.dir, fmt.Sprintf("input-%d.csv", d.flags.rows))
	_, err := makeCSV(path, d.flags.rows)
	return path, err
}

// csvFile is the input itself, as a source.
type csvFile struct {
	*databases
	path string
}

func (c *csvFile) setUp(context.Context) (err error) {
	c.path, err = c.input()
	return err
}

func (c *csvFile) source() string {
	return fmt.Sprintf(`  LocalFile {
    path = %q, file_format_type = csv
    schema {
      primaryKey { name = pk, columnNames = [id] }
      fields {
        id = int, account = bigint, name = string, city = string, ratio = double, amount = "decimal(12,2)"
        changed = timestamp, active = boolean
      }
    }
  }`, c.path)
}

var errNoTarget = errors.New("the file is only read")

func (c *csvFile) sink() string                         { return "" }
func (c *csvFile) empty(context.Context) error          { return errNoTarget }
func (c *csvFile) count(context.Context) (int64, error) { return 0, errNoTarget }
func (c *csvFile) prepare(context.Context) error        { return errNoTarget }
func (c *csvFile) read(context.Context) error           { return rawRead(c.path) }
func (c *csvFile) write(context.Context) error          { return errNoTarget }
func (c *csvFile) close(context.Context) error          { return nil }
