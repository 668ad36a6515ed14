package postgrescdc_test

import (
	"testing"

	"github.com/culvertdata/culvert/engine"
)

// TestSnapshotAndStream copies tables and follows their changes.
func TestSnapshotAndStream(t *testing.T) {
	s := newServer(t,
		"CREATE TABLE a (id int PRIMARY KEY, v text)", "INSERT INTO a SELECT i, 'v' || i FROM generate_series(1, 20000) i",
		"CREATE TABLE b (k text, n int, v numeric(10,2), PRIMARY KEY (k, n))",
		"INSERT INTO b SELECT 'k' || i % 70, i, i / 7.0 FROM generate_series(1, 5000) i",
		"CREATE TABLE c (id int, v text)", "ALTER TABLE c REPLICA IDENTITY FULL")
	w := newEngine(t, "")
	job := w.submit(s.toTables("", "snapshot.split.size = 1000", "a", "b"), engine.SubmitOptions{})
	s.same(job, "a", "b")
	s.exec("INSERT INTO a VALUES (100001, 'new')", "UPDATE a SET v = 'changed' WHERE id < 10",
		"DELETE FROM a WHERE id = 11",
		"UPDATE a SET id = id + 200000 WHERE id BETWEEN 50 AND 60", "UPDATE b SET n = n + 100000 WHERE n % 7 = 0")
	s.same(job, "a", "b")
}
