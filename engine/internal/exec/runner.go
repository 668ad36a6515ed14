package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Runner runs one pipeline. Run is called once at a time; the other methods at any time, by anybody.
type Runner struct {
	options Options
	grace   time.Duration // see gracePeriod
	bound   time.Duration // see suspendBound
	wants   atomic.Uint32
	poke    chan struct{} // rung when wants changes

	// Of Run and what it waits for.
	epoch    uint64                 // the last one that an attempt raised
	prepared map[preparedTable]bool // whose save modes were applied

	follow follow

	mu        sync.Mutex
	meters    *meters
	positions map[string][]Position
	abandoned []*group
}

// What the methods of a Runner ask for.
const (
	wantSavepoint = 1 << iota
	wantSuspend
	wantCancel
)

// New returns a runner that has not started.
func New(o Options) *Runner {
	o.setDefaults()
	return &Runner{options: o, grace: gracePeriod, bound: suspendBound, poke: make(chan struct{}, 1), meters: &meters{},
		prepared: make(map[preparedTable]bool)}
}

// Run runs the pipeline and blocks until it ends. The error is nil unless the outcome is Failed. When ctx ends, Run
// returns as if the process had died: nothing beyond the last checkpoint is committed or dropped, and the outcome is
// Suspended.
func (r *Runner) Run(ctx context.Context) (Outcome, error) {
	for restarts := 0; ; restarts++ {
		end := r.attempt(ctx)
		switch {
		case end.killed || end.outcome == Suspended:
			return Suspended, nil
		case end.outcome == Canceled:
			r.drop(ctx, end)
			return Canceled, nil
		case end.outcome != Failed:
			return end.outcome, nil
		case ctx.Err() != nil:
			return Suspended, nil
		case restarts >= r.options.Retries || !retryable(end.err) || end.stuck:
			r.drop(ctx, end)
			return Failed, end.err
		}
		r.announce(restarts+1, end.err)
		r.pause(ctx)
	}
}

// announce tells the log and the observer that the pipeline starts again. The text is SeaTunnel's; people search
// for it.
func (r *Runner) announce(attempt int, err error) {
	p := r.options.Pipeline
	job := p.Vertices[0].Env.Job
	text := fmt.Sprintf("Restore time %d, pipeline Job %s (%d), Pipeline: [(%d)]", attempt, job.Name, job.ID, p.ID)
	r.options.Logger.Warn(text, "error", err)
	if r.options.Observer.Restarting != nil {
		r.options.Observer.Restarting(attempt, err)
	}
}

// pause waits before a restart. The next attempt sees what Cancel, Suspend and Savepoint have asked for meanwhile.
func (r *Runner) pause(ctx context.Context) {
	timer := time.NewTimer(r.options.RetryPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.poke:
	case <-ctx.Done():
	}
}

// drop drops what was staged beyond the last checkpoint of a pipeline that will not go on. What belongs to a checkpoint
// that could not be committed is left for a restart from there, unless the pipeline is canceled: then there is none. A
// committer that is stuck is left alone: it is called by one goroutine at a time.
func (r *Runner) drop(ctx context.Context, end *ending) {
	if !r.commits() || end.stuck {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log := func(err error) {
		r.options.Logger.Warn("what sinks staged beyond the last checkpoint could not be dropped", "error", err)
	}
	g := &group{}
	g.spawn("abort", log, func() error {
		cp, err := r.options.Checkpoints.Latest(ctx, r.options.Pipeline.ID)
		if err != nil {
			return err
		}
		var after uint64
		if cp != nil {
			after = cp.Epoch
		}
		if cp != nil && cp.State == checkpoint.Prepared && end.outcome == Canceled {
			after-- // it could not be committed, and nobody goes on from it
		}
		return r.abortAfter(ctx, after)
	})
	if g.wait(r.grace) {
		return
	}
	cancel()
	if !g.wait(r.grace / 3) {
		r.abandon(g)
	}
}

// retryable reports whether a restart may help against an error.
func retryable(err error) bool {
	var bad *config.Error
	if errors.As(err, &bad) {
		return false
	}
	var known *plugin.Error
	return !errors.As(err, &known) || known.Retry
}

// Savepoint takes a last checkpoint and ends the pipeline with SavepointDone. Further calls change nothing, nor does
// one that comes when the pipeline ends already.
func (r *Runner) Savepoint() { r.want(wantSavepoint) }

// Cancel ends the pipeline with Canceled within seconds, whatever its connectors do. Nothing beyond the last
// checkpoint is committed.
func (r *Runner) Cancel() { r.want(wantCancel) }

// Suspend takes a last checkpoint, if that is possible within ten seconds, and ends the pipeline with Suspended. Run
// on a new runner goes on from there.
func (r *Runner) Suspend() { r.want(wantSuspend) }

func (r *Runner) want(w uint32) {
	r.wants.Or(w)
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

func (r *Runner) wanted(w uint32) bool { return r.wants.Load()&w != 0 }

// Wait waits until goroutines that Run left behind in stuck connectors have ended, or ctx has. It returns at once if
// there are none.
func (r *Runner) Wait(ctx context.Context) error {
	r.mu.Lock()
	groups := r.abandoned
	r.mu.Unlock()
	for _, g := range groups {
		select {
		case <-g.ended():
		case <-ctx.Done():
			if names := g.running(); len(names) > 0 {
				return fmt.Errorf("%v: %w", names, ctx.Err())
			}
		}
	}
	return nil
}

func (r *Runner) abandon(g *group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.abandoned = append(r.abandoned, g)
}

// Metrics returns the totals of all vertices. It may be called before, while and after Run.
func (r *Runner) Metrics() []VertexMetrics {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := r.meters.report(r.options.Pipeline)
	for i, v := range report {
		report[i].Positions = r.positions[v.Vertex]
	}
	latencies, lags := r.follow.report()
	for i, v := range report {
		for _, l := range latencies {
			if l.Sink == v.Vertex {
				report[i].Latencies = append(report[i].Latencies, l)
			}
		}
		for _, l := range lags {
			if l.Source == v.Vertex {
				report[i].Lags = append(report[i].Lags, l)
			}
		}
	}
	return report
}

// count makes m the meters that Metrics reports.
func (r *Runner) count(m *meters) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meters = m
}

// reached notes the positions of a completed checkpoint.
func (r *Runner) reached(cp *checkpoint.Checkpoint) {
	if cp == nil {
		return
	}
	positions := make(map[string][]Position, len(cp.Sources))
	for _, s := range cp.Sources {
		for _, sp := range s.Splits {
			if sp.Started {
				positions[s.Vertex] = append(positions[s.Vertex], Position{sp.ID, sp.State})
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.positions = positions
}
