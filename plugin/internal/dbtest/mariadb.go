package dbtest

import (
	"cmp"
	"context"
	"database/sql"
	"net"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// MariaDB makes a database on the MariaDB server for tests and runs statements in it. It is dropped when the test ends.
// One session, whose time zone is UTC, runs all statements, so that its variables can be set.
func MariaDB(t testing.TB, statements ...string) *Database {
	t.Helper()
	return MariaDBAt(t, Address(t, MariaDBVariable), statements...)
}

// MariaDBAt is [MariaDB] on the server at a url.
func MariaDBAt(t testing.TB, at string, statements ...string) *Database {
	t.Helper()
	u, password := parse(t, at)
	d := &Database{Name: newName(), Host: u.Host, User: u.User.Username(), Password: password}
	d.URL = "jdbc:mysql://" + u.Host + "/" + d.Name
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.MultiStatements = "tcp", u.Host, d.User, d.Password, true
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	admin := openMariaDB(t, cfg)
	ctx := context.WithoutCancel(t.Context())
	execMariaDB(ctx, t, admin, "CREATE DATABASE "+d.Name+" DEFAULT CHARACTER SET utf8mb4")
	cfg.DBName = d.Name
	d.DSN = cfg.FormatDSN()
	db := openMariaDB(t, cfg)
	t.Cleanup(func() {
		execMariaDB(ctx, t, admin, "DROP DATABASE IF EXISTS "+d.Name)
		if err := cmp.Or(admin.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	d.Exec = func(statements ...string) {
		t.Helper()
		execMariaDB(ctx, t, db, statements...)
	}
	d.TryQuery = func(text string) ([]string, error) { return queryMariaDB(ctx, db, text) }
	d.querying(t)
	d.Exec(statements...)
	return d
}

// Wire connects to the MariaDB server for tests, by Culvert's own client; a database may be named. The connection is
// closed when the test ends.
func Wire(t testing.TB, database string) *wire.Conn {
	t.Helper()
	u, password := parse(t, Address(t, MariaDBVariable))
	c, err := wire.Connect(context.WithoutCancel(t.Context()), wire.Config{
		Addr: u.Host, User: u.User.Username(), Password: password, Database: database, Dial: (&net.Dialer{}).DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func openMariaDB(t testing.TB, cfg *driver.Config) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func execMariaDB(ctx context.Context, t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			t.Fatalf("%.300s: %v", s, err)
		}
	}
}

func queryMariaDB(ctx context.Context, db *sql.DB, text string) ([]string, error) {
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var list []string
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = string(b)
			}
		}
		list = append(list, Join(values))
	}
	return list, rows.Err()
}
