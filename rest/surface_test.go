package rest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/rest"
)

func TestLaterVersionsShapes(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{ContextPath: "/seatunnel/"})
	a := s.post("/seatunnel/submit-job", streamingJob)
	id, ok := at(t, s.ok(a), "jobId").(string)
	if !ok {
		t.Fatalf("submit-job = %s", a.body)
	}
	s.waitFor(id, "RUNNING")
	job := at(t, s.ok(s.get("/seatunnel/running-jobs")), 0)
	wantDAG := map[string]any{
		"jobId":         id,
		"pipelineEdges": map[string]any{"1": []any{map[string]any{"inputVertexId": "1", "targetVertexId": "2"}}},
		"envOptions":    map[string]any{"job.mode": "STREAMING", "checkpoint.interval": "5000", "job.name": "stream_job"},
		"vertexInfoMap": []any{
			map[string]any{"vertexId": json.Number("1"), "type": "source", "vertexName": "pipeline-1 [Source[0]-FakeSource]",
				"tablePaths": []any{"fake"}},
			map[string]any{"vertexId": json.Number("2"), "type": "sink", "vertexName": at(t, job, "jobDag", "vertexInfoMap", 1,
				"vertexName"),
				"tablePaths": []any{"fake"}}},
	}
	if diff := cmp.Diff(wantDAG, at(t, job, "jobDag")); diff != "" {
		t.Errorf("jobDag (-want +got):\n%s", diff)
	}
	if at(t, job, "envOptions", "job.mode") != "STREAMING" {
		t.Errorf("envOptions = %v", at(t, job, "envOptions"))
	}
	if metrics := at(t, job, "metrics").(map[string]any); len(metrics) != 16 {
		t.Errorf("%d metrics, want 16: %v", len(metrics), metrics)
	}
	if a := s.post("/seatunnel/stop-job", `{"jobId": `+id+`}`); at(t, s.ok(a), "jobId") != id {
		t.Errorf("stop-job = %s", a.body)
	}
	s.waitFor(id, "CANCELED")
	want := []string{"jobId", "jobName", "jobStatus", "errorMsg", "createTime", "finishTime", "jobDag", "pluginJarsUrls",
		"metrics"}
	if diff := cmp.Diff(want, keys(t, s.get("/seatunnel/job-info/"+id).body)); diff != "" {
		t.Errorf("finished job (-want +got):\n%s", diff)
	}
	if a := s.get("/running-jobs"); a.StatusCode != http.StatusNotFound {
		t.Errorf("outside of the context path: %d", a.StatusCode)
	}
}

func TestTagsAndOverview(t *testing.T) {
	s := serve(t, engine.Options{Tags: map[string]string{"node": "node1"}}, rest.Options{})
	id := s.submit("", streamingJob)
	s.waitFor(id, "RUNNING")
	slots := func(query string) string {
		o := s.ok(s.get(v1 + "/overview" + query)).(map[string]any)
		return o["totalSlot"].(string) + "/" + o["workers"].(string)
	}
	want := []string{"projectVersion", "gitCommitAbbrev", "totalSlot", "unassignedSlot", "runningJobs", "finishedJobs",
		"failedJobs", "cancelledJobs", "workers"}
	if diff := cmp.Diff(want, keys(t, s.get("/overview").body)); diff != "" {
		t.Errorf("overview (-want +got):\n%s", diff)
	}
	steps := []struct{ method, body, reply, query, slots string }{
		{"", "", "", "", "1/1"},
		{"", "", "", "?node=node1", "1/1"},
		{"", "", "", "?tag1=dev_1", "0/0"},
		{"PUT", `{"tag1":"dev_1","tag2":"dev_2", "n": 5, "none": null}`,
			`{"status":"success","message":"update node tags done."}`, "?tag1=dev_1&n=5", "1/1"},
		{"POST", `{}`, `{"status":"success","message":"update node tags done."}`, "?tag1=dev_1", "0/0"},
	}
	for _, step := range steps {
		if step.method != "" {
			if a := s.do(step.method, v1+"/update-tags", step.body); a.StatusCode != 200 || a.body != step.reply {
				t.Errorf("%s update-tags %s = %s", step.method, step.body, a.body)
			}
		}
		if got := slots(step.query); got != step.slots {
			t.Errorf("overview%s: slots/workers = %s, want %s", step.query, got, step.slots)
		}
	}
	if a := s.post("/update-tags", `{"a":"b"}`); a.body != `{"status":"success"}` {
		t.Errorf("V2 update-tags = %s", a.body)
	}
}

func TestLogs(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	id := s.submit("", batchJob)
	s.waitFor(id, "FINISHED")
	name := "job-" + id + ".log"
	for _, path := range []string{v1 + "/logs/" + name, v1 + "/log/" + name, "/logs/" + name, "/log/" + name} {
		a := s.get(path)
		if a.StatusCode != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") ||
			!strings.Contains(a.body, "checkpoint is disabled") {
			t.Errorf("%s = %d %s %q", path, a.StatusCode, a.Header.Get("Content-Type"), a.body)
		}
	}
	list := s.ok(s.get(v1 + "/logs/" + id + "?format=json"))
	if at(t, list, 0, "logName") != name {
		t.Errorf("logs = %v", list)
	}
	link := at(t, list, 0, "logLink").(string)
	if a := s.get(strings.TrimPrefix(link, s.url)); !strings.Contains(a.body, "checkpoint is disabled") {
		t.Errorf("%s = %d %s", link, a.StatusCode, a.body)
	}
	if a := s.get(v1 + "/logs"); !strings.Contains(a.body, `href="`+link+`"`) ||
		!strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("page = %s", a.body)
	}
	if a := s.get(v1 + "/log"); !strings.Contains(a.body, `href="log/`+name+`"`) {
		t.Errorf("page = %s", a.body)
	}
	if diff := cmp.Diff([]any{name}, s.ok(s.get(v1+"/get-all-log-name"))); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestThreads(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	s.submit("", streamingJob)
	dump := s.ok(s.get(v1 + "/thread-dump")).([]any)
	states := map[any]bool{}
	for i := range dump {
		states[at(t, dump, i, "threadState")] = true
		if at(t, dump, i, "threadName") == "" || at(t, dump, i, "stackTrace") == "" || at(t, dump, i, "threadId") == nil {
			t.Errorf("thread = %v", dump[i])
		}
	}
	if !states["RUNNABLE"] || !states["WAITING"] {
		t.Errorf("states = %v", states)
	}
	threads := s.ok(s.get("/running-threads")).([]any)
	for i := 1; i < len(threads); i++ {
		if at(t, threads, i-1, "threadName").(string) > at(t, threads, i, "threadName").(string) {
			t.Errorf("not sorted at %d: %v", i, threads)
		}
	}
}

func TestHazelcastPaths(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{Cluster: "prod"})
	member := at(t, s.ok(s.get("/hazelcast/rest/cluster")), "members", 0)
	if at(t, member, "localMember") != true || at(t, member, "address") == "" {
		t.Errorf("cluster = %v", member)
	}
	for path, want := range map[string]string{
		"/hazelcast/health": `{"nodeState":"ACTIVE","clusterState":"ACTIVE","clusterSafe":true,` +
			`"migrationQueueSize":0,"clusterSize":1}`,
		"/hazelcast/health/node-state":           `"ACTIVE"`,
		"/hazelcast/health/cluster-state":        `"ACTIVE"`,
		"/hazelcast/health/cluster-safe":         `true`,
		"/hazelcast/health/migration-queue-size": `0`,
		"/hazelcast/health/cluster-size":         `1`,
		"/hazelcast/health/ready":                `"READY"`,
	} {
		if a := s.get(path); a.StatusCode != 200 || a.body != want {
			t.Errorf("%s = %d %s", path, a.StatusCode, a.body)
		}
	}
	id := s.submit("", streamingJob)
	s.waitFor(id, "RUNNING")
	a := s.get("/hazelcast/rest/instance/metrics")
	for _, want := range []string{`job_count{cluster="prod",type="running"} 1.0`,
		`job_count{cluster="prod",type="cancelling"} 0.0`,
		`node_count{cluster="prod"} 1.0`, "process_cpu_seconds_total ",
		`culvert_job_rejected_rows_total{cluster="prod",job_id="` + id} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%q is missing in\n%s", want, a.body)
		}
	}
	if a := s.get("/hazelcast/rest/instance/openmetrics"); !strings.HasSuffix(a.body, "# EOF\n") {
		t.Errorf("openmetrics = %s", a.body)
	}
}

func TestClosingEngineTakesNoJob(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	if err := s.eng.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := s.get("/hazelcast/health/ready"); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("ready = %d %s", a.StatusCode, a.body)
	}
	if a := s.post(v1+"/submit-job?jobId=5", batchJob); a.StatusCode != http.StatusServiceUnavailable ||
		!strings.Contains(a.body, "closed") {
		t.Errorf("submit-job = %d %s", a.StatusCode, a.body)
	}
}

func TestDisabledGroups(t *testing.T) {
	for _, c := range []struct {
		off  rest.Group
		path map[string]int
	}{
		{rest.ClusterWrite, map[string]int{"POST " + v1 + "/submit-job": 403, "POST /stop-job": 403,
			"PUT " + v1 + "/update-tags":  403,
			"GET " + v1 + "/running-jobs": 200, "POST " + v1 + "/encrypt-config": 200, "GET /hazelcast/health": 200}},
		{rest.Data, map[string]int{"POST " + v1 + "/submit-job": 403, "GET " + v1 + "/running-jobs": 403,
			"GET /overview":         403,
			"GET /hazelcast/health": 200, "GET /hazelcast/rest/cluster": 200}},
		{rest.HealthCheck, map[string]int{"GET /hazelcast/health": 403, "GET " + v1 + "/running-jobs": 200}},
		{rest.ClusterRead, map[string]int{"GET /hazelcast/rest/cluster": 403, "GET " + v1 + "/running-jobs": 200}},
	} {
		s := serve(t, engine.Options{}, rest.Options{Disabled: []rest.Group{c.off}})
		for request, want := range c.path {
			method, path, _ := strings.Cut(request, " ")
			a := s.do(method, path, batchJob)
			if a.StatusCode != want || want == 403 && !strings.Contains(a.body, string(c.off)+" is disabled") {
				t.Errorf("without %s: %s = %d %s", c.off, request, a.StatusCode, a.body)
			}
		}
	}
}

func TestAuthentication(t *testing.T) {
	encode := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	none := rest.Auth(func(*http.Request) error { return errors.New("not today") })
	forbidden := rest.Auth(func(*http.Request) error { return &rest.Denied{Reason: "not you"} })
	for _, c := range []struct {
		name      string
		auth      rest.Auth
		header    string
		status    int
		challenge string
	}{
		{"basic", rest.Basic(map[string]string{"ann": "pw:1", "bob": "pw2"}), encode("ann:pw:1"), 200, ""},
		{"basic, another user", rest.Basic(map[string]string{"ann": "pw:1", "bob": "pw2"}), encode("bob:pw2"), 200, ""},
		{"basic, wrong password", rest.Basic(map[string]string{"ann": "pw"}), encode("ann:pw2"), 401, "Basic"},
		{"basic, shifted colon", rest.Basic(map[string]string{"ann": "x:pw"}), encode("ann:x:pw2"), 401, "Basic"},
		{"basic, nothing", rest.Basic(map[string]string{"ann": "pw"}), "", 401, "Basic"},
		{"basic, nobody", rest.Basic(nil), encode(":"), 401, "Basic"},
		{"bearer", rest.Bearer("t0ken", "other"), "bearer other", 200, ""},
		{"bearer, wrong", rest.Bearer("t0ken"), "Bearer t0ke", 401, "Bearer"},
		{"bearer, empty token", rest.Bearer(""), "Bearer ", 401, "Bearer"},
		{"bearer, basic sent", rest.Bearer("t0ken"), encode("t0ken:"), 401, "Bearer"},
		{"own", none, "", 401, ""},
		{"own, forbidden", forbidden, "", 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, engine.Options{}, rest.Options{Auth: c.auth})
			for _, path := range []string{v1 + "/running-jobs", "/hazelcast/rest/openapi.json", "/nowhere"} {
				req, err := http.NewRequest("GET", s.url+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if c.header != "" {
					req.Header.Set("Authorization", c.header)
				}
				a, err := s.send(req)
				if err != nil {
					t.Fatal(err)
				}
				status := c.status
				if status == 200 && path == "/nowhere" {
					status = 404
				}
				if a.StatusCode != status || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), c.challenge) {
					t.Errorf("%s = %d %v %s", path, a.StatusCode, a.Header, a.body)
				}
				if strings.Contains(a.body, "pw") || strings.Contains(a.body, "t0ken") {
					t.Errorf("a secret is in %s", a.body)
				}
			}
		})
	}
}

func TestBasePath(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{BasePath: "etl", ContextPath: "v2"})
	for path, want := range map[string]int{"/etl" + v1 + "/running-jobs": 200, "/etl/v2/running-jobs": 200,
		"/etl/hazelcast/health": 200, v1 + "/running-jobs": 404, "/v2/running-jobs": 404} {
		if a := s.get(path); a.StatusCode != want {
			t.Errorf("%s = %d %s", path, a.StatusCode, a.body)
		}
	}
}

func TestEnvSecretsAreMasked(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	id := s.submit("", edit(t, `"job.mode": "batch"`,
		`"job.mode": "batch", "spark.ssl.password": "hunter2", "custom_parameters": {"api_token": "hunter2"}`))
	s.waitFor(id, "FINISHED")
	if a := s.get("/job-info/" + id); strings.Contains(a.body, "hunter2") || !strings.Contains(a.body,
		`"spark.ssl.password":"******"`) {
		t.Errorf("job-info = %s", a.body)
	}
}
