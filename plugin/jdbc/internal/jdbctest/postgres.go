package jdbctest

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// PostgresVariable holds the url of the PostgreSQL server for tests.
const PostgresVariable = "CULVERT_TEST_POSTGRES"

// Postgres makes a database on the PostgreSQL server for tests and runs statements in it. It is dropped when the test
// ends.
func Postgres(t testing.TB, sql ...string) *Database {
	t.Helper()
	return PostgresAt(t, address(t, PostgresVariable, "postgres"), sql...)
}

// PostgresAt is [Postgres] on the server at a url.
func PostgresAt(t testing.TB, at string, sql ...string) *Database {
	t.Helper()
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	name := newName()
	execPostgres(t, at, "CREATE DATABASE "+name)
	t.Cleanup(func() { execPostgres(t, at, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	own := *base
	own.Path = "/" + name
	d := &Database{Name: name, URL: "jdbc:postgresql://" + base.Host + "/" + name, User: base.User.Username()}
	d.Password, _ = base.User.Password()
	d.Exec = func(sql ...string) {
		t.Helper()
		execPostgres(t, own.String(), sql...)
	}
	d.Query = func(sql string) []string {
		t.Helper()
		return queryPostgres(t, own.String(), sql)
	}
	d.Exec(sql...)
	return d
}

func execPostgres(t testing.TB, at string, sql ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgconn.Connect(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, statement := range sql {
		if err := c.Exec(ctx, statement).Close(); err != nil {
			t.Fatalf("%.300s: %v", statement, err)
		}
	}
}

func queryPostgres(t testing.TB, at, sql string) []string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgconn.Connect(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	result := c.ExecParams(ctx, sql, nil, nil, nil, nil).Read()
	if result.Err != nil {
		t.Fatalf("%.300s: %v", sql, result.Err)
	}
	var rows []string
	for _, row := range result.Rows {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = string(v)
			if v == nil {
				texts[i] = "NULL"
			}
		}
		rows = append(rows, strings.Join(texts, "|"))
	}
	return rows
}
