package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/all"
)

func cases() []benchCase {
	return []benchCase{
		{"fake -> blackhole", "M rows/s", ">= 15", fakeToBlackhole},
		{"fake -> blackhole, 100 M rows", "MiB peak", "< 150", fakeMemory},
		{"batches -> copy -> blackhole", "ns/batch/vertex", "< 1000", preparedBatches},
		{"csv -> blackhole", "MB/s", ">= 250", csvToBlackhole},
		{"csv -> parquet", "MB/s", ">= 100", csvToParquet},
		{"csv -> csv", "MB/s", ">= 120", csvToCSV},
		{"one-row job", "ms median", "< 5", oneRowJob},
		{"one-row jobs", "jobs/s", ">= 1000", oneRowJobs},
		{"5,000 streaming jobs", "MiB", "< 1024", streamingJobs},
		{"open an empty store", "ms", "< 100", openStore},
		{"idle engine", "MiB", "< 40", idleEngine},
		{"100,000 checkpoints", "MB of store", "< 50", manyCheckpoints},
	}
}

func registry(own ...plugin.Set) *plugin.Registry {
	return plugin.NewRegistry(append([]plugin.Set{all.Plugins}, own...)...)
}

// withEngine opens an engine on an empty store below dir.
func withEngine(ctx context.Context, dir string, reg *plugin.Registry,
	f func(eng *engine.Engine, store string) (measurement, error)) (measurement, error) {
	store, err := os.MkdirTemp(dir, "store")
	if err != nil {
		return measurement{}, err
	}
	defer os.RemoveAll(store)
	eng, err := engine.Open(engine.Options{Dir: store, Plugins: reg})
	if err != nil {
		return measurement{}, err
	}
	defer eng.Close(ctx)
	return f(eng, store)
}

// runJob runs one job on an engine of its own.
func runJob(ctx context.Context, dir, text string) (*engine.Result, error) {
	var result *engine.Result
	_, err := withEngine(ctx, dir, registry(), func(eng *engine.Engine, _ string) (m measurement, err error) {
		result, err = submitAndWait(ctx, eng, text)
		return m, err
	})
	return result, err
}

func submitAndWait(ctx context.Context, eng *engine.Engine, text string) (*engine.Result, error) {
	job, err := eng.Submit(ctx, []byte(text), engine.SubmitOptions{})
	if err != nil {
		return nil, err
	}
	return job.Wait(ctx)
}

const fakeJob = `
env { parallelism = 2 }
source { FakeSource { row.num = %d, schema { fields { name = string, age = int, card = int } } } }
sink { Blackhole { } }
`

func fakeToBlackhole(ctx context.Context, dir string) (measurement, error) {
	return fake(ctx, dir, 30_000_000)
}

func fakeMemory(ctx context.Context, dir string) (measurement, error) {
	m, err := fake(ctx, dir, 50_000_000)
	m.Note = fmt.Sprintf("%.1f M rows/s", m.Value)
	m.Value = peakRSS()
	return m, err
}

// fake generates rows in each of two lanes.
func fake(ctx context.Context, dir string, rows int) (measurement, error) {
	result, err := runJob(ctx, dir, fmt.Sprintf(fakeJob, rows))
	if err != nil {
		return measurement{}, err
	}
	if result.RowsOut != int64(2*rows) {
		return measurement{}, fmt.Errorf("%d rows arrived, want %d", result.RowsOut, 2*rows)
	}
	return measurement{Value: float64(result.RowsOut) / result.Duration.Seconds() / 1e6}, nil
}

const tinyJob = `
source { FakeSource { row.num = 1, schema { fields { name = string, age = int } } } }
sink { Blackhole { } }
`

func oneRowJob(ctx context.Context, dir string) (measurement, error) {
	return withEngine(ctx, dir, registry(), func(eng *engine.Engine, _ string) (measurement, error) {
		times := make([]float64, 300)
		for i := range times {
			begun := time.Now()
			if _, err := submitAndWait(ctx, eng, tinyJob); err != nil {
				return measurement{}, err
			}
			times[i] = float64(time.Since(begun).Microseconds()) / 1000
		}
		slices.Sort(times)
		return measurement{Value: times[len(times)/2], Note: fmt.Sprintf("p99 %.2f ms", times[len(times)*99/100])}, nil
	})
}

func oneRowJobs(ctx context.Context, dir string) (measurement, error) {
	const clients, each = 32, 200
	return withEngine(ctx, dir, registry(), func(eng *engine.Engine, _ string) (measurement, error) {
		begun := time.Now()
		errs := make([]error, clients)
		var wg sync.WaitGroup
		for c := range clients {
			wg.Go(func() {
				for range each {
					if _, err := submitAndWait(ctx, eng, tinyJob); err != nil {
						errs[c] = err
						return
					}
				}
			})
		}
		wg.Wait()
		rate := clients * each / time.Since(begun).Seconds()
		return measurement{Value: rate, Note: fmt.Sprintf("%d clients", clients)}, firstError(errs)
	})
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

const streamingJob = `
env { job.mode = STREAMING, checkpoint.interval = 60000 }
source {
  FakeSource {
    row.num = 10000, split.num = 1000, split.read-interval = 1000
    schema { fields { name = string, age = int } }
  }
}
sink { Blackhole { } }
`

func streamingJobs(ctx context.Context, dir string) (measurement, error) {
	return withEngine(ctx, dir, registry(), func(eng *engine.Engine, _ string) (measurement, error) {
		const jobs = 5000
		begun := time.Now()
		for range jobs {
			if _, err := eng.Submit(ctx, []byte(streamingJob), engine.SubmitOptions{}); err != nil {
				return measurement{}, err
			}
		}
		started := time.Since(begun)
		if err := waitForRows(ctx, eng, jobs); err != nil {
			return measurement{}, err
		}
		m := measurement{Value: currentRSS(), Note: fmt.Sprintf("all submitted in %.1f s, each has written rows",
			started.Seconds())}
		return m, nil
	})
}

// waitForRows waits until each of the jobs has written rows three times.
func waitForRows(ctx context.Context, eng *engine.Engine, jobs int) error {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		ready := 0
		for info, err := range eng.List(ctx, engine.Active()) {
			if err != nil {
				return err
			}
			if rows, _ := info.Metrics.Totals(plugin.SinkRole); rows >= 30 {
				ready++
			}
		}
		if ready == jobs {
			return nil
		}
	}
	return fmt.Errorf("not every job wrote rows within two minutes")
}

func openStore(_ context.Context, dir string) (measurement, error) {
	var times []float64
	for range 10 {
		store, err := os.MkdirTemp(dir, "empty")
		if err != nil {
			return measurement{}, err
		}
		begun := time.Now()
		eng, err := engine.Open(engine.Options{Dir: store, Plugins: registry()})
		if err != nil {
			return measurement{}, err
		}
		times = append(times, float64(time.Since(begun).Microseconds())/1000)
		if err := eng.Close(context.Background()); err != nil {
			return measurement{}, err
		}
		os.RemoveAll(store)
	}
	slices.Sort(times)
	return measurement{Value: times[len(times)/2], Note: fmt.Sprintf("worst of 10: %.1f ms", times[len(times)-1])}, nil
}

func idleEngine(ctx context.Context, dir string) (measurement, error) {
	return withEngine(ctx, dir, registry(), func(eng *engine.Engine, _ string) (measurement, error) {
		time.Sleep(2 * time.Second)
		return measurement{Value: currentRSS(), Note: "all plugins linked"}, nil
	})
}

const checkpointJob = `
env { job.mode = STREAMING, checkpoint.interval = 10 }
source { FakeSource { row.num = 1, schema { fields { name = string, age = int } } } }
sink { Blackhole { } }
`

// manyCheckpoints lets many jobs take a checkpoint every 10 ms until there were 100,000.
func manyCheckpoints(ctx context.Context, dir string) (measurement, error) {
	const jobs, goal = 50, 100_000
	return withEngine(ctx, dir, registry(), func(eng *engine.Engine, store string) (measurement, error) {
		events := eng.Subscribe(ctx)
		begun := time.Now()
		for range jobs {
			if _, err := eng.Submit(ctx, []byte(checkpointJob), engine.SubmitOptions{}); err != nil {
				return measurement{}, err
			}
		}
		done := 0
		for ev := range events {
			if c, ok := ev.(engine.CheckpointDone); ok && c.Err == nil {
				done++
			}
			if done == goal {
				break
			}
		}
		size, err := sizeOf(store)
		rate := float64(goal) / time.Since(begun).Seconds()
		return measurement{Value: size / 1e6, Note: fmt.Sprintf("%.0f checkpoints/s of %d jobs", rate, jobs)}, err
	})
}

func sizeOf(dir string) (float64, error) {
	var size float64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += allocated(info)
		}
		return err
	})
	return size, err
}
