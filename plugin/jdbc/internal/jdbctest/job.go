package jdbctest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// Main runs the tests of a package, or what a child process is for: a job, or the writer of a [Suite].
func Main(m *testing.M, set plugin.Set) {
	dbtest.Main(m, func(ctx context.Context, dir string) error {
		if _, err := os.Stat(filepath.Join(dir, writerFile)); err == nil {
			return runWriter(ctx, dir, Kit{set})
		}
		return dbtest.RunJob(set)(ctx, dir)
	})
}

// RunJob runs a job in an engine of its own, to its end.
func (k Kit) RunJob(t testing.TB, job string) (*engine.Result, error) {
	t.Helper()
	eng := dbtest.OpenEngine(t, "", k.Plugins)
	result, err := Run(t, eng, job, engine.SubmitOptions{})
	if err := eng.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	return result, err
}

// MustRunJob is [Kit.RunJob]; the test fails if the job does.
func (k Kit) MustRunJob(t testing.TB, job string) *engine.Result {
	t.Helper()
	result, err := k.RunJob(t, job)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Run runs a job in an engine, to its end.
func Run(t testing.TB, eng *engine.Engine, job string, o engine.SubmitOptions) (*engine.Result, error) {
	t.Helper()
	j, err := eng.Submit(t.Context(), []byte(job), o)
	if err != nil {
		return nil, err
	}
	return j.Wait(t.Context())
}
