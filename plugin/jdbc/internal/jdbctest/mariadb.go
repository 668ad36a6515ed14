package jdbctest

import (
	"cmp"
	"context"
	"database/sql"
	"net/url"
	"testing"

	driver "github.com/go-sql-driver/mysql"
)

// MariaDBVariable holds the url of the MariaDB server for tests.
const MariaDBVariable = "CULVERT_TEST_MARIADB"

// MariaDB makes a database on the MariaDB server for tests and runs statements in it. It is dropped when the test ends.
// One session runs all statements, so that its variables can be set.
func MariaDB(t testing.TB, statements ...string) *Database {
	t.Helper()
	return MariaDBAt(t, address(t, MariaDBVariable, "mariadb"), statements...)
}

// MariaDBAt is [MariaDB] on the server at a url.
func MariaDBAt(t testing.TB, at string, statements ...string) *Database {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	d := &Database{Name: newName(), User: u.User.Username()}
	d.URL = "jdbc:mysql://" + u.Host + "/" + d.Name
	d.Password, _ = u.User.Password()
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.MultiStatements = "tcp", u.Host, d.User, d.Password, true
	admin := openMariaDB(t, cfg)
	ctx := context.WithoutCancel(t.Context())
	execMariaDB(ctx, t, admin, "CREATE DATABASE "+d.Name+" DEFAULT CHARACTER SET utf8mb4")
	cfg.DBName = d.Name
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
	d.Query = func(text string) []string {
		t.Helper()
		return queryMariaDB(ctx, t, db, text)
	}
	d.Exec(statements...)
	return d
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

func queryMariaDB(ctx context.Context, t testing.TB, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		t.Fatalf("%.300s: %v", text, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = string(b)
			}
		}
		list = append(list, Join(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
