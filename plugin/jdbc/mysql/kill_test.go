package mysql_test

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
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
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
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: plugin.NewRegistry(mysql.Plugins)})
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
	killRows         = 160_000
	killRounds       = 20
	serverKillRounds = 5
)

// killTest is a job from a database to itself that takes about ten seconds and a hundred checkpoints.
func killTest(t *testing.T, f *fixture) string {
	f.run(t, mixed("a", killRows)...)
	f.run(t, "CREATE TABLE b AS SELECT * FROM a LIMIT 0") // without a key: doubled rows show
	access := fmt.Sprintf("url = %q, user = %q, password = %q", f.url(), f.user, f.password)
	return fmt.Sprintf(`
		env { parallelism = 2, checkpoint.interval = 100, read_limit.rows_per_second = 5000,
			job.retry.times = 50, job.retry.interval.seconds = 1 }
		source { Jdbc { %s, table_path = "%s.a", split.size = 2000 } }
		sink { Jdbc { %[1]s, table = b, is_exactly_once = true, generate_sink_sql = true, enable_upsert = false,
			support_upsert_by_insert_only = true } }`, access, f.name)
}

// mixed returns the statements that make a table of eight mixed columns.
func mixed(name string, rows int) []string {
	return []string{
		"CREATE TABLE " + name + ` (id BIGINT PRIMARY KEY, n INT, name VARCHAR(40), note VARCHAR(80), score DOUBLE,
			amount DECIMAL(12,2), at DATETIME(6), ok BOOLEAN)`,
		fmt.Sprintf(`INSERT INTO %s SELECT seq, seq %% 1000, CONCAT('name ', seq), CONCAT('a longer text, number ', seq * 7),
			seq / 7e0, seq %% 100000 / 100, '2024-01-01' + INTERVAL seq * 1001 MICROSECOND, seq %% 2 FROM seq_1_to_%d`,
			name, rows),
	}
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
func checkCopied(t *testing.T, f *fixture) {
	t.Helper()
	const digest = `SELECT COUNT(*), COUNT(DISTINCT id), SUM(CRC32(CONCAT_WS('|', id, n, name, note, score,
	amount, at, ok))) FROM `
	if d := cmp.Diff(f.query(t, digest+"a"), f.query(t, digest+"b")); d != "" {
		t.Error(d)
	}
	if rest := f.query(t, "SHOW TABLES LIKE 'culvert\\_stage\\_%'"); len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
	if rest := f.query(t, "SELECT id FROM culvert_stages"); len(rest) > 0 {
		t.Errorf("still listed: %q", rest)
	}
	if rest := f.query(t, "XA RECOVER"); len(rest) > 0 {
		t.Errorf("prepared transactions: %q", rest)
	}
}

// TestKillEngine kills the process that runs the engine, again and again.
func TestKillEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	f := newFixture(t)
	job, dir := killTest(t, f), t.TempDir()
	kills := 0
	for {
		child := startChild(t, dir, job)
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		pause := time.NewTimer(time.Duration(150+rand.IntN(500)) * time.Millisecond)
		var err error
		select {
		case err = <-ended:
		case <-pause.C:
			if kills < killRounds {
				_ = child.Process.Kill()
			}
			err = <-ended
		}
		pause.Stop()
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Fatalf("the child failed: %v", err)
		}
		kills++
	}
	if kills < killRounds {
		t.Errorf("the child was killed %d times only", kills)
	}
	checkCopied(t, f)
}

// TestKillServer kills a database server of its own, again and again.
func TestKillServer(t *testing.T) {
	service := os.Getenv("CULVERT_TEST_MARIADB_SERVICE")
	if testing.Short() || service == "" {
		t.Skip("kills a server of its own, which the script in CULVERT_TEST_MARIADB_SERVICE starts")
	}
	home, err := os.MkdirTemp("", "culvert-mariadb-")
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
	t.Cleanup(func() {
		run("stop")
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("CULVERT_TEST_MARIADB",
		regexp.MustCompile("CULVERT_TEST_MARIADB='([^']+)'").FindStringSubmatch(run("start"))[1])
	f := newFixture(t)
	child := startChild(t, t.TempDir(), killTest(t, f))
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
	checkCopied(t, f)
}
