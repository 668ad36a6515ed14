package dbtest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// OpenEngine opens an engine that is closed when the test ends, at the latest. It keeps what it knows in dir, or in
// memory if that is empty.
func OpenEngine(t testing.TB, dir string, plugins ...plugin.Set) *engine.Engine {
	t.Helper()
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: plugin.NewRegistry(plugins...), Logger: Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		if err := eng.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return eng
}

// Logger shows what the engine and connectors say if CULVERT_TEST_LOG names a level.
func Logger() hclog.Logger {
	level := hclog.LevelFromString(os.Getenv("CULVERT_TEST_LOG"))
	if level == hclog.NoLevel {
		return hclog.NewNullLogger()
	}
	return hclog.New(&hclog.LoggerOptions{Level: level})
}

// Submit starts a job.
func Submit(t testing.TB, eng *engine.Engine, job string, o engine.SubmitOptions) *engine.Job {
	t.Helper()
	j, err := eng.Submit(t.Context(), []byte(job), o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Savepoint stops a job with a savepoint and waits for its end.
func Savepoint(t testing.TB, eng *engine.Engine, job *engine.Job) {
	t.Helper()
	if err := eng.Stop(t.Context(), job.ID(), engine.StopOptions{Savepoint: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := job.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}
