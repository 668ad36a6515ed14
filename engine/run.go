package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/culvertdata/culvert/engine/internal/exec"
	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// start makes the job's runners and lets them run. If Close has begun meanwhile, the job goes on at the next Open like
// any other.
func (e *Engine) start(j *Job, spec *jobspec.Spec, planned *plan.Plan) {
	j.setRunners(e.runners(j, spec, planned))
	e.mu.Lock()
	e.jobs[j.id] = j
	e.mu.Unlock()
	if e.Closing() {
		j.suspend()
	}
	e.wg.Go(func() { e.run(j, spec, planned) })
}

func (j *Job) setRunners(runners []*exec.Runner) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.runners = runners
}

func (e *Engine) runners(j *Job, spec *jobspec.Spec, planned *plan.Plan) []*exec.Runner {
	interval, timeout := e.checkpointing(spec.Env)
	runners := make([]*exec.Runner, len(planned.Pipelines))
	for i, p := range planned.Pipelines {
		runners[i] = exec.New(exec.Options{
			Pipeline:       p,
			Checkpoints:    e.store.Checkpoints(j.id),
			Interval:       interval,
			Timeout:        timeout,
			Retries:        spec.Env.RetryTimes,
			RetryPause:     spec.Env.RetryInterval,
			RowsPerSecond:  spec.Env.RowsPerSecond,
			BytesPerSecond: spec.Env.BytesPerSecond,
			Restored:       j.rec.FromSavepoint,
			Alone:          len(planned.Pipelines) == 1,
			FlushInterval:  e.options.FlushInterval,
			RowErrors:      exec.RowErrorPolicy(spec.Env.RowErrors),
			Logger:         p.Vertices[0].Env.Logger,
			Observer:       e.observer(j, p.ID),
		})
	}
	return runners
}

// checkpointing returns the interval and timeout of a job's checkpoints. A batch job that names no interval takes
// none, and its timeout is ignored, as in SeaTunnel.
func (e *Engine) checkpointing(env jobspec.Env) (interval, timeout time.Duration) {
	interval, timeout = env.CheckpointInterval, env.CheckpointTimeout
	if env.Mode == plugin.Bounded && interval == 0 {
		return 0, e.options.CheckpointTimeout
	}
	if interval == 0 {
		interval = e.options.CheckpointInterval
	}
	if timeout == 0 {
		timeout = e.options.CheckpointTimeout
	}
	return interval, timeout
}

func (e *Engine) observer(j *Job, pipeline int) exec.Observer {
	at := func() eventBase { return eventBase{j.id, e.options.Now()} }
	return exec.Observer{
		Checkpoint: func(epoch uint64, d time.Duration, err error) {
			e.hub.publish(CheckpointDone{at(), pipeline, epoch, d, j.secrets.err(err)})
		},
		Restarting: func(attempt int, err error) {
			e.hub.publish(Restarted{at(), pipeline, attempt, j.secrets.err(err)})
		},
		RowsRejected: func(vertex string, rows int, err error) {
			e.hub.publish(RowsRejected{at(), vertex, rows, j.secrets.err(err)})
		},
		SchemaChanged: func(c plugin.SchemaChange) {
			e.hub.publish(SchemaChanged{at(), c.New.ID.String(), c.Statement})
		},
	}
}

// run runs a job to its end; it is the goroutine that owns the job.
func (e *Engine) run(j *Job, spec *jobspec.Spec, planned *plan.Plan) {
	defer e.release(j, planned)
	logger := planned.Pipelines[0].Vertices[0].Env.Logger
	if interval, _ := e.checkpointing(spec.Env); interval > 0 {
		logger.Info("checkpoint is enabled", "interval", interval)
	} else {
		logger.Info("checkpoint is disabled")
	}
	j.to(Scheduled, "")
	if err := e.checkTags(spec.Env.TagFilter); err != nil {
		j.apply(Failing)
		e.runAll(j)
		e.end(j, Failed, err)
		return
	}
	j.to(Running, "")
	outcomes, err := e.runAll(j)
	if slices.Contains(outcomes, exec.Suspended) && err == nil {
		e.suspended(j)
		return
	}
	e.end(j, endState(outcomes, err), err)
}

// release closes a job's plugins when no call of them is under way any more. A job that was stopped while a connector
// was stuck has ended long before.
func (e *Engine) release(j *Job, planned *plan.Plan) {
	for _, r := range j.runners {
		if err := r.Wait(e.running); err != nil {
			e.leave(fmt.Errorf("job %d: connectors have not returned: %w", j.id, err))
			return
		}
	}
	if err := planned.Close(); err != nil {
		e.logger.Warn("plugins of a job could not be closed", "job", j.id, "error", j.secrets.err(err))
	}
}

// runAll runs the pipelines side by side. The first one that fails takes the others with it.
func (e *Engine) runAll(j *Job) ([]exec.Outcome, error) {
	j.mu.Lock()
	runners := j.runners
	j.mu.Unlock()
	outcomes := make([]exec.Outcome, len(runners))
	errs := make([]error, len(runners))
	var wg sync.WaitGroup
	for i, r := range runners {
		wg.Go(func() {
			outcomes[i], errs[i] = r.Run(e.running)
			errs[i] = j.secrets.err(errs[i])
			if outcomes[i] == exec.Failed && len(runners) > 1 {
				if _, err := j.intend(e.running, Failing, reason(errs[i])); err != nil {
					e.logger.Warn("the state of a failing job could not be stored", "job", j.id, "error", err)
				}
				j.apply(Failing)
			}
		})
	}
	wg.Wait()
	return outcomes, errors.Join(errs...)
}

// endState follows SeaTunnel: a failed pipeline makes the job FAILED, else a canceled one CANCELED, else a savepoint
// SAVEPOINT_DONE. A job that has come to its end before the savepoint that it was asked for is FINISHED, since there is
// nothing to go on with.
func endState(outcomes []exec.Outcome, err error) State {
	switch {
	case err != nil || slices.Contains(outcomes, exec.Failed):
		return Failed
	case slices.Contains(outcomes, exec.Canceled):
		return Canceled
	case slices.Contains(outcomes, exec.SavepointDone):
		return SavepointDone
	default:
		return Finished
	}
}

// end records the end of a job and lets everybody know.
func (e *Engine) end(j *Job, s State, cause error) {
	j.saving.Lock()
	defer j.saving.Unlock()
	j.mu.Lock()
	from := j.rec.State
	if from == Failing {
		s = Failed
	}
	j.rec.State = s
	j.rec.Finished = e.options.Now()
	if s == Failed && j.rec.Error == "" {
		j.rec.Error = reason(cause)
	}
	j.rec.Metrics = metricsOf(j.runners)
	j.cause = cause
	j.mu.Unlock()
	err := e.storeEnd(j)
	if err != nil {
		e.logger.Error("the end of a job could not be stored; this is tried again until the engine is closed",
			"job", j.id, "state", s, "error", err)
	}
	if s == Failed {
		e.logger.Error("job failed", "job", j.id, "error", reason(cause))
	} else {
		e.logger.Debug("job ended", "job", j.id, "state", s)
	}
	e.hub.publish(StateChanged{eventBase{j.id, j.rec.Finished}, from, s, j.rec.Error})
	if err == nil {
		e.forget(j)
	}
	close(j.done)
}

// storeEnd moves an ended job to the history.
func (e *Engine) storeEnd(j *Job) error {
	j.mu.Lock()
	stored := j.rec.stored(nil)
	keep := j.rec.State == Failed || j.rec.State == SavepointDone
	j.mu.Unlock()
	stored.Log = j.log.text()
	return e.store.Finish(e.running, stored, keep)
}

// storeEnds tries again to store the ends of jobs that the store did not take. Until then such a job is answered from
// memory; if the process dies first, it goes on from its last checkpoint at the next Open.
func (e *Engine) storeEnds() {
	for _, j := range e.active() {
		if !j.state().Ended() {
			continue
		}
		j.saving.Lock()
		err := e.storeEnd(j)
		j.saving.Unlock()
		if err != nil {
			e.logger.Warn("the end of a job could still not be stored", "job", j.id, "error", err)
			continue
		}
		e.forget(j)
	}
}

func (e *Engine) suspended(j *Job) {
	j.mu.Lock()
	j.suspended = true
	j.mu.Unlock()
	e.forget(j)
	close(j.done)
}

// forget leaves answering for a job to the store.
func (e *Engine) forget(j *Job) {
	e.mu.Lock()
	delete(e.jobs, j.id)
	e.mu.Unlock()
}

// reason is the text of a failure that the history keeps.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimSpace(err.Error())
}

// resumeAll starts the jobs that the store has as not ended.
func (e *Engine) resumeAll() error {
	for stored, err := range e.store.Jobs(e.running, false) {
		if err != nil {
			return fmt.Errorf("reading the jobs to resume: %w", err)
		}
		rec, err := decodeRecord(stored)
		if err != nil {
			e.logger.Error("a job cannot be resumed", "job", stored.ID, "error", err)
			continue
		}
		j := e.liveJob(rec)
		e.jobs[j.id] = j
		e.wg.Go(func() { e.resume(j) })
	}
	return nil
}

// resume brings a job back from its record. A job that was being stopped when the process died ends as it was told to.
func (e *Engine) resume(j *Job) {
	spec, planned, err := e.replan(j)
	switch {
	case err == nil:
		j.setRunners(e.runners(j, spec, planned))
		j.apply(j.state())
		if e.Closing() {
			j.suspend()
		}
		e.run(j, spec, planned)
	case e.Closing():
		e.suspended(j)
	case j.state() == Canceling:
		e.end(j, Canceled, nil)
	default:
		e.end(j, Failed, err)
	}
}

// replan opens a resumed job's plugins, with the job's own patience: the systems may come up later than this program.
// A cancel ends it.
func (e *Engine) replan(j *Job) (*jobspec.Spec, *plan.Plan, error) {
	ctx, cancel := context.WithCancel(e.closing)
	defer cancel()
	j.whilePlanned(cancel)
	text, err := e.store.Config(ctx, j.id)
	if err != nil {
		return nil, nil, err
	}
	spec, err := e.parse(text, j.rec.submitOptions())
	if err != nil {
		return nil, nil, err
	}
	for attempt := 0; ; attempt++ {
		planned, err := e.plan(ctx, j, spec)
		if err == nil || attempt >= spec.Env.RetryTimes || j.state() == Canceling || isConfigError(err) {
			return spec, planned, err
		}
		e.logger.Warn("a job cannot be resumed yet", "job", j.id, "error", err, "again in", spec.Env.RetryInterval)
		if plugin.Sleep(ctx, spec.Env.RetryInterval) != nil {
			return nil, nil, err
		}
	}
}

func isConfigError(err error) bool {
	var bad *ConfigError
	return errors.As(err, &bad)
}
