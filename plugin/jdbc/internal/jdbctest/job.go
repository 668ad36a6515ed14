package jdbctest

import (
	"context"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// OpenEngine opens an engine that keeps nothing on disk; end closes it.
func OpenEngine(t testing.TB, sets ...plugin.Set) (eng *engine.Engine, end func()) {
	t.Helper()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(sets...)})
	if err != nil {
		t.Fatal(err)
	}
	return eng, func() {
		if err := eng.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

// RunJob runs a job in an engine of its own, to its end.
func RunJob(t testing.TB, job string, sets ...plugin.Set) (*engine.Result, error) {
	t.Helper()
	eng, end := OpenEngine(t, sets...)
	defer end()
	return Submit(t, eng, job, engine.SubmitOptions{})
}

// Submit runs a job in an engine, to its end.
func Submit(t testing.TB, eng *engine.Engine, job string, o engine.SubmitOptions) (*engine.Result, error) {
	t.Helper()
	j, err := eng.Submit(t.Context(), []byte(job), o)
	if err != nil {
		return nil, err
	}
	return j.Wait(t.Context())
}

// MustRunJob is [RunJob]; the test fails if the job does.
func MustRunJob(t testing.TB, job string, sets ...plugin.Set) *engine.Result {
	t.Helper()
	result, err := RunJob(t, job, sets...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
