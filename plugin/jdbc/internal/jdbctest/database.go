package jdbctest

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/culvertdata/culvert/plugin/config"
)

// Database is a database that one test has for itself.
type Database struct {
	// Name is its name on its server.
	Name string
	// URL, User and Password are what a job says.
	URL, User, Password string
	// Exec runs statements; the test fails with one that fails.
	Exec func(sql ...string)
	// Query returns the rows of a query, each printed with bars between its values; null is NULL.
	Query func(sql string) []string
}

// Pairs are the options that reach the database, and further pairs.
func (d *Database) Pairs(more ...any) []any {
	pairs := []any{"url", d.URL}
	if d.User != "" {
		pairs = append(pairs, "user", d.User, "password", d.Password)
	}
	return append(pairs, more...)
}

// Options is [Database.Pairs] as the options of a plugin.
func (d *Database) Options(more ...any) config.Value { return Block(d.Pairs(more...)...) }

// Access is the options that reach the database as text of a job file.
func (d *Database) Access() string {
	text := fmt.Sprintf("url = %q", d.URL)
	if d.User != "" {
		text += fmt.Sprintf(", user = %q, password = %q", d.User, d.Password)
	}
	return text
}

// serial numbers the databases of a test binary.
var serial atomic.Int64

// newName returns a name that no other test has.
func newName() string { return fmt.Sprintf("culvert_%d_%d", os.Getpid(), serial.Add(1)) }

// address returns where a server is, as the variable says, which the script of the same name in .ci/services prints. In
// continuous integration a missing server is a failure, elsewhere the test is skipped.
func address(t testing.TB, variable, script string) string {
	t.Helper()
	text := os.Getenv(variable)
	if text != "" {
		return text
	}
	hint := fmt.Sprintf(`%s is not set; eval "$(.ci/services/%s start)"`, variable, script)
	if os.Getenv("CULVERT_CI") != "" {
		t.Fatal(hint)
	}
	t.Skip(hint)
	return ""
}
