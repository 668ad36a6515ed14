package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file"
)

const jobID = 42

// The rate limit keeps the job alive long enough to be killed; it holds for each lane.
const jobText = `
env { job.mode = BATCH, parallelism = %d, checkpoint.interval = 200, read_limit.rows_per_second = 5000 }
source {
  LocalFile {
    path = %q, file_format_type = csv, split.size = 100000
    schema { fields { id = bigint, text = string } }
  }
}
sink {
  LocalFile { path = %q, tmp_path = %q, file_format_type = csv, batch_size = 1500 }
}
`

// runChild opens the engine, which resumes the job if there is one, submits it if there is none, and waits for its
// end.
func runChild(ctx context.Context, dir string, savepoint time.Duration, parallelism int) error {
	eng, err := engine.Open(engine.Options{Dir: filepath.Join(dir, "store"), Plugins: plugin.NewRegistry(file.Plugins)})
	if err != nil {
		return err
	}
	defer eng.Close(ctx)
	text := fmt.Appendf(nil, jobText, parallelism, filepath.Join(dir, "input.csv"), filepath.Join(dir, "output"),
		filepath.Join(dir, "tmp"))
	job, err := jobOf(ctx, eng, text)
	if err != nil {
		return err
	}
	if savepoint > 0 {
		if job, err = overSavepoint(ctx, eng, job, text, savepoint); err != nil {
			return err
		}
	}
	return toTheEnd(ctx, eng, job, text)
}

// toTheEnd waits for the end of the job. One that was killed while it made its savepoint makes it when it is resumed,
// and has to be started again.
func toTheEnd(ctx context.Context, eng *engine.Engine, job *engine.Job, text []byte) error {
	for {
		result, err := job.Wait(ctx)
		if err != nil || result.State != engine.SavepointDone {
			return err
		}
		if job, err = eng.Submit(ctx, text, engine.SubmitOptions{ID: job.ID(), FromSavepoint: true}); err != nil {
			return err
		}
	}
}

// jobOf returns the job that runs, goes on where a savepoint was taken, or starts the first one.
func jobOf(ctx context.Context, eng *engine.Engine, text []byte) (*engine.Job, error) {
	job, err := eng.Job(ctx, jobID)
	if errors.Is(err, engine.ErrJobNotFound) {
		return eng.Submit(ctx, text, engine.SubmitOptions{ID: jobID})
	}
	if err != nil || job.Info().State != engine.SavepointDone {
		return job, err
	}
	return eng.Submit(ctx, text, engine.SubmitOptions{ID: jobID, FromSavepoint: true})
}

// overSavepoint stops the job after a while and starts it again.
func overSavepoint(ctx context.Context, eng *engine.Engine, job *engine.Job, text []byte, after time.Duration) (*engine.Job, error) {
	waiting, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	if _, err := job.Wait(waiting); err == nil {
		return job, nil
	}
	err := eng.Stop(ctx, job.ID(), engine.StopOptions{Savepoint: true})
	if err != nil && !errors.Is(err, engine.ErrJobEnded) {
		return nil, err
	}
	result, err := job.Wait(ctx)
	if err != nil || result.State != engine.SavepointDone {
		return job, err
	}
	return eng.Submit(ctx, text, engine.SubmitOptions{ID: job.ID(), FromSavepoint: true})
}
