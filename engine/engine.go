package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine/internal/store"
)

// Engine runs jobs. It is safe for concurrent use.
type Engine struct {
	options Options
	logger  hclog.Logger
	store   *store.Store
	hub     hub

	// running ends when what still runs is killed; every job's context comes from it.
	running context.Context
	kill    context.CancelFunc
	// closing ends when Close begins.
	closing   context.Context
	beginStop context.CancelFunc
	wg        sync.WaitGroup

	mu   sync.Mutex
	jobs map[int64]*Job // jobs that have not ended, and those whose end the store has not taken yet
	// reserved are the ids of jobs that are being submitted.
	reserved map[int64]struct{}
	closed   bool
	left     []error // connectors that Close has left behind
	// shut is closed when Close has done its work, which shutErr is the result of.
	shut    chan struct{}
	shutErr error
}

// Open opens or creates the store and resumes the jobs that were running when it was closed or when the process died.
// It fails if the registry holds a mistake, if the store is in use, or if a newer version wrote it.
func Open(o Options) (*Engine, error) {
	o = o.withDefaults()
	if err := o.Plugins.Err(); err != nil {
		return nil, fmt.Errorf("plugins: %w", err)
	}
	s, err := store.Open(store.Options{Dir: o.Dir, Logger: o.Logger.Named("store"), CheckpointsKept: o.CheckpointsKept})
	if err != nil {
		return nil, err
	}
	e := &Engine{options: o, logger: o.Logger, store: s, jobs: make(map[int64]*Job),
		reserved: make(map[int64]struct{}), shut: make(chan struct{})}
	e.running, e.kill = context.WithCancel(context.Background())
	e.closing, e.beginStop = context.WithCancel(e.running)
	if err := e.resumeAll(); err != nil {
		e.kill()
		e.wg.Wait()
		return nil, errors.Join(err, s.Close())
	}
	e.wg.Go(e.keepHistory)
	return e, nil
}

// Close takes a last checkpoint of every running job, stops them, waits, and closes the store. The jobs go on at the
// next Open. When ctx ends, what still runs is stopped as if the process had died: it goes on from its last
// checkpoint. A connector that does not return keeps Close waiting until ctx ends and is left behind then, which the
// error says. A second Close waits for the first and returns what that does.
func (e *Engine) Close(ctx context.Context) error {
	jobs, first := e.beginClose()
	if !first {
		<-e.shut
		return e.shutErr
	}
	for _, j := range jobs {
		j.suspend()
	}
	err := e.waitClosed(ctx)
	e.hub.close()
	e.shutErr = errors.Join(err, e.store.Close())
	close(e.shut)
	return e.shutErr
}

// killBound is how long Close waits after it has killed what runs: more than the runners give connectors to return.
const killBound = 15 * time.Second

// waitClosed waits for everything that the engine has started.
func (e *Engine) waitClosed(ctx context.Context) error {
	defer e.kill()
	done := make(chan struct{})
	go func() { e.wg.Wait(); close(done) }()
	select {
	case <-done:
		e.storeEnds()
		return nil
	case <-ctx.Done():
		e.kill()
	}
	timer := time.NewTimer(killBound)
	defer timer.Stop()
	select {
	case <-done:
		return e.leftBehind()
	case <-timer.C:
		return fmt.Errorf("closing: plugins have not returned %s after they were told to stop", killBound)
	}
}

// leave notes connectors that did not return before the engine was killed.
func (e *Engine) leave(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left = append(e.left, err)
}

func (e *Engine) leftBehind() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.left...)
}

func (e *Engine) beginClose() (jobs []*Job, first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, false
	}
	e.closed = true
	e.beginStop()
	return slices.Collect(maps.Values(e.jobs)), true
}

// Job returns a running job or one of the history. It fails with ErrJobNotFound for an unknown id.
func (e *Engine) Job(ctx context.Context, id int64) (*Job, error) {
	e.mu.Lock()
	j := e.jobs[id]
	e.mu.Unlock()
	if j != nil {
		return j, nil
	}
	stored, ok, err := e.store.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: %d", ErrJobNotFound, id)
	}
	rec, err := decodeRecord(stored)
	if err != nil {
		return nil, err
	}
	return e.endedJob(rec), nil
}

// List returns the chosen jobs: first those that have not ended, by id, then the ended ones by the time of their end.
// The ended ones are read while the loop runs. A record that cannot be read comes as an error, and the list goes on.
func (e *Engine) List(ctx context.Context, f Filter) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for _, j := range e.active() {
			if info := j.Info(); f.takes(info.State) && !yield(info, nil) {
				return
			}
		}
		if !f.takesAny(Failed, SavepointDone, Canceled, Finished) {
			return
		}
		for stored, err := range e.store.Jobs(ctx, true, f.names()...) {
			var info Info
			if err == nil {
				info, err = decodeInfo(stored)
			}
			if err != nil {
				info = Info{ID: stored.ID}
			}
			if (err != nil || f.takes(info.State)) && !yield(info, err) {
				return
			}
		}
	}
}

func (e *Engine) active() []*Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	jobs := slices.Collect(maps.Values(e.jobs))
	slices.SortFunc(jobs, func(a, b *Job) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return jobs
}

// Stop stops a running job and returns when the order is recorded, not when the job has ended: Job.Wait waits for
// that. It fails with ErrJobNotFound or ErrJobEnded. A job that is already stopping keeps its course, except that a
// cancel ends a savepoint that does not come to its end.
func (e *Engine) Stop(ctx context.Context, id int64, o StopOptions) error {
	e.mu.Lock()
	j := e.jobs[id]
	e.mu.Unlock()
	if j != nil {
		return j.stop(ctx, o)
	}
	if _, err := e.Job(ctx, id); err != nil {
		return err
	}
	return fmt.Errorf("%w: %d", ErrJobEnded, id)
}

// Closing reports whether Close has begun: no job is taken any more.
func (e *Engine) Closing() bool { return e.closing.Err() != nil }

// Config returns the text of a job as it was submitted.
func (e *Engine) Config(ctx context.Context, id int64) ([]byte, error) {
	return e.store.Config(ctx, id)
}

// historyInterval is the time between two looks for records that have expired.
const historyInterval = time.Minute

func (e *Engine) keepHistory() {
	timer := time.NewTicker(historyInterval)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			e.storeEnds()
			e.expire()
		case <-e.closing.Done():
			return
		}
	}
}

func (e *Engine) expire() {
	o := e.options
	var before time.Time
	if o.HistoryAge > 0 {
		before = o.Now().Add(-o.HistoryAge)
	}
	if _, err := e.store.Expire(e.closing, before, o.HistoryJobs, o.HistoryBytes); err != nil && e.closing.Err() == nil {
		e.logger.Warn("old jobs could not be removed from the history", "error", err)
	}
}
