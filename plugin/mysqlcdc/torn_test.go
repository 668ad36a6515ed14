package mysqlcdc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// logEnd returns the file that a server's log is in, and its length.
func (f *fixture) logEnd(t *testing.T) (file string, length int64) {
	t.Helper()
	status := strings.Split(f.Query("SHOW MASTER STATUS")[0], "|")
	length, err := strconv.ParseInt(status[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return status[0], length
}

// TestTornLog crashes a server while it writes a transaction to its log: all rows of it are there, and a part of its
// commit. The server rolls it back, and leaves the file as it is.
func TestTornLog(t *testing.T) {
	service := dbtest.StartService(t, dbtest.MariaDBVariable)
	f := newFixtureAt(t, service.URL, "CREATE TABLE a (id INT PRIMARY KEY, v TEXT)",
		"INSERT INTO a SELECT seq, 'v' FROM seq_1_to_100")
	job := start(t, f.job("", f.names("a")))
	same := func() string { return f.difference("a", "*", "id") }
	dbtest.Eventually(t, job, same)
	file, begin := f.logEnd(t)
	f.Exec("INSERT INTO a SELECT 1000 + seq, 'never' FROM seq_1_to_5")
	_, end := f.logEnd(t)
	f.Exec("DELETE FROM a WHERE id > 1000")
	dbtest.Eventually(t, job, same)

	service.Kill()
	path := filepath.Join(service.Home, "mariadb", "data", file)
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const cut = 10 // from the commit, which is the last event
	log = append(log, log[begin:end-cut]...)
	if err := os.WriteFile(path, log, 0); err != nil {
		t.Fatal(err)
	}
	crashed := time.Now().Truncate(time.Second).Add(time.Second)
	_ = plugin.Sleep(t.Context(), time.Until(crashed)) // the log knows whole seconds
	service.Restart()
	if info, err := os.Stat(path); err != nil || info.Size() != int64(len(log)) {
		t.Fatalf("the server has mended its log: %v, %v", info, err)
	}
	f.Exec("INSERT INTO a VALUES (2000, 'after the crash')", "UPDATE a SET v = 'w' WHERE id = 7")
	dbtest.Eventually(t, job, same)

	late := start(t, fmt.Sprintf("env { job.mode = STREAMING }\n%s\nsink { Blackhole { } }", f.source(f.names("a")+
		fmt.Sprintf(", startup.mode = timestamp, startup.timestamp = %d, stop.mode = latest", crashed.UnixMilli()))))
	result, err := late.Wait(t.Context())
	if err != nil || result.RowsIn != 3 {
		t.Errorf("from the time of the crash there are %d rows, %v; want one that came and two forms of another",
			result.RowsIn, err)
	}
}
