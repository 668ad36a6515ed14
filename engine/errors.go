package engine

import (
	"errors"
	"fmt"

	"github.com/culvertdata/culvert/plugin/config"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrJobNotFound says that no job of that id is running or in the history.
	ErrJobNotFound = errors.New("job not found")
	// ErrJobRunning says that a job of that id has not ended.
	ErrJobRunning = errors.New("job is running")
	// ErrJobExists says that a job of that id has ended and the new one does not start from its savepoint.
	ErrJobExists = errors.New("job id is used")
	// ErrJobEnded says that the job has ended, so that it cannot be stopped.
	ErrJobEnded = errors.New("job has ended")
	// ErrClosed says that the engine is closed or closing.
	ErrClosed = errors.New("engine is closed")
)

// ConfigError is a job file that cannot run, with every problem that was found: the place, what is wrong there and,
// where there is one, the nearest right name.
type ConfigError = config.Error

// JobError is the failure of a job, as Wait returns it.
type JobError struct {
	ID    int64
	State State
	// Reason is the text that the history keeps.
	Reason string
	// Err is the cause; nil for a job that ended before this process started.
	Err error
}

// Error names the job, its state and the reason.
func (e *JobError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("job %d: %s", e.ID, e.State)
	}
	return fmt.Sprintf("job %d: %s: %s", e.ID, e.State, e.Reason)
}

// Unwrap returns the cause.
func (e *JobError) Unwrap() error { return e.Err }
