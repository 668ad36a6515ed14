package split_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/split"
	"github.com/culvertdata/culvert/plugin"
)

func piece(id string) plugin.Split {
	return plugin.Split{ID: id, State: []byte("start " + id), Rows: -1}
}

func mustAdd(t *testing.T, q *split.Queue, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := q.Add(piece(id)); err != nil {
			t.Fatal(err)
		}
	}
}

func mustTake(t *testing.T, q *split.Queue, lane int, want string) {
	t.Helper()
	s, ok := q.Take(lane)
	if !ok || s.ID != want {
		t.Fatalf("lane %d took %q (%v), want %q", lane, s.ID, ok, want)
	}
}

// describe shows a snapshot in one line a split.
func describe(splits []checkpoint.Split) []string {
	var lines []string
	for _, s := range splits {
		state := "waiting"
		switch {
		case s.Finished:
			state = "finished"
		case s.Started:
			state = "started"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", s.ID, state, s.State))
	}
	return lines
}

func TestQueueHandsOutInOrder(t *testing.T) {
	q := split.New(nil)
	mustAdd(t, q, "a", "b", "c")
	mustTake(t, q, 0, "a")
	mustTake(t, q, 1, "b")
	mustTake(t, q, 0, "c")
	if _, ok := q.Take(1); ok {
		t.Fatal("took a split from an empty queue")
	}
	if q.Waiting() != 0 || q.Running() != 3 || q.Ended() != 0 {
		t.Fatalf("waiting %d, running %d, ended %d", q.Waiting(), q.Running(), q.Ended())
	}
}

func TestQueueRefusesTheSameIDTwice(t *testing.T) {
	q := split.New([]checkpoint.Split{{Split: piece("a")}})
	err := q.Add(piece("a"))
	var pe *plugin.Error
	if !errors.As(err, &pe) || pe.Split != "a" || pe.Retry {
		t.Fatalf("got %v, want an error about split a that no retry helps", err)
	}
}

func TestQueueReturnsToTheFront(t *testing.T) {
	q := split.New(nil)
	mustAdd(t, q, "a", "b", "c")
	mustTake(t, q, 7, "a")
	mustTake(t, q, 8, "b")
	q.Progress("a", []byte("half"))
	q.Return(7)
	if q.Running() != 1 {
		t.Fatalf("running %d, want 1", q.Running())
	}
	s, _ := q.Take(8)
	if s.ID != "a" || string(s.State) != "half" {
		t.Fatalf("took %s at %q, want a at half", s.ID, s.State)
	}
	mustTake(t, q, 8, "c")
}

func TestSnapshotShowsTheBarrier(t *testing.T) {
	tests := []struct {
		name string
		do   func(q *split.Queue)
		want []string
	}{
		{"untouched", func(q *split.Queue) {}, []string{"a waiting start a", "b waiting start b"}},
		{"taken but not read", func(q *split.Queue) { q.Take(0) }, []string{"a waiting start a", "b waiting start b"}},
		{"half read", func(q *split.Queue) { q.Take(0); q.Progress("a", []byte("5")) },
			[]string{"a started 5", "b waiting start b"}},
		{"ended before the barrier", func(q *split.Queue) { q.Take(0); q.Finish("a", []byte("end"), 2) },
			[]string{"a finished end", "b waiting start b"}},
		{"ended behind the barrier", func(q *split.Queue) {
			q.Take(0)
			q.Finish("a", []byte("end"), 3) // tells so before its lane's barrier is through
			q.Progress("a", []byte("5"))
		}, []string{"a started 5", "b waiting start b"}},
		{"taken behind the barrier", func(q *split.Queue) {
			q.Take(0)
			q.Finish("a", []byte("end"), 2)
			q.Take(0)
			q.Finish("b", []byte("end"), 3)
		}, []string{"a finished end", "b waiting start b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := split.New(nil)
			mustAdd(t, q, "a", "b")
			tt.do(q)
			if diff := cmp.Diff(tt.want, describe(q.Snapshot(3))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDoneComesWithTheEpoch(t *testing.T) {
	q := split.New(nil)
	mustAdd(t, q, "a", "b")
	mustTake(t, q, 0, "a")
	mustTake(t, q, 1, "b")
	q.Finish("b", []byte("rb"), 4)
	q.Finish("a", []byte("ra"), 5)
	got := q.Done(5)
	if len(got) != 1 || got[0].Split.ID != "b" || string(got[0].Result) != "rb" {
		t.Fatalf("done with epoch 5: %v, want b", got)
	}
	if q.Ended() != 1 {
		t.Fatalf("ended %d, want 1", q.Ended())
	}
	if got := q.Done(6); len(got) != 1 || got[0].Split.ID != "a" {
		t.Fatalf("done with epoch 6: %v, want a", got)
	}
	if got := q.Snapshot(7); got != nil {
		t.Fatalf("left over: %v", describe(got))
	}
	mustAdd(t, q, "a") // an ID is free again once its split is done
}

func TestRestore(t *testing.T) {
	q := split.New([]checkpoint.Split{
		{Split: plugin.Split{ID: "x", State: []byte("rx")}, Started: true, Finished: true},
		{Split: plugin.Split{ID: "y", State: []byte("9")}, Started: true},
		{Split: piece("z")},
	})
	mustAdd(t, q, "new")
	if got := q.Done(1); len(got) != 1 || got[0].Split.ID != "x" || string(got[0].Result) != "rx" {
		t.Fatalf("done at once: %v, want x", got)
	}
	s, _ := q.Take(0)
	if s.ID != "y" || string(s.State) != "9" {
		t.Fatalf("took %s at %q, want y at 9", s.ID, s.State)
	}
	mustTake(t, q, 0, "z")
	mustTake(t, q, 0, "new")
}

// TestRandomRestarts reads splits of ten rows each on several lanes with barriers and crashes in between, and checks
// that what completed epochs hold covers each row once.
func TestRandomRestarts(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := &model{rng: rng, rows: map[string]int{}, held: map[string]int{}}
		for i := range 8 {
			m.saved = append(m.saved, checkpoint.Split{Split: plugin.Split{ID: fmt.Sprint(i), State: []byte{0}}})
		}
		for round := 0; len(m.saved) > 0; round++ {
			if round > 1000 {
				t.Fatalf("seed %d: no end", seed)
			}
			m.run()
		}
		for i := range 8 {
			if n := m.held[fmt.Sprint(i)]; n != 10 {
				t.Fatalf("seed %d: split %d has %d rows in completed epochs, want 10", seed, i, n)
			}
		}
	}
}

// model is lanes that read one row a step. rows counts what was read since the last completed epoch.
type model struct {
	rng   *rand.Rand
	epoch uint64
	saved []checkpoint.Split
	rows  map[string]int
	held  map[string]int
}

// run goes on from the saved splits until a crash, which comes after some barriers.
func (m *model) run() {
	q := split.New(m.saved)
	q.Done(m.epoch + 1)
	clear(m.rows)
	type lane struct {
		id string
		at byte
	}
	lanes := make([]lane, 1+m.rng.IntN(3))
	step := func(i int) {
		l := &lanes[i]
		if l.id == "" {
			if s, ok := q.Take(i); ok {
				*l = lane{s.ID, s.State[0]}
			}
			return
		}
		if l.at == 10 {
			q.Finish(l.id, []byte{10}, m.epoch)
			*l = lane{}
			return
		}
		l.at++
		m.rows[l.id]++
	}
	for range 1 + m.rng.IntN(4) {
		for range m.rng.IntN(20) {
			step(m.rng.IntN(len(lanes)))
		}
		m.epoch++
		for _, l := range lanes {
			if l.id != "" {
				q.Progress(l.id, []byte{l.at})
			}
		}
		m.saved = q.Snapshot(m.epoch)
		for id, n := range m.rows {
			m.held[id] += n
		}
		clear(m.rows)
		q.Done(m.epoch)
	}
	for i := range lanes { // lost in the crash
		step(i)
	}
}
