package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// places are the stores that most tests run on.
func places(t *testing.T) map[string]string {
	return map[string]string{"disk": t.TempDir(), "memory": ""}
}

func eachPlace(t *testing.T, test func(t *testing.T, s *Store)) {
	for name, dir := range places(t) {
		t.Run(name, func(t *testing.T) { test(t, open(t, Options{Dir: dir})) })
	}
}

func put(t testing.TB, s *Store, jobs ...Job) {
	t.Helper()
	for _, j := range jobs {
		if err := s.PutJob(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
}

func list(t testing.TB, s *Store, ended bool) []Job {
	t.Helper()
	var jobs []Job
	for j, err := range s.Jobs(t.Context(), ended) {
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	return jobs
}

func ids64(jobs []Job) (ids []int64) {
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

func at(second int64) time.Time { return time.Unix(second, 5).UTC() }

func TestPutJob(t *testing.T) {
	eachPlace(t, func(t *testing.T, s *Store) {
		created := Job{ID: 9, State: "CREATED", Record: []byte("r1"), Config: []byte("{}")}
		put(t, s, created, Job{ID: 9, State: "RUNNING", Record: []byte("r2")})
		got, found, err := s.Job(t.Context(), 9)
		if err != nil || !found {
			t.Fatal(found, err)
		}
		if diff := cmp.Diff(Job{ID: 9, State: "RUNNING", Record: []byte("r2")}, got); diff != "" {
			t.Error(diff)
		}
		config, err := s.Config(t.Context(), 9)
		if err != nil || string(config) != "{}" {
			t.Errorf("config is %q, error %v", config, err)
		}
	})
}

func TestConfigIsReplacedOnlyByANewOne(t *testing.T) {
	s := open(t, Options{})
	for _, tt := range []struct{ put, want string }{{"a", "a"}, {"", "a"}, {"b", "b"}, {"empty", ""}} {
		j := Job{ID: 1, Config: []byte(tt.put)}
		switch tt.put {
		case "":
			j.Config = nil
		case "empty":
			j.Config = []byte{}
		}
		put(t, s, j)
		if got, err := s.Config(t.Context(), 1); err != nil || string(got) != tt.want {
			t.Errorf("config is %q after %q, error %v; want %q", got, tt.put, err, tt.want)
		}
	}
}

func TestNoSuchJob(t *testing.T) {
	s := open(t, Options{})
	if j, found, err := s.Job(t.Context(), 1); found || err != nil {
		t.Errorf("found %v, error %v", j, err)
	}
	if _, err := s.Config(t.Context(), 1); !errors.Is(err, ErrNoJob) {
		t.Errorf("error is %v, want ErrNoJob", err)
	}
	if err := s.DeleteJob(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

func TestJobs(t *testing.T) {
	eachPlace(t, func(t *testing.T, s *Store) {
		put(t, s,
			Job{ID: 30, Ended: true, EndTime: at(5)}, Job{ID: 10, Ended: true, EndTime: at(7)},
			Job{ID: 20, Ended: true, EndTime: at(6)}, Job{ID: 15, Ended: true, EndTime: at(6)},
			Job{ID: 12, Ended: true}, Job{ID: 13, Ended: true, EndTime: at(-1 << 30)},
			Job{ID: 1 << 62}, Job{ID: 2}, Job{ID: 256},
		)
		if diff := cmp.Diff([]int64{12, 13, 30, 15, 20, 10}, ids64(list(t, s, true))); diff != "" {
			t.Errorf("ended jobs:\n%s", diff)
		}
		if diff := cmp.Diff([]int64{2, 256, 1 << 62}, ids64(list(t, s, false))); diff != "" {
			t.Errorf("running jobs:\n%s", diff)
		}
		if diff := cmp.Diff(Job{ID: 30, Ended: true, EndTime: at(5), Record: []byte{}}, list(t, s, true)[2]); diff != "" {
			t.Error(diff)
		}
	})
}

// A job moves between the lists as it ends, is restored, and ends at another time.
func TestJobMovesBetweenLists(t *testing.T) {
	s := open(t, Options{})
	steps := []struct {
		job            Job
		running, ended int
	}{
		{Job{ID: 1}, 1, 0},
		{Job{ID: 1, State: "x"}, 1, 0},
		{Job{ID: 1, Ended: true, EndTime: at(1)}, 0, 1},
		{Job{ID: 1, Ended: true, EndTime: at(2)}, 0, 1},
		{Job{ID: 1}, 1, 0},
		{Job{ID: 1, Ended: true, EndTime: at(3)}, 0, 1},
	}
	for i, step := range steps {
		put(t, s, step.job)
		if running, ended := len(list(t, s, false)), len(list(t, s, true)); running != step.running || ended != step.ended {
			t.Errorf("step %d: %d running and %d ended, want %d and %d", i, running, ended, step.running, step.ended)
		}
	}
}

func TestJobsSeesOneMoment(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1}, Job{ID: 2}, Job{ID: 3})
	var seen []int64
	for j, err := range s.Jobs(t.Context(), false) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, j.ID)
		for id := range int64(4) {
			if err := s.DeleteJob(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff([]int64{1, 2, 3}, seen); diff != "" {
		t.Error(diff)
	}
	if left := list(t, s, false); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestJobsStops(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1}, Job{ID: 2})
	for range s.Jobs(t.Context(), false) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range s.Jobs(ctx, false) {
		if n++; n == 2 && !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, want context.Canceled", err)
		}
		cancel()
	}
	if n != 2 {
		t.Errorf("%d turns, want a job and an error", n)
	}
}

// One job that can't be read doesn't hide the others.
func TestJobsGoesOnBehindDamage(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1}, Job{ID: 2}, Job{ID: 3})
	err := s.update(t.Context(), func(t *tx) error {
		t.set(jobKey(recordFamily, 2), []byte{recordVersion + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var good []int64
	var bad []string
	for j, err := range s.Jobs(t.Context(), false) {
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		good = append(good, j.ID)
	}
	if diff := cmp.Diff([]int64{1, 3}, good); diff != "" {
		t.Error(diff)
	}
	want := []string{"store in memory: record of job 2: it has version 2, this one reads 1"}
	if diff := cmp.Diff(want, bad); diff != "" {
		t.Error(diff)
	}
}

func TestLargeValues(t *testing.T) {
	eachPlace(t, func(t *testing.T, s *Store) {
		large := func(n int, seed byte) []byte {
			b := bytes.Repeat([]byte{seed, 1, 2, 3, 5, 7, 11}, n/7+1)[:n]
			return b
		}
		for i, n := range []int{0, 1, chunkSize, chunkSize + 1, 2 * chunkSize, 3 << 20, 100} {
			j := Job{ID: 5, Record: large(n, byte(i)), Config: large(n+1, byte(i+1))}
			put(t, s, j)
			got, _, err := s.Job(t.Context(), 5)
			if err != nil || !bytes.Equal(got.Record, j.Record) {
				t.Errorf("a record of %d bytes comes back with %d, error %v", n, len(got.Record), err)
			}
			config, err := s.Config(t.Context(), 5)
			if err != nil || !bytes.Equal(config, j.Config) {
				t.Errorf("a config of %d bytes comes back with %d, error %v", n, len(config), err)
			}
			checkNothingPending(t, s)
		}
		put(t, s, Job{ID: 5, Record: large(1<<20, 0), Config: large(1<<20, 0)})
		if err := s.DeleteJob(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		checkEmpty(t, s)
	})
}

func TestTooLargeIsRefused(t *testing.T) {
	s := open(t, Options{})
	err := s.PutJob(t.Context(), Job{ID: 5, Record: make([]byte, chunkSize+1), Config: make([]byte, maxContent+1)})
	if err == nil || !strings.Contains(err.Error(), "config of job 5: 134217729 bytes are more than the 134217728") {
		t.Errorf("error is %v", err)
	}
	checkEmpty(t, s)
}

// checkEmpty checks that no key is left of any job.
func checkEmpty(t *testing.T, s *Store) {
	t.Helper()
	for _, family := range []byte("jcreksbp") {
		if n := count(t, s, family); n != 0 {
			t.Errorf("%d keys of family %c are left", n, family)
		}
	}
}

func TestFinish(t *testing.T) {
	for _, keep := range []bool{false, true} {
		s := open(t, Options{})
		put(t, s, Job{ID: 1, State: "RUNNING"}, Job{ID: 2})
		for _, job := range []int64{1, 2} {
			prepare(t, s, job, 1, 1)
			prepare(t, s, job, 2, 1)
		}
		if err := s.Finish(t.Context(), Job{ID: 1, State: "DONE", EndTime: at(1)}, keep); err != nil {
			t.Fatal(err)
		}
		if j, _, err := s.Job(t.Context(), 1); err != nil || j.State != "DONE" || !j.Ended {
			t.Errorf("job is %v, error %v", j, err)
		}
		want := 0
		if keep {
			want = 2
		}
		if got := len(infos(t, s, 1)); got != want {
			t.Errorf("keep %v: %d checkpoints, want %d", keep, got, want)
		}
		if got := len(infos(t, s, 2)); got != 2 {
			t.Errorf("%d checkpoints of the other job, want 2", got)
		}
	}
}

func TestDeleteJobLeavesNothing(t *testing.T) {
	eachPlace(t, func(t *testing.T, s *Store) {
		put(t, s, Job{ID: 1, Record: make([]byte, 200_000), Config: make([]byte, 200_000)})
		for epoch := uint64(1); epoch < 6; epoch++ {
			prepare(t, s, 1, 1, epoch)
			prepareSize(t, s, 1, 2, epoch, 300_000)
		}
		if err := s.Finish(t.Context(), Job{ID: 1, EndTime: at(3)}, true); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteJob(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		checkEmpty(t, s)
	})
}

func TestExpire(t *testing.T) {
	tests := []struct {
		name     string
		before   time.Time
		maxEnded int
		maxBytes int64
		want     []int64
	}{
		{"no limit", time.Time{}, 0, 0, []int64{4, 3, 2, 1}},
		{"by time", at(30), 0, 0, []int64{2, 1}},
		{"by count", time.Time{}, 1, 0, []int64{1}},
		{"by bytes", time.Time{}, 0, 250, []int64{2, 1}},
		{"the strictest counts", at(20), 3, 100, []int64{1}},
		{"all", at(99), 0, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, Options{})
			for id := int64(1); id <= 4; id++ {
				put(t, s, Job{ID: id, Ended: true, EndTime: at(50 - 10*id), Record: make([]byte, 60), Config: make([]byte, 40)})
			}
			put(t, s, Job{ID: 100, Record: make([]byte, 1000)})
			deleted, err := s.Expire(t.Context(), tt.before, tt.maxEnded, tt.maxBytes)
			if err != nil || deleted != 4-len(tt.want) {
				t.Errorf("deleted %d, error %v", deleted, err)
			}
			if diff := cmp.Diff(tt.want, ids64(list(t, s, true))); diff != "" {
				t.Error(diff)
			}
			if n := len(list(t, s, false)); n != 1 {
				t.Errorf("%d running jobs, want 1", n)
			}
		})
	}
}

func TestExpireMany(t *testing.T) {
	s := open(t, Options{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 250 {
				id := int64(w*250 + i)
				if err := s.PutJob(t.Context(), Job{ID: id, Ended: true, EndTime: at(id), Config: []byte("c")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	deleted, err := s.Expire(t.Context(), time.Time{}, 10, 0)
	if err != nil || deleted != 990 {
		t.Errorf("deleted %d, error %v; want 990", deleted, err)
	}
	if left := list(t, s, true); len(left) != 10 || left[0].ID != 990 {
		t.Errorf("left: %v", ids64(left))
	}
}

func TestStateSurvivesReopen(t *testing.T) {
	dir := t.TempDir()
	var want []Job
	for round := range int64(4) {
		s := open(t, Options{Dir: dir})
		if diff := cmp.Diff(want, list(t, s, false)); diff != "" {
			t.Errorf("round %d:\n%s", round, diff)
		}
		j := Job{ID: round, State: fmt.Sprint(round), Record: []byte("r")}
		put(t, s, j)
		want = append(want, j)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCanceledContext(t *testing.T) {
	s := open(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := s.Checkpoints(1)
	_, _, jobErr := s.Job(ctx, 1)
	_, latestErr := c.Latest(ctx, 1)
	errs := map[string]error{
		"PutJob": s.PutJob(ctx, Job{}), "Finish": s.Finish(ctx, Job{}, false), "DeleteJob": s.DeleteJob(ctx, 1),
		"Job": jobErr, "Prepare": c.Prepare(ctx, crashState(1, 1)), "Latest": latestErr, "DeleteAll": c.DeleteAll(ctx),
	}
	for name, err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s returned %v, want context.Canceled", name, err)
		}
	}
	checkEmpty(t, s)
}
