package exec

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

// closing is a two-phase sink that has a last word.
type closing struct {
	*sink
	states []string
	calls  int
	fail   error
}

func (s *closing) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	w, err := s.sink.Writer(ctx, t)
	return &closingWriter{w, t.Index}, err
}

type closingWriter struct {
	plugin.Writer
	index int
}

func (w *closingWriter) State() ([]byte, error) { return []byte{'a' + byte(w.index)}, nil }
func (w *closingWriter) Restore([][]byte) error { return nil }

func (s *closing) Finish(_ context.Context, states [][]byte) error {
	s.calls++
	s.states = nil
	for _, b := range states {
		s.states = append(s.states, string(b))
	}
	if n := s.count(); n != 0 {
		return errors.New("something was committed before")
	}
	return s.fail
}

func TestFinish(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	dst := &closing{sink: &sink{world: w}}
	src := &counter{table: numbers("t"), splits: 5, rows: 10, batch: 10}
	run(t, Options{Pipeline: simple(3, src, dst), Checkpoints: st}, Finished)
	w.check(t, 50)
	if diff := cmp.Diff([]string{"a", "b", "c"}, dst.states); diff != "" {
		t.Error(diff)
	}
}

func TestFinishFails(t *testing.T) {
	st := &store{}
	w := newWorld(st)
	dst := &closing{sink: &sink{world: w}, fail: &plugin.Error{Code: plugin.CodeData, Err: errBroken}}
	src := &counter{table: numbers("t"), splits: 5, rows: 10, batch: 10}
	r := run(t, Options{Pipeline: simple(2, src, dst), Checkpoints: st, Retries: 3}, Failed)
	w.check(t, 0)
	if !errors.Is(r.err, errBroken) || st.count() != 0 {
		t.Errorf("%v, %d checkpoints", r.err, st.count())
	}
}

func TestFinishIsOnlyForTheEnd(t *testing.T) {
	for name, stop := range map[string]func(r *ran){
		"savepoint": func(r *ran) { r.Savepoint() },
		"cancel":    func(r *ran) { r.Cancel() },
		"suspend":   func(r *ran) { r.Suspend() },
	} {
		st := &store{}
		dst := &closing{sink: &sink{world: newWorld(st)}}
		r := start(t, Options{Pipeline: simple(1, endless(1, 10), dst), Checkpoints: st, Interval: time.Millisecond})
		until(t, "checkpoints come", func() bool { return st.count() > 1 })
		stop(r)
		if _, err := r.wait(); err != nil || dst.calls != 0 {
			t.Errorf("%s: %v, Finish was called %d times", name, err, dst.calls)
		}
	}
}
