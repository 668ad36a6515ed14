package sqlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite"
	"github.com/culvertdata/culvert/rest"
)

const savepointRows = 3000

// copyJob copies some tables of the file in.db to tables of the same names in out.db. Everything in the targets is
// dropped when they are prepared.
func copyJob(dir, limit string, tables ...string) string {
	return fmt.Sprintf(`
		env { parallelism = 1, job.mode = BATCH, checkpoint.interval = 50, %s }
		source { Jdbc { url = "jdbc:sqlite:%s", split.size = 100, table_list = [%s] } }
		sink { Jdbc { url = "jdbc:sqlite:%s", generate_sink_sql = true, data_save_mode = DROP_DATA, create_index = false,
			enable_upsert = false, support_upsert_by_insert_only = true } }`,
		limit, filepath.Join(dir, "in.db"), strings.Join(tables, ", "), filepath.Join(dir, "out.db"))
}

// TestSavepointWithAnotherList stops a job in the middle of a table and goes on with another list of tables: one is
// gone, one is new and comes first, one has lost a column. What is known goes on, and only what is new is prepared.
func TestSavepointWithAnotherList(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.db"), filepath.Join(dir, "out.db")
	const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
	for _, name := range []string{"a", "b", "c"} {
		execute(t, in, "CREATE TABLE "+name+" (id INTEGER PRIMARY KEY, v TEXT, w INT)",
			fmt.Sprintf("INSERT INTO "+name+" "+numbers+"SELECT i, 'v' || i, i %% 7 FROM n", savepointRows))
	}
	execute(t, out, "PRAGMA journal_mode = wal", "CREATE TABLE b (id INTEGER, v TEXT, w INT)",
		"INSERT INTO b VALUES (-1, 'old', 0)")
	s := serve(t)
	id := s.submit("", copyJob(dir, "read_limit.rows_per_second = 4000", "{ table_path = a, partition_column = id }",
		"{ table_path = c }"))
	s.until("rows are there", func() bool { return s.written(id) > 0 })
	s.post("/hazelcast/rest/maps/stop-job", fmt.Sprintf(`{"jobId": %s, "isStopWithSavePoint": true}`, id))
	s.until("the job stops", func() bool { return s.state(id) == "SAVEPOINT_DONE" })
	before := s.rows(out, "a")
	if before == 0 || before >= savepointRows {
		t.Fatalf("%d rows are copied before the savepoint", before)
	}
	s.submit("?isStartWithSavePoint=true&jobId="+id, copyJob(dir, "", "{ table_path = b }",
		`{ table_path = a, query = "SELECT id, v FROM a", partition_column = id }`))
	s.until("the job ends", func() bool { return slices.Contains([]string{"FINISHED", "FAILED"}, s.state(id)) })
	if state := s.state(id); state != "FINISHED" {
		t.Fatalf("the job is %s: %s", state, s.get("/hazelcast/rest/maps/job-info/"+id))
	}
	const digest = "SELECT count(*), count(DISTINCT id), min(id), max(id), sum(v = 'v' || id), count(w) FROM "
	all := fmt.Sprintf("%[1]d|%[1]d|1|%[1]d|%[1]d|", savepointRows)
	if d := cmp.Diff([]string{all + fmt.Sprint(savepointRows)}, query(t, out, digest+"b")); d != "" {
		t.Errorf("the new table: %s", d)
	}
	if d := cmp.Diff([]string{all + fmt.Sprint(before)}, query(t, out, digest+"a")); d != "" {
		t.Errorf("the table that goes on: %s", d)
	}
	if n := s.rows(out, "c"); n != 0 {
		t.Errorf("%d rows of the table that is gone", n)
	}
}

// server is an engine behind its REST interface.
type server struct {
	t   *testing.T
	url string
}

func serve(t *testing.T) *server {
	t.Helper()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(sqlite.Plugins)})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(rest.Handler(eng, rest.Options{}))
	t.Cleanup(func() {
		web.Close()
		http.DefaultClient.CloseIdleConnections()
		if err := eng.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &server{t, web.URL}
}

func (s *server) post(path, body string) map[string]any {
	s.t.Helper()
	answer, err := http.Post(s.url+path, "text/plain", strings.NewReader(body))
	return s.read(answer, err)
}

func (s *server) get(path string) map[string]any {
	s.t.Helper()
	answer, err := http.Get(s.url + path)
	return s.read(answer, err)
}

func (s *server) read(answer *http.Response, err error) map[string]any {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var body map[string]any
	d := json.NewDecoder(answer.Body)
	d.UseNumber()
	if err := d.Decode(&body); err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %v, %v", answer.Status, body, err)
	}
	return body
}

// submit starts a job and returns its id.
func (s *server) submit(parameters, job string) string {
	s.t.Helper()
	glue := "?"
	if parameters != "" {
		glue = "&"
	}
	return fmt.Sprint(s.post("/hazelcast/rest/maps/submit-job"+parameters+glue+"format=hocon", job)["jobId"])
}

func (s *server) state(id string) string {
	s.t.Helper()
	state, _ := s.get("/hazelcast/rest/maps/job-info/" + id)["jobStatus"].(string)
	return state
}

// written is how many rows the sink has taken.
func (s *server) written(id string) int {
	s.t.Helper()
	counts, _ := s.get("/hazelcast/rest/maps/job-info/" + id)["metrics"].(map[string]any)
	n := 0
	_, _ = fmt.Sscan(fmt.Sprint(counts["SinkWriteCount"]), &n) // there is none before the job runs
	return n
}

// rows counts the rows of a table; 0 if there is none.
func (s *server) rows(path, table string) int {
	s.t.Helper()
	if len(query(s.t, path, "SELECT 1 FROM sqlite_schema WHERE name = '"+table+"'")) == 0 {
		return 0
	}
	n := 0
	if _, err := fmt.Sscan(query(s.t, path, "SELECT count(*) FROM "+table)[0], &n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *server) until(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// TestSavepointCutOtherwise goes on with a table that would be cut by another column: its rows would come twice.
func TestSavepointCutOtherwise(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.db"), filepath.Join(dir, "out.db")
	execute(t, in, "CREATE TABLE a (id INTEGER PRIMARY KEY, v INT UNIQUE NOT NULL)", `INSERT INTO a
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i, -i FROM n`)
	execute(t, out, "PRAGMA journal_mode = wal")
	s := serve(t)
	id := s.submit("", copyJob(dir, "read_limit.rows_per_second = 4000", "{ table_path = a, partition_column = id }"))
	s.until("rows are there", func() bool { return s.written(id) > 0 })
	s.post("/hazelcast/rest/maps/stop-job", fmt.Sprintf(`{"jobId": %s, "isStopWithSavePoint": true}`, id))
	s.until("the job stops", func() bool { return s.state(id) == "SAVEPOINT_DONE" })
	s.submit("?isStartWithSavePoint=true&jobId="+id, copyJob(dir, "", "{ table_path = a, partition_column = v }"))
	s.until("the job ends", func() bool { return slices.Contains([]string{"FINISHED", "FAILED"}, s.state(id)) })
	text := fmt.Sprint(s.get("/hazelcast/rest/maps/job-info/" + id)["errorMsg"])
	if !strings.Contains(text, "cut by id, and it would be cut by v now; set partition_column = id") {
		t.Errorf("the job is %s: %s", s.state(id), text)
	}
}
