package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// A child process runs a job in an engine of its own; these variables name its directory and the job's text.
const (
	childDir = "CULVERT_TEST_KILL_DIR"
	childJob = "CULVERT_TEST_KILL_JOB"
)

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
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: plugin.NewRegistry(postgres.Plugins, evolvePlugin)})
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

const (
	killRows         = 300000
	killRounds       = 20
	serverKillRounds = 5
)

// killTest is a job from a database to itself that takes about fifteen seconds and a hundred checkpoints.
func killTest(s *server) string {
	s.exec(mixed("a", killRows)...)
	s.exec("CREATE TABLE b AS SELECT * FROM a WHERE false") // without a key: doubled rows show
	return fmt.Sprintf(`
		env { parallelism = 2, checkpoint.interval = 100, read_limit.rows_per_second = 12000,
			job.retry.times = 50, job.retry.interval.seconds = 1 }
		source { Jdbc { %s table_path = a, split.size = 3000 } }
		sink { Jdbc { %s table = b, is_exactly_once = true, generate_sink_sql = true, enable_upsert = false,
			support_upsert_by_insert_only = true } }`, s.access(), s.access())
}

func startChild(t *testing.T, dir, job string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), childDir+"="+dir, childJob+"="+job)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child
}

// checkCopied compares the tables, and looks for what must not be left.
func checkCopied(t *testing.T, s *server) {
	t.Helper()
	const digest = "SELECT count(*), count(DISTINCT id), sum(hashtextextended(x::text, 0)) FROM "
	if d := cmp.Diff(s.query(digest+"a x"), s.query(digest+"b x")); d != "" {
		t.Error(d)
	}
	rest := s.query(`SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'culvert\_%' AND relname <> 'culvert_commits'
		UNION ALL SELECT gid FROM pg_prepared_xacts`)
	if len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
}

// TestKillEngine kills the process that runs the engine, again and again.
func TestKillEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	s := newServer(t)
	kills := killAgain(t, t.TempDir(), killTest(s), killRounds)
	if kills < killRounds {
		t.Errorf("the child was killed %d times only", kills)
	}
	checkCopied(t, s)
}

// TestKillServer kills the database server, again and again.
func TestKillServer(t *testing.T) {
	service := os.Getenv(serviceVariable)
	if testing.Short() || service == "" {
		t.Skip("kills a server of its own, which the script in " + serviceVariable + " starts")
	}
	home, err := os.MkdirTemp("", "culvert-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o755); err != nil { // the server runs as another user
		t.Fatal(err)
	}
	run := func(command string) string {
		cmd := exec.Command(service, command)
		cmd.Env = append(os.Environ(), "CULVERT_SERVICES="+home)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v", service, command, err)
		}
		return string(out)
	}
	address := regexp.MustCompile(serverVariable + "='([^']+)'").FindStringSubmatch(run("start"))
	t.Cleanup(func() {
		run("stop")
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	s := newDatabase(t, address[1])
	job := killTest(s)
	child := startChild(t, t.TempDir(), job)
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for round := range serverKillRounds {
		select {
		case err := <-ended:
			t.Fatalf("the child ended in round %d: %v", round, err)
		case <-time.After(time.Duration(700+rand.IntN(900)) * time.Millisecond):
		}
		run("kill")
		run("restart")
	}
	if err := <-ended; err != nil {
		t.Fatalf("the child failed: %v", err)
	}
	checkCopied(t, s)
}
