package postgrescdc_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine"
)

// A child process runs a job in an engine of its own; these variables name its directory and the job's text.
const (
	childDir = "CULVERT_TEST_KILL_DIR"
	childJob = "CULVERT_TEST_KILL_JOB"
)

// hammerVariable makes the hammer longer, for example 5m.
const hammerVariable = "CULVERT_TEST_HAMMER"

const killJobID = 42

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := runChild(context.Background(), dir, os.Getenv(childJob)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// runChild resumes the job, or submits it if there is none, and waits for its end.
func runChild(ctx context.Context, dir, text string) error {
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: registry()})
	if err != nil {
		return err
	}
	defer eng.Close(ctx)
	job, err := eng.Job(ctx, killJobID)
	if errors.Is(err, engine.ErrJobNotFound) {
		job, err = eng.Submit(ctx, []byte(text), engine.SubmitOptions{ID: killJobID})
	}
	if err != nil {
		return err
	}
	_, err = job.Wait(ctx)
	return err
}

// hammerTables are a table with an integer key, one with a composite key of texts, one with large values, one whose
// identity is the whole row, and a partitioned one.
var hammerTables = []string{
	"CREATE TABLE ints (id bigint PRIMARY KEY, v int, s text)",
	"INSERT INTO ints SELECT i, i, 'row ' || i FROM generate_series(1, 40000) i",
	"CREATE TABLE texts (k text, n int, v numeric(12,2), PRIMARY KEY (k, n))",
	"INSERT INTO texts SELECT 'k' || i % 97, i, i FROM generate_series(1, 8000) i",
	"CREATE TABLE large (id text PRIMARY KEY, n int, big text)",
	"ALTER TABLE large ALTER big SET STORAGE EXTERNAL",
	"INSERT INTO large SELECT 'id' || i, i, repeat(md5(i::text), 100) FROM generate_series(1, 1500) i",
	"CREATE TABLE wide (id int PRIMARY KEY, n int, big text, d timestamptz DEFAULT now())",
	"ALTER TABLE wide REPLICA IDENTITY FULL", "ALTER TABLE wide ALTER big SET STORAGE EXTERNAL",
	"INSERT INTO wide SELECT i, i, repeat(md5(i::text), 80) FROM generate_series(1, 1500) i",
	"CREATE TABLE parts (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
	"CREATE TABLE parts1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2024-07-01')",
	"CREATE TABLE parts2 PARTITION OF parts FOR VALUES FROM ('2024-07-01') TO ('2025-01-01')",
	"INSERT INTO parts SELECT i, date '2024-01-01' + i % 366, 'p' FROM generate_series(1, 5000) i",
}

var hammered = []string{"ints", "texts", "large", "wide", "parts"}

// blow returns one random statement.
func blow(r *rand.Rand) string {
	n := r.IntN(45000)
	switch r.IntN(16) {
	case 0, 1:
		return fmt.Sprintf("INSERT INTO ints VALUES (%d, %d, 'new') ON CONFLICT (id) DO UPDATE SET v = ints.v + 1", n, n)
	case 2, 3:
		return fmt.Sprintf("UPDATE ints SET v = v + 1 WHERE id BETWEEN %d AND %d", n, n+r.IntN(30))
	case 4:
		return fmt.Sprintf("DELETE FROM ints WHERE id BETWEEN %d AND %d", n, n+r.IntN(5))
	case 5:
		return fmt.Sprintf("UPDATE ints SET id = %d WHERE id = %d AND NOT EXISTS (SELECT FROM ints WHERE id = %d)", n, r.IntN(45000), n)
	case 6:
		return fmt.Sprintf("INSERT INTO texts VALUES ('k%d', %d, 1) ON CONFLICT DO NOTHING", r.IntN(97), n)
	case 7:
		return fmt.Sprintf("UPDATE texts SET v = v + 1 WHERE k = 'k%d' AND n %% 5 = %d", r.IntN(97), r.IntN(5))
	case 8:
		return fmt.Sprintf("UPDATE texts SET k = 'k%d', n = %d WHERE k = 'k%d' AND n = %d AND NOT EXISTS "+
			"(SELECT FROM texts WHERE n = %d)", r.IntN(99), n+50000, r.IntN(97), r.IntN(8000), n+50000)
	case 9:
		return fmt.Sprintf("UPDATE large SET n = n + 1 WHERE id = 'id%d'", r.IntN(1600))
	case 10:
		return fmt.Sprintf("UPDATE large SET big = repeat(md5('%d'), 100), n = n + 1 WHERE id = 'id%d'", n, r.IntN(1600))
	case 11:
		id := r.IntN(1600)
		return fmt.Sprintf("DELETE FROM large WHERE id = 'id%d'; INSERT INTO large VALUES ('id%d', 0, repeat(md5('%d'), 100)) "+
			"ON CONFLICT DO NOTHING; UPDATE large SET n = n + 1 WHERE id = 'id%d'", id, id, n, id)
	case 12:
		return fmt.Sprintf("UPDATE large SET id = 'id%d' WHERE id = 'id%d' AND NOT EXISTS (SELECT FROM large WHERE id = 'id%d')",
			n%1700, r.IntN(1600), n%1700)
	case 13:
		return fmt.Sprintf("UPDATE wide SET n = n + 1, d = now() WHERE id BETWEEN %d AND %d", n%1500, n%1500+3)
	case 14:
		return fmt.Sprintf("UPDATE parts SET at = date '2024-01-01' + %d, v = v || 'x' WHERE id = %d", r.IntN(366), n%5000)
	default:
		return fmt.Sprintf("DELETE FROM parts WHERE id = %d; INSERT INTO parts VALUES (%d, date '2024-01-01' + %d, 'new') ON CONFLICT DO NOTHING",
			n%5000, n%5000, r.IntN(366))
	}
}

// hammer changes the tables until stopped, in transactions of one to many statements, some of them rolled back in part
// or wholly, some slow. Deadlocks and a server that is gone are part of it.
func hammer(ctx context.Context, at string, seed uint64, next func(*rand.Rand) string, done *atomic.Int64) {
	r := rand.New(rand.NewPCG(seed, 7))
	for ctx.Err() == nil {
		c, err := pgconn.Connect(ctx, at)
		if err != nil {
			wait(ctx, 50*time.Millisecond)
			continue
		}
		for ctx.Err() == nil && !c.IsClosed() {
			if err := c.Exec(ctx, next(r)).Close(); err != nil && c.TxStatus() != 'I' {
				_ = c.Exec(ctx, "ROLLBACK").Close()
			}
			done.Add(1)
			if r.IntN(20) == 0 {
				wait(ctx, time.Duration(r.IntN(20))*time.Millisecond)
			}
		}
		_ = c.Close(context.Background())
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// transaction returns the statements of one transaction.
func transaction(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("BEGIN;")
	statements := 1 + r.IntN(4)
	if r.IntN(30) == 0 {
		statements = 60
	}
	for i := range statements {
		if r.IntN(4) > 0 {
			b.WriteString(blow(r) + ";")
			continue
		}
		fmt.Fprintf(&b, "SAVEPOINT s%d; %s;", i, blow(r))
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "ROLLBACK TO s%d;", i)
		}
	}
	if r.IntN(10) == 0 {
		fmt.Fprintf(&b, "SELECT pg_sleep(%g);", r.Float64()/3)
	}
	if r.IntN(12) == 0 {
		return b.String() + "ROLLBACK"
	}
	return b.String() + "COMMIT"
}

// swing runs clients while f does, and returns the number of their transactions.
func swing(t *testing.T, s *server, clients int, next func(*rand.Rand) string, f func()) int64 {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var done atomic.Int64
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { hammer(ctx, s.url.String(), uint64(i), next, &done) })
	}
	f()
	cancel()
	all.Wait()
	return done.Load()
}

func hammerTime(short time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(hammerVariable)); err == nil {
		return d
	}
	return short
}

// TestHammer changes tables while the job copies and follows them, then compares them row for row.
func TestHammer(t *testing.T) {
	s := newServer(t, hammerTables...)
	job := s.toTables("", "snapshot.split.size = 500", hammered...)
	var j *engine.Job
	n := swing(t, s, 4, transaction, func() {
		wait(t.Context(), 200*time.Millisecond)
		j = newEngine(t, "").submit(job, engine.SubmitOptions{})
		wait(t.Context(), hammerTime(3*time.Second))
	})
	t.Logf("%d transactions", n)
	s.same(j, hammered...)
}

// TestHammerKill kills the process that runs the job, again and again: with a sink that shows rows at once, and with
// one that shows them with the checkpoint.
func TestHammerKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	for _, exactly := range []bool{false, true} {
		t.Run(fmt.Sprintf("exactly once %v", exactly), func(t *testing.T) {
			s := newServer(t, hammerTables...)
			job := s.toTables("read_limit.rows_per_second = 30000", "snapshot.split.size = 500", hammered...)
			job = strings.Replace(job, "generate_sink_sql", fmt.Sprintf("is_exactly_once = %v, generate_sink_sql", exactly), 1)
			swingAndKill(t, s, job, 6*time.Second, transaction, hammered...)
		})
	}
}

// TestHammerAppend kills a job whose target takes every row that it gets, so that a row that comes twice shows.
func TestHammerAppend(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	s := newServer(t, "CREATE TABLE keyed (id bigserial PRIMARY KEY, v text)", "CREATE TABLE plain (id bigint, v text)",
		"ALTER TABLE plain REPLICA IDENTITY FULL", "INSERT INTO keyed (v) SELECT 'old' FROM generate_series(1, 20000)",
		"INSERT INTO plain SELECT i, 'old' FROM generate_series(1, 5000) i", "CREATE TABLE dst.keyed (id bigint, v text)",
		"CREATE TABLE dst.plain (id bigint, v text)")
	job := s.toTables("read_limit.rows_per_second = 20000", "snapshot.split.size = 500", "keyed", "plain")
	job = strings.Replace(job, "generate_sink_sql",
		"is_exactly_once = true, enable_upsert = false, support_upsert_by_insert_only = true, generate_sink_sql", 1)
	appends := func(r *rand.Rand) string {
		var b strings.Builder
		b.WriteString("BEGIN;")
		for i := range 1 + r.IntN(5) {
			fmt.Fprintf(&b, "SAVEPOINT s%d; INSERT INTO keyed (v) SELECT 'new' FROM generate_series(1, %d);", i, 1+r.IntN(60))
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, "ROLLBACK TO s%d;", i)
			}
			fmt.Fprintf(&b, "INSERT INTO plain VALUES (%d, 'new'), (%d, 'more');", r.IntN(1000000), r.IntN(100))
		}
		fmt.Fprintf(&b, "SELECT pg_sleep(%g); COMMIT", r.Float64()/20)
		return b.String()
	}
	swingAndKill(t, s, job, 6*time.Second, appends, "keyed", "plain")
}

// TestHammerColumns changes columns, too, while the job is killed again and again.
func TestHammerColumns(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	s := newServer(t, "CREATE TABLE ints (id int PRIMARY KEY, v int, s text, x0 int)",
		"INSERT INTO ints SELECT i, i, 'row ' || i, 0 FROM generate_series(1, 3000) i")
	job := s.toTables("read_limit.rows_per_second = 30000",
		"snapshot.split.size = 500, debezium { include.schema.changes = true }", "ints")
	swingAndKill(t, s, job, 6*time.Second, alterations(), "ints")
}

// alterations returns a generator of transactions: changes of rows, and now and then of columns, all rows of which are
// then changed, so that no default of a column counts. One column is ever renamed, dropped and added again.
func alterations() func(r *rand.Rand) string {
	var version atomic.Int64
	return func(r *rand.Rand) string {
		if r.IntN(40) > 0 {
			n := r.IntN(3000)
			return fmt.Sprintf("INSERT INTO ints (id, v, s) VALUES (%d, 1, 'new') ON CONFLICT (id) DO UPDATE SET v = ints.v + 1; "+
				"DELETE FROM ints WHERE id = %d; SELECT pg_sleep(0.005)", n, r.IntN(3000))
		}
		n := version.Add(1)
		const column = `DO $$ DECLARE old name; BEGIN LOCK TABLE ints; SELECT attname INTO old FROM pg_attribute
			WHERE attrelid = 'ints'::regclass AND attname LIKE 'x%%' AND NOT attisdropped; %s END $$`
		switch r.IntN(3) {
		case 0:
			return fmt.Sprintf(column, fmt.Sprintf(
				"EXECUTE format('ALTER TABLE ints RENAME %%I TO x%d', old); UPDATE ints SET v = v + 1;", n))
		default:
			kind := [...]string{"int", "text", "bigint", "numeric(12,2)"}[r.IntN(4)]
			return fmt.Sprintf(column, fmt.Sprintf(
				"EXECUTE format('ALTER TABLE ints DROP %%I, ADD x%d %s', old); UPDATE ints SET x%d = '%d';", n, kind, n, n))
		}
	}
}

// swingAndKill runs a job in a child that is killed again and again while clients work, and compares the tables at the
// end.
func swingAndKill(
	t *testing.T, s *server, job string, d time.Duration, next func(*rand.Rand) string, tables ...string,
) {
	t.Helper()
	dir, kills := t.TempDir(), 0
	n := swing(t, s, 3, next, func() {
		for end := time.Now().Add(hammerTime(d)); time.Now().Before(end); kills++ {
			child := startChild(t, dir, job)
			wait(t.Context(), time.Duration(200+rand.IntN(900))*time.Millisecond)
			stopChild(t, child)
		}
	})
	t.Logf("%d transactions, %d kills", n, kills)
	child := startChild(t, dir, job)
	defer stopChild(t, child)
	s.same(nil, tables...)
}

func startChild(t *testing.T, dir, job string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), childDir+"="+dir, childJob+"="+job)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child
}

// stopChild kills a child, which must not have ended by itself.
func stopChild(t *testing.T, child *exec.Cmd) {
	t.Helper()
	_ = child.Process.Kill()
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// TestHammerServer kills the database server, again and again.
func TestHammerServer(t *testing.T) {
	address, run := ownServer(t)
	s := newDatabase(t, address, hammerTables...)
	job := s.toTables("read_limit.rows_per_second = 30000", "snapshot.split.size = 500", hammered...)
	var j *engine.Job
	n := swing(t, s, 3, transaction, func() {
		j = newEngine(t, "").submit(job, engine.SubmitOptions{})
		for end := time.Now().Add(hammerTime(8 * time.Second)); time.Now().Before(end); {
			wait(t.Context(), time.Duration(500+rand.IntN(1000))*time.Millisecond)
			if rand.IntN(2) == 0 {
				run("kill")
			}
			run("restart")
		}
	})
	t.Logf("%d transactions", n)
	s.same(j, hammered...)
}
