package dbtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Postgres makes a database on the PostgreSQL server for tests and runs statements in it. It is dropped when the test
// ends. Each call of Exec and Query has a session of its own.
func Postgres(t testing.TB, sql ...string) *Database {
	t.Helper()
	return PostgresAt(t, Address(t, PostgresVariable), sql...)
}

// PostgresAt is [Postgres] on the server at a url.
func PostgresAt(t testing.TB, at string, sql ...string) *Database {
	t.Helper()
	admin, name := OpenPostgres(t, at), newName()
	admin.Exec("CREATE DATABASE " + name)
	t.Cleanup(func() { admin.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	u, _ := parse(t, at)
	u.Path = "/" + name
	d := OpenPostgres(t, u.String())
	d.Exec(sql...)
	return d
}

// OpenPostgres returns the database that a url names; it stays when the test ends.
func OpenPostgres(t testing.TB, at string) *Database {
	t.Helper()
	u, password := parse(t, at)
	d := &Database{
		Name: strings.TrimPrefix(u.Path, "/"), Host: u.Host, URL: "jdbc:postgresql://" + u.Host + u.Path,
		User: u.User.Username(), Password: password, DSN: at,
	}
	ctx := context.WithoutCancel(t.Context())
	d.Exec = func(sql ...string) {
		t.Helper()
		if err := execPostgres(ctx, at, sql); err != nil {
			t.Fatalf("%.300s: %v", sql, err)
		}
	}
	d.TryQuery = func(sql string) ([]string, error) { return queryPostgres(ctx, at, sql) }
	d.querying(t)
	return d
}

func execPostgres(ctx context.Context, at string, sql []string) error {
	c, err := pgconn.Connect(ctx, at)
	if err != nil {
		return err
	}
	for _, statement := range sql {
		if err := c.Exec(ctx, statement).Close(); err != nil {
			return errors.Join(err, c.Close(ctx))
		}
	}
	return c.Close(ctx)
}

func queryPostgres(ctx context.Context, at, sql string) ([]string, error) {
	c, err := pgconn.Connect(ctx, at)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	result := c.ExecParams(ctx, sql, nil, nil, nil, nil).Read()
	var rows []string
	for _, row := range result.Rows {
		values := make([]any, len(row))
		for i, v := range row {
			if v != nil {
				values[i] = string(v)
			}
		}
		rows = append(rows, Join(values))
	}
	return rows, result.Err
}
