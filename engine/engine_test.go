package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/assert"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/fake"
	"github.com/culvertdata/culvert/plugin/file"
	"github.com/culvertdata/culvert/plugin/transform"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func registry() *plugin.Registry {
	return plugin.NewRegistry(fake.Plugins, blackhole.Plugins, assert.Plugins, file.Plugins, transform.Plugins)
}

// open opens an engine that is closed with the test.
func open(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	if o.Plugins == nil {
		o.Plugins = registry()
	}
	eng, err := engine.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, eng) })
	return eng
}

func closeEngine(t *testing.T, eng *engine.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := eng.Close(ctx); err != nil {
		t.Error(err)
	}
}

func submit(t *testing.T, eng *engine.Engine, text string, o engine.SubmitOptions) *engine.Job {
	t.Helper()
	job, err := eng.Submit(t.Context(), []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func wait(t *testing.T, job *engine.Job) *engine.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	result, err := job.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

const batchJob = `
env { job.name = "orders", parallelism = 2, "some.key" = 7 }
source { FakeSource { row.num = 100, schema { table = "db.orders", fields { id = bigint, name = string } } } }
sink { Blackhole { } }
`

const streamingJob = `
env { job.mode = STREAMING, checkpoint.interval = 50 }
source {
  FakeSource {
    row.num = 1000000, split.num = 100000, split.read-interval = 5
    schema { fields { id = bigint, name = string } }
  }
}
sink { Blackhole { } }
`

func TestBatchJob(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	job := submit(t, eng, batchJob, engine.SubmitOptions{})
	result := wait(t, job)
	if result.State != engine.Finished || result.RowsIn != 200 || result.RowsOut != 200 {
		t.Errorf("result = %+v, want FINISHED with 200 rows in and out", result)
	}
	again, err := eng.Job(t.Context(), job.ID())
	if err != nil {
		t.Fatal(err)
	}
	info := again.Info()
	if info.Name != "orders" || info.State != engine.Finished || info.Finished.Before(info.Created) || info.Error != "" {
		t.Errorf("history has %+v", info)
	}
	wantEnv := []engine.EnvOption{{Key: "job.name", Value: "orders"}, {Key: "parallelism", Value: "2"},
		{Key: "some.key", Value: "7"}}
	if diff := cmp.Diff(wantEnv, info.Env); diff != "" {
		t.Errorf("env (-want +got):\n%s", diff)
	}
	tables := info.Metrics.ByTable(plugin.SinkRole)
	if len(tables) != 1 || tables[0].Table != "db.orders" || tables[0].Rows != 200 || tables[0].Bytes == 0 {
		t.Errorf("sink tables = %+v", tables)
	}
	log, err := again.Log(t.Context())
	if err != nil || !strings.Contains(string(log), "checkpoint is disabled") {
		t.Errorf("log = %q, %v", log, err)
	}
}

func TestSubmitReportsEveryProblem(t *testing.T) {
	eng := open(t, engine.Options{})
	_, err := eng.Submit(t.Context(), []byte(`
env { job.mode = FAST }
source { FakeSource { row.num = many, schema { fields { id = bigint } } } }
sink { Blackholes { } }
`), engine.SubmitOptions{})
	var config *engine.ConfigError
	if !errors.As(err, &config) {
		t.Fatalf("error = %v, want a *ConfigError", err)
	}
	for _, want := range []string{"job.mode", "row.num", "Blackhole"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in:\n%v", want, err)
		}
	}
	for info := range eng.List(t.Context(), engine.Filter{}) {
		t.Errorf("job %d was recorded", info.ID)
	}
}

func TestJobIDs(t *testing.T) {
	eng := open(t, engine.Options{})
	const id = 733584788375666689
	job := submit(t, eng, streamingJob, engine.SubmitOptions{ID: id, Name: "mine"})
	if job.ID() != id || job.Name() != "mine" {
		t.Errorf("job = %d %q", job.ID(), job.Name())
	}
	if _, err := eng.Submit(t.Context(), []byte(batchJob), engine.SubmitOptions{ID: id}); !errors.Is(err,
		engine.ErrJobRunning) {
		t.Errorf("second submit = %v, want ErrJobRunning", err)
	}
	if err := eng.Stop(t.Context(), id, engine.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	result, err := job.Wait(t.Context())
	var failed *engine.JobError
	if !errors.As(err, &failed) || result.State != engine.Canceled {
		t.Errorf("wait = %+v, %v, want CANCELED", result, err)
	}
	if err := eng.Stop(t.Context(), id, engine.StopOptions{}); !errors.Is(err, engine.ErrJobEnded) {
		t.Errorf("second stop = %v, want ErrJobEnded", err)
	}
	if _, err := eng.Submit(t.Context(), []byte(batchJob), engine.SubmitOptions{ID: id}); !errors.Is(err,
		engine.ErrJobExists) {
		t.Errorf("submit of a used id = %v, want ErrJobExists", err)
	}
	if err := eng.Stop(t.Context(), id+1, engine.StopOptions{}); !errors.Is(err, engine.ErrJobNotFound) {
		t.Errorf("stop of an unknown id = %v, want ErrJobNotFound", err)
	}
}

func TestGeneratedIDsAreUnique(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	seen := map[int64]bool{}
	for range 20 {
		job := submit(t, eng, batchJob, engine.SubmitOptions{})
		if seen[job.ID()] || job.ID() <= 1<<53 {
			t.Fatalf("id %d is not new, or smaller than SeaTunnel's", job.ID())
		}
		seen[job.ID()] = true
	}
}

// rowsOf returns the rows that a job's sinks have taken.
func rowsOf(job *engine.Job) int64 {
	rows, _ := job.Info().Metrics.Totals(plugin.SinkRole)
	return rows
}

func waitForRows(t *testing.T, job *engine.Job, rows int64) {
	t.Helper()
	eventually(t, fmt.Sprintf("job %d has written %d rows", job.ID(), rows), func() bool { return rowsOf(job) >= rows })
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-timeout:
			t.Fatalf("not in 30 s: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func TestSavepointAndResume(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	job := submit(t, eng, streamingJob, engine.SubmitOptions{})
	waitForRows(t, job, 100)
	if err := eng.Stop(t.Context(), job.ID(), engine.StopOptions{Savepoint: true}); err != nil {
		t.Fatal(err)
	}
	first := wait(t, job)
	if first.State != engine.SavepointDone {
		t.Fatalf("state = %s", first.State)
	}
	resumed := submit(t, eng, streamingJob, engine.SubmitOptions{ID: job.ID(), FromSavepoint: true})
	waitForRows(t, resumed, first.RowsOut+50)
	if !resumed.Info().FromSavepoint {
		t.Error("the job does not say that it started from a savepoint")
	}
	if err := eng.Stop(t.Context(), job.ID(), engine.StopOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestRunningJobsGoOnAtTheNextOpen(t *testing.T) {
	dir := t.TempDir()
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: registry()})
	if err != nil {
		t.Fatal(err)
	}
	job := submit(t, eng, streamingJob, engine.SubmitOptions{})
	waitForRows(t, job, 100)
	closeEngine(t, eng)
	if _, err := job.Wait(t.Context()); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("wait after close = %v, want ErrClosed", err)
	}
	if _, err := eng.Submit(t.Context(), []byte(batchJob), engine.SubmitOptions{}); err == nil {
		t.Error("a closed engine took a job")
	}
	before := rowsOf(job)
	eng = open(t, engine.Options{Dir: dir})
	resumed, err := eng.Job(t.Context(), job.ID())
	if err != nil {
		t.Fatal(err)
	}
	waitForRows(t, resumed, before+100)
	if err := eng.Stop(t.Context(), job.ID(), engine.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := resumed.Wait(t.Context()); err == nil {
		t.Error("a canceled job returned no error")
	}
}

func TestTwoEnginesShareNothing(t *testing.T) {
	one, two := open(t, engine.Options{}), open(t, engine.Options{Dir: t.TempDir()})
	job := submit(t, one, batchJob, engine.SubmitOptions{})
	wait(t, job)
	if _, err := two.Job(t.Context(), job.ID()); !errors.Is(err, engine.ErrJobNotFound) {
		t.Errorf("the other engine answers %v", err)
	}
}

func TestOneDirectoryBelongsToOneEngine(t *testing.T) {
	dir := t.TempDir()
	open(t, engine.Options{Dir: dir})
	if _, err := engine.Open(engine.Options{Dir: dir, Plugins: registry()}); err == nil {
		t.Error("a second engine opened the same directory")
	}
}

func TestListIsInOrder(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	var want []int64
	for range 5 {
		job := submit(t, eng, batchJob, engine.SubmitOptions{})
		wait(t, job)
		want = append(want, job.ID())
	}
	running := submit(t, eng, streamingJob, engine.SubmitOptions{})
	collect := func(f engine.Filter) (ids []int64) {
		for info, err := range eng.List(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, info.ID)
		}
		return ids
	}
	if diff := cmp.Diff(want, collect(engine.Ended())); diff != "" {
		t.Errorf("ended jobs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{running.ID()}, collect(engine.Active())); diff != "" {
		t.Errorf("active jobs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append([]int64{running.ID()}, want...), collect(engine.Filter{})); diff != "" {
		t.Errorf("all jobs (-want +got):\n%s", diff)
	}
	if err := eng.Stop(t.Context(), running.ID(), engine.StopOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestEvents(t *testing.T) {
	eng := open(t, engine.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	events := eng.Subscribe(ctx)
	job := submit(t, eng, batchJob, engine.SubmitOptions{})
	wait(t, job)
	var states []engine.State
	for ev := range events {
		if s, ok := ev.(engine.StateChanged); ok && s.Job() == job.ID() {
			states = append(states, s.To)
			if s.To.Ended() {
				break
			}
		}
	}
	if diff := cmp.Diff([]engine.State{engine.Scheduled, engine.Running, engine.Finished}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	cancel()
	for range events { // the channel is closed
	}
}

func TestFailedJobTellsWhy(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	job := submit(t, eng, `
env { job.retry.times = 0 }
source { FakeSource { row.num = 10, schema { fields { id = bigint } } } }
sink { Assert { rules { row_rules = [ { rule_type = MAX_ROW, rule_value = 5 } ] } } }
`, engine.SubmitOptions{})
	result, err := job.Wait(t.Context())
	var failed *engine.JobError
	if !errors.As(err, &failed) || result.State != engine.Failed || failed.Reason == "" {
		t.Fatalf("wait = %+v, %v", result, err)
	}
	again, err := eng.Job(t.Context(), job.ID())
	if err != nil || again.Info().Error != failed.Reason {
		t.Errorf("history says %q, %v; want %q", again.Info().Error, err, failed.Reason)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir(), HistoryJobs: 3})
	for range 6 {
		wait(t, submit(t, eng, batchJob, engine.SubmitOptions{}))
	}
	engine.ExpireHistory(eng)
	n := 0
	for range eng.List(t.Context(), engine.Ended()) {
		n++
	}
	if n != 3 {
		t.Errorf("%d jobs in the history, want 3", n)
	}
}

func TestTagsThatNoEngineHas(t *testing.T) {
	eng := open(t, engine.Options{Tags: map[string]string{"zone": "a"}})
	job := submit(t, eng, `env { tag_filter { zone = b } }`+batchJob, engine.SubmitOptions{})
	if _, err := job.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "NoEnoughResourceException") {
		t.Errorf("wait = %v", err)
	}
	wait(t, submit(t, eng, `env { tag_filter { zone = a } }`+batchJob, engine.SubmitOptions{}))
}

func TestExplainRunsNothing(t *testing.T) {
	dir := t.TempDir()
	eng := open(t, engine.Options{})
	out := filepath.Join(dir, "out")
	x, err := eng.Explain(t.Context(), fmt.Appendf(nil, `
source { FakeSource { row.num = 10, split.num = 2, schema { fields { id = bigint } } } }
sink { LocalFile { path = %q, tmp_path = %q, file_format_type = csv } }
`, out, dir), engine.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text := x.String()
	for _, want := range []string{"Source[0]-FakeSource", "Sink[0]-LocalFile-MultiTableSink", "id BIGINT",
		"exactly-once", "2 splits"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if matches, _ := filepath.Glob(out + "/*"); len(matches) > 0 {
		t.Errorf("explaining wrote %v", matches)
	}
}
