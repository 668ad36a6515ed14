package rest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/rest"
)

// documentedSubmit is the body in SeaTunnel's documentation, white space included.
const documentedSubmit = `{
    "env": {
        "job.mode": "batch"
    },
    "source": [
        {
            "plugin_name": "FakeSource",
            "result_table_name": "fake",
            "row.num": 100,
            "schema": {
                "fields": {
                    "name": "string",
                    "age": "int",
                    "card": "int"
                }
            }
        }
    ],
    "transform": [
    ],
    "sink": [
        {
            "plugin_name": "Console",
            "source_table_name": ["fake"]
        }
    ]
}`

func TestSubmitAndListAsDocumented(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	a := s.post(v1+"/submit-job?jobName=rest_api_test", documentedSubmit)
	reply := s.ok(a).(map[string]any)
	id, ok := reply["jobId"].(json.Number)
	if !ok || reply["jobName"] != "rest_api_test" || len(reply) != 2 || len(id) < 17 {
		t.Fatalf("submit-job = %s", a.body)
	}
	s.waitFor(id.String(), "FINISHED")
	for _, path := range []string{"/finished-jobs", "/finished-jobs/", "/finished-jobs/FINISHED",
		"/finished-jobs/finished"} {
		a := s.get(v1 + path)
		want := []string{"jobId", "jobName", "jobStatus", "errorMsg", "createTime", "finishTime", "jobDag", "metrics"}
		if diff := cmp.Diff(want, keys(t, a.body)); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", path, diff)
		}
		job := at(t, s.ok(a), 0).(map[string]any)
		if job["jobId"] != id.String() || job["jobStatus"] != "FINISHED" || job["errorMsg"] != nil {
			t.Errorf("%s = %s", path, a.body)
		}
		if at(t, job, "jobDag", "jobId") != id || at(t, job, "jobDag", "vertexInfoMap", "1",
			"connectorType") != "pipeline-1 [Source[0]-FakeSource]" {
			t.Errorf("%s: jobDag = %v", path, job["jobDag"])
		}
		for _, name := range []string{"sourceReceivedCount", "sinkWriteCount", "SourceReceivedCount", "SinkWriteCount"} {
			if got := at(t, job, "metrics", name); got != "100" {
				t.Errorf("%s: %s = %v", path, name, got)
			}
		}
		if at(t, job, "metrics", "TableSinkWriteCount", "fake") != "100" {
			t.Errorf("%s: metrics = %v", path, job["metrics"])
		}
	}
	for _, state := range []string{"CANCELED", "FAILED", "UNKNOWABLE", "SAVEPOINT_DONE"} {
		if a := s.get(v1 + "/finished-jobs/" + state); strings.TrimSpace(a.body) != "[]" {
			t.Errorf("%s = %s", state, a.body)
		}
	}
}

func TestRunningJobAsDocumented(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	id := s.submit("", streamingJob)
	s.waitFor(id, "RUNNING")
	for _, path := range []string{"/running-jobs", "/running-job/" + id, "/job-info/" + id + "/"} {
		a := s.get(v1 + path)
		want := []string{"jobId", "jobName", "jobStatus", "envOptions", "createTime", "jobDag", "pluginJarsUrls",
			"isStartWithSavePoint", "metrics"}
		if diff := cmp.Diff(want, keys(t, strings.TrimPrefix(a.body, "["))); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", path, diff)
		}
		job := s.ok(a)
		if list, ok := job.([]any); ok {
			job = list[0]
		}
		want1 := map[string]any{"job.mode": "STREAMING", "checkpoint.interval": "5000", "job.name": "stream_job"}
		if diff := cmp.Diff(want1, at(t, job, "envOptions")); diff != "" {
			t.Errorf("%s: envOptions (-want +got):\n%s", path, diff)
		}
		if at(t, job, "jobId") != id || at(t, job, "jobDag", "vertices", 0, "name") != "Source[0]-FakeSource(id=1)" ||
			at(t, job, "jobDag", "edges", 0, "inputVertex") != "Source[0]-FakeSource" || at(t, job,
			"isStartWithSavePoint") != false {
			t.Errorf("%s = %s", path, a.body)
		}
	}
	// The comment is in the documentation, too.
	stop := "{\n    \"jobId\": " + id + ",\n    \"isStopWithSavePoint\": false # if job is stopped with save point\n}"
	if a := s.post(v1+"/stop-job", stop); at(t, s.ok(a), "jobId") != json.Number(id) {
		t.Errorf("stop-job = %s", a.body)
	}
	s.waitFor(id, "CANCELED")
	if got := at(t, s.ok(s.get(v1+"/finished-jobs/CANCELED")), 0, "jobId"); got != id {
		t.Errorf("canceled = %v", got)
	}
}

const documentedEncrypt = `{
    "env": {
        "parallelism": 1,
        "shade.identifier":"base64"
    },
    "source": [
        {
            "plugin_name": "MySQL-CDC",
            "schema" : {
                "fields": {
                    "name": "string",
                    "age": "int"
                }
            },
            "result_table_name": "fake",
            "parallelism": 1,
            "hostname": "127.0.0.1",
            "username": "seatunnel",
            "password": "seatunnel_password",
            "table-name": "inventory_vwyw0n"
        }
    ],
    "transform": [
    ],
    "sink": [
        {
            "plugin_name": "Clickhouse",
            "host": "localhost:8123",
            "database": "default",
            "table": "fake_all",
            "username": "seatunnel",
            "password": "seatunnel_password"
        }
    ]
}`

func TestEncryptConfigAsDocumented(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	a := s.post(v1+"/encrypt-config", documentedEncrypt)
	s.ok(a)
	want := strings.NewReplacer(`"seatunnel"`, `"c2VhdHVubmVs"`, `"seatunnel_password"`, `"c2VhdHVubmVsX3Bhc3N3b3Jk"`).
		Replace(documentedEncrypt)
	if diff := cmp.Diff(compact(t, want), compact(t, a.body)); diff != "" {
		t.Errorf("encrypt-config (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("bytes that are no secret changed (-want +got):\n%s", diff)
	}
}

func TestSystemMonitoringAsDocumented(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	a := s.get(v1 + "/system-monitoring-information")
	s.ok(a)
	want := strings.Fields(documentedKeys)
	if diff := cmp.Diff(want, keys(t, a.body)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append([]string{"isMaster", "host", "port"}, want...), keys(t,
		s.get("/system-monitoring-information").body)); diff != "" {
		t.Errorf("V2 keys (-want +got):\n%s", diff)
	}
}

const documentedKeys = `processors physical.memory.total physical.memory.free swap.space.total swap.space.free
heap.memory.used heap.memory.free heap.memory.total heap.memory.max heap.memory.used/total heap.memory.used/max
minor.gc.count minor.gc.time major.gc.count major.gc.time load.process load.system load.systemAverage
thread.count thread.peakCount cluster.timeDiff event.q.size executor.q.async.size executor.q.client.size
executor.q.client.query.size executor.q.client.blocking.size executor.q.query.size executor.q.scheduled.size
executor.q.io.size executor.q.system.size executor.q.operations.size executor.q.priorityOperation.size
operations.completed.count executor.q.mapLoad.size executor.q.mapLoadAllKeys.size executor.q.cluster.size
executor.q.response.size operations.running.count operations.pending.invocations.percentage
operations.pending.invocations.count proxy.count clientEndpoint.count connection.active.count
client.connection.count connection.count`

func TestUTF8NamesSurvive(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	a := s.post(v1+"/submit-job?jobName=param_test%E6%B5%8B%E8%AF%95", batchJob)
	if at(t, s.ok(a), "jobName") != "param_test测试" {
		t.Errorf("submit-job = %s", a.body)
	}
	id := s.submit("", strings.Replace(batchJob, "batch_job", "test测试", 1))
	if got := s.waitFor(id, "FINISHED")["jobName"]; got != "test测试" {
		t.Errorf("jobName = %v", got)
	}
}

func TestSavepointOverREST(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	const id = "862969647010611201"
	if got := s.submit("?jobId="+id, streamingJob); got != id {
		t.Fatalf("jobId = %s", got)
	}
	s.waitFor(id, "RUNNING")
	again := s.post(v1+"/submit-job?jobId="+id+"&jobName=other", batchJob)
	if at(t, s.ok(again), "jobId") != json.Number(id) || at(t, s.ok(again), "jobName") != "other" ||
		again.Header.Get("Warning") == "" {
		t.Errorf("a second submit = %s", again.body)
	}
	s.ok(s.post(v1+"/stop-job", `{"jobId": "`+id+`", "isStopWithSavePoint": "true"}`))
	s.waitFor(id, "SAVEPOINT_DONE")
	if a := s.post(v1+"/submit-job?jobId="+id, streamingJob); a.StatusCode != 409 ||
		!strings.Contains(a.body, "The job id "+id+" has already been submitted and is not starting with a savepoint.") {
		t.Errorf("submit of a used id = %d %s", a.StatusCode, a.body)
	}
	if got := s.submit("?jobId="+id+"&isStartWithSavePoint=TRUE", streamingJob); got != id {
		t.Errorf("jobId = %s", got)
	}
	if got := s.waitFor(id, "RUNNING")["isStartWithSavePoint"]; got != true {
		t.Errorf("isStartWithSavePoint = %v", got)
	}
}

func TestManyJobsAtOnce(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	one := strings.TrimSuffix(streamingJob, "}") + `, "params": {"jobId": "862969647010611201", "jobName": "one"}}`
	two := strings.TrimSuffix(streamingJob,
		"}") + `, "params": {"jobId": "862969647010611200", "jobName": "two", "isStartWithSavePoint": "true"}}`
	a := s.post(v1+"/submit-jobs", "["+one+","+two+"]")
	want := `[{"jobId":"862969647010611201","jobName":"one"},{"jobId":"862969647010611200","jobName":"two"}]`
	if s.ok(a); a.body != want {
		t.Errorf("submit-jobs = %s", a.body)
	}
	s.waitFor("862969647010611201", "RUNNING")
	a = s.post("/stop-jobs",
		`[{"jobId": 862969647010611201, "isStopWithSavePoint": false}, {"jobId": "862969647010611200"}]`)
	if s.ok(a); a.body != `[{"jobId":862969647010611201},{"jobId":862969647010611200}]` {
		t.Errorf("stop-jobs = %s", a.body)
	}
	s.waitFor("862969647010611200", "CANCELED")
}

func TestHOCON(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	id := s.submit("?format=hocon", `
env { job.mode = BATCH, job.name = hocon_job } # a comment
source { FakeSource { row.num = 7, schema { fields { id = bigint } } } }
sink { Blackhole { } }`)
	info := s.waitFor(id, "FINISHED")
	if info["jobName"] != "hocon_job" || at(t, info, "metrics", "SinkWriteCount") != "7" {
		t.Errorf("job = %v", info)
	}
}

// TestEncryptedConfigRuns submits what encrypt-config answered; the job finds its file by the decrypted path option.
func TestEncryptedConfigRuns(t *testing.T) {
	seen := make(chan string, 1)
	dir := t.TempDir()
	s := serve(t, engine.Options{Dir: dir}, rest.Options{}, vault(seen))
	const secret = "hunter2-hunter2"
	job := `{"env": {"job.mode": "BATCH", "shade.identifier": "base64"}, "source": [{"plugin_name": "FakeSource",
"schema": {"fields": {"id": "bigint"}}}],
"sink": [{"plugin_name": "Vault", "api_key": "` + secret + `", "password": "p"}]}`
	encrypted := s.post(v1+"/encrypt-config", job)
	s.ok(encrypted)
	if strings.Contains(encrypted.body, secret) {
		t.Fatalf("encrypt-config = %s", encrypted.body)
	}
	s.waitFor(s.submit("", encrypted.body), "FINISHED")
	if got := <-seen; got != secret {
		t.Errorf("the sink got %q", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
}
