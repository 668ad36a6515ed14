package mysqlcdc_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
)

// A child process runs a job in an engine of its own; these variables name its directory and the job's text.
const (
	childDir = "CULVERT_TEST_CDC_DIR"
	childJob = "CULVERT_TEST_CDC_JOB"
)

const jobID = 42

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := runChild(context.Background(), dir, os.Getenv(childJob)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// runChild resumes the job, or submits it if there is none, and waits for its end.
func runChild(ctx context.Context, dir, text string) error {
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: registry(), Logger: logger()})
	if err != nil {
		return err
	}
	defer eng.Close(ctx)
	job, err := eng.Job(ctx, jobID)
	if errors.Is(err, engine.ErrJobNotFound) {
		job, err = eng.Submit(ctx, []byte(text), engine.SubmitOptions{ID: jobID})
	}
	if err != nil {
		return err
	}
	_, err = job.Wait(ctx)
	return err
}

func registry() *plugin.Registry {
	return plugin.NewRegistry(mysqlcdc.Plugins, mysql.Plugins, blackhole.Plugins)
}

// logger shows what connectors say if CULVERT_TEST_LOG names a level.
func logger() hclog.Logger {
	level := hclog.LevelFromString(os.Getenv("CULVERT_TEST_LOG"))
	if level == hclog.NoLevel {
		return hclog.NewNullLogger()
	}
	return hclog.New(&hclog.LoggerOptions{Level: level})
}

// fixture is two databases on the test server, where rows come from and where they go.
type fixture struct {
	*sql.DB
	from, to             string
	host, user, password string
}

// server returns the address of the test server.
func server(t testing.TB) *url.URL {
	t.Helper()
	text := os.Getenv("CULVERT_TEST_MARIADB")
	if text == "" {
		const how = `CULVERT_TEST_MARIADB is not set; run eval "$(.ci/services/mariadb start)"`
		if os.Getenv("CULVERT_CI") != "" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// newFixture makes the databases and drops them when the test ends. Statements run in the first one.
func newFixture(t testing.TB, statements ...string) *fixture {
	t.Helper()
	return newFixtureOn(t, server(t), statements...)
}

func newFixtureOn(t testing.TB, u *url.URL, statements ...string) *fixture {
	t.Helper()
	name := fmt.Sprintf("cdc_%d", rand.Uint32())
	f := &fixture{from: name, to: name + "_to", host: u.Host, user: u.User.Username()}
	f.password, _ = u.User.Password()
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd = "tcp", u.Host, f.user, f.password
	cfg.MultiStatements = true
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	first, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for _, name := range []string{f.from, f.to} {
		if _, err := first.Exec("CREATE DATABASE " + name + " DEFAULT CHARACTER SET utf8mb4"); err != nil {
			t.Fatal(err)
		}
	}
	cfg.DBName = f.from
	if f.DB, err = sql.Open("mysql", cfg.FormatDSN()); err != nil {
		t.Fatal(err)
	}
	f.SetMaxIdleConns(16)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, err := f.ExecContext(ctx, "DROP DATABASE IF EXISTS "+f.from)
		_, err2 := f.ExecContext(ctx, "DROP DATABASE IF EXISTS "+f.to)
		if err := cmp.Or(err, err2, f.Close()); err != nil {
			t.Error(err)
		}
	})
	f.run(t, statements...)
	return f
}

func (f *fixture) run(t testing.TB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := f.Exec(s); err != nil {
			t.Fatalf("%.200s: %v", s, err)
		}
	}
}

// source is the block of a MySQL-CDC source with options behind those that it needs.
func (f *fixture) source(options string) string {
	return fmt.Sprintf(`source { MySQL-CDC { base-url = "jdbc:mysql://%s/%s", username = %q, password = %q, %s } }`,
		f.host, f.from, f.user, f.password, options)
}

// sink is the block of a Jdbc sink that writes each table into the second database.
func (f *fixture) sink(options string) string {
	return fmt.Sprintf(`sink { Jdbc { url = "jdbc:mysql://%s/%s", user = %q, password = %q, generate_sink_sql = true,
		database = %q, table = "${table_name}", primary_keys = ["${primary_key}"], %s } }`,
		f.host, f.to, f.user, f.password, f.to, options)
}

// job is a streaming job from the first database to the second.
func (f *fixture) job(env, source string) string {
	return fmt.Sprintf("env { job.mode = STREAMING, checkpoint.interval = 200, %s }\n%s\n%s", env, f.source(source), f.sink(""))
}

// names lists tables as table-names has them.
func (f *fixture) names(tables ...string) string {
	var list []string
	for _, name := range tables {
		list = append(list, fmt.Sprintf("%q", f.from+"."+name))
	}
	return "table-names = [" + strings.Join(list, ", ") + "]"
}

// query returns the rows of a query, each printed.
func (f *fixture) query(t testing.TB, text string) []string {
	t.Helper()
	list, err := f.tryQuery(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return list
}

func (f *fixture) tryQuery(text string) ([]string, error) {
	rows, err := f.Query(text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var list []string
	for rows.Next() {
		values := make([]sql.RawBytes, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		parts := make([]string, len(names))
		for i, v := range values {
			parts[i] = "NULL"
			if v != nil {
				parts[i] = fmt.Sprintf("%q", v)
			}
		}
		list = append(list, strings.Join(parts, ","))
	}
	return list, rows.Err()
}

// difference compares a table of both databases row by row; "" if they are equal.
func (f *fixture) difference(table, columns, order string) string {
	const shown = 5
	want, err := f.tryQuery(fmt.Sprintf("SELECT %s FROM %s.%s ORDER BY %s", columns, f.from, table, order))
	if err != nil {
		return err.Error()
	}
	got, err := f.tryQuery(fmt.Sprintf("SELECT %s FROM %s.%s ORDER BY %s", columns, f.to, table, order))
	if err != nil {
		return err.Error()
	}
	counts := map[string]int{}
	for _, row := range want {
		counts[row]++
	}
	for _, row := range got {
		counts[row]--
	}
	var lines []string
	for row, n := range counts {
		if n != 0 && len(lines) < shown {
			lines = append(lines, fmt.Sprintf("%+d %.200s", -n, row))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return fmt.Sprintf("table %s: %d rows, want %d; for example\n%s", table, len(got), len(want), strings.Join(lines, "\n"))
}

// start runs a job in an engine of this process.
func start(t testing.TB, text string) *engine.Job {
	t.Helper()
	eng := openEngine(t, "")
	return submit(t, eng, text)
}

func openEngine(t testing.TB, dir string) *engine.Engine {
	t.Helper()
	return openEngineWith(t, dir, registry())
}

func openEngineWith(t testing.TB, dir string, plugins *plugin.Registry) *engine.Engine {
	t.Helper()
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: plugins, Logger: logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		if err := eng.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return eng
}

func submit(t testing.TB, eng *engine.Engine, text string) *engine.Job {
	t.Helper()
	job, err := eng.Submit(t.Context(), []byte(text), engine.SubmitOptions{ID: jobID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = eng.Stop(context.WithoutCancel(t.Context()), job.ID(), engine.StopOptions{})
	})
	return job
}

// eventually waits until a condition's text is empty, and fails with the text if that takes too long. A job that ends
// meanwhile fails the test.
func eventually(t testing.TB, job *engine.Job, within time.Duration, condition func() string) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text := condition()
		if text == "" {
			return
		}
		if job != nil {
			if info := job.Info(); info.State.Ended() {
				t.Fatalf("the job ended: %s %s", info.State, info.Error)
			}
		}
		if time.Now().After(deadline) {
			t.Fatal(text)
		}
		<-tick.C
	}
}
