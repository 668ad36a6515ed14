package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/assert"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/console"
	"github.com/culvertdata/culvert/plugin/fake"
	"github.com/culvertdata/culvert/plugin/file"
	"github.com/culvertdata/culvert/plugin/transform"
	"github.com/culvertdata/culvert/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const v1 = "/hazelcast/rest/maps"

// server is a handler on a port, with its engine.
type server struct {
	t   testing.TB
	eng *engine.Engine
	url string
	// client keeps no connection after the test.
	client *http.Client
}

// serve starts a server that ends with the test. More plugins may be added to those of the module.
func serve(t testing.TB, eo engine.Options, o rest.Options, more ...plugin.Set) *server {
	t.Helper()
	if eo.Plugins == nil {
		sets := append([]plugin.Set{fake.Plugins, console.To(io.Discard), blackhole.Plugins, assert.Plugins, file.Plugins,
			transform.Plugins}, more...)
		eo.Plugins = plugin.NewRegistry(sets...)
	}
	eng, err := engine.Open(eo)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(rest.Handler(eng, o))
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := eng.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return &server{t, eng, s.URL, &http.Client{Transport: transport, CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

// do sends a request as curl would: the path goes out as it is written.
func (s *server) do(method, path, body string) answer {
	s.t.Helper()
	a, err := s.try(method, path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *server) try(method, path, body string) (answer, error) {
	req, err := http.NewRequest(method, s.url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	raw, query, found := strings.Cut(path, "?")
	req.URL.Opaque = strings.TrimPrefix(s.url, "http:") + raw
	req.URL.RawQuery, req.URL.ForceQuery = query, found
	return s.send(req)
}

func (s *server) send(req *http.Request) (answer, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp, string(body)}, err
}

func (s *server) get(path string) answer { s.t.Helper(); return s.do("GET", path, "") }

func (s *server) post(path, body string) answer { s.t.Helper(); return s.do("POST", path, body) }

// ok returns the decoded answer of a request that succeeds.
func (s *server) ok(a answer) any {
	s.t.Helper()
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/json" {
		s.t.Fatalf("%s %s = %d %s %s", a.Request.Method, a.Request.URL, a.StatusCode, a.Header.Get("Content-Type"), a.body)
	}
	return decode(s.t, a.body)
}

// decode reads JSON with numbers as they are written.
func decode(t testing.TB, text string) any {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %.500s", err, text)
	}
	if d.More() {
		t.Fatalf("more than one value in %.500s", text)
	}
	return v
}

// at follows keys and indexes into decoded JSON.
func at(t testing.TB, v any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("no object at %q of %v: %v", p, path, v)
			}
			v = m[p]
		case int:
			l, ok := v.([]any)
			if !ok || p >= len(l) {
				t.Fatalf("no element %d of %v: %v", p, path, v)
			}
			v = l[p]
		}
	}
	return v
}

// keys returns the members of the first object in a text, in order.
func keys(t testing.TB, text string) []string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text[strings.IndexByte(text, '{'):]))
	var names []string
	for depth, key := 0, false; ; {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			key = depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			if depth--; depth == 0 {
				return names
			}
		default:
			if depth == 1 && key {
				names = append(names, token.(string))
				key = false
				continue
			}
		}
		key = depth == 1
	}
}

// submit starts a job and returns its id.
func (s *server) submit(query, body string) string {
	s.t.Helper()
	return fmt.Sprint(at(s.t, s.ok(s.post(v1+"/submit-job"+query, body)), "jobId"))
}

// waitFor waits until a job has a state and returns its object.
func (s *server) waitFor(id, state string) map[string]any {
	s.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		info := s.ok(s.get(v1 + "/job-info/" + id)).(map[string]any)
		if info["jobStatus"] == state {
			return info
		}
		select {
		case <-timeout:
			s.t.Fatalf("job %s is %v after 30 s, not %s: %v", id, info["jobStatus"], state, info["errorMsg"])
		case <-time.After(time.Millisecond):
		}
	}
}

const batchJob = `{
"env": {"job.mode": "batch", "job.name": "batch_job"},
"source": [{"plugin_name": "FakeSource", "result_table_name": "fake", "row.num": 100,
  "schema": {"fields": {"name": "string", "age": "int", "card": "int"}}}],
"transform": [],
"sink": [{"plugin_name": "Console", "source_table_name": ["fake"]}]
}`

const streamingJob = `{
"env": {"job.mode": "STREAMING", "checkpoint.interval": 5000, "job.name": "stream_job"},
"source": [{"plugin_name": "FakeSource", "result_table_name": "fake", "row.num": 10, "split.num": 10,
  "split.read-interval": 600000, "schema": {"fields": {"name": "string", "age": "int"}}}],
"sink": [{"plugin_name": "Blackhole", "source_table_name": "fake"}]
}`

// compact returns JSON without white space.
func compact(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
