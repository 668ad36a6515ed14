package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// options of the parent.
type options struct {
	dir                string
	kills, serverKills int
	rows               int
	changes            int64 // that a soak makes; 0: no soak
	memory             int64 // bytes that the child may take in a soak
	seed               uint64
	command            func(ctx context.Context, args ...string) *exec.Cmd
}

// endPatience is more than a job needs from start to end.
const endPatience = 3 * time.Minute

// jobFile holds the job's text, in the job's directory.
const jobFile = "job.conf"

// torture runs jobs until child and servers have been killed often enough, and checks what each of them wrote.
func torture(ctx context.Context, s *scenario, o options) error {
	if len(s.servers) == 0 {
		o.serverKills = 0
	}
	random := rand.New(rand.NewPCG(o.seed, 0))
	for round := 1; round == 1 || o.kills+o.serverKills > 0; round++ {
		t := &torment{scenario: s, options: o, dir: filepath.Join(o.dir, fmt.Sprint(round)), random: random}
		if err := t.job(ctx); err != nil {
			return fmt.Errorf("%s: %w", t.dir, err)
		}
		o.kills -= t.killed
		o.serverKills -= t.serversKilled
	}
	return nil
}

// torment is what one job goes through.
type torment struct {
	*scenario
	options
	dir    string // the job's own
	random *rand.Rand

	killed, serversKilled, savepoints int
}

// job runs one job to its end.
func (t *torment) job(ctx context.Context) error {
	err := t.write(ctx)
	if err != nil {
		return err
	}
	stop := t.startWork(ctx)
	for ended := false; !ended && err == nil; {
		ended, err = t.life(ctx, stop)
	}
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	found, err := t.check(ctx, t.dir, t.rows)
	fmt.Printf("job killed %d times, servers %d times, asked for %d savepoints: %s\n", t.killed, t.serversKilled,
		t.savepoints, found)
	return err
}

// write makes what the job reads, and its file.
func (t *torment) write(ctx context.Context) error {
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return err
	}
	text, err := t.prepare(ctx, t.dir, t.rows)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	return os.WriteFile(filepath.Join(t.dir, jobFile), []byte(text), 0o644)
}

// startWork starts the scenario's work; stop ends it and returns its error, each time that it is called.
func (t *torment) startWork(ctx context.Context) (stop func() error) {
	if t.work == nil {
		return func() error { return nil }
	}
	ctx, cancel := context.WithCancel(ctx)
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err = t.work(ctx); errors.Is(err, context.Canceled) {
			err = nil
		}
	}()
	return func() error {
		cancel()
		<-done
		return err
	}
}

// life is the life of one child: servers are killed under it until it is killed itself, or the job ends.
func (t *torment) life(ctx context.Context, stopWork func() error) (ended bool, err error) {
	args := []string{"-parallelism", fmt.Sprint(1 + t.random.IntN(4))}
	if t.random.IntN(4) == 0 {
		t.savepoints++
		args = append(args, "-savepoint", (time.Duration(100+t.random.IntN(500)) * time.Millisecond).String())
	}
	child, err := t.startChild(ctx, args...)
	if err != nil {
		return false, err
	}
	defer child.kill()
	for t.left() > 0 {
		pause := time.NewTimer(time.Duration(50+t.random.IntN(1200)) * time.Millisecond)
		select {
		case err := <-child.ended:
			pause.Stop()
			return true, err
		case <-pause.C:
		}
		if t.random.IntN(t.left()) < t.kills-t.killed {
			t.killed++
			return false, nil
		}
		t.serversKilled++
		if err := t.servers[t.random.IntN(len(t.servers))].crash(ctx); err != nil {
			return false, err
		}
	}
	if err := stopWork(); err != nil {
		return false, err
	}
	return true, t.await(ctx, child)
}

func (t *torment) left() int { return t.kills - t.killed + t.serverKills - t.serversKilled }

// await waits for the end of a job that is left in peace.
func (t *torment) await(ctx context.Context, child *child) error {
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	var missing error // by the last check
	for {
		select {
		case err := <-child.ended:
			return err
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the job does not end within %s", endPatience), missing)
		case <-again.C:
		}
		if !t.endless {
			continue
		}
		_, err := t.check(ctx, t.dir, t.rows)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			missing = err
		}
	}
}

// child is a running child process.
type child struct {
	pid   int
	ended chan error // gets the error of a child that ended by itself
	kill  func()     // kills it and waits for its end
}

// startChild starts a child that runs the job.
func (t *torment) startChild(ctx context.Context, args ...string) (*child, error) {
	ctx, cancel := context.WithCancel(ctx) // ends it with SIGKILL
	cmd := t.command(ctx, append([]string{"-child", "-dir", t.dir}, args...)...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	c := &child{pid: cmd.Process.Pid, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := cmd.Wait()
		if err != nil {
			err = fmt.Errorf("child: %w\n%s", err, output.Bytes())
		}
		c.ended <- err
	}()
	c.kill = func() {
		cancel()
		<-done
	}
	return c, nil
}
