package mysqlcdc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestFailover kills a primary server and goes on with its replica, by GTID.
func TestFailover(t *testing.T) {
	target := newFixture(t)
	primary := dbtest.StartService(t, dbtest.MariaDBVariable)
	first := newFixtureAt(t, primary.URL, "CREATE TABLE a (id INT PRIMARY KEY, n INT)",
		"INSERT INTO a SELECT seq, seq FROM seq_1_to_100")
	second := replica(t, first)
	second.from = first.from
	rowsOf := func(f *fixture, database string) string {
		rows, err := f.TryQuery("SELECT * FROM " + database + ".a ORDER BY id")
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
	source := strings.Replace(first.source(first.names("a")), first.Host, first.Host+","+second.Host, 1)
	eng := dbtest.OpenEngine(t, t.TempDir(), plugins)
	job := submit(t, eng, "env { job.mode = STREAMING, checkpoint.interval = 200, job.retry.times = 20 }\n"+source+"\n"+
		target.sink(""))
	dbtest.Eventually(t, job, same(first))
	first.Exec("UPDATE a SET n = -n WHERE id < 10", "DELETE FROM a WHERE id = 50")
	dbtest.Eventually(t, job, same(first))
	dbtest.Eventually(t, job, same(second))
	primary.Kill()
	second.Exec("STOP SLAVE", "INSERT INTO "+first.from+".a VALUES (1000, 1)",
		"UPDATE "+first.from+".a SET n = 7 WHERE id > 90")
	dbtest.Eventually(t, job, same(second))
	second.Exec("DELETE FROM " + first.from + ".a WHERE id < 20")
	dbtest.Eventually(t, job, same(second))
	primary.Restart()
}

// replica starts a server that follows another one.
func replica(t *testing.T, of *fixture) *fixture {
	t.Helper()
	service := dbtest.StartService(t, dbtest.MariaDBVariable)
	config, err := os.OpenFile(filepath.Join(service.Home, "mariadb", "my.cnf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.WriteString("server_id=2\nlog_slave_updates=ON\n"); err != nil {
		t.Fatal(err)
	}
	if err := config.Close(); err != nil {
		t.Fatal(err)
	}
	service.Restart()
	f := newFixtureAt(t, service.URL)
	host, port, _ := strings.Cut(of.Host, ":")
	f.Exec("RESET MASTER", fmt.Sprintf(`CHANGE MASTER TO master_host = %q, master_port = %s, master_user = %q,
		master_password = %q, master_use_gtid = slave_pos`, host, port, of.User, of.Password), "START SLAVE")
	dbtest.Eventually(t, nil, func() string {
		rows, err := f.TryQuery("SHOW SLAVE STATUS")
		if err != nil || len(rows) == 0 || strings.Count(rows[0], "|Yes") < 2 {
			return fmt.Sprintf("the replica does not run: %.500s %v", rows, err)
		}
		return ""
	})
	return f
}
