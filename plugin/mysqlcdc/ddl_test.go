package mysqlcdc_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

const schemaChanges = ", debezium { include.schema.changes = true }"

// TestSchemaChanges alters a table while its changes are followed: the target follows.
func TestSchemaChanges(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20), n INT)",
		"INSERT INTO a SELECT seq, CONCAT('name ', seq), seq FROM seq_1_to_100")
	job := start(t, f.job("", f.names("a")+schemaChanges))
	same := func() string { return f.difference("a", "*", "id") }
	dbtest.Eventually(t, job, same)
	for i, change := range []string{
		"ALTER TABLE a ADD COLUMN x INT NOT NULL DEFAULT 5, ADD COLUMN y VARCHAR(10) AFTER name",
		"UPDATE a SET y = 'y', x = id WHERE id < 50",
		"ALTER TABLE a RENAME COLUMN n TO number",
		"UPDATE a SET number = number * 2 WHERE id < 30",
		"ALTER TABLE a MODIFY COLUMN name VARCHAR(100) NOT NULL DEFAULT ''",
		"UPDATE a SET name = REPEAT('long', 20) WHERE id < 10",
		"ALTER TABLE a CHANGE COLUMN y z BIGINT",
		"UPDATE a SET z = 5000000000 WHERE id % 2 = 0",
		"ALTER TABLE a DROP COLUMN x",
		"INSERT INTO a (id, name, number) VALUES (1000, 'new', 1)",
		"CREATE INDEX named ON a (name)",
		"ALTER TABLE a ADD COLUMN d DECIMAL(10,2) FIRST, DROP COLUMN z",
		"INSERT INTO a (id, name, number, d) VALUES (1001, 'new', 1, 1.25)",
	} {
		if strings.Contains(change, "CHANGE COLUMN y z BIGINT") {
			f.Exec("UPDATE a SET y = '1'")
		}
		f.Exec(change)
		if i%3 != 0 { // some changes follow each other at once
			dbtest.Eventually(t, job, same)
		}
	}
	dbtest.Eventually(t, job, same)
	columns := func(database string) []string {
		return f.Query("SELECT column_name FROM information_schema.columns WHERE table_schema = '" + database +
			"' AND table_name = 'a' ORDER BY 1")
	}
	if want, got := fmt.Sprint(columns(f.from)), fmt.Sprint(columns(f.to)); want != got {
		t.Errorf("columns are %s, want %s", got, want)
	}
}

// TestSchemaChangesIgnored alters a table whose changes of columns are not passed on: new columns are left out, and
// dropped ones are null.
func TestSchemaChangesIgnored(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20), n INT)",
		"INSERT INTO a VALUES (1, 'one', 1)")
	job := start(t, f.job("", f.names("a")))
	dbtest.Eventually(t, job, func() string { return f.difference("a", "*", "id") })
	f.Exec("ALTER TABLE a ADD COLUMN x INT FIRST", "INSERT INTO a VALUES (7, 2, 'two', 2)", "ALTER TABLE a DROP COLUMN n",
		"INSERT INTO a VALUES (7, 3, 'three')", "ALTER TABLE a MODIFY name VARCHAR(30) CHARACTER SET latin1",
		"INSERT INTO a VALUES (7, 4, 'vier ü')")
	const want = "1|one|1 2|two|2 3|three|NULL 4|vier ü|NULL"
	dbtest.Eventually(t, job, func() string {
		got, err := f.TryQuery("SELECT id, name, n FROM " + f.to + ".a ORDER BY id")
		if err == nil && strings.Join(got, " ") == want {
			return ""
		}
		return fmt.Sprintf("got %v, want %v: %v", got, want, err)
	})
}

// TestAlteredDuringSnapshot alters a table while its snapshot is read.
func TestAlteredDuringSnapshot(t *testing.T) {
	for _, follow := range []bool{true, false} {
		t.Run(fmt.Sprintf("changes=%v", follow), func(t *testing.T) {
			f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20), n INT)",
				"INSERT INTO a SELECT seq, CONCAT('name ', seq), seq FROM seq_1_to_4000")
			options, columns := f.names("a")+", snapshot.split.size = 100", "id, name"
			if follow {
				options, columns = options+schemaChanges, "*"
			}
			job := start(t, f.job("parallelism = 2, read_limit.rows_per_second = 2000", options))
			dbtest.Eventually(t, job, func() string {
				if got, err := f.TryQuery("SELECT 1 FROM " + f.to + ".a HAVING COUNT(*) > 300"); err != nil || len(got) == 0 {
					return fmt.Sprintf("the snapshot does not begin: %v", err)
				}
				return ""
			})
			for i, change := range []string{"ALTER TABLE a ADD COLUMN x INT DEFAULT 3", "ALTER TABLE a RENAME COLUMN n TO m",
				"ALTER TABLE a DROP COLUMN x"} {
				f.Exec(fmt.Sprintf("UPDATE a SET name = 'before %d' WHERE id %% 7 = %d", i, i), change,
					fmt.Sprintf("UPDATE a SET name = 'after %d' WHERE id %% 11 = %d", i, i),
					fmt.Sprintf("DELETE FROM a WHERE id %% 97 = %d", i))
				_ = plugin.Sleep(t.Context(), 300*time.Millisecond)
			}
			dbtest.Eventually(t, job, func() string { return f.difference("a", columns, "id") })
		})
	}
}

// alterers alter the tables of a hammer now and then.
func (h *hammer) alterer(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
		extra := make([][]string, h.tables)
		for n := 0; ctx.Err() == nil; n++ {
			i := rng.IntN(h.tables)
			var sql string
			switch has := extra[i]; {
			case len(has) == 0 || rng.IntN(3) == 0:
				name := fmt.Sprintf("e%d", n)
				extra[i] = append(has, name)
				sql = fmt.Sprintf("ALTER TABLE t%d ADD COLUMN %s INT DEFAULT %d", i, name, n)
			case rng.IntN(2) == 0:
				name := fmt.Sprintf("r%d", n)
				sql = fmt.Sprintf("ALTER TABLE t%d RENAME COLUMN %s TO %s", i, has[0], name)
				has[0] = name
			default:
				sql = fmt.Sprintf("ALTER TABLE t%d DROP COLUMN %s", i, has[0])
				extra[i] = has[1:]
			}
			if _, err := h.db.ExecContext(ctx, sql); err != nil && ctx.Err() == nil && !passes(err) {
				t.Error(sql, err)
				return
			}
			_ = plugin.Sleep(ctx, time.Duration(50+rng.IntN(300))*time.Millisecond)
		}
	})
	return func() { cancel(); wg.Wait() }
}

// TestHammerWithDDL changes tables and their columns while they are read and followed, and the engine is killed.
func TestHammerWithDDL(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	h := newHammer(t, 3000)
	dir, job := t.TempDir(), h.job(schemaChanges[2:])
	stop := h.clients(t, 3)
	// what a job that has no checkpoint leaves behind does not fit a table that is altered
	first := dbtest.StartJob(t, dir, job)
	dbtest.Eventually(t, nil, func() string {
		if rows, err := h.TryQuery("SELECT 1 FROM " + h.to + ".t0 HAVING COUNT(*) > 0"); err != nil || len(rows) == 0 {
			return fmt.Sprintf("the snapshot does not begin: %v", err)
		}
		return ""
	})
	stopDDL := h.alterer(t)
	first.Kill()
	for until := time.Now().Add(2 * hammerTime(t)); time.Now().Before(until); {
		child := dbtest.StartJob(t, dir, job)
		_ = plugin.Sleep(t.Context(), time.Duration(500+rand.IntN(1500))*time.Millisecond)
		child.Kill()
	}
	stop()
	stopDDL()
	child := dbtest.StartJob(t, dir, job)
	dbtest.Eventually(t, nil, h.differences)
	child.Kill()
}

// TestColumnsBetweenRuns alters a table between two runs of a job that does not follow changes of the columns, in each
// of its steps: rows keep the columns that the target has.
func TestColumnsBetweenRuns(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20), n INT)",
		"INSERT INTO a SELECT seq, 'name', seq FROM seq_1_to_3000")
	eng := dbtest.OpenEngine(t, t.TempDir(), plugins)
	text := f.job("read_limit.rows_per_second = 1500", f.names("a")+", snapshot.split.size = 100")
	job := submit(t, eng, text)
	for i, change := range []string{"ALTER TABLE a ADD COLUMN x INT", "ALTER TABLE a DROP COLUMN n",
		"ALTER TABLE a DROP COLUMN x"} {
		_ = plugin.Sleep(t.Context(), 500*time.Millisecond)
		dbtest.Savepoint(t, eng, job)
		f.Exec(change, fmt.Sprintf("UPDATE a SET name = 'changed %d' WHERE id %% 10 = %d", i, i))
		job = restart(t, eng, text)
	}
	dbtest.Eventually(t, job, func() string { return f.difference("a", "id, name", "id") })
}
