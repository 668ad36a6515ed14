package store

import (
	"sync"
	"testing"
	"time"
)

func nextID(t testing.TB, s *Store) int64 {
	t.Helper()
	id, err := s.NextID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestNextIDFollowsTheClock(t *testing.T) {
	s := open(t, Options{})
	now := idEpoch.Add(12345 * time.Millisecond)
	s.ids.now = func() time.Time { return now }
	for i := range int64(3) {
		if id, want := nextID(t, s), int64(12345)<<22+i; id != want {
			t.Errorf("id is %d, want %d", id, want)
		}
	}
	now = now.Add(time.Millisecond)
	if id, want := nextID(t, s), int64(12346)<<22; id != want {
		t.Errorf("id is %d, want %d", id, want)
	}
	now = now.Add(-time.Hour)
	if id, want := nextID(t, s), int64(12346)<<22+1; id != want {
		t.Errorf("id is %d after the clock went back, want %d", id, want)
	}
}

func TestNextIDBeforeItsEpoch(t *testing.T) {
	s := open(t, Options{})
	s.ids.now = func() time.Time { return idEpoch.Add(-time.Hour) }
	if first, second := nextID(t, s), nextID(t, s); first != 1 || second != 2 {
		t.Errorf("ids are %d and %d", first, second)
	}
}

func TestNextIDLeavesOutTakenOnes(t *testing.T) {
	s := open(t, Options{})
	s.ids.now = func() time.Time { return idEpoch.Add(time.Millisecond) }
	put(t, s, Job{ID: 1 << 22}, Job{ID: 1<<22 + 1}, Job{ID: 1<<22 + 3})
	if first, second := nextID(t, s), nextID(t, s); first != 1<<22+2 || second != 1<<22+4 {
		t.Errorf("ids are %d and %d", first, second)
	}
}

func TestNextIDIsUnique(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	seen := map[int64]bool{}
	var last int64
	for range 3 {
		s := open(t, Options{Dir: dir})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				var before int64
				for range 2000 {
					id, err := s.NextID()
					if err != nil {
						t.Error(err)
						return
					}
					if id <= before || id <= last {
						t.Errorf("id %d after %d and %d", id, before, last)
					}
					before = id
					mu.Lock()
					if seen[id] {
						t.Errorf("id %d was given out twice", id)
					}
					seen[id] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for id := range seen {
			last = max(last, id)
		}
	}
}

// A crash loses the rest of the lease, never an id; an orderly end loses nothing.
func TestNextIDAcrossRestarts(t *testing.T) {
	dir := t.TempDir()
	clock := func() time.Time { return idEpoch.Add(time.Hour) }
	s := open(t, Options{Dir: dir})
	s.ids.now = clock
	first := nextID(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	s.ids.now = clock
	if id := nextID(t, s); id != first+1 {
		t.Errorf("id is %d after an orderly end, want %d", id, first+1)
	}
	s.ids.last = s.ids.mark // Close gives nothing back, as if it had not come to it
	mark := s.ids.mark
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	s.ids.now = clock
	if id := nextID(t, s); id != mark+1 {
		t.Errorf("id is %d after a crash, want %d", id, mark+1)
	}
}

func BenchmarkNextID(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	for b.Loop() {
		nextID(b, s)
	}
}
