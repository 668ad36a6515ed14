package mysqlcdc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// place returns where the server's log ends.
func (f *fixture) place(t testing.TB) (file string, pos int64) {
	t.Helper()
	parts := strings.Split(f.Query("SHOW MASTER STATUS")[0], "|")
	if _, err := fmt.Sscan(parts[1], &pos); err != nil {
		t.Fatal(err)
	}
	return parts[0], pos
}

// TestStartModes starts behind some changes, and sees only what came later.
func TestStartModes(t *testing.T) {
	tests := []struct {
		mode string
		want []string // ids in the target
	}{
		{"latest", []string{"4"}},
		{"specific", []string{"3", "4"}},
		{"timestamp", []string{"3", "4"}},
		{"initial", []string{"1", "2", "3", "4"}},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)", "FLUSH BINARY LOGS")
			options := f.names("a") + ", startup.mode = " + tt.mode
			file, pos := f.place(t)
			switch tt.mode {
			case "specific":
				options += fmt.Sprintf(", startup.specific-offset.file = %q, startup.specific-offset.pos = %d", file, pos)
			case "timestamp":
				_ = plugin.Sleep(t.Context(), 1100*time.Millisecond) // the log counts seconds
				options += fmt.Sprintf(", startup.timestamp = %d", time.Now().Unix()*1000)
			}
			f.Exec("INSERT INTO a VALUES (3)")
			job := start(t, f.job("", options))
			dbtest.Eventually(t, job, func() string { return begun(job) })
			f.Exec("INSERT INTO a VALUES (4)")
			dbtest.Eventually(t, job, func() string {
				got, err := f.TryQuery("SELECT id FROM " + f.to + ".a ORDER BY 1")
				if err == nil && strings.Join(got, " ") == strings.Join(tt.want, " ") {
					return ""
				}
				return fmt.Sprintf("got %v, want %v, %v", got, tt.want, err)
			})
		})
	}
}

// begun waits until the log is followed.
func begun(job *engine.Job) string {
	for _, v := range job.Info().Metrics.Vertices {
		for _, p := range v.Positions {
			if strings.HasPrefix(p.Split, "log/") {
				return ""
			}
		}
	}
	return "the log is not followed"
}

// TestStopModes runs jobs that end by themselves.
func TestStopModes(t *testing.T) {
	for _, mode := range []string{"latest", "specific", "timestamp"} {
		for _, from := range []string{"initial", "earliest"} {
			t.Run(mode+" from "+from, func(t *testing.T) {
				f := newFixture(t, "FLUSH BINARY LOGS", "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)")
				options := f.names("a") + ", stop.mode = " + mode + ", startup.mode = " + from
				if from == "earliest" {
					row := f.Query("SHOW BINARY LOGS")
					file := strings.Split(row[len(row)-1], "|")[0]
					options = f.names("a") + ", stop.mode = " + mode + ", startup.mode = specific, startup.specific-offset.file = " +
						file +
						", startup.specific-offset.pos = 4"
				}
				switch mode {
				case "specific":
					file, pos := f.place(t)
					options += fmt.Sprintf(", stop.specific-offset.file = %q, stop.specific-offset.pos = %d", file, pos)
				case "timestamp":
					options += fmt.Sprintf(", stop.timestamp = %d", (time.Now().Unix()+1)*1000)
				}
				job := start(t, f.job("", options))
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				result, err := job.Wait(ctx)
				if err != nil || result == nil || result.State != engine.Finished {
					t.Fatalf("%+v %v", result, err)
				}
				if d := f.difference("a", "*", "id"); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestAddedAndRemovedTables changes the tables of a job between two runs.
func TestAddedAndRemovedTables(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"a", "b", "c"} {
		f.Exec("CREATE TABLE "+name+" (id INT PRIMARY KEY, n INT)",
			"INSERT INTO "+name+" SELECT seq, 1 FROM seq_1_to_500")
	}
	eng := dbtest.OpenEngine(t, t.TempDir(), plugins)
	options := func(tables ...string) string {
		return f.job("parallelism = 2", f.names(tables...)+", snapshot.split.size = 50, incremental.parallelism = 2")
	}
	same := func(tables ...string) func() string {
		return func() string {
			for _, name := range tables {
				if d := f.difference(name, "*", "id"); d != "" {
					return d
				}
			}
			return ""
		}
	}
	stop := func(job *engine.Job) {
		t.Helper()
		dbtest.Eventually(t, job, func() string { return begun(job) })
		dbtest.Savepoint(t, eng, job)
	}
	job := submit(t, eng, options("a"))
	dbtest.Eventually(t, job, same("a"))
	stop(job)
	f.Exec("UPDATE a SET n = 2 WHERE id < 100", "DELETE FROM b WHERE id < 100")
	job = restart(t, eng, options("a", "b", "c"))
	f.Exec("UPDATE b SET n = n + 1", "INSERT INTO c VALUES (1000, 1000)")
	dbtest.Eventually(t, job, same("a", "b", "c"))
	stop(job)
	f.Exec("UPDATE a SET n = 3 WHERE id < 100", "UPDATE b SET n = 3 WHERE id > 400")
	job = restart(t, eng, options("b", "c"))
	dbtest.Eventually(t, job, same("b", "c"))
	if f.difference("a", "*", "id") == "" {
		t.Error("a table that is not captured any more was changed")
	}
	stop(job)
	f.Exec("DELETE FROM c WHERE id < 10")
	job = restart(t, eng, options("a", "b", "c")) // as good as new
	dbtest.Eventually(t, job, same("a", "b", "c"))
}

// TestRefusals are jobs that cannot work.
func TestRefusals(t *testing.T) {
	f := newFixture(t, "CREATE TABLE orders (id INT PRIMARY KEY)", "CREATE TABLE bare (v INT)",
		"CREATE USER IF NOT EXISTS cdc_weak@'%' IDENTIFIED BY 'weak'", "GRANT SELECT ON *.* TO cdc_weak@'%'")
	t.Cleanup(func() { f.Exec("DROP USER cdc_weak@'%'") })
	tests := []struct{ name, options, want string }{
		{"unknown table", f.names("order"), "did you mean " + f.from + ".orders?"},
		{"no table", "table-pattern = \"nothing\"", "no table matches"},
		{"bad pattern", "table-pattern = \"(\"", "is no regular expression"},
		{"neither", "", "table-names or table-pattern is required"},
		{"range too small", f.names("orders") + ", server-id = 5, incremental.parallelism = 2", "too small a range"},
		{"no number", f.names("orders") + ", server-id = x", "neither a number"},
		{"no key", f.names("bare") + ", exactly_once = true", "neither a primary key nor a unique one"},
		{"unknown key", f.names("orders") + `, table-names-config = [{ table = "` + f.from +
			`.orders", primaryKeys = ["ident"] }]`,
			`no column "ident"`},
		{"config of another table", f.names("orders") + `, table-names-config = [{ table = "` + f.from +
			`.order", primaryKeys = ["id"] }]`,
			"did you mean " + f.from + ".orders?"},
		{"specific without a place", f.names("orders") + ", startup.mode = specific", "startup.specific-offset.file"},
		{"bad zone", f.names("orders") + ", server-time-zone = Mars", "time zone"},
	}
	eng := dbtest.OpenEngine(t, "", plugins)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := eng.Submit(t.Context(), []byte(f.job("", tt.options)), engine.SubmitOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), f.Password+"\"") {
				t.Errorf("the password shows: %v", err)
			}
		})
	}
	t.Run("weak user", func(t *testing.T) {
		text := strings.NewReplacer(`username = "`+f.User+`"`, `username = "cdc_weak"`, `password = "`+f.Password+`", table`,
			`password = "weak", table`).Replace(f.job("", f.names("orders")))
		_, err := eng.Submit(t.Context(), []byte(text), engine.SubmitOptions{})
		var config *engine.ConfigError
		if err == nil || errors.As(err, &config) || !strings.Contains(err.Error(), "REPLICATION SLAVE") {
			t.Errorf("got %v", err)
		}
	})
}

// TestPurged starts a job whose place in the log is gone.
func TestPurged(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)")
	job := start(t, f.job("job.retry.times = 0", f.names("a")+
		`, startup.mode = specific, startup.specific-offset.file = "binlog.000000", startup.specific-offset.pos = 4`))
	_, err := job.Wait(t.Context())
	if err == nil || !strings.Contains(err.Error(), "start the job afresh") {
		t.Errorf("got %v", err)
	}
}

// TestPatterns captures tables by patterns, from a server that is named by its host.
func TestPatterns(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"orders_1", "orders_2", "other"} {
		f.Exec("CREATE TABLE "+name+" (id INT PRIMARY KEY)", "INSERT INTO "+name+" VALUES (1), (2)")
	}
	host, port, _ := strings.Cut(f.Host, ":")
	source := fmt.Sprintf(`source { MySQL-CDC { hostname = %q, port = %s, username = %q, password = %q,
		database-names = [%q], table-pattern = %q, server-id = 5400-5408 } }`, host, port, f.User, f.Password, f.from,
		f.from+`\.orders_\d+`)
	job := start(t, "env { job.mode = STREAMING, checkpoint.interval = 200 }\n"+source+"\n"+f.sink(""))
	dbtest.Eventually(t, job, func() string {
		return f.difference("orders_1", "*", "id") + f.difference("orders_2", "*", "id")
	})
	if f.difference("other", "*", "id") == "" {
		t.Error("a table was copied that the pattern does not take")
	}
}
