package jdbctest

import (
	"context"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// OpenEngine opens an engine that keeps nothing on disk; end closes it.
func (k Kit) OpenEngine(t testing.TB) (eng *engine.Engine, end func()) {
	t.Helper()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(k.Plugins)})
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
func (k Kit) RunJob(t testing.TB, job string) (*engine.Result, error) {
	t.Helper()
	eng, end := k.OpenEngine(t)
	defer end()
	return Submit(t, eng, job, engine.SubmitOptions{})
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

// Submit runs a job in an engine, to its end.
func Submit(t testing.TB, eng *engine.Engine, job string, o engine.SubmitOptions) (*engine.Result, error) {
	t.Helper()
	j, err := eng.Submit(t.Context(), []byte(job), o)
	if err != nil {
		return nil, err
	}
	return j.Wait(t.Context())
}
