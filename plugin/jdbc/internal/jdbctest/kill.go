package jdbctest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

const (
	killRounds       = 20
	serverKillRounds = 5
)

// killJob copies the table a of one database to the table b of another, in a hundred checkpoints. b has no key, so that
// rows that come twice show.
func (s Suite) killJob(source, target *dbtest.Database) string {
	source.Exec("CREATE TABLE a ("+s.Mixed+")", s.Fill(s.KillRows))
	target.Exec("CREATE TABLE b (" + strings.Replace(s.Mixed, " PRIMARY KEY", "", 1) + ")")
	return fmt.Sprintf(`
		env { parallelism = 2, checkpoint.interval = 100, read_limit.rows_per_second = %d,
			job.retry.times = 50, job.retry.interval.seconds = 1 }
		source { Jdbc { %s, table_path = "%s", split.size = %d } }
		sink { Jdbc { %s, table = b, is_exactly_once = true, generate_sink_sql = true, enable_upsert = false,
			support_upsert_by_insert_only = true } }`,
		s.KillRate, source.Access(), s.Path(source, "a"), s.KillRows/100, target.Access())
}

// checkCopied compares the tables, and looks for what must not be left.
func (s Suite) checkCopied(t *testing.T, source, target *dbtest.Database) {
	t.Helper()
	want, got := source.Query("SELECT * FROM a ORDER BY id"), target.Query("SELECT * FROM b ORDER BY id")
	if len(want) != s.KillRows || len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), s.KillRows)
	}
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Errorf("row %d is %q, want %q", i, got[i], want[i])
			break
		}
	}
	if rest := s.LeftOver(target); len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
}

// testKillEngine kills the process that runs the engine, again and again.
func (s Suite) testKillEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	for left := killRounds; left > 0; { // on a fast machine a job ends before it was killed so often
		left -= s.killEngine(t, left)
	}
}

// killEngine runs a job to its end, with up to a number of kills on the way, and checks what it has written.
func (s Suite) killEngine(t *testing.T, most int) (kills int) {
	t.Helper()
	source, target := s.Open(t), s.Open(t)
	job := s.killJob(source, target)
	kills = dbtest.KillJob(t, t.TempDir(), job, most, 150*time.Millisecond, 650*time.Millisecond)
	s.checkCopied(t, source, target)
	if kills == 0 {
		t.Fatal("the job ends before it can be killed")
	}
	return kills
}

// testKillServer kills a server of its own, again and again.
func (s Suite) testKillServer(t *testing.T) {
	if s.Variable == "" {
		t.Skip("there is no server")
	}
	service := dbtest.StartService(t, s.Variable)
	source, target := s.OpenAt(t, service.URL), s.OpenAt(t, service.URL)
	child := dbtest.StartJob(t, t.TempDir(), s.killJob(source, target))
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for round := range serverKillRounds {
		pause := time.NewTimer(time.Duration(700+rand.IntN(900)) * time.Millisecond)
		select {
		case err := <-ended:
			t.Fatalf("the child ended in round %d: %v", round, err)
		case <-pause.C:
		}
		service.Kill()
		service.Restart()
	}
	if err := <-ended; err != nil {
		t.Fatalf("the child failed: %v", err)
	}
	s.checkCopied(t, source, target)
}
