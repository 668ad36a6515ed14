package postgrescdc_test

import (
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
)

// TestTruncate truncates tables in jobs that follow, do not, and refuse to go on.
func TestTruncate(t *testing.T) {
	begin := func(t *testing.T, mode string) (*server, *world, *engine.Job, string) {
		s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text)", "CREATE TABLE b (id int PRIMARY KEY)",
			"INSERT INTO a SELECT i, 'v' FROM generate_series(1, 100) i", "INSERT INTO b SELECT generate_series(1, 100)")
		text := s.toTables("job.retry.times = 0", "debezium { "+mode+" }", "a", "b")
		text = strings.Replace(text, "job.retry.times = 100, ", "", 1)
		w := newEngine(t, "")
		job := w.submit(text, engine.SubmitOptions{ID: 5})
		s.same(job, "a", "b")
		s.streaming()
		return s, w, job, text
	}
	t.Run("include", func(t *testing.T) {
		s, w, job, text := begin(t, "truncate.handling.mode = include")
		s.exec("BEGIN; INSERT INTO a VALUES (1000, 'gone'); TRUNCATE a, b; "+
			"INSERT INTO a VALUES (1, 'again'), (2, 'again'); COMMIT",
			"INSERT INTO b VALUES (7)")
		s.same(job, "a", "b")
		s.exec("TRUNCATE a")
		s.same(job, "a", "b")
		w.savepoint(job)
		s.exec("INSERT INTO a VALUES (3, 'three')", "TRUNCATE b", "INSERT INTO b VALUES (8)")
		job = w.submit(text, engine.SubmitOptions{ID: 5, FromSavepoint: true})
		s.same(job, "a", "b")
	})
	t.Run("include with columns", func(t *testing.T) {
		s, _, job, _ := begin(t, "truncate.handling.mode = include, include.schema.changes = true")
		s.exec("ALTER TABLE a ADD w int; TRUNCATE a; INSERT INTO a VALUES (1, 'x', 5); ALTER TABLE a DROP v; TRUNCATE a; "+
			"INSERT INTO a VALUES (2, 6)", "INSERT INTO a VALUES (3, 7)")
		s.same(job, "a", "b")
	})
	for _, mode := range []string{"", "truncate.handling.mode = skip"} {
		t.Run("skip "+mode, func(t *testing.T) {
			s, _, _, _ := begin(t, mode)
			s.exec("TRUNCATE a", "INSERT INTO a VALUES (1000, 'new')")
			s.waitFor("the new row", func() bool { return s.count("dst.a WHERE id = 1000") == 1 })
			if n := s.count("dst.a"); n != 101 {
				t.Errorf("the target has %d rows", n)
			}
		})
	}
	t.Run("fail", func(t *testing.T) {
		s, w, job, text := begin(t, "truncate.handling.mode = fail")
		s.exec("TRUNCATE b", "INSERT INTO b VALUES (1000)")
		_, err := job.Wait(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the table was truncated") || !strings.Contains(err.Error(), ".b") {
			t.Fatalf("got %v", err)
		}
		job = w.submit(strings.Replace(text, "= fail", "= include", 1), engine.SubmitOptions{ID: 5, FromSavepoint: true})
		s.same(job, "a", "b")
	})
	t.Run("one target", func(t *testing.T) {
		s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)")
		text := s.toTables("", "debezium { truncate.handling.mode = include }", "a", "b")
		job := newEngine(t, "").submit(strings.Replace(text, "schema = dst", `table = "dst.both"`, 1), engine.SubmitOptions{})
		s.streaming()
		s.exec("TRUNCATE a")
		if _, err := job.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "has the rows of") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not published", func(t *testing.T) {
		s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)")
		s.exec("CREATE PUBLICATION " + s.slot() + " FOR TABLE a WITH (publish = 'insert, update, delete')")
		err := newEngine(t, "").failed(s.toTables("", "debezium { truncate.handling.mode = include }", "a"))
		if !strings.Contains(err.Error(), "does not publish truncate") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unknown mode", func(t *testing.T) {
		s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)")
		err := newEngine(t, "").failed(s.toTables("", "debezium { truncate.handling.mode = maybe }", "a"))
		if !strings.Contains(err.Error(), "must be skip, include or fail") {
			t.Errorf("got %v", err)
		}
	})
}
