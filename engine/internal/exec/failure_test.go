package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

func TestRetries(t *testing.T) {
	final := &plugin.Error{Code: plugin.CodeDenied, Err: errBroken}
	tests := []struct {
		name            string
		err             error
		failures, tries int // failures before it works; restarts allowed
		want            Outcome
		restarts        int
	}{
		{"never", errBroken, 1, 0, Failed, 0},
		{"once", errBroken, 1, 3, Finished, 1},
		{"as often as allowed", errBroken, 3, 3, Finished, 3},
		{"too often", errBroken, 4, 3, Failed, 3},
		{"no retry helps", final, 1, 3, Failed, 0},
		{"no retry helps, wrapped", fmt.Errorf("deep: %w", final), 1, 3, Failed, 0},
		{"a retry helps", &plugin.Error{Code: plugin.CodeUnavailable, Retry: true, Err: errBroken}, 1, 3, Finished, 1},
		{"bad options", fmt.Errorf("%w, %w", errBroken, &config.Error{}), 1, 3, Failed, 0},
		{"a connection ends", fmt.Errorf("%w: %w", errBroken, io.EOF), 1, 3, Finished, 1},
		{"a splitter's error", nil, 1, 3, Finished, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := &store{}
			w := newWorld(st)
			src := &counter{table: numbers("t"), splits: 2, rows: 100, batch: 10}
			var failures atomic.Int64
			src.onRead = func(_ context.Context, _ plugin.Out, at int64) error {
				if at == 150 && tt.err != nil && failures.Add(1) <= int64(tt.failures) {
					return tt.err
				}
				return nil
			}
			src.next = nil
			if tt.err == nil {
				src.next = func(_ context.Context, given int64) ([]plugin.Split, error) {
					if given == 2 && failures.Add(1) == 1 {
						return nil, fmt.Errorf("%w: %w", errBroken, io.EOF) // which is not the end
					}
					return (&counterSplitter{c: &counter{table: src.table, splits: 2, rows: 100}, given: given}).Next(t.Context())
				}
			}
			restarts := 0
			var log bytes.Buffer
			r := start(t, Options{Pipeline: simple(2, src, &sink{world: w}), Checkpoints: st, Retries: tt.tries,
				Logger: hclog.New(&hclog.LoggerOptions{Output: &log}),
				Observer: Observer{Restarting: func(n int, err error) {
					if restarts++; n != restarts || !errors.Is(err, errBroken) {
						t.Errorf("restart %d (%v), want %d", n, err, restarts)
					}
				}}})
			outcome, err := r.wait()
			if outcome != tt.want || restarts != tt.restarts {
				t.Fatalf("ended %v (%v) after %d restarts, want %v after %d", outcome, err, restarts, tt.want, tt.restarts)
			}
			if n := strings.Count(log.String(), "Restore time "); n != tt.restarts {
				t.Errorf("the log names %d restarts:\n%s", n, &log)
			}
			if tt.want == Finished {
				w.check(t, 200)
				return
			}
			w.check(t, 0)
			if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "Source[0]-Model") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestSinksArePreparedOnceOverRestarts(t *testing.T) {
	src := &counter{table: numbers("t"), splits: 1, rows: 1, batch: 1,
		onRead: func(context.Context, plugin.Out, int64) error { return errBroken }}
	w := newWorld(&store{})
	run(t, Options{Pipeline: simple(1, src, &sink{world: w}), Checkpoints: w.stored, Retries: 3}, Failed)
	if w.prepares != 1 {
		t.Errorf("prepared %d times", w.prepares)
	}
}

func TestPrepareFails(t *testing.T) {
	dst := &plainSink{prepare: func([]*plugin.Table) error {
		return &plugin.Error{Code: plugin.CodeExists, Err: errBroken}
	}}
	p := simple(1, &counter{table: numbers("t")}, dst)
	r := run(t, Options{Pipeline: p, Checkpoints: &store{}, Retries: 3}, Failed)
	if !errors.Is(r.err, errBroken) || !strings.Contains(r.err.Error(), "Sink[0]-Model") {
		t.Error(r.err)
	}
}

func TestPanicsBecomeFailures(t *testing.T) {
	tests := map[string]func(src *counter, dst *sink){
		"reader": func(src *counter, _ *sink) {
			src.onRead = func(context.Context, plugin.Out, int64) error { panic("ouch") }
		},
		"writer": func(_ *counter, dst *sink) {
			dst.onWrite = func(context.Context, plugin.Batch) error { panic("ouch") }
		},
		"splitter": func(src *counter, _ *sink) {
			src.next = func(context.Context, int64) ([]plugin.Split, error) { panic("ouch") }
		},
		"committer": func(_ *counter, dst *sink) {
			dst.onCommit = func(context.Context, uint64) error { panic("ouch") }
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			st := &store{}
			dst := &sink{world: newWorld(st)}
			src := &counter{table: numbers("t"), splits: 1, rows: 10, batch: 10}
			arrange(src, dst)
			var log bytes.Buffer
			r := run(t, Options{Pipeline: simple(1, src, dst), Checkpoints: st,
				Logger: hclog.New(&hclog.LoggerOptions{Output: &log})}, Failed)
			if !strings.Contains(r.err.Error(), "panic: ouch") {
				t.Errorf("error %v", r.err)
			}
			if !strings.Contains(log.String(), "failure_test.go") {
				t.Errorf("the log has no stack:\n%s", &log)
			}
		})
	}
}

func TestCheckpointTimeout(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	var slow atomic.Int64
	dst := &sink{world: w, onFlush: func(ctx context.Context, _ uint64) error {
		if slow.Add(1) > 2 {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	src := &counter{table: numbers("t"), splits: 1, rows: 1000, batch: 10}
	var reasons []error
	o := Options{Pipeline: simple(1, src, dst), Checkpoints: st, Retries: 9,
		Interval: time.Millisecond, Timeout: 100 * time.Millisecond,
		Observer: Observer{Restarting: func(_ int, err error) { reasons = append(reasons, err) }}}
	run(t, o, Finished)
	w.check(t, 1000)
	if len(reasons) < 2 {
		t.Fatalf("restarts: %v", reasons)
	}
	for _, err := range reasons {
		if !strings.Contains(err.Error(), "Checkpoint expired before completing. Please increase checkpoint timeout") {
			t.Error(err)
		}
	}
}

func TestTimeoutDoesNotHoldWithoutInterval(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	dst := &sink{world: w, onFlush: func(ctx context.Context, _ uint64) error {
		return plugin.Sleep(ctx, 30*time.Millisecond)
	}}
	src := &counter{table: numbers("t"), splits: 1, rows: 10, batch: 10}
	run(t, Options{Pipeline: simple(1, src, dst), Checkpoints: st, Timeout: time.Millisecond}, Finished)
	w.check(t, 10)
}

func TestCommitFailures(t *testing.T) {
	tests := []struct {
		name     string
		failures int64
		err      error
		want     Outcome
		restarts int
	}{
		{"is tried again", 2, errBroken, Finished, 0},
		{"restarts the pipeline", 4, errBroken, Finished, 1},
		{"fails at once", 1, &plugin.Error{Err: errBroken}, Failed, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := &store{}
			w := newWorld(st)
			var calls atomic.Int64
			dst := &sink{world: w, onCommit: func(context.Context, uint64) error {
				if calls.Add(1) <= tt.failures {
					return tt.err
				}
				return nil
			}}
			src := &counter{table: numbers("t"), splits: 2, rows: 10, batch: 10}
			restarts := 0
			r := run(t, Options{Pipeline: simple(2, src, dst), Checkpoints: st, Retries: 1,
				Observer: Observer{Restarting: func(int, error) { restarts++ }}}, tt.want)
			if restarts != tt.restarts {
				t.Errorf("%d restarts, want %d", restarts, tt.restarts)
			}
			if tt.want == Finished {
				w.check(t, 20)
				return
			}
			if !errors.Is(r.err, errBroken) || len(w.staged) == 0 {
				t.Errorf("%v; a durable epoch must stay staged, so that a restore can commit it", r.err)
			}
		})
	}
}

func TestStoreFailures(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	calls := 0
	st.prepared = func(*checkpoint.Checkpoint) error {
		if calls++; calls == 1 {
			return errBroken
		}
		return nil
	}
	src := &counter{table: numbers("t"), splits: 2, rows: 10, batch: 10}
	run(t, Options{Pipeline: simple(2, src, &sink{world: w}), Checkpoints: st, Retries: 1}, Finished)
	w.check(t, 20)
}

func TestRestoreRefusesTokensOfAMissingSink(t *testing.T) {
	st := &store{latest: map[int]checkpoint.Checkpoint{1: {Pipeline: 1, Epoch: 3,
		Sinks: []checkpoint.Sink{{Vertex: "Sink[0]-Other", Tokens: [][][]byte{{[]byte("x")}}}}}}}
	p := simple(1, &counter{table: numbers("t")}, &plainSink{})
	r := run(t, Options{Pipeline: p, Checkpoints: st, Retries: 3}, Failed)
	if !strings.Contains(r.err.Error(), "Sink[0]-Other") {
		t.Error(r.err)
	}
}
