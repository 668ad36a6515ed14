package jdbctest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// childDir names the directory of a child process; its presence makes a test binary that child.
const childDir = "CULVERT_TEST_CHILD_DIR"

// jobFile holds the job's text in the directory of a child.
const jobFile = "job.conf"

const childJobID = 42

// Main runs the tests of a package and looks for goroutines that are left over, or, in a child process, what that is
// for: [StartChild] lets it run a job in an engine of its own.
func Main(m *testing.M, set plugin.Set) {
	dir := os.Getenv(childDir)
	if dir == "" {
		goleak.VerifyTestMain(m)
		return
	}
	run := runChild
	if _, err := os.Stat(filepath.Join(dir, writerFile)); err == nil {
		run = func(ctx context.Context, dir string, set plugin.Set) error { return runWriter(ctx, dir, Kit{set}) }
	}
	if err := run(context.Background(), dir, set); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runChild resumes the job of a directory, or submits it if there is none, and waits for its end.
func runChild(ctx context.Context, dir string, set plugin.Set) error {
	text, err := os.ReadFile(filepath.Join(dir, jobFile))
	if err != nil {
		return err
	}
	eng, err := engine.Open(engine.Options{Dir: filepath.Join(dir, "store"), Plugins: plugin.NewRegistry(set)})
	if err != nil {
		return err
	}
	defer eng.Close(ctx)
	job, err := eng.Job(ctx, childJobID)
	if errors.Is(err, engine.ErrJobNotFound) {
		job, err = eng.Submit(ctx, text, engine.SubmitOptions{ID: childJobID})
	}
	if err != nil {
		return err
	}
	_, err = job.Wait(ctx)
	return err
}

// StartChild starts a process that runs a job, or goes on with the one that a process in the same directory has left.
// The package's TestMain must call [Main].
func StartChild(t testing.TB, dir, job string) *exec.Cmd {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, jobFile), []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}
	child := childCommand(t, dir)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child
}

// childCommand is a child process that has not been started.
func childCommand(t testing.TB, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	return child
}
