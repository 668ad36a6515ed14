package exec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

const (
	commitTries = 4
	commitPause = 100 * time.Millisecond // before the second try; doubled each time
)

// restore brings the sinks to the state of the last checkpoint and returns it: an epoch that was prepared is
// committed, what was staged later is dropped. The sinks are prepared for the tables that the checkpoint does not know.
func (r *Runner) restore(ctx context.Context) (*checkpoint.Checkpoint, error) {
	cp, err := r.options.Checkpoints.Latest(ctx, r.options.Pipeline.ID)
	if err != nil {
		return nil, fmt.Errorf("reading the last checkpoint: %w", err)
	}
	var after uint64
	if cp != nil {
		after = cp.Epoch
		r.reached(cp)
		if cp.State == checkpoint.Prepared {
			if err := r.commit(ctx, cp); err != nil {
				return nil, err
			}
		}
	}
	if err := r.abortAfter(ctx, after); err != nil {
		return nil, err
	}
	if cp == nil && r.options.Restored {
		return nil, nil
	}
	if cp == nil && r.begins() {
		if cp, err = r.begin(ctx); err != nil {
			return nil, err
		}
	}
	if cp != nil && len(cp.Sources) == 0 {
		return cp, r.prepareAgain(ctx, cp)
	}
	return cp, r.prepare(ctx, cp)
}

// store makes a checkpoint durable and commits it.
func (r *Runner) store(ctx context.Context, cp *checkpoint.Checkpoint) error {
	if err := r.options.Checkpoints.Prepare(ctx, cp); err != nil {
		return fmt.Errorf("storing checkpoint %d: %w", cp.Epoch, err)
	}
	return r.commit(ctx, cp)
}

// commit makes visible what a durable checkpoint holds tokens of, and marks it complete.
func (r *Runner) commit(ctx context.Context, cp *checkpoint.Checkpoint) error {
	for _, s := range cp.Sinks {
		for i, tokens := range s.Tokens {
			if len(tokens) == 0 {
				continue
			}
			v, committer := r.committer(s, i)
			if committer == nil {
				return &plugin.Error{Code: plugin.CodeConfig, Vertex: s.Vertex,
					Err: fmt.Errorf("checkpoint %d holds staged data of a sink that the job does not have any more", cp.Epoch),
					Fix: "restore the job with the sinks that it had, or start it without its savepoint"}
			}
			if err := tryCommit(ctx, committer, cp.Epoch, tokens); err != nil {
				return at(v, fmt.Errorf("committing checkpoint %d: %w", cp.Epoch, err))
			}
		}
	}
	if err := r.options.Checkpoints.Complete(ctx, cp.Pipeline, cp.Epoch); err != nil {
		return fmt.Errorf("storing that checkpoint %d is complete: %w", cp.Epoch, err)
	}
	return nil
}

// tryCommit commits, several times if it has to and that may help.
func tryCommit(ctx context.Context, c plugin.Committer, epoch uint64, tokens [][]byte) error {
	pause := commitPause
	for try := 1; ; try++ {
		err := c.Commit(ctx, epoch, tokens)
		if err == nil || try == commitTries || !retryable(err) {
			return err
		}
		if plugin.Sleep(ctx, pause) != nil {
			return err
		}
		pause *= 2
	}
}

// committer finds the committer of a checkpoint's sink instance, nil if there is none.
func (r *Runner) committer(s checkpoint.Sink, instance int) (*plan.Vertex, plugin.Committer) {
	for _, v := range r.options.Pipeline.Sinks() {
		if v.Name != s.Vertex {
			continue
		}
		if i := instanceNow(v, s, instance); i >= 0 {
			c, _ := v.Sinks[i].Sink.(plugin.Committer)
			return v, c
		}
	}
	return nil, nil
}

// commits reports whether any sink has a two-phase commit.
func (r *Runner) commits() bool {
	for _, v := range r.options.Pipeline.Sinks() {
		for _, in := range v.Sinks {
			if _, ok := in.Sink.(plugin.Committer); ok {
				return true
			}
		}
	}
	return false
}

// abortAfter drops what sinks staged after an epoch.
func (r *Runner) abortAfter(ctx context.Context, epoch uint64) error {
	var errs []error
	for _, v := range r.options.Pipeline.Sinks() {
		for _, in := range v.Sinks {
			if c, ok := in.Sink.(plugin.Committer); ok {
				if err := c.Abort(ctx, epoch); err != nil {
					errs = append(errs, at(v, fmt.Errorf("dropping what was staged after checkpoint %d: %w", epoch, err)))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// writerStates returns which states of a checkpoint go to which writer: with P writers now, writer i takes those of
// the old writers i, i+P, i+2P and so on.
func writerStates(env *laneEnv, cp *checkpoint.Checkpoint) func(sink, instance, index int) [][]byte {
	if cp == nil {
		return func(int, int, int) [][]byte { return nil }
	}
	writers := make([]int, len(env.sinks))
	for place := range env.indexes {
		writers[place.sink]++
	}
	return func(sink, instance, index int) [][]byte {
		for _, s := range cp.Sinks {
			if s.Vertex != env.sinks[sink].Name {
				continue
			}
			if then := instanceThen(env.sinks[sink], s, instance); then >= 0 && then < len(s.Writers) {
				return every(s.Writers[then], index, writers[sink])
			}
		}
		return nil
	}
}

// every returns the elements i, i+step, i+2*step and so on that are not nil.
func every(all [][]byte, i, step int) [][]byte {
	var some [][]byte
	for ; i < len(all); i += step {
		if all[i] != nil {
			some = append(some, all[i])
		}
	}
	return some
}

// finishes reports whether any sink has a last word.
func (r *Runner) finishes() bool {
	for _, v := range r.options.Pipeline.Sinks() {
		for _, in := range v.Sinks {
			if _, ok := in.Sink.(plugin.Finisher); ok {
				return true
			}
		}
	}
	return false
}

// finish gives the sinks their last word, with the states of their writers.
func (r *Runner) finish(ctx context.Context, cp *checkpoint.Checkpoint) error {
	for i, v := range r.options.Pipeline.Sinks() {
		for k, in := range v.Sinks {
			f, ok := in.Sink.(plugin.Finisher)
			if !ok {
				continue
			}
			if err := f.Finish(ctx, every(cp.Sinks[i].Writers[k], 0, 1)); err != nil {
				return at(v, err)
			}
		}
	}
	return nil
}
