package dbtest

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// Database is a database that one test has for itself.
type Database struct {
	// Name is its name on its server, whose host:port Host is.
	Name, Host string
	// URL, User and Password are what a job says.
	URL, User, Password string
	// DSN is where the database's own driver connects to: that of go-sql-driver/mysql, or pgconn.
	DSN string
	// Exec runs statements; the test fails with one that fails.
	Exec func(sql ...string)
	// TryQuery returns the rows of a query, each printed with bars between its values; null is NULL.
	TryQuery func(sql string) ([]string, error)
	// Query is TryQuery; the test fails if the query does.
	Query func(sql string) []string
}

// querying sets Query.
func (d *Database) querying(t testing.TB) {
	d.Query = func(sql string) []string {
		t.Helper()
		rows, err := d.TryQuery(sql)
		if err != nil {
			t.Fatalf("%.300s: %v", sql, err)
		}
		return rows
	}
}

// Pairs are the options of a Jdbc plugin that reach the database, and further pairs of a name and a value.
func (d *Database) Pairs(more ...any) []any {
	pairs := []any{"url", d.URL}
	if d.User != "" {
		pairs = append(pairs, "user", d.User, "password", d.Password)
	}
	return append(pairs, more...)
}

// Access is the options of a Jdbc plugin that reach the database as text of a job file.
func (d *Database) Access() string {
	text := fmt.Sprintf("url = %q", d.URL)
	if d.User != "" {
		text += fmt.Sprintf(", user = %q, password = %q", d.User, d.Password)
	}
	return text
}

// Options is [Database.Pairs] as the options of a plugin.
func (d *Database) Options(more ...any) config.Value { return plugintest.Options(d.Pairs(more...)...) }

// serial numbers the databases of a test binary.
var serial atomic.Int64

// newName returns a name that no other test has.
func newName() string { return fmt.Sprintf("culvert_%d_%d", os.Getpid(), serial.Add(1)) }

// Join prints values with bars between them; nil is NULL.
func Join(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
		if v == nil {
			texts[i] = "NULL"
		}
	}
	return strings.Join(texts, "|")
}
