package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is a log that can be read while it is written.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: o, Level: hclog.Info})
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// documented is the file of SeaTunnel's documentation.
const documented = `
hazelcast:
  cluster-name: prod
  network:
    rest-api:
      enabled: true
      endpoint-groups:
        CLUSTER_WRITE:
          enabled: true
        DATA:
          enabled: true
    join:
      tcp-ip:
        enabled: true
        member-list:
          - localhost
    port:
      auto-increment: true
      port-count: 100
      port: 5801
  properties:
    hazelcast.logging.type: log4j2
`

func TestDocumentedHazelcastFile(t *testing.T) {
	for name, text := range map[string]string{
		"with root":    documented,
		"without root": unindent(documented),
	} {
		t.Run(name, func(t *testing.T) {
			out := &output{}
			s, err := readSettings([]string{"-hazelcast", write(t, text)}, out.logger())
			if err != nil {
				t.Fatal(err)
			}
			want := []address{{host: "127.0.0.1", port: 5801, tries: 100}}
			if !slices.Equal(s.listen, want) || len(s.handler.Disabled) != 0 || s.handler.Cluster != "prod" {
				t.Errorf("settings = %+v", s)
			}
			if out.String() != "" {
				t.Errorf("warnings: %s", out)
			}
		})
	}
}

// unindent returns the documented file as it is printed in the documentation: without the name at the top.
func unindent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimPrefix(text, "\nhazelcast:\n")) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

func TestHazelcastFiles(t *testing.T) {
	for _, c := range []struct {
		name, text  string
		disabled    []rest.Group
		err, warned string
	}{
		{"groups are off by default", "network: {rest-api: {enabled: true}}", []rest.Group{rest.Data, rest.ClusterWrite},
			"", ""},
		{"reading only",
			"network: {rest-api: {enabled: true, endpoint-groups: {DATA: {enabled: true}, CLUSTER_WRITE: {enabled: false}}}}",
			[]rest.Group{rest.ClusterWrite}, "", ""},
		{"switched off", "network: {rest-api: {enabled: false}}", nil, "rest-api.enabled is not true", ""},
		{"empty", "", nil, "rest-api.enabled is not true", ""},
		{"port that is none", "network: {rest-api: {enabled: true}, port: {port: many}}", nil,
			`network.port.port must be a whole number from 0 to 65535, not "many"`, ""},
		{"flag that is none", "network: {rest-api: {enabled: maybe}}", nil, "rest-api.enabled", ""},
		{"broken", "network: [", nil, "file.yaml", ""},
		{"unknown options",
			"network: {rest-api: {enabled: true}, ssl: {enabled: true}}\nmap: {engine: {map-store: {enabled: true}}}",
			[]rest.Group{rest.Data, rest.ClusterWrite}, "", "network.ssl.enabled map.engine.map-store.enabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := &output{}
			s, err := readSettings([]string{"-hazelcast", write(t, c.text)}, out.logger())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error = %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.disabled, s.handler.Disabled); diff != "" {
				t.Errorf("disabled (-want +got):\n%s", diff)
			}
			for _, name := range strings.Fields(c.warned) {
				if strings.Count(out.String(), "option="+name+"\n") != 1 {
					t.Errorf("not one warning of %s in %s", name, out)
				}
			}
			if strings.Count(out.String(), "\n") != len(strings.Fields(c.warned)) {
				t.Errorf("warnings: %s", out)
			}
		})
	}
}

func TestSeaTunnelFile(t *testing.T) {
	out := &output{}
	s, err := readSettings([]string{"-listen", "0.0.0.0:1234", "-seatunnel", write(t, `
seatunnel:
  engine:
    history-job-expire-minutes: 60
    backup-count: 1
    queue-type: blockingqueue
    slot-service:
      dynamic-slot: true
    checkpoint:
      interval: 6000
      timeout: 7000
      storage:
        type: hdfs
        max-retained: 5
        plugin-config:
          namespace: /tmp/seatunnel/checkpoint_snapshot
    http:
      enable-http: true
      port: 8081
      context-path: /st
`)}, out.logger())
	if err != nil {
		t.Fatal(err)
	}
	e := s.engine
	if e.CheckpointInterval != 6*time.Second || e.CheckpointTimeout != 7*time.Second || e.CheckpointsKept != 5 ||
		e.HistoryAge != time.Hour {
		t.Errorf("engine = %+v", e)
	}
	if s.handler.ContextPath != "/st" || !slices.Equal(s.listen, []address{{"0.0.0.0", 1234, 1}, {"0.0.0.0", 8081, 1}}) {
		t.Errorf("handler = %+v, listen = %v", s.handler, s.listen)
	}
	for _, name := range strings.Fields("backup-count queue-type slot-service.dynamic-slot checkpoint.storage.type " +
		"checkpoint.storage.plugin-config.namespace") {
		if strings.Count(out.String(), "option="+name+"\n") != 1 {
			t.Errorf("not one warning of %s in %s", name, out)
		}
	}
	if _, err := readSettings([]string{"-seatunnel", write(t, "seatunnel: {engine: {checkpoint: {interval: -1}}}")},
		out.logger()); err == nil {
		t.Error("a negative interval was taken")
	}
}

func TestNextFreePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	if l, err := (address{"127.0.0.1", port, 1}).listen(); err == nil {
		l.Close()
		t.Error("a port was taken twice")
	}
	l, err := address{"127.0.0.1", port, 100}.listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := l.Addr().(*net.TCPAddr).Port; got <= port || got >= port+100 {
		t.Errorf("port %d after %d", got, port)
	}
}

// server is one that runs until stop.
type server struct {
	t    *testing.T
	out  *output
	url  string
	stop func()
}

func start(t *testing.T, data string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &server{t: t, out: &output{}}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-data", data}, s.out.logger()) }()
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	s.eventually("the server listens", func() bool {
		_, rest, ok := strings.Cut(s.out.String(), "listening: address=")
		address, _, _ := strings.Cut(rest, " ")
		s.url = "http://" + address
		return ok
	})
	return s
}

func (s *server) eventually(what string, ok func() bool) {
	s.t.Helper()
	timeout := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-timeout:
			s.t.Fatalf("not in 20 s: %s\n%s", what, s.out)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// call makes a request that must be answered with an object.
func (s *server) call(method, path, body string) map[string]any {
	s.t.Helper()
	text := s.text(method, path, body)
	v := map[string]any{}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		s.t.Fatalf("%s %s = %s (%v)", method, path, text, err)
	}
	return v
}

// text makes a request that must be answered with 200 and returns the answer.
func (s *server) text(method, path, body string) string {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("%s %s = %d %s (%v)", method, path, resp.StatusCode, text, err)
	}
	return string(text)
}

const stream = `{"env": {"job.mode": "STREAMING", "checkpoint.interval": 50}, "source": [{"plugin_name": "FakeSource",
"row.num": 1000000, "split.num": 100000, "split.read-interval": 5, "schema": {"fields": {"id": "bigint"}}}],
"sink": [{"plugin_name": "Blackhole", "password": "body-secret"}]}`

func TestJobsGoOnAtTheNextStart(t *testing.T) {
	data := t.TempDir()
	s := start(t, data)
	id := fmt.Sprint(s.call("POST", "/hazelcast/rest/maps/submit-job?jobName=query-secret", stream)["jobId"])
	written := func() string {
		m, _ := s.call("GET", "/hazelcast/rest/maps/job-info/"+id, "")["metrics"].(map[string]any)
		return fmt.Sprint(m["sinkWriteCount"])
	}
	s.eventually("rows are written", func() bool { return len(written()) > 2 })
	s.stop()
	log := s.out.String()
	if !strings.Contains(log, "path=/hazelcast/rest/maps/submit-job status=200") || !strings.Contains(log, "stopping") {
		t.Errorf("log = %s", log)
	}
	if strings.Contains(log, "secret") {
		t.Errorf("a secret is in the log: %s", log)
	}

	s = start(t, data)
	defer s.stop()
	s.eventually("the job goes on", func() bool {
		info := s.call("GET", "/hazelcast/rest/maps/job-info/"+id, "")
		return info["jobStatus"] == "RUNNING" && info["jobName"] == "query-secret" && len(written()) > 2
	})
	s.call("POST", "/hazelcast/rest/maps/stop-job", `{"jobId": `+id+`}`)
	s.eventually("the job is canceled", func() bool {
		return s.call("GET", "/hazelcast/rest/maps/job-info/"+id, "")["jobStatus"] == "CANCELED"
	})
}
