package dbtest

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
)

// Variables that hold where the servers for tests are: urls, and host:port of ClickHouse.
const (
	MariaDBVariable    = "CULVERT_TEST_MARIADB"
	PostgresVariable   = "CULVERT_TEST_POSTGRES"
	ClickHouseVariable = "CULVERT_TEST_CLICKHOUSE"
)

// Address returns what a server's variable holds. In continuous integration a missing server is a failure, elsewhere
// the test is skipped.
func Address(t testing.TB, variable string) string {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		missing(t, variable, variable)
	}
	return text
}

// missing skips a test that needs one of the variables of a server, or fails it.
func missing(t testing.TB, variable, of string) {
	t.Helper()
	script := strings.ToLower(strings.TrimPrefix(of, "CULVERT_TEST_"))
	hint := fmt.Sprintf(`%s is not set; eval "$(.ci/services/%s start)"`, variable, script)
	if os.Getenv("CULVERT_CI") != "" {
		t.Fatal(hint)
	}
	t.Skip(hint)
}

// parse reads a server's url.
func parse(t testing.TB, at string) (u *url.URL, password string) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	password, _ = u.User.Password()
	return u, password
}
