package rest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/fake"
	"github.com/culvertdata/culvert/rest"
)

// fuzzHandler is a handler whose jobs do nothing for long.
func fuzzHandler(f *testing.F) http.Handler {
	f.Helper()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(fake.Plugins, blackhole.Plugins), HistoryJobs: 100})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { eng.Close(f.Context()) })
	return rest.Handler(eng, rest.Options{MaxBody: 1 << 20})
}

// judge fails on what no request may bring about: a 500, a body that is no JSON, an error without words.
func judge(t *testing.T, h http.Handler, r *http.Request) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code >= 500 {
		t.Errorf("%s %s = %d %s", r.Method, r.URL, w.Code, w.Body)
	}
	if w.Header().Get("Content-Type") != "application/json" {
		if w.Code != 200 {
			t.Errorf("%d is no JSON: %s", w.Code, w.Body)
		}
		return
	}
	if r.Method == "HEAD" {
		return
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s %s: %q is no JSON", r.Method, r.URL, w.Body)
	}
	if w.Code >= 400 {
		var failure struct{ Status, Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &failure); err != nil || failure.Status != "fail" || failure.Message == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func FuzzBody(f *testing.F) {
	h := fuzzHandler(f)
	const small = `{"env":{},"source":[{"plugin_name":"FakeSource","row.num":1,"schema":{"fields":{"a":"int"}}}],"sink":[{"plugin_name":"Blackhole"}]}`
	for _, body := range []string{"", "{}", "[]", small, "[" + small + "]", `{"jobId": 5 # x`, `{"jobId": "5", "isStopWithSavePoint": true}`,
		`[{"jobId":1}]`, "\xff", strings.Repeat("[", 2000), documentedEncrypt, `{"a":{"a":`} {
		for which := range 6 {
			f.Add(uint8(which), body)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		paths := []string{"/submit-job", "/submit-job?format=hocon", "/submit-jobs", "/stop-job", "/stop-jobs", "/encrypt-config", "/update-tags"}
		if tooMuch(body) {
			t.Skip()
		}
		judge(t, h, httptest.NewRequest("POST", v1+paths[int(which)%len(paths)], strings.NewReader(body)))
	})
}

// tooMuch reports a job that would run for long: big numbers of rows or splits, a stream.
func tooMuch(body string) bool {
	digits := 0
	for _, c := range body {
		if c < '0' || c > '9' {
			digits = 0
		} else if digits++; digits > 3 {
			return strings.Contains(strings.ToLower(body), "fake")
		}
	}
	return strings.Contains(strings.ToLower(body), "streaming") || strings.ContainsAny(body, "eE") && digits > 0
}

func FuzzPath(f *testing.F) {
	h := fuzzHandler(f)
	for _, path := range []string{"/", v1, v1 + "/running-job/5", v1 + "/running-job/%2e%2e/x", "/logs/..%2f..%2fetc%2fpasswd",
		"/log/job-5.log", "//", "/finished-jobs/%ff", v1 + "/finished-jobs/FINISHED///", "/hazelcast/health/ready/", "/%", "/job-info/-0"} {
		f.Add(uint8(0), path)
		f.Add(uint8(1), path)
	}
	f.Fuzz(func(t *testing.T, which uint8, path string) {
		u := &url.URL{Path: path}
		if p, err := url.PathUnescape(path); err == nil {
			u = &url.URL{Path: p, RawPath: path}
		}
		methods := []string{"GET", "POST", "PUT", "HEAD", "DELETE"}
		r := httptest.NewRequest(methods[int(which)%len(methods)], "/", strings.NewReader("{}"))
		r.URL = u
		judge(t, h, r)
	})
}

func FuzzQuery(f *testing.F) {
	h := fuzzHandler(f)
	for _, query := range []string{"", "jobId=5", "jobId=", "?", "a&b", "%zz=1", "jobName=%ff", "format=json;x=1", "isStartWithSavePoint=true&jobId=1",
		"jobId=1&jobId=2", "=", "&&", "format=html"} {
		for which := range 4 {
			f.Add(uint8(which), query)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, query string) {
		requests := []struct{ method, path, body string }{{"POST", v1 + "/submit-job", "{}"}, {"GET", v1 + "/overview", ""},
			{"GET", "/logs", ""}, {"GET", v1 + "/job-info/1", ""}}
		c := requests[int(which)%len(requests)]
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.URL.RawQuery, r.URL.ForceQuery = query, query == ""
		judge(t, h, r)
	})
}
