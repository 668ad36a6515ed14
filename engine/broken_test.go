package engine_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/engine/internal/store"
	"github.com/culvertdata/culvert/rest"
)

// TestUnreadableRecordBreaksNoList damages one of three ended jobs.
func TestUnreadableRecordBreaksNoList(t *testing.T) {
	dir := t.TempDir()
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: registry()})
	if err != nil {
		t.Fatal(err)
	}
	for id := range int64(3) {
		wait(t, submit(t, eng, batchJob, engine.SubmitOptions{ID: id + 1}))
	}
	closeEngine(t, eng)
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	damaged := store.Job{ID: 2, State: "FINISHED", Ended: true, EndTime: time.Now(), Record: []byte("\x01damaged")}
	if err := s.PutJob(t.Context(), damaged); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	eng = open(t, engine.Options{Dir: dir})
	var good, bad []int64
	for info, err := range eng.List(t.Context(), engine.Filter{}) {
		if err != nil {
			bad = append(bad, info.ID)
		} else {
			good = append(good, info.ID)
		}
	}
	if len(good) != 2 || len(bad) != 1 || bad[0] != 2 {
		t.Errorf("good = %v, bad = %v", good, bad)
	}
	for path, want := range map[string]string{
		"/finished-jobs": `"jobId":"2","jobName":"","jobStatus":"UNKNOWABLE","errorMsg":"the record of job 2 ` +
			`cannot be read`,
		"/finished-jobs/FINISHED": `"jobId":"3"`,
		"/logs":                   "job-2.log",
		"/overview":               `"finishedJobs":"3"`,
	} {
		w := httptest.NewRecorder()
		rest.Handler(eng, rest.Options{}).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s = %d %s", path, w.Code, w.Body)
		}
	}
}
