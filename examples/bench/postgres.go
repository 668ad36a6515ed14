package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgres is a PostgreSQL server.
type postgres struct {
	*databases
	address string
	conn    *pgconn.PgConn // for everything that is not measured
}

const postgresColumns = ` (id int PRIMARY KEY, account bigint, name text, city text, ratio double precision,
	amount numeric(12,2), changed timestamp, active boolean)`

func (p *postgres) setUp(ctx context.Context) error {
	if p.conn != nil {
		return nil
	}
	var err error
	if p.address, err = p.services.address(ctx, "postgres"); err != nil {
		return err
	}
	if p.conn, err = pgconn.Connect(ctx, p.address); err != nil {
		return err
	}
	for _, table := range []string{sourceTable, targetTable} {
		if err := p.exec(ctx, "DROP TABLE IF EXISTS "+table, "CREATE TABLE "+table+postgresColumns); err != nil {
			return err
		}
	}
	path, err := p.input()
	if err != nil {
		return err
	}
	if err := p.psql(ctx, `\copy `+sourceTable+" FROM '"+path+"' (FORMAT csv)").Run(); err != nil {
		return err
	}
	return p.exec(ctx, "VACUUM ANALYZE "+sourceTable)
}

// exec runs statements one by one: some may not be in a transaction with others.
func (p *postgres) exec(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if _, err := p.conn.Exec(ctx, sql).ReadAll(); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// psql returns a command that is not started yet.
func (p *postgres) psql(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", command, p.address)
	cmd.Stderr = os.Stderr
	return cmd
}

// access is the part of a job file that says how to reach the server.
func (p *postgres) access() string {
	u, err := url.Parse(p.address)
	if err != nil {
		return ""
	}
	password, _ := u.User.Password()
	return fmt.Sprintf("url = %q, driver = org.postgresql.Driver, user = %q, password = %q",
		"jdbc:postgresql://"+u.Host+u.Path, u.User.Username(), password)
}

func (p *postgres) source() string {
	return "  Jdbc {\n    " + p.access() + "\n    table_path = public." + sourceTable + "\n  }"
}

func (p *postgres) sink() string {
	return "  Jdbc {\n    " + p.access() + "\n    generate_sink_sql = true, database = " + p.database() +
		", table = public." + targetTable + ", primary_keys = [id]\n  }"
}

func (p *postgres) database() string {
	u, err := url.Parse(p.address)
	if err != nil {
		return ""
	}
	return u.Path[1:]
}

// empty empties the target and lets the server write down what it still has to.
func (p *postgres) empty(ctx context.Context) error {
	return p.exec(ctx, "TRUNCATE "+targetTable, "CHECKPOINT")
}

func (p *postgres) count(ctx context.Context) (int64, error) {
	n, err := p.one(ctx, "SELECT count(*) FROM "+targetTable)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(n), 10, 64)
}

func (p *postgres) prepared() string { return filepath.Join(p.flags.dir, "postgres.copy") }

func (p *postgres) prepare(ctx context.Context) (err error) {
	f, err := os.Create(p.prepared())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = p.conn.CopyTo(ctx, f, "COPY "+targetTable+" TO STDOUT (FORMAT BINARY)")
	return err
}

func (p *postgres) read(ctx context.Context) error {
	conn, err := pgconn.Connect(ctx, p.address)
	if err != nil {
		return err
	}
	_, err = conn.CopyTo(ctx, io.Discard, "COPY "+sourceTable+" TO STDOUT (FORMAT BINARY)")
	return errors.Join(err, conn.Close(ctx))
}

func (p *postgres) write(ctx context.Context) error {
	f, err := os.Open(p.prepared())
	if err != nil {
		return err
	}
	defer f.Close()
	conn, err := pgconn.Connect(ctx, p.address)
	if err != nil {
		return err
	}
	_, err = conn.CopyFrom(ctx, f, "COPY "+targetTable+" FROM STDIN (FORMAT BINARY)")
	return errors.Join(err, conn.Close(ctx))
}

// pipe copies the source into the target by two psql and a pipe.
func (p *postgres) pipe(ctx context.Context) error {
	from := p.psql(ctx, "COPY "+sourceTable+" TO STDOUT (FORMAT BINARY)")
	to := p.psql(ctx, "COPY "+targetTable+" FROM STDIN (FORMAT BINARY)")
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	from.Stdout, to.Stdin = w, r
	err = errors.Join(from.Start(), to.Start(), r.Close(), w.Close())
	if err != nil {
		return err
	}
	return errors.Join(from.Wait(), to.Wait())
}

// copyFile loads the CSV file.
func (p *postgres) copyFile(ctx context.Context) error {
	path, err := p.input()
	if err != nil {
		return err
	}
	return p.psql(ctx, `\copy `+targetTable+" FROM '"+path+"' (FORMAT csv)").Run()
}

func (p *postgres) close(ctx context.Context) error {
	if p.conn == nil {
		return nil
	}
	err := p.exec(ctx, "DROP TABLE IF EXISTS "+sourceTable+", "+targetTable)
	return errors.Join(err, p.conn.Close(ctx), removeIfThere(p.prepared()))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// one returns the only value of a query.
func (p *postgres) one(ctx context.Context, sql string) ([]byte, error) {
	results, err := p.conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	return results[0].Rows[0][0], nil
}
