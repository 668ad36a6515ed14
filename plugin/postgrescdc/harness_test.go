package postgrescdc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc"
	"github.com/culvertdata/culvert/plugin/transform"
)

func TestMain(m *testing.M) { dbtest.Main(m, dbtest.RunJob(plugins)) }

func plugins() []plugin.Plugin {
	return slices.Concat(postgrescdc.Plugins(), postgres.Plugins(), blackhole.Plugins(), transform.Plugins())
}

// server is a database that one test has for itself, with the schema dst for targets.
type server struct {
	*dbtest.Database
	t testing.TB
}

// newServer makes a database on the test server and runs statements in it. It is dropped at the end of the test, with
// its slots.
func newServer(t testing.TB, sql ...string) *server {
	t.Helper()
	return newServerAt(t, dbtest.Address(t, dbtest.PostgresVariable), sql...)
}

// newServerAt makes a database on the server at a url.
func newServerAt(t testing.TB, at string, sql ...string) *server {
	t.Helper()
	s := &server{dbtest.PostgresAt(t, at, append([]string{"CREATE SCHEMA dst"}, sql...)...), t}
	t.Cleanup(func() {
		s.released()
		s.dropSlots()
	})
	return s
}

// slot is the name of the test's slot: slots belong to the whole server.
func (s *server) slot() string { return s.Name }

// exec runs statements.
func (s *server) exec(sql ...string) {
	s.t.Helper()
	s.Exec(sql...)
}

// query returns the rows of a query, each printed with bars between its values.
func (s *server) query(sql string) []string {
	s.t.Helper()
	return s.Query(sql)
}

func (s *server) dropSlots() {
	s.t.Helper()
	s.exec("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()")
}

// released waits until nobody reads the slots.
func (s *server) released() {
	s.t.Helper()
	s.waitFor("no reader of the slots", func() bool {
		return len(s.query("SELECT 1 FROM pg_replication_slots WHERE active AND database = current_database()")) == 0
	})
}

// streaming waits until the stream is read.
func (s *server) streaming() {
	s.t.Helper()
	s.waitFor("the stream", func() bool {
		return s.count("pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid AND r.state = 'streaming' "+
			"WHERE s.slot_name = '"+s.slot()+"'") == 1
	})
}

// waitFor waits until a condition holds.
func (s *server) waitFor(what string, ok func() bool) {
	s.t.Helper()
	dbtest.Until(s.t, what, ok)
}

// source is the Postgres-CDC block of a job; more are further options, tables the names without their schema.
func (s *server) source(more string, tables ...string) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = fmt.Sprintf("%q", s.Name+".public."+t)
	}
	return fmt.Sprintf(`Postgres-CDC { base-url = %q, username = %q, password = %q, slot.name = %q, table-names = [%s], %s }`,
		s.URL, s.User, s.Password, s.slot(), strings.Join(names, ", "), more)
}

// toTables is a job that copies tables into those of the same name in the schema dst.
func (s *server) toTables(env, more string, tables ...string) string {
	return fmt.Sprintf(`env { job.mode = STREAMING, checkpoint.interval = 200, parallelism = 2, job.retry.times = 100,
			job.retry.interval.seconds = 1, %s }
		source { %s }
		sink { Jdbc { url = %q, user = %q, password = %q, generate_sink_sql = true, database = %q, schema = dst } }`,
		env, s.source(more, tables...), s.URL, s.User, s.Password, s.Name)
}

// world is an engine of a test.
type world struct {
	*engine.Engine
	t testing.TB
}

func newEngine(t testing.TB, dir string) *world {
	t.Helper()
	return &world{dbtest.OpenEngine(t, dir, plugins), t}
}

// submit starts a job.
func (w *world) submit(text string, o engine.SubmitOptions) *engine.Job {
	w.t.Helper()
	return dbtest.Submit(w.t, w.Engine, text, o)
}

// savepoint stops a job and waits for its end.
func (w *world) savepoint(job *engine.Job) {
	w.t.Helper()
	dbtest.Savepoint(w.t, w.Engine, job)
}

// patience bounds what a test waits for by itself.
const patience = 60 * time.Second

// failed runs a job that cannot start, and returns its error.
func (w *world) failed(text string) error {
	w.t.Helper()
	job, err := w.Submit(w.t.Context(), []byte(text), engine.SubmitOptions{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	_, err = job.Wait(ctx)
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		w.t.Fatalf("the job does not fail: %v", err)
	}
	return err
}

// same waits until tables of dst have the rows of their sources.
func (s *server) same(job *engine.Job, tables ...string) {
	s.t.Helper()
	for _, name := range tables {
		dbtest.Eventually(s.t, job, func() string { return s.diff(name) })
	}
}

// diff compares a table with its target, by their columns' names.
func (s *server) diff(name string) string {
	columns, err := s.TryQuery(fmt.Sprintf(`SELECT string_agg(quote_ident(attname) || '::text', ', ' ORDER BY attname)
		FROM pg_attribute
		WHERE attrelid = 'public.%s'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, name))
	if err != nil {
		return err.Error()
	}
	read := func(schema string) []string {
		rows, err := s.TryQuery(fmt.Sprintf("SELECT %s FROM %s.%s t", columns[0], schema, name))
		if err != nil {
			return []string{schema, err.Error()}
		}
		slices.Sort(rows)
		return rows
	}
	if d := cmp.Diff(read("public"), read("dst")); d != "" {
		return fmt.Sprintf("%s differs:\n%.3000s", name, d)
	}
	return ""
}

// count returns the number of rows of a table, -1 if it is missing.
func (s *server) count(from string) int {
	s.t.Helper()
	rows, err := s.TryQuery("SELECT count(*) FROM " + from)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(rows[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
