package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/all"
)

const jobID = 42

// runChild opens the engine, which resumes the job if there is one, submits it if there is none, and waits for its
// end.
func runChild(ctx context.Context, dir string, savepoint time.Duration, parallelism int) error {
	text, err := os.ReadFile(filepath.Join(dir, jobFile))
	if err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()
	eng, err := engine.Open(engine.Options{Dir: filepath.Join(dir, "store"), Plugins: plugin.NewRegistry(all.Plugins),
		Logger: hclog.New(&hclog.LoggerOptions{Output: logFile, Level: hclog.Debug})})
	if err != nil {
		return err
	}
	defer eng.Close(ctx)
	r := &runner{eng: eng, text: text, variables: map[string]string{"parallelism": fmt.Sprint(parallelism)}}
	job, err := r.job(ctx)
	if err != nil {
		return err
	}
	if savepoint > 0 {
		if job, err = r.overSavepoint(ctx, job, savepoint); err != nil {
			return err
		}
	}
	return r.toTheEnd(ctx, job)
}

// runner runs the job in an engine.
type runner struct {
	eng       *engine.Engine
	text      []byte
	variables map[string]string
}

// A job that is submitted while a server starts again is refused; it is submitted again for so long.
const (
	submitTries = 100
	submitPause = 200 * time.Millisecond
)

func (r *runner) submit(ctx context.Context, fromSavepoint bool) (*engine.Job, error) {
	o := engine.SubmitOptions{ID: jobID, FromSavepoint: fromSavepoint, Variables: r.variables}
	for try := 1; ; try++ {
		job, err := r.eng.Submit(ctx, r.text, o)
		var bad *engine.ConfigError
		if err == nil || errors.As(err, &bad) || try == submitTries {
			return job, err
		}
		if err := plugin.Sleep(ctx, submitPause); err != nil {
			return nil, err
		}
	}
}

// toTheEnd waits for the end of the job. One that was killed while it made its savepoint makes it when it is resumed,
// and has to be started again.
func (r *runner) toTheEnd(ctx context.Context, job *engine.Job) error {
	for {
		result, err := job.Wait(ctx)
		if err != nil || result.State != engine.SavepointDone {
			return err
		}
		if job, err = r.submit(ctx, true); err != nil {
			return err
		}
	}
}

// job returns the job that runs, goes on where a savepoint was taken, or starts the first one.
func (r *runner) job(ctx context.Context) (*engine.Job, error) {
	job, err := r.eng.Job(ctx, jobID)
	if errors.Is(err, engine.ErrJobNotFound) {
		return r.submit(ctx, false)
	}
	if err != nil || job.Info().State != engine.SavepointDone {
		return job, err
	}
	return r.submit(ctx, true)
}

// overSavepoint stops the job after a while and starts it again.
func (r *runner) overSavepoint(ctx context.Context, job *engine.Job, after time.Duration) (*engine.Job, error) {
	waiting, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	if _, err := job.Wait(waiting); err == nil {
		return job, nil
	}
	err := r.eng.Stop(ctx, job.ID(), engine.StopOptions{Savepoint: true})
	if err != nil && !errors.Is(err, engine.ErrJobEnded) {
		return nil, err
	}
	result, err := job.Wait(ctx)
	if err != nil || result.State != engine.SavepointDone {
		return job, err
	}
	return r.submit(ctx, true)
}
