package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// documentedCDC is the job of SeaTunnel's REST documentation, with the names of the databases in their places.
const documentedCDC = `{
    "env": {
        "job.mode": "STREAMING",
        "checkpoint.interval": 5000,
        "shade.identifier": "base64"
    },
    "source": [
        {
            "plugin_name": "MySQL-CDC",
            "result_table_name": "fake",
            "parallelism": 1,
            "hostname": "%[1]s",
            "port": %[2]s,
            "username": "%[3]s",
            "password": "%[4]s",
            "table-names": ["%[5]s.inventory"]
        }
    ],
    "transform": [
    ],
    "sink": [
        {
            "plugin_name": "Clickhouse",
            "host": "%[6]s",
            "database": "%[5]s",
            "table": "fake_all"
        }
    ]
}`

// TestDocumentedCDC runs the documentation's job: its credentials as encrypt-config answers them, rows that were there
// before, and changes, which ClickHouse shows within a second.
func TestDocumentedCDC(t *testing.T) {
	source, clickhouse := mariaDB(t), clickHouse(t)
	source.exec("CREATE TABLE inventory (id BIGINT PRIMARY KEY, name VARCHAR(40), age INT)",
		"INSERT INTO inventory VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)")
	clickhouse.exec("CREATE DATABASE " + source.name)
	defer clickhouse.exec("DROP DATABASE " + source.name)
	s := start(t, t.TempDir())
	defer s.stop()
	host, port, _ := strings.Cut(source.config.Addr, ":")
	clear := fmt.Sprintf(documentedCDC, host, port, source.config.User, source.config.Passwd, source.name, clickhouse.host)
	job := s.text("POST", "/hazelcast/rest/maps/encrypt-config", clear)
	if strings.Contains(job, fmt.Sprintf(`"password": %q`, source.config.Passwd)) {
		t.Fatal("encrypt-config left the password in clear")
	}
	id := fmt.Sprint(s.call("POST", "/hazelcast/rest/maps/submit-job", job)["jobId"])
	shows := func(want string) {
		t.Helper()
		s.eventually("ClickHouse shows "+want, func() bool {
			return clickhouse.query("SELECT id, name, age FROM "+source.name+
				".fake_all FINAL WHERE _deleted = 0 ORDER BY id") == want
		})
	}
	shows("1\tone\t10\n2\ttwo\t20\n3\tthree\t30\n")
	for _, step := range []struct{ statement, want string }{
		{"INSERT INTO inventory VALUES (4, 'four', NULL)", "1\tone\t10\n2\ttwo\t20\n3\tthree\t30\n4\tfour\t\\N\n"},
		{"UPDATE inventory SET age = age + 1 WHERE id < 3", "1\tone\t11\n2\ttwo\t21\n3\tthree\t30\n4\tfour\t\\N\n"},
		{"DELETE FROM inventory WHERE id = 3", "1\tone\t11\n2\ttwo\t21\n4\tfour\t\\N\n"},
	} {
		begun := time.Now()
		source.exec(step.statement)
		shows(step.want)
		t.Logf("%s: visible after %v", step.statement, time.Since(begun))
	}
	s.call("POST", "/hazelcast/rest/maps/stop-job", `{"jobId": `+id+`}`)
	s.eventually("the job is canceled", func() bool {
		return s.call("GET", "/hazelcast/rest/maps/job-info/"+id, "")["jobStatus"] == "CANCELED"
	})
}

// service returns where a server of the tests listens; without one the test is skipped.
func service(t *testing.T, name string) string {
	t.Helper()
	at := os.Getenv("CULVERT_TEST_" + strings.ToUpper(name))
	if at == "" {
		text := fmt.Sprintf(`needs a server: eval "$(.ci/services/%s start)"`, name)
		if os.Getenv("CULVERT_CI") != "" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	return at
}

// mariaTest is a database of its own.
type mariaTest struct {
	t      *testing.T
	db     *sql.DB
	config *mysql.Config
	name   string
}

func mariaDB(t *testing.T) *mariaTest {
	t.Helper()
	u, err := url.Parse(service(t, "mariadb"))
	if err != nil {
		t.Fatal(err)
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User = "tcp", u.Host, u.User.Username()
	c.Passwd, _ = u.User.Password()
	m := &mariaTest{t: t, config: c, name: fmt.Sprintf("culvert_server_%d", os.Getpid())}
	admin := m.open("")
	if _, err := admin.Exec("CREATE DATABASE " + m.name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + m.name); err != nil {
			t.Error(err)
		}
	})
	m.db = m.open(m.name)
	return m
}

func (m *mariaTest) open(database string) *sql.DB {
	m.t.Helper()
	c := m.config.Clone()
	c.DBName = database
	connector, err := mysql.NewConnector(c)
	if err != nil {
		m.t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	m.t.Cleanup(func() { db.Close() })
	return db
}

func (m *mariaTest) exec(statements ...string) {
	m.t.Helper()
	for _, statement := range statements {
		if _, err := m.db.Exec(statement); err != nil {
			m.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// clickTest speaks HTTP with ClickHouse.
type clickTest struct {
	t    *testing.T
	host string
}

func clickHouse(t *testing.T) *clickTest {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return &clickTest{t, service(t, "clickhouse")}
}

func (c *clickTest) exec(statement string) { c.t.Helper(); c.ask(statement, true) }

// query returns the answer as lines of tab-separated values, or the server's error text.
func (c *clickTest) query(statement string) string { c.t.Helper(); return c.ask(statement, false) }

func (c *clickTest) ask(statement string, must bool) string {
	c.t.Helper()
	resp, err := http.Post("http://"+c.host, "text/plain", strings.NewReader(statement))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || must && resp.StatusCode != 200 {
		c.t.Fatalf("%s: %d %s (%v)", statement, resp.StatusCode, text, err)
	}
	return string(text)
}
