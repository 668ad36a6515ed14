package mysqlcdc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
	"github.com/culvertdata/culvert/plugin/transform"
)

func TestMain(m *testing.M) { dbtest.Main(m, dbtest.RunJob(plugins)) }

func plugins() []plugin.Plugin {
	return slices.Concat(mysqlcdc.Plugins(), mysql.Plugins(), blackhole.Plugins(), transform.Plugins())
}

// fixture is two databases on a server, where rows come from and where they go. Statements run in the first one.
type fixture struct {
	*dbtest.Database
	from, to string
}

// newFixture makes the databases on the test server.
func newFixture(t testing.TB, statements ...string) *fixture {
	t.Helper()
	return newFixtureAt(t, dbtest.Address(t, dbtest.MariaDBVariable), statements...)
}

// newFixtureAt makes them on the server at a url.
func newFixtureAt(t testing.TB, at string, statements ...string) *fixture {
	t.Helper()
	f := &fixture{Database: dbtest.MariaDBAt(t, at, statements...)}
	f.from, f.to = f.Name, dbtest.MariaDBAt(t, at).Name
	return f
}

// source is the block of a MySQL-CDC source with options behind those that it needs.
func (f *fixture) source(options string) string {
	return fmt.Sprintf(`source { MySQL-CDC { base-url = "jdbc:mysql://%s/%s", username = %q, password = %q, %s } }`,
		f.Host, f.from, f.User, f.Password, options)
}

// sink is the block of a Jdbc sink that writes each table into the second database.
func (f *fixture) sink(options string) string {
	return fmt.Sprintf(`sink { Jdbc { url = "jdbc:mysql://%s/%s", user = %q, password = %q, generate_sink_sql = true,
		database = %q, table = "${table_name}", primary_keys = ["${primary_key}"], %s } }`,
		f.Host, f.to, f.User, f.Password, f.to, options)
}

// job is a streaming job from the first database to the second.
func (f *fixture) job(env, source string) string {
	return fmt.Sprintf("env { job.mode = STREAMING, checkpoint.interval = 200, %s }\n%s\n%s", env,
		f.source(source), f.sink(""))
}

// names lists tables as table-names has them.
func (f *fixture) names(tables ...string) string {
	var list []string
	for _, name := range tables {
		list = append(list, fmt.Sprintf("%q", f.from+"."+name))
	}
	return "table-names = [" + strings.Join(list, ", ") + "]"
}

// difference compares a table of both databases row by row; "" if they are equal.
func (f *fixture) difference(table, columns, order string) string {
	const shown = 5
	want, err := f.TryQuery(fmt.Sprintf("SELECT %s FROM %s.%s ORDER BY %s", columns, f.from, table, order))
	if err != nil {
		return err.Error()
	}
	got, err := f.TryQuery(fmt.Sprintf("SELECT %s FROM %s.%s ORDER BY %s", columns, f.to, table, order))
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
	return fmt.Sprintf("table %s: %d rows, want %d; for example\n%s", table, len(got), len(want),
		strings.Join(lines, "\n"))
}

const jobID = 42

// start runs a job in an engine of this process.
func start(t testing.TB, text string) *engine.Job {
	t.Helper()
	return submit(t, dbtest.OpenEngine(t, "", plugins), text)
}

func submit(t testing.TB, eng *engine.Engine, text string) *engine.Job {
	t.Helper()
	return dbtest.Submit(t, eng, text, engine.SubmitOptions{ID: jobID})
}

// restart starts the job from its savepoint.
func restart(t testing.TB, eng *engine.Engine, text string) *engine.Job {
	t.Helper()
	return dbtest.Submit(t, eng, text, engine.SubmitOptions{ID: jobID, FromSavepoint: true})
}
