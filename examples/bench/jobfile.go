package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"time"
)

// jobRun is what a job took in a process of its own.
type jobRun struct {
	Rows int64 // that the sink has taken
	// RSS is the largest resident size in MiB, CPU the processor seconds, Wall the seconds of the whole process.
	RSS, CPU, Wall float64
}

// runJobFile runs a job on an engine of its own and prints a jobRun.
func runJobFile(ctx context.Context, f flags) error {
	text, err := os.ReadFile(f.job)
	if err != nil {
		return err
	}
	stop, err := startProfile(f)
	if err != nil {
		return err
	}
	result, err := runJob(ctx, f.dir, string(text))
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(jobRun{Rows: result.RowsOut, RSS: peakRSS(), CPU: cpuSeconds()})
}

// startProfile starts a CPU profile if one is wanted; stop ends it.
func startProfile(f flags) (stop func() error, err error) {
	if f.profile == "" {
		return func() error { return nil }, nil
	}
	out, err := os.Create(filepath.Join(f.profile, filepath.Base(f.job)+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return out.Close()
	}, nil
}

// inProcess runs a job in a process of its own.
func inProcess(ctx context.Context, f flags, name, text string) (jobRun, error) {
	self, err := os.Executable()
	if err != nil {
		return jobRun{}, err
	}
	file := filepath.Join(f.dir, name+".conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return jobRun{}, err
	}
	defer os.Remove(file)
	cmd := exec.CommandContext(ctx, self, "-job", file, "-dir", f.dir, "-profile", f.profile)
	cmd.Stderr = os.Stderr
	begun := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return jobRun{}, fmt.Errorf("the job failed: %w", err)
	}
	r := jobRun{}
	err = json.Unmarshal(out, &r)
	r.Wall = time.Since(begun).Seconds()
	return r, err
}
