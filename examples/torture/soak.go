package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// soakLanes are the lanes of a soaked job.
const soakLanes = "2"

// soak runs one job while very many rows change, and watches what its process takes. The tables stay as small as they
// are at the start: whatever grows with the number of changes shows.
func soak(ctx context.Context, s *scenario, o options) error {
	if s.hammer == nil {
		return errors.New("only a scenario of change data capture can follow -changes")
	}
	t := &torment{scenario: s, options: o, dir: filepath.Join(o.dir, "1")}
	if err := t.write(ctx); err != nil {
		return err
	}
	w, err := newWriters(ctx, s.hammer, o)
	if err != nil {
		return err
	}
	child, err := t.startChild(ctx, "-parallelism", soakLanes)
	if err != nil {
		return err
	}
	defer child.kill()
	g := newGauge(child.pid, filepath.Join(t.dir, "store"), o.changes)
	if err := errors.Join(follow(ctx, w, child, g), w.close()); err != nil {
		return fmt.Errorf("%s: %w", t.dir, err)
	}
	if err := t.await(ctx, child); err != nil {
		return fmt.Errorf("%s: %w", t.dir, err)
	}
	found, err := t.check(ctx, t.dir, t.rows)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n", g.summary(w.made.Load()), found)
	if g.most.memory > o.memory {
		return fmt.Errorf("the process took %.1f MiB, more than %.0f", mebibytes(g.most.memory), mebibytes(o.memory))
	}
	return nil
}

// follow looks at the child until all changes are made and the target has them.
func follow(ctx context.Context, w *writers, child *child, g *gauge) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	written := make(chan error, 1)
	go func() { written <- w.run(ctx) }()
	again := time.NewTicker(gaugeInterval)
	defer again.Stop()
	for {
		select {
		case err := <-written:
			return errors.Join(err, g.look(w.made.Load(), w.seen.Load()))
		case err := <-child.ended:
			cancel()
			return errors.Join(errors.New("the job has ended"), err, <-written)
		case <-again.C:
			if err := g.look(w.made.Load(), w.seen.Load()); err != nil {
				cancel()
				return errors.Join(err, <-written)
			}
		}
	}
}
