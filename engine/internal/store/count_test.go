package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCountEnded follows the counts through ends, restarts, deletions, expiry and another Open.
func TestCountEnded(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	put := func(id int64, state string, ended bool) {
		t.Helper()
		err := s.PutJob(t.Context(), Job{ID: id, State: state, Ended: ended, EndTime: time.Unix(id, 0), Record: []byte("r")})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(want map[string]int) {
		t.Helper()
		if diff := cmp.Diff(want, s.CountEnded()); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	}
	want(map[string]int{})
	for id := range int64(5) {
		put(id+1, "RUNNING", false)
		put(id+1, "FINISHED", true)
	}
	put(6, "RUNNING", false)
	put(5, "FAILED", true)
	want(map[string]int{"FINISHED": 4, "FAILED": 1})
	put(4, "RUNNING", false)
	want(map[string]int{"FINISHED": 3, "FAILED": 1})
	if err := s.DeleteJob(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteJob(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	want(map[string]int{"FINISHED": 2, "FAILED": 1})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want(map[string]int{"FINISHED": 2, "FAILED": 1})
	if _, err := s.Expire(t.Context(), time.Time{}, 1, 0); err != nil {
		t.Fatal(err)
	}
	want(map[string]int{"FAILED": 1})
}
