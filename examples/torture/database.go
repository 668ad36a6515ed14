package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
)

// kind is a kind of database.
type kind struct {
	name   string // of its script
	driver string // of database/sql
	jdbc   string // prefix of the urls in jobs
	schema string // database that the tables are in
	path   string // of the table source
	// namespace is the name of the schema in information_schema.
	namespace string
	dsn       func(u *url.URL, schema string) string
	types     [8]string
	fill      string    // makes rows of a table from one key to another
	texts     [8]string // the columns as text that is the same in all kinds
	// onConflict goes behind an INSERT that replaces rows whose key is taken; overwrite takes a column's new value.
	onConflict, overwrite string
	// rest are queries that return the names of what an exactly-once sink must not leave behind.
	rest []string
}

var columnNames = [8]string{"id", "n", "name", "note", "score", "amount", "at", "ok"}

func postgresKind() kind {
	return kind{
		name: "postgres", driver: "pgx", jdbc: "jdbc:postgresql", schema: "postgres", path: "public.source",
		namespace: "public", onConflict: " ON CONFLICT (id) DO UPDATE SET ", overwrite: "%s = excluded.%s",
		dsn: func(u *url.URL, _ string) string { return u.String() },
		types: [8]string{"bigint", "integer", "varchar(60)", "text", "double precision", "numeric(12,2)", "timestamp",
			"boolean"},
		fill: `INSERT INTO %s SELECT i, i * 7919 %% 1000 - 500, 'näme ''' || i || E'\t\\', CASE WHEN i %% 10 > 0 THEN
			repeat(md5(i::text), 1 + i %% 3) END, i / 7::float8, (i %% 100000) / 100.0 - 300,
			timestamp '2024-01-01' + i * interval '1.000001 second', i %% 3 = 0 FROM generate_series(%d, %d) i`,
		texts: [8]string{"id", "n", "name", "note", "score", "amount", "to_char(at, 'YYYY-MM-DD HH24:MI:SS.US')", "ok::int"},
		rest: []string{
			`SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'culvert\_%' AND relname <> 'culvert_commits'`,
			"SELECT 'prepared ' || gid FROM pg_prepared_xacts",
		},
	}
}

func mariadbKind() kind {
	return kind{
		name: "mariadb", driver: "mysql", jdbc: "jdbc:mysql", schema: "torture", path: "torture.source",
		namespace: "torture", onConflict: " ON DUPLICATE KEY UPDATE ", overwrite: "%s = VALUES(%s)",
		dsn: func(u *url.URL, schema string) string {
			password, _ := u.User.Password()
			return fmt.Sprintf("%s:%s@tcp(%s)/%s", u.User.Username(), password, u.Host, schema)
		},
		types: [8]string{"BIGINT", "INT", "VARCHAR(60)", "TEXT", "DOUBLE", "DECIMAL(12,2)", "DATETIME(6)", "BOOLEAN"},
		fill: `INSERT INTO %s SELECT seq, CAST(seq AS SIGNED) * 7919 %% 1000 - 500, CONCAT('näme ''', seq, '\t\\'), IF(seq %% 10 > 0,
			REPEAT(MD5(seq), 1 + seq %% 3), NULL), seq / 7e0, CAST(seq AS SIGNED) %% 100000 / 100 - 300,
			'2024-01-01' + INTERVAL seq * 1000001 MICROSECOND, seq %% 3 = 0 FROM seq_%d_to_%d`,
		texts: [8]string{"id", "n", "name", "note", "score", "amount", "DATE_FORMAT(at, '%Y-%m-%d %H:%i:%s.%f')", "ok + 0"},
		rest: []string{
			`SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables
				WHERE table_name LIKE 'culvert\_stage\_%'`,
			"SELECT CONCAT('listed stage ', id) FROM torture.culvert_stages",
			"XA RECOVER",
		},
	}
}

// database is a database on a server of its own.
type database struct {
	kind
	server *server
}

// filling returns the statement that makes rows of a table, with the keys from first to last.
func (k kind) filling(table string, first, last int) string {
	return fmt.Sprintf(k.fill, table, first, last)
}

// columns declares the columns of a table, the first with a constraint.
func (d *database) columns(constraint string) string {
	lines := make([]string, len(columnNames))
	for i, name := range columnNames {
		lines[i] = name + " " + d.types[i]
	}
	lines[0] += " " + constraint
	return "(" + strings.Join(lines, ", ") + ")"
}

// access is the options of a job that reach the database.
func (d *database) access() string {
	u := d.server.url
	password, _ := u.User.Password()
	return fmt.Sprintf("url = \"%s://%s/%s\", user = %q, password = %q", d.jdbc, u.Host, d.schema, u.User.Username(),
		password)
}

// open opens the database, and makes it if it is missing. Each use opens it anew: connections from before a crash of
// the server are of no use.
func (d *database) open(ctx context.Context) (*sql.DB, error) {
	if d.driver == "mysql" {
		server, err := sql.Open(d.driver, d.dsn(d.server.url, ""))
		if err != nil {
			return nil, err
		}
		_, err = server.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+d.schema+" DEFAULT CHARACTER SET utf8mb4")
		if err := errors.Join(err, server.Close()); err != nil {
			return nil, err
		}
	}
	return sql.Open(d.driver, d.dsn(d.server.url, d.schema))
}

func (d *database) exec(ctx context.Context, statements ...string) error {
	db, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %.80s: %w", d.name, statement, err)
		}
	}
	return nil
}

// read reads a table in the order of its key.
func (d *database) read(ctx context.Context, table string) (*cursor, error) {
	return d.query(ctx, "SELECT "+strings.Join(d.texts[:], ", ")+" FROM "+table+" ORDER BY id")
}

func (d *database) query(ctx context.Context, query string) (*cursor, error) {
	db, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %.80s: %w", d.name, query, err), db.Close())
	}
	names, err := rows.Columns()
	if err != nil {
		return nil, errors.Join(err, rows.Close(), db.Close())
	}
	c := &cursor{db: db, rows: rows, values: make([]sql.NullString, len(names)), into: make([]any, len(names))}
	for i := range c.values {
		c.into[i] = &c.values[i]
	}
	return c, nil
}

// leftOver returns what an exactly-once sink has left behind.
func (d *database) leftOver(ctx context.Context) ([]string, error) {
	var list []string
	for _, query := range d.rest {
		c, err := d.query(ctx, query)
		if err != nil {
			return nil, err
		}
		for {
			row, err := c.next()
			if err != nil {
				return nil, errors.Join(err, c.close())
			}
			if row == "" {
				break
			}
			list = append(list, row)
		}
		if err := c.close(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
