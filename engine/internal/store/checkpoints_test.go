package store

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/google/go-cmp/cmp"
)

func someCheckpoint(pipeline int, epoch uint64, size int) *checkpoint.Checkpoint {
	return &checkpoint.Checkpoint{
		Pipeline: pipeline, Epoch: epoch, Time: time.Unix(int64(epoch), 1).UTC(),
		Sources: []checkpoint.Source{{Vertex: "Source[0]-X", Splitter: bytes.Repeat([]byte{byte(epoch)}, size)}},
	}
}

func prepare(t testing.TB, s *Store, job int64, pipeline int, epoch uint64) {
	t.Helper()
	prepareSize(t, s, job, pipeline, epoch, 50)
}

func prepareSize(t testing.TB, s *Store, job int64, pipeline int, epoch uint64, size int) {
	t.Helper()
	if err := s.Checkpoints(job).Prepare(t.Context(), someCheckpoint(pipeline, epoch, size)); err != nil {
		t.Fatal(err)
	}
}

func infos(t testing.TB, s *Store, job int64) []CheckpointInfo {
	t.Helper()
	infos, err := s.Checkpoints(job).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return infos
}

func epochs(t testing.TB, s *Store, job int64) (epochs []uint64) {
	for _, info := range infos(t, s, job) {
		epochs = append(epochs, info.Epoch)
	}
	return epochs
}

func latest(t testing.TB, s *Store, job int64, pipeline int) *checkpoint.Checkpoint {
	t.Helper()
	c, err := s.Checkpoints(job).Latest(t.Context(), pipeline)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPrepareComplete(t *testing.T) {
	eachPlace(t, func(t *testing.T, s *Store) {
		put(t, s, Job{ID: 1})
		if c := latest(t, s, 1, 1); c != nil {
			t.Errorf("latest is %v before the first", c)
		}
		want := someCheckpoint(1, 8, 100)
		want.State = checkpoint.Complete // Prepare says otherwise
		if err := s.Checkpoints(1).Prepare(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		want.State = checkpoint.Prepared
		if diff := cmp.Diff(want, latest(t, s, 1, 1)); diff != "" {
			t.Errorf("after Prepare:\n%s", diff)
		}
		for range 2 {
			if err := s.Checkpoints(1).Complete(t.Context(), 1, 8); err != nil {
				t.Fatal(err)
			}
		}
		want.State = checkpoint.Complete
		if diff := cmp.Diff(want, latest(t, s, 1, 1)); diff != "" {
			t.Errorf("after Complete:\n%s", diff)
		}
		if c := latest(t, s, 1, 2); c != nil {
			t.Errorf("pipeline 2 has %v", c)
		}
	})
}

func TestOldEpochsGo(t *testing.T) {
	tests := map[int][]uint64{
		0: {5, 6, 9}, 1: {9}, 2: {6, 9}, 5: {2, 4, 5, 6, 9}, 200: {1, 2, 4, 5, 6, 9},
	}
	for kept, want := range tests {
		s := open(t, Options{CheckpointsKept: kept})
		put(t, s, Job{ID: 1})
		for _, epoch := range []uint64{1, 2, 4, 5, 6, 9} {
			prepare(t, s, 1, 1, epoch)
			if c := latest(t, s, 1, 1); c.Epoch != epoch {
				t.Errorf("latest is %d, want %d", c.Epoch, epoch)
			}
		}
		if diff := cmp.Diff(want, epochs(t, s, 1)); diff != "" {
			t.Errorf("kept %d:\n%s", kept, diff)
		}
		if n := count(t, s, slotFamily); n != len(want) {
			t.Errorf("kept %d: %d slots, want %d", kept, n, len(want))
		}
	}
}

func TestFewerAreKeptAfterReopen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, CheckpointsKept: 6})
	put(t, s, Job{ID: 1})
	for epoch := uint64(1); epoch <= 10; epoch++ {
		prepareSize(t, s, 1, 1, epoch, int(epoch)*20_000)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir, CheckpointsKept: 2})
	prepare(t, s, 1, 1, 11)
	if diff := cmp.Diff([]uint64{10, 11}, epochs(t, s, 1)); diff != "" {
		t.Error(diff)
	}
	if n := count(t, s, slotFamily); n != 2 {
		t.Errorf("%d slots, want 2", n)
	}
	checkNothingPending(t, s)
}

func TestPrepareAgain(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1})
	prepare(t, s, 1, 1, 3)
	prepareSize(t, s, 1, 1, 4, 100_000)
	prepareSize(t, s, 1, 1, 4, 10)
	if diff := cmp.Diff(someCheckpoint(1, 4, 10), latest(t, s, 1, 1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]uint64{3, 4}, epochs(t, s, 1)); diff != "" {
		t.Error(diff)
	}
	checkNothingPending(t, s)
}

func TestWrongEpochsAreRefused(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1})
	c := s.Checkpoints(1)
	prepare(t, s, 1, 1, 4)
	if err := c.Complete(t.Context(), 1, 4); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		err  error
		want string
	}{
		"older":         {c.Prepare(t.Context(), someCheckpoint(1, 3, 1)), "job 1: pipeline 1: epoch 3 comes after epoch 4"},
		"large":         {c.Prepare(t.Context(), someCheckpoint(1, 3, 100_000)), "epoch 3 comes after epoch 4"},
		"complete":      {c.Prepare(t.Context(), someCheckpoint(1, 4, 1)), "epoch 4 is complete already"},
		"unknown":       {c.Complete(t.Context(), 1, 5), "pipeline 1 has no checkpoint of epoch 5"},
		"pipeline":      {c.Complete(t.Context(), 2, 4), "pipeline 2 has no checkpoint of epoch 4"},
		"no pipeline":   {c.Complete(t.Context(), -2, 4), "pipeline -2 is out of range"},
		"no pipeline 2": {c.Prepare(t.Context(), someCheckpoint(-1, 1, 1)), "pipeline -1 is out of range"},
	}
	for name, tt := range tests {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want %q", name, tt.err, tt.want)
		}
	}
	if diff := cmp.Diff([]uint64{4}, epochs(t, s, 1)); diff != "" {
		t.Error(diff)
	}
	checkNothingPending(t, s)
}

// A lane that is late can't bring back what was deleted.
func TestPrepareNeedsTheJob(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1})
	if err := s.DeleteJob(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{10, 100_000} {
		if err := s.Checkpoints(1).Prepare(t.Context(), someCheckpoint(1, 1, size)); !errors.Is(err, ErrNoJob) {
			t.Errorf("error is %v, want ErrNoJob", err)
		}
	}
	checkEmpty(t, s)
}

func TestLargeCheckpoints(t *testing.T) {
	eachPlace(t, func(t *testing.T, s *Store) {
		put(t, s, Job{ID: 1})
		for epoch, size := range []int{10, chunkSize, 5 << 20, 3 << 20, 1, 1, 1 << 20, 10} {
			want := someCheckpoint(1, uint64(epoch+1), size)
			if err := s.Checkpoints(1).Prepare(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			if !cmp.Equal(want, latest(t, s, 1, 1), cmp.Comparer(bytes.Equal)) {
				t.Errorf("a checkpoint of %d bytes comes back as another one", size)
			}
			checkNothingPending(t, s)
		}
		// The largest of three is 1 MiB.
		if n := count(t, s, chunkFamily); n > (1<<20)/chunkSize+1 {
			t.Errorf("%d chunks are left", n)
		}
	})
}

func TestList(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1})
	prepare(t, s, 1, 2, 7)
	prepareSize(t, s, 1, 1, 7, 200)
	prepare(t, s, 1, 2, 9)
	if err := s.Checkpoints(1).Complete(t.Context(), 2, 7); err != nil {
		t.Fatal(err)
	}
	got := infos(t, s, 1)
	for i := range got {
		if got[i].Bytes < 50 {
			t.Errorf("checkpoint %d has %d bytes", i, got[i].Bytes)
		}
		got[i].Bytes = 0
	}
	want := []CheckpointInfo{
		{Pipeline: 1, Epoch: 7, Time: time.Unix(7, 1).UTC()},
		{Pipeline: 2, Epoch: 7, Time: time.Unix(7, 1).UTC(), State: checkpoint.Complete},
		{Pipeline: 2, Epoch: 9, Time: time.Unix(9, 1).UTC()},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := s.Checkpoints(1).DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := infos(t, s, 1); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A checkpoint that can't be read is an error, never another one.
func TestDamagedCheckpoint(t *testing.T) {
	tests := map[string]struct {
		value []byte
		want  string
	}{
		"gone":    {nil, "content of 0 bytes is cut short"},
		"cut":     {[]byte{0, 1}, "checkpoint is damaged"},
		"newer":   {[]byte{0, 99, 0, 0, 0, 0, 0}, "the checkpoint has format 99, this version reads up to"},
		"another": {nil, "its slot holds epoch 3"},
	}
	other, err := someCheckpoint(1, 3, 1).Append([]byte{0})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		s := open(t, Options{})
		put(t, s, Job{ID: 1})
		prepare(t, s, 1, 1, 4)
		err := s.update(t.Context(), func(t *tx) error {
			switch name {
			case "gone":
				t.delete(slotKey(1, 1, 0))
			case "another":
				t.set(slotKey(1, 1, 0), other)
			default:
				t.set(slotKey(1, 1, 0), tt.value)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Checkpoints(1).Latest(t.Context(), 1)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	x := index{rings: []*ring{
		{pipeline: 1, slots: []slot{{number: 2, epoch: 1 << 60, time: at(1), size: 100}}},
		{pipeline: 900},
	}}
	f.Add(x.append(nil))
	f.Add(header{Job: Job{State: "RUNNING", Ended: true, EndTime: at(9)}, configSize: 400}.append(nil))
	f.Add(content{id: 1 << 63, length: 1 << 20, crc: 7}.appendTo(nil))
	f.Add([]byte{indexVersion, 1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := parseIndex(b); err == nil {
			again, err := parseIndex(x.append(nil))
			if diff := cmp.Diff(x, again, cmp.AllowUnexported(index{}, ring{}, slot{})); diff != "" || err != nil {
				t.Error(diff, err)
			}
		}
		if h, err := parseHeader(b); err == nil {
			if again, err := parseHeader(h.append(nil)); err != nil || again.State != h.State || again.size() != h.size() {
				t.Errorf("%v comes back as %v, error %v", h, again, err)
			}
		}
		if c, err := parseContent(b); err == nil && c.id != 0 {
			if again, err := parseContent(c.appendTo(nil)); err != nil || again.id != c.id || again.length != c.length {
				t.Errorf("%v comes back as %v, error %v", c, again, err)
			}
		}
	})
}
