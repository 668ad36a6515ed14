package mysqlcdc_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFailover kills a primary server and goes on with its replica, by GTID.
func TestFailover(t *testing.T) {
	service := os.Getenv("CULVERT_TEST_MARIADB_SERVICE")
	if testing.Short() || service == "" {
		t.Skip("starts servers of its own by the script in CULVERT_TEST_MARIADB_SERVICE")
	}
	target := newFixture(t)
	runFirst, firstAddress, _ := anotherServer(t, service)
	first := newFixtureOn(t, parsed(t, firstAddress), "CREATE TABLE a (id INT PRIMARY KEY, n INT)",
		"INSERT INTO a SELECT seq, seq FROM seq_1_to_100")
	second := replica(t, service, parsed(t, firstAddress))
	second.from = first.from
	rowsOf := func(f *fixture, database string) string {
		rows, err := f.tryQuery("SELECT * FROM " + database + ".a ORDER BY id")
		return fmt.Sprint(rows, err)
	}
	same := func(f *fixture) func() string {
		return func() string {
			if want, got := rowsOf(f, first.from), rowsOf(target, target.to); want != got {
				return fmt.Sprintf("got %.300s, want %.300s", got, want)
			}
			return ""
		}
	}
	source := strings.Replace(first.source(first.names("a")), first.host, first.host+","+second.host, 1)
	eng := openEngine(t, t.TempDir())
	job := submit(t, eng, "env { job.mode = STREAMING, checkpoint.interval = 200, job.retry.times = 20 }\n"+source+"\n"+target.sink(""))
	eventually(t, job, 20*time.Second, same(first))
	first.run(t, "UPDATE a SET n = -n WHERE id < 10", "DELETE FROM a WHERE id = 50")
	eventually(t, job, 20*time.Second, same(first))
	eventually(t, job, 20*time.Second, same(second))
	runFirst("kill")
	second.run(t, "STOP SLAVE", "INSERT INTO "+first.from+".a VALUES (1000, 1)", "UPDATE "+first.from+".a SET n = 7 WHERE id > 90")
	eventually(t, job, 30*time.Second, same(second))
	second.run(t, "DELETE FROM "+first.from+".a WHERE id < 20")
	eventually(t, job, 30*time.Second, same(second))
	runFirst("restart")
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// replica starts a server that follows another one.
func replica(t *testing.T, service string, of *url.URL) *fixture {
	t.Helper()
	run, address, home := anotherServer(t, service)
	config, err := os.OpenFile(filepath.Join(home, "mariadb", "my.cnf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.WriteString("server_id=2\nlog_slave_updates=ON\n"); err != nil {
		t.Fatal(err)
	}
	if err := config.Close(); err != nil {
		t.Fatal(err)
	}
	run("restart")
	f := newFixtureOn(t, parsed(t, address))
	password, _ := of.User.Password()
	f.run(t, "RESET MASTER", fmt.Sprintf(`CHANGE MASTER TO master_host = %q, master_port = %s, master_user = %q,
		master_password = %q, master_use_gtid = slave_pos`, of.Hostname(), of.Port(), of.User.Username(), password), "START SLAVE")
	eventually(t, nil, 20*time.Second, func() string {
		rows, err := f.tryQuery("SHOW SLAVE STATUS")
		if err != nil || len(rows) == 0 || strings.Count(rows[0], `"Yes"`) < 2 {
			return fmt.Sprintf("the replica does not run: %.500s %v", rows, err)
		}
		return ""
	})
	return f
}
