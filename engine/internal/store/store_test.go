package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestX(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutJob(t.Context(), Job{ID: 7, State: "RUNNING", Record: []byte("r"), Config: []byte("c")}); err != nil {
		t.Fatal(err)
	}
	j, ok, err := s.Job(t.Context(), 7)
	if diff := cmp.Diff(Job{ID: 7, State: "RUNNING", Record: []byte("r")}, j); diff != "" || !ok || err != nil {
		t.Error(diff, ok, err)
	}
	t.Log(s.Size())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

const crashDirEnv = "X"

func crashChild(string) int { return 0 }
