package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/rest"
)

// edit returns the batch job with one piece replaced.
func edit(t *testing.T, old, new string) string {
	t.Helper()
	if !strings.Contains(batchJob, old) {
		t.Fatalf("the batch job has no %s", old)
	}
	return strings.Replace(batchJob, old, new, 1)
}

func TestBadInput(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	deep := `{"env": {}, "source": ` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`
	big := `{"env": {"x": "` + strings.Repeat("x", 9<<20) + `"}}`
	const submit, stop, encrypt = v1 + "/submit-job", v1 + "/stop-job", v1 + "/encrypt-config"
	for _, c := range []struct {
		name, path, body string
		status           int
		says             []string
	}{
		{"empty body", submit, "", 400, []string{"Request body is empty."}},
		{"blank body", submit, " \n ", 400, []string{"Request body is empty."}},
		{"empty body, encrypt", encrypt, "", 400, []string{"Request body is empty."}},
		{"empty body, stop", stop, "", 400, []string{"Request body is empty."}},
		{"empty body, tags", v1 + "/update-tags", "", 400, []string{"Request body is empty."}},
		{"broken JSON", submit, `{"env": {`, 400, []string{"Invalid JSON format in request body.", "1:9"}},
		{"broken JSON, encrypt", encrypt, `{"env": {]`, 400, []string{"Invalid JSON format in request body."}},
		{"broken JSON, stop", stop, `{"jobId" 5`, 400, []string{"Invalid JSON format in request body."}},
		{"no object", submit, `[1, 2]`, 400, []string{"Invalid JSON", "must be an object"}},
		{"no object, encrypt", encrypt, `"text"`, 400, []string{"must be an object"}},
		{"no object, stop", stop, `[1]`, 400, []string{"must be an object"}},
		{"no list", v1 + "/submit-jobs", `{}`, 400, []string{"must be a list"}},
		{"no list, stop", v1 + "/stop-jobs", `{}`, 400, []string{"must be a list"}},
		{"element of a list", v1 + "/submit-jobs", `[1]`, 400, []string{"job 1 of 1", "must be an object",
			"nothing was started"}},
		{"9 MiB", submit, big, 413, []string{"8388608"}},
		{"9 MiB, encrypt", encrypt, big, 413, []string{"8388608"}},
		{"deep", submit, deep, 400, []string{"nested"}},
		{"deep, encrypt", encrypt, deep, 400, []string{"nested"}},
		{"deep, stop", stop, deep, 400, []string{"nested"}},
		{"deep, list", v1 + "/submit-jobs", "[" + deep + "]", 400, []string{"nested"}},
		{"invalid UTF-8", submit, edit(t, "batch_job", "batch\xff"), 400, []string{"0xff is not UTF-8", "2:"}},
		{"invalid UTF-8, stop", stop, "{\"jobId\": \"\xff\"}", 400, []string{"UTF-8"}},
		{"duplicate keys", submit, edit(t, `"transform": []`, `"env": {}`), 400, []string{`"env" is there already`}},
		{"duplicate keys, encrypt", encrypt, edit(t, `"transform": []`, `"env": {}`), 400,
			[]string{`"env" is there already`}},
		{"no source", submit, `{"env": {}, "sink": [{"plugin_name": "Console"}]}`, 400, []string{"Miss <Source> config!"}},
		{"empty source", submit, edit(t, `"source": [{`, `"source": [], "x": [{`), 400,
			[]string{"Miss <Source> config! Please check the config file."}},
		{"empty sink", submit, edit(t, `"sink": [{`, `"sink": [], "x": [{`), 400,
			[]string{"Miss <Sink> config! Please check the config file."}},
		{"empty sink, encrypt", encrypt, edit(t, `"sink": [{`, `"sink": [], "x": [{`), 400, []string{"Miss <Sink> config!"}},
		{"source object", submit, edit(t, `"source": [{`, `"source": {"a": 1}, "x": [{`), 400, []string{"source"}},
		{"unknown source", submit, edit(t, "FakeSource", "FakeSauce"), 400, []string{"FakeSauce", "FakeSource"}},
		{"unknown sink", submit, edit(t, "Console", "Kafka"), 400, []string{"Kafka", "Blackhole", "Console", "LocalFile"}},
		{"plugin_name missing", submit, edit(t, `"plugin_name": "Console", `, ""), 400, []string{"sink[0]", "plugin_name"}},
		{"unknown mode", submit, edit(t, `"job.mode": "batch"`, `"job.mode": "fast"`), 400, []string{"job.mode", "BATCH",
			"STREAMING"}},
		{"wrong types", submit, edit(t, `"row.num": 100`, `"row.num": "many", "split.num": {}`), 400, []string{"row.num",
			"split.num", "many"}},
		{"out of range", submit, edit(t, `"row.num": 100`, `"row.num": -1`), 400, []string{"row.num", "-1"}},
		{"missing option", submit, edit(t, `"Console"`, `"LocalFile"`), 400, []string{"path", "required"}},
		{"unknown type", submit, edit(t, `"age": "int"`, `"age": "integr"`), 400, []string{"age", "integr"}},
		{"several problems", submit, edit(t, `"row.num": 100`, `"row.num": "x", "split.num": "y", "map.size": "z"`), 400,
			[]string{"row.num", "split.num", "map.size"}},
		{"unknown table", submit, edit(t, `}],
"transform": []`, `}, {"plugin_name": "FakeSource", "result_table_name": "b", "schema": {"fields": {"a": "int"}}}],
"transform": [{"plugin_name": "Copy", "source_table_name": "nowhere", "result_table_name": "c",
"fields": {"d": "a"}}]`), 400,
			[]string{"source/transform[nowhere] is not found"}},
		{"unknown shade", submit, edit(t, `"job.mode": "batch"`, `"shade.identifier": "rot13"`), 400, []string{"rot13",
			"default", "base64"}},
		{"unknown shade, encrypt", encrypt, edit(t, `"job.mode": "batch"`, `"shade.identifier": "rot13"`), 400,
			[]string{"rot13", "base64"}},
		{"jobId is a text", submit + "?jobId=abc", batchJob, 400, []string{`For input string: "abc"`}},
		{"jobId too large", submit + "?jobId=92233720368547758080", batchJob, 400, []string{"For input string"}},
		{"jobId is negative", submit + "?jobId=-5", batchJob, 400, []string{"above 0"}},
		{"jobId is 0", submit + "?jobId=0", batchJob, 400, []string{"above 0"}},
		{"savepoint without id", submit + "?isStartWithSavePoint=true", batchJob, 400,
			[]string{"Please provide jobId when start with save point."}},
		{"savepoint flag", submit + "?isStartWithSavePoint=ja", batchJob, 400,
			[]string{"isStartWithSavePoint must be true or false"}},
		{"format", submit + "?format=sql", batchJob, 400, []string{"sql", "json or hocon"}},
		{"misspelt parameter", submit + "?jobid=5", batchJob, 400, []string{"jobid", "jobId"}},
		{"query without value", submit + "?a", batchJob, 400, []string{"Invalid Params format in Params."}},
		{"query with empty value", submit + "?jobName=", batchJob, 400, []string{"Invalid Params format in Params."}},
		{"bare question mark", submit + "?", batchJob, 400, []string{"Invalid Params format in Params."}},
		{"query without name", submit + "?=5", batchJob, 400, []string{"Invalid Params format in Params."}},
		{"query garbage", submit + "?%zz=%", batchJob, 400, []string{"Invalid Params format in Params."}},
		{"ampersands", submit + "?&&&", batchJob, 400, []string{"Invalid Params format in Params."}},
		{"stop without id", stop, `{"isStopWithSavePoint": true}`, 400, []string{"jobId cannot be empty."}},
		{"stop of null", stop, `{"jobId": null}`, 400, []string{"jobId cannot be empty."}},
		{"stop of a text", stop, `{"jobId": "abc"}`, 400, []string{`For input string: "abc"`}},
		{"stop of a fraction", stop, `{"jobId": 1.5}`, 400, []string{`For input string: "1.5"`}},
		{"stop of a list", stop, `{"jobId": [1]}`, 400, []string{"whole number, not a list"}},
		{"stop with a flag that is none", stop, `{"jobId": 1, "isStopWithSavePoint": "maybe"}`, 400,
			[]string{"true or false"}},
		{"stop-jobs with one bad", v1 + "/stop-jobs", `[{"jobId": 1}, {}]`, 400, []string{"element 2",
			"jobId cannot be empty.", "nothing was stopped"}},
		{"unknown path", v1 + "/submit-jobb", batchJob, 404, []string{"no such path", "openapi.json"}},
		{"longer path", v1 + "/submit-job/5", batchJob, 404, []string{"no such path"}},
		{"double slash", v1 + "//submit-job", batchJob, 404, []string{"no such path"}},
		{"root", "/", batchJob, 404, []string{"no such path"}},
		{"GET only", v1 + "/running-jobs", batchJob, 405, []string{"GET"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.post(c.path, c.body)
			if a.StatusCode != c.status || a.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %s, want %d: %s", a.StatusCode, a.Header.Get("Content-Type"), c.status, a.body)
			}
			failure, ok := decode(t, a.body).(map[string]any)
			if !ok || failure["status"] != "fail" || len(failure) != 2 {
				t.Fatalf("body = %s", a.body)
			}
			for _, says := range c.says {
				if !strings.Contains(fmt.Sprint(failure["message"]), says) {
					t.Errorf("%q is missing in: %s", says, failure["message"])
				}
			}
		})
	}
	for info, err := range s.eng.List(t.Context(), engine.Filter{}) {
		t.Errorf("job %d was started (%v)", info.ID, err)
	}
}

func TestBadReads(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		v1 + "/running-job/abc":             {400, `For input string: \"abc\"`},
		v1 + "/running-job/":                {400, "The jobId must not be empty."},
		v1 + "/job-info":                    {400, "The jobId must not be empty."},
		"/job-info/":                        {400, "The jobId must not be empty."},
		v1 + "/job-info/1%2F2":              {400, "For input string"},
		v1 + "/job-info/%00":                {400, "For input string"},
		v1 + "/job-info/123?x=1":            {200, `{"jobId":"123"}`},
		v1 + "/running-job/123":             {200, `{"jobId":"123"}`},
		v1 + "/job-info/123/":               {200, `{"jobId":"123"}`},
		v1 + "/finished-jobs/NONSENSE":      {200, "[]"},
		v1 + "/finished-jobs/RUNNING":       {200, "[]"},
		v1 + "/running-jobs///":             {200, "[]"},
		v1 + "/submit-job":                  {405, "POST"},
		v1 + "/overview?%zz":                {400, "Invalid Params"},
		v1 + "/logs/job-1.log":              {400, "there is no log"},
		v1 + "/logs/..%2f..%2fetc%2fpasswd": {200, "<ul>\n</ul>"},
		v1 + "/logs/..%2f..%2fetc.log":      {400, "there is no log"},
		v1 + "/log/%2e%2e%2fserver.log":     {400, "there is no log"},
		v1 + "/log/..%5cjob-1.log":          {400, "there is no log"},
		v1 + "/log/job-01.log":              {400, "there is no log"},
		v1 + "/log/passwd":                  {400, "there is no log"},
		v1 + "/log/../../../etc/passwd":     {404, "no such path"},
		v1 + "/logs?format=xml":             {400, "json or html"},
		"/hazelcast/rest/maps":              {404, "no such path"},
		"/hazelcast/rest/maps/x/y":          {404, "no such path"},
		"/hazelcast/health/nothing":         {404, "no such path"},
	} {
		a := s.get(path)
		if a.StatusCode != want.status || !strings.Contains(a.body, want.says) {
			t.Errorf("%s = %d %s, want %d %s", path, a.StatusCode, a.body, want.status, want.says)
		}
	}
}

func TestMethods(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"PUT", v1 + "/submit-job", 200, ""},
		{"POST", "/submit-job", 200, ""},
		{"PUT", "/submit-job", 405, "POST"},
		{"DELETE", v1 + "/submit-job", 405, "POST, PUT"},
		{"HEAD", v1 + "/running-jobs", 200, ""},
		{"HEAD", v1 + "/system-monitoring-information", 200, ""},
		{"PUT", v1 + "/running-jobs", 405, "GET, HEAD"},
		{"OPTIONS", v1 + "/overview", 405, "GET, HEAD"},
	} {
		a := s.do(c.method, c.path, batchJob)
		if a.StatusCode != c.status || a.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s = %d, Allow %q; want %d, %q: %s", c.method, c.path, a.StatusCode, a.Header.Get("Allow"),
				c.status, c.allow, a.body)
		}
	}
}

func TestStopOfWhatDoesNotRunIsNoError(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	id := s.submit("", batchJob)
	s.waitFor(id, "FINISHED")
	for _, stop := range []string{`{"jobId": ` + id + `}`, `{"jobId": "123", "isStopWithSavePoint": true}`} {
		a := s.post(v1+"/stop-job", stop)
		if s.ok(a); !strings.Contains(a.Header.Get("Warning"), "is not running") {
			t.Errorf("stop of %s: %v %s", stop, a.Header, a.body)
		}
	}
}

func TestABrokenJobAmongMany(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	good := strings.TrimSuffix(batchJob, "}") + `, "params": {"jobId": "41"}}`
	bad := strings.Replace(strings.Replace(good, "Console", "Nothing", 1), "41", "42", 1)
	a := s.post(v1+"/submit-jobs", "["+good+","+bad+"]")
	for _, want := range []string{"job 2 of 2", "Nothing", "the jobs before it were started: 41"} {
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, want) {
			t.Errorf("%d, %q is missing in %s", a.StatusCode, want, a.body)
		}
	}
}
