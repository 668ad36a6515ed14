package fake

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

// TestRestore stops after every batch and goes on with a new reader: the rows are those of an undisturbed run.
func TestRestore(t *testing.T) {
	for _, options := range []string{
		"row.num = 50000, split.num = 2, schema { fields { a = string, b = \"map<string, int>\", c = \"decimal(30, 2)\" } }",
		"split.num = 3, schema { fields { a = int } }, " +
			"rows = [ { kind = INSERT, fields = [1] }, { kind = DELETE, fields = [2] } ]",
	} {
		s := mustOpen(t, options, testEnv())
		want := readAll(t, s).lines()
		out := &sink{}
		for _, split := range splits(t, s) {
			for stopped := true; stopped; {
				stopped, split.State = readOne(t, s, split, out)
			}
		}
		if diff := cmp.Diff(want, out.lines()); diff != "" {
			t.Errorf("rows after restores differ: %.500s", diff)
		}
	}
}

// readOne opens a split with a new reader, reads one batch and returns the position.
func readOne(t *testing.T, s *source, split plugin.Split, out *sink) (more bool, state []byte) {
	t.Helper()
	r, err := s.Reader(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Open(t.Context(), split); err != nil {
		t.Fatal(err)
	}
	before := len(out.batches)
	out.full = func() bool { return len(out.batches) > before }
	err = r.Read(t.Context(), out)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	state, posErr := r.Position()
	if posErr != nil {
		t.Fatal(posErr)
	}
	return err == nil, state
}

func TestOtherJobsGetOtherRows(t *testing.T) {
	const options = "row.num = 10, schema { fields { a = string } }"
	env := testEnv()
	first := readAll(t, mustOpen(t, options, env)).lines()
	if again := readAll(t, mustOpen(t, options, env)).lines(); !slices.Equal(first, again) {
		t.Error("the same job makes other rows")
	}
	env.Job.ID++
	if other := readAll(t, mustOpen(t, options, env)).lines(); slices.Equal(first, other) {
		t.Error("another job makes the same rows")
	}
	env.Vertex = "Source[1]-FakeSource"
	if other := readAll(t, mustOpen(t, options, env)).lines(); slices.Equal(first, other) {
		t.Error("another source makes the same rows")
	}
	env.Parallelism = 2
	lines := readAll(t, mustOpen(t, options, env)).lines()
	if slices.Equal(lines[:10], lines[10:]) {
		t.Error("two readers make the same rows")
	}
}

// TestSplitterState stops a splitter after each call of Next and goes on from its state, with another parallelism.
func TestSplitterState(t *testing.T) {
	env := testEnv()
	env.Parallelism = 3
	s := mustOpen(t, "row.num = 900, split.num = 900, schema { fields { a = int } }", env)
	want := splits(t, s)
	var got []plugin.Split
	var state []byte
	for range 100 {
		sp, err := s.Splits(t.Context(), state)
		if err != nil {
			t.Fatal(err)
		}
		some, err := sp.Next(t.Context())
		if err == io.EOF {
			break
		}
		got = append(got, some...)
		if state, err = sp.State(); err != nil {
			t.Fatal(err)
		}
		s.env.Parallelism = 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStateForms(t *testing.T) {
	s := mustOpen(t, "row.num = 5, schema { fields { a = int } }", testEnv())
	sp, err := s.Splits(t.Context(), []byte(`{"parallelism":2,"made":1}`))
	if err != nil {
		t.Fatal(err)
	}
	some, err := sp.Next(t.Context())
	if err != nil || len(some) != 1 || some[0].ID != "fake/1/0" || string(some[0].State) != `{"done":0,"rows":5}` {
		t.Errorf("splits %+v, error %v", some, err)
	}
	if _, err := s.Splits(t.Context(), []byte("x")); err == nil {
		t.Error("a broken state is taken")
	}
	r, err := s.Reader(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []plugin.Split{
		{ID: "x", Table: plugin.TableID{Name: "gone"}, State: []byte(`{}`)},
		{ID: "x", Table: s.tables[0].ID, State: []byte("x")},
	} {
		if err := r.Open(t.Context(), bad); err == nil {
			t.Errorf("split %+v is taken", bad)
		}
	}
}

func TestStreamingNeverEnds(t *testing.T) {
	env := testEnv()
	env.Job.Mode = plugin.Unbounded
	s := mustOpen(t, "schema { fields { a = int } }", env)
	sp, err := s.Splits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if some, err := sp.Next(t.Context()); err != nil || len(some) != 1 {
		t.Fatalf("splits %v, error %v", some, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if some, err := sp.Next(ctx); !errors.Is(err, context.Canceled) || some != nil {
		t.Errorf("splits %v, error %v; want none and the context's", some, err)
	}
}

// TestReadInterval shows that a pause lies between two splits, not before the first, and that it can be interrupted.
func TestReadInterval(t *testing.T) {
	s := mustOpen(t, "row.num = 2, split.num = 2, split.read-interval = 3600000, schema { fields { a = int } }", testEnv())
	all := splits(t, s)
	r, err := s.Reader(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	out := &sink{wake: make(chan struct{})}
	if err := errors.Join(r.Open(t.Context(), all[0])); err != nil {
		t.Fatal(err)
	}
	if err := r.Read(t.Context(), out); err != io.EOF {
		t.Fatalf("first split: %v", err)
	}
	if err := r.Open(t.Context(), all[1]); err != nil {
		t.Fatal(err)
	}
	close(out.wake)
	if err := r.Read(t.Context(), out); err != nil || len(out.batches) != 1 {
		t.Errorf("woken reader: error %v, %d batches; want none, 1", err, len(out.batches))
	}
	out.wake = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Read(ctx, out); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped reader: error %v", err)
	}
	r.(*reader).due = time.Now()
	if err := r.Read(t.Context(), out); err != io.EOF || len(out.batches) != 2 {
		t.Errorf("after the pause: error %v, %d batches; want EOF, 2", err, len(out.batches))
	}
}

func TestNoIntervalUnlessSet(t *testing.T) {
	s := mustOpen(t, "row.num = 2, split.num = 2, schema { fields { a = int } }", testEnv())
	r := &reader{source: s, task: plugin.Task{Env: s.env}, columns: map[*table]*columns{}}
	for _, split := range splits(t, s) {
		if err := r.Open(t.Context(), split); err != nil {
			t.Fatal(err)
		}
		if err := r.Read(t.Context(), &sink{}); err != io.EOF || !r.due.IsZero() {
			t.Errorf("error %v, due %v", err, r.due)
		}
	}
}
