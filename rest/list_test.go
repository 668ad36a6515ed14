package rest_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/rest"
)

const tinyJob = `{"env": {"job.mode": "batch"}, "source": [{"plugin_name": "FakeSource", "row.num": 1,
"schema": {"fields": {"id": "bigint"}}}], "sink": [{"plugin_name": "Blackhole"}]}`

// crowd fills an engine with jobs that have ended and jobs that run.
func crowd(t testing.TB, s *server, ended, running int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	submit := func(text string) *engine.Job {
		job, err := s.eng.Submit(ctx, []byte(text), engine.SubmitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return job
	}
	const batch = 100
	for n := 0; n < ended; n += batch {
		var jobs []*engine.Job
		for range min(batch, ended-n) {
			jobs = append(jobs, submit(tinyJob))
		}
		for _, j := range jobs {
			if _, err := j.Wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range running {
		submit(streamingJob)
	}
}

func BenchmarkLists(b *testing.B) {
	const ended, running = 10_000, 1_000
	s := serve(b, engine.Options{}, rest.Options{})
	crowd(b, s, ended, running)
	handler := rest.Handler(s.eng, rest.Options{})
	for path, jobs := range map[string]int{"/running-jobs": running, "/finished-jobs": ended,
		"/finished-jobs/FINISHED": ended, "/get-all-log-name": ended + running} {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			for b.Loop() {
				w := &counter{header: http.Header{}}
				handler.ServeHTTP(w, httptest.NewRequest("GET", v1+path, nil))
				if w.jobs != jobs && !strings.HasSuffix(path, "name") {
					b.Fatalf("%d jobs, want %d", w.jobs, jobs)
				}
			}
		})
	}
}

// counter counts the jobs of an answer and keeps nothing.
type counter struct {
	header http.Header
	jobs   int
}

func (c *counter) Header() http.Header { return c.header }

func (c *counter) WriteHeader(int) {}

func (c *counter) Write(b []byte) (int, error) {
	c.jobs += bytes.Count(b, []byte(`"jobName":"`))
	return len(b), nil
}

func TestBigListsAreStreamed(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	const ended = 200
	crowd(t, s, ended, 3)
	a := s.get(v1 + "/finished-jobs")
	if jobs := s.ok(a).([]any); len(jobs) != ended || a.ContentLength >= 0 {
		t.Errorf("%d jobs, content length %d; want %d jobs in chunks", len(jobs), a.ContentLength, ended)
	}
	last := ""
	for _, job := range s.ok(a).([]any) {
		if end := at(t, job, "finishTime").(string); end < last {
			t.Errorf("%s comes after %s", end, last)
		} else {
			last = end
		}
	}
	if a := s.get(v1 + "/running-jobs"); len(s.ok(a).([]any)) != 3 || a.ContentLength < 0 {
		t.Errorf("a short list comes without its length: %v", a.Header)
	}
}
