package mysqlcdc_test

import (
	"fmt"
	"testing"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestSnapshotAndChanges copies a table in chunks, then follows every kind of change.
func TestSnapshotAndChanges(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20), n BIGINT)",
		"INSERT INTO a SELECT seq, CONCAT('name ', seq), seq * 7 FROM seq_1_to_1000")
	job := start(t, f.job("parallelism = 2", f.names("a")+", snapshot.split.size = 100"))
	same := func() string { return f.difference("a", "*", "id") }
	dbtest.Eventually(t, job, same)
	for _, change := range []string{
		"INSERT INTO a VALUES (2000, 'new', 1), (2001, NULL, NULL)",
		"UPDATE a SET name = 'changed' WHERE id <= 10",
		"UPDATE a SET id = id + 5000 WHERE id BETWEEN 20 AND 30",
		"DELETE FROM a WHERE id BETWEEN 40 AND 50",
		"REPLACE INTO a VALUES (60, 'replaced', -1)",
		"INSERT INTO a VALUES (61, 'again', -2) ON DUPLICATE KEY UPDATE name = 'twice'",
		"DELETE FROM a",
		"INSERT INTO a VALUES (1, 'last', 1)",
	} {
		f.Exec(change)
		dbtest.Eventually(t, job, same)
	}
}

// TestSavepoint stops a job and starts it again, with changes in between.
func TestSavepoint(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, n INT)", "INSERT INTO a SELECT seq, 1 FROM seq_1_to_100")
	eng := dbtest.OpenEngine(t, t.TempDir(), plugins)
	job := submit(t, eng, f.job("", f.names("a")))
	same := func() string { return f.difference("a", "*", "id") }
	dbtest.Eventually(t, job, same)
	for round := range 3 {
		dbtest.Savepoint(t, eng, job)
		f.Exec(fmt.Sprintf("UPDATE a SET n = %d WHERE id %% 3 = 0", round+10),
			fmt.Sprintf("DELETE FROM a WHERE id = %d", round+1), fmt.Sprintf("INSERT INTO a VALUES (%d, 0)", 1000+round))
		job = restart(t, eng, f.job("", f.names("a")))
		dbtest.Eventually(t, job, same)
	}
}
