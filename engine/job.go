package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/culvertdata/culvert/engine/internal/exec"
)

// Job is one submitted job, running or ended. It is safe for concurrent use.
type Job struct {
	eng *Engine
	id  int64
	log *jobLog
	// secrets are set before the job starts and not changed then.
	secrets *redactor
	// done is closed when the job has ended or was suspended by Close.
	done chan struct{}

	// saving is held while the record is written, so that a state never overwrites a later one.
	saving sync.Mutex

	mu        sync.Mutex
	rec       *record
	runners   []*exec.Runner
	planning  context.CancelFunc // while a resumed job's plugins are opened
	cause     error
	suspended bool
}

// ID returns the job's id.
func (j *Job) ID() int64 { return j.id }

// Name returns the job's name.
func (j *Job) Name() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rec.Name
}

// Info returns what is known of the job now.
func (j *Job) Info() Info {
	j.mu.Lock()
	defer j.mu.Unlock()
	info := j.rec.info()
	if len(j.runners) > 0 {
		info.Metrics = metricsOf(j.runners)
	}
	return info
}

// Log returns the newest lines that the job has logged; see Options.LogBytes.
func (j *Job) Log(ctx context.Context) ([]byte, error) {
	if j.log != nil {
		return j.log.text(), nil
	}
	return j.eng.store.Log(ctx, j.id)
}

// Wait waits for the job's end and returns what it has done. The error is nil for FINISHED and SAVEPOINT_DONE, a
// *JobError for FAILED and CANCELED, ErrClosed if the engine was closed while the job ran, and ctx's error if that
// came first. The result is there whenever the job has ended.
func (j *Job) Wait(ctx context.Context) (*Result, error) {
	select {
	case <-j.done:
	case <-ctx.Done():
		select {
		case <-j.done: // it had ended when Wait was called
		default:
			return nil, ctx.Err()
		}
	}
	info := j.Info()
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.suspended:
		return nil, fmt.Errorf("job %d: %w", j.id, ErrClosed)
	case info.State == Failed || info.State == Canceled:
		return resultOf(info), &JobError{ID: j.id, State: info.State, Reason: info.Error, Err: j.cause}
	default:
		return resultOf(info), nil
	}
}

// to changes the state if the state machine allows it, and reports whether it did.
func (j *Job) to(s State, reason string) bool {
	j.mu.Lock()
	from := j.rec.State
	if !s.mayFollow(from) {
		j.mu.Unlock()
		return false
	}
	j.rec.State = s
	if reason != "" && j.rec.Error == "" {
		j.rec.Error = reason
	}
	j.mu.Unlock()
	j.eng.hub.publish(StateChanged{eventBase{j.id, j.eng.options.Now()}, from, s, reason})
	return true
}

// intend changes the state and makes it durable before anybody acts on it.
func (j *Job) intend(ctx context.Context, s State, reason string) (bool, error) {
	if !j.to(s, reason) {
		return false, nil
	}
	return true, j.save(ctx, nil)
}

// save writes the record as it is now.
func (j *Job) save(ctx context.Context, config []byte) error {
	j.saving.Lock()
	defer j.saving.Unlock()
	j.mu.Lock()
	ended := j.rec.State.Ended()
	stored := j.rec.stored(config)
	j.mu.Unlock()
	if ended { // the end writes the record itself
		return nil
	}
	return j.eng.store.PutJob(ctx, stored)
}

func (j *Job) state() State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rec.State
}

func (j *Job) stop(ctx context.Context, o StopOptions) error {
	target := Canceling
	if o.Savepoint {
		target = DoingSavepoint
	}
	changed, err := j.intend(ctx, target, "")
	if err != nil {
		return err
	}
	switch state := j.state(); {
	case changed, state == target: // a second call does no harm, and helps if the first one's process died
		j.apply(target)
	case state.Ended():
		return fmt.Errorf("%w: %d", ErrJobEnded, j.id)
	}
	return nil
}

// apply tells the runners of a state that was recorded.
func (j *Job) apply(s State) {
	j.mu.Lock()
	runners := j.runners
	if s == Canceling && j.planning != nil {
		j.planning()
	}
	j.mu.Unlock()
	for _, r := range runners {
		switch s {
		case Canceling, Failing:
			r.Cancel()
		case DoingSavepoint:
			r.Savepoint()
		}
	}
}

// whilePlanned lets a cancel end what a resumed job waits for before it has runners.
func (j *Job) whilePlanned(cancel context.CancelFunc) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.planning = cancel
}

func (j *Job) suspend() {
	j.mu.Lock()
	runners := j.runners
	j.mu.Unlock()
	for _, r := range runners {
		r.Suspend()
	}
}

// endedJob returns the handle of a job of the history.
func (e *Engine) endedJob(rec *record) *Job {
	j := &Job{eng: e, id: rec.ID, rec: rec, done: make(chan struct{})}
	close(j.done)
	return j
}
