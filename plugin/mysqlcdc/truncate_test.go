package mysqlcdc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestTruncate truncates a table in jobs that follow, do not, and refuse to go on.
func TestTruncate(t *testing.T) {
	begin := func(t *testing.T, mode string) (*fixture, *engine.Engine, *engine.Job, string) {
		f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v TEXT)", "INSERT INTO a SELECT seq, 'v' FROM seq_1_to_100",
			"CREATE TABLE b (id INT PRIMARY KEY)", "INSERT INTO b SELECT seq FROM seq_1_to_100")
		text := f.job("job.retry.times = 0", f.names("a", "b")+", debezium { "+mode+" }")
		eng := dbtest.OpenEngine(t, "", plugins)
		job := submit(t, eng, text)
		dbtest.Eventually(t, job, func() string { return begun(job) })
		return f, eng, job, text
	}
	same := func(t *testing.T, f *fixture, job *engine.Job) {
		t.Helper()
		dbtest.Eventually(t, job, func() string { return f.difference("a", "*", "id") + f.difference("b", "*", "id") })
	}
	t.Run("include", func(t *testing.T) {
		f, eng, job, text := begin(t, "truncate.handling.mode = include")
		same(t, f, job)
		f.Exec("INSERT INTO a VALUES (1000, 'gone')", "TRUNCATE TABLE a", "INSERT INTO a VALUES (1, 'again'), (2, 'again')")
		same(t, f, job)
		f.Exec("TRUNCATE a", "DELETE FROM b WHERE id > 50")
		same(t, f, job)
		dbtest.Savepoint(t, eng, job)
		f.Exec("INSERT INTO a VALUES (3, 'three')", "TRUNCATE b", "INSERT INTO b VALUES (8)")
		job = restart(t, eng, text)
		same(t, f, job)
	})
	t.Run("include with columns", func(t *testing.T) {
		f, _, job, _ := begin(t, "truncate.handling.mode = include, include.schema.changes = true")
		f.Exec("ALTER TABLE a ADD w INT", "TRUNCATE a", "INSERT INTO a VALUES (1, 'x', 5)", "ALTER TABLE a DROP v",
			"TRUNCATE a", "INSERT INTO a VALUES (2, 6)")
		same(t, f, job)
	})
	t.Run("skip", func(t *testing.T) {
		f, _, job, _ := begin(t, "")
		f.Exec("TRUNCATE a", "INSERT INTO a VALUES (1000, 'new')")
		dbtest.Eventually(t, job, func() string {
			rows, err := f.TryQuery("SELECT COUNT(*) FROM " + f.to + ".a")
			if err == nil && rows[0] == "101" {
				return ""
			}
			return fmt.Sprintf("the target has %v rows, want 101: %v", rows, err)
		})
	})
	t.Run("fail", func(t *testing.T) {
		f, eng, job, text := begin(t, "truncate.handling.mode = fail")
		f.Exec("TRUNCATE b", "INSERT INTO b VALUES (1000)")
		_, err := job.Wait(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the table was truncated") || !strings.Contains(err.Error(), ".b") {
			t.Fatalf("got %v", err)
		}
		job = restart(t, eng, strings.Replace(text, "= fail", "= include", 1))
		same(t, f, job)
	})
	t.Run("while it is copied", func(t *testing.T) {
		f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a SELECT seq FROM seq_1_to_20000")
		text := f.job("job.retry.times = 0, read_limit.rows_per_second = 2000", f.names("a")+
			", snapshot.split.size = 100, debezium { truncate.handling.mode = include }")
		job := start(t, text)
		dbtest.Eventually(t, job, func() string {
			if rows, err := f.TryQuery("SELECT 1 FROM " + f.to + ".a"); err != nil || len(rows) == 0 {
				return fmt.Sprint("nothing is copied ", err)
			}
			return ""
		})
		f.Exec("TRUNCATE a")
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := job.Wait(ctx); err == nil || !strings.Contains(err.Error(), "truncated while it was copied") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unknown mode", func(t *testing.T) {
		f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)")
		text := f.job("", f.names("a")+", debezium { truncate.handling.mode = maybe }")
		_, err := dbtest.OpenEngine(t, "", plugins).Submit(t.Context(), []byte(text), engine.SubmitOptions{})
		if err == nil || !strings.Contains(err.Error(), "must be skip, include or fail") {
			t.Errorf("got %v", err)
		}
	})
}
