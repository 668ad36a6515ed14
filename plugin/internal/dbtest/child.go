package dbtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// childDir names the directory of a child process; its presence makes a test binary that child.
const childDir = "CULVERT_TEST_CHILD_DIR"

// jobFile holds the job's text in the directory of a child.
const jobFile = "job.conf"

const childJobID = 42

// Main runs the tests of a package and looks for goroutines that are left over, or, in a child process, runs what that
// is for in its directory, [RunJob] for example.
func Main(m *testing.M, child func(ctx context.Context, dir string) error) {
	dir := os.Getenv(childDir)
	if dir == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := child(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// RunJob returns what a child does that runs a job: it resumes the job of its directory, or submits it if there is
// none, and waits for its end. It prints a line for each checkpoint, and one at the job's end.
func RunJob(plugins ...plugin.Set) func(ctx context.Context, dir string) error {
	return func(ctx context.Context, dir string) error {
		text, err := os.ReadFile(filepath.Join(dir, jobFile))
		if err != nil {
			return err
		}
		eng, err := engine.Open(engine.Options{
			Dir: filepath.Join(dir, "store"), Plugins: plugin.NewRegistry(plugins...), Logger: Logger(),
		})
		if err != nil {
			return err
		}
		defer eng.Close(ctx)
		return resume(ctx, eng, text)
	}
}

func resume(ctx context.Context, eng *engine.Engine, text []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := eng.Subscribe(ctx)
	job, err := eng.Job(ctx, childJobID)
	if errors.Is(err, engine.ErrJobNotFound) {
		job, err = eng.Submit(ctx, text, engine.SubmitOptions{ID: childJobID})
	}
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := job.Wait(ctx)
		ended <- err
	}()
	for {
		select {
		case e := <-events:
			if _, ok := e.(engine.CheckpointDone); ok {
				fmt.Println("checkpoint")
			}
		case err := <-ended:
			if err == nil {
				fmt.Println("end")
			}
			return err
		}
	}
}

// Child is a process that the test may kill.
type Child struct {
	*exec.Cmd
	t testing.TB
}

// NewChild returns a process in a directory that has not been started. The package's TestMain must call [Main].
func NewChild(t testing.TB, dir string) *Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &Child{exec.CommandContext(t.Context(), self), t}
	c.Env = append(os.Environ(), childDir+"="+dir)
	c.Stderr = os.Stderr
	return c
}

// NewJob is [NewChild] for a job, or for going on with the one that a process in the same directory has left.
func NewJob(t testing.TB, dir, job string) *Child {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, jobFile), []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}
	return NewChild(t, dir)
}

// StartJob is [NewJob], and starts the process.
func StartJob(t testing.TB, dir, job string) *Child {
	t.Helper()
	c := NewJob(t, dir, job)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Kill ends the process as a crash does. It must not have ended by itself.
func (c *Child) Kill() {
	c.t.Helper()
	_ = c.Process.Kill()
	if err := c.Wait(); !killed(err) {
		c.t.Errorf("the child ended by itself: %v", err)
	}
}

// Finished waits for the end of the process. It is false if the process was killed; a process that failed fails the
// test.
func (c *Child) Finished() bool {
	c.t.Helper()
	err := c.Wait()
	if err != nil && !killed(err) {
		c.t.Fatalf("the child failed: %v", err)
	}
	return err == nil
}

func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == -1
}

// KillJob runs a job to its end in children, of which it kills up to some on the way, each after a random time between
// shortest and longest, and returns how many.
func KillJob(t testing.TB, dir, job string, most int, shortest, longest time.Duration) (kills int) {
	t.Helper()
	for ; kills < most; kills++ {
		c := StartJob(t, dir, job)
		timer := time.AfterFunc(shortest+rand.N(longest-shortest), func() { _ = c.Process.Kill() })
		finished := c.Finished()
		timer.Stop()
		if finished {
			return kills
		}
	}
	if !StartJob(t, dir, job).Finished() {
		t.Fatal("somebody else has killed the child")
	}
	return kills
}
