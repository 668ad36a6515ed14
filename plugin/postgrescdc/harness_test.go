package postgrescdc_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc"
	"github.com/culvertdata/culvert/plugin/transform"
)

// Tests need a server; the script .ci/services/postgres starts one and prints these variables.
const (
	serverVariable  = "CULVERT_TEST_POSTGRES"
	serviceVariable = "CULVERT_TEST_POSTGRES_SERVICE"
)

// databases numbers the tests' databases.
var databases atomic.Int64

// server is a database of the test server's that one test has for itself, with the schema dst for targets.
type server struct {
	t    testing.TB
	url  *url.URL // of the database
	name string
}

// newServer makes a database and runs statements in it. It is dropped at the end of the test, with its slots.
func newServer(t testing.TB, sql ...string) *server {
	t.Helper()
	text := os.Getenv(serverVariable)
	if text == "" {
		const hint = `no PostgreSQL server: eval "$(.ci/services/postgres start)"`
		if os.Getenv("CULVERT_CI") != "" {
			t.Fatal(hint)
		}
		t.Skip(hint)
	}
	return newDatabase(t, text, sql...)
}

// newDatabase makes a database on the server at a url.
func newDatabase(t testing.TB, at string, sql ...string) *server {
	t.Helper()
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	admin := &server{t: t, url: base}
	s := &server{t: t, name: fmt.Sprintf("culvert_%d_%d", os.Getpid(), databases.Add(1))}
	admin.exec("CREATE DATABASE " + s.name)
	t.Cleanup(func() {
		s.released()
		s.dropSlots()
		admin.exec("DROP DATABASE IF EXISTS " + s.name + " WITH (FORCE)")
	})
	own := *base
	own.Path = "/" + s.name
	s.url = &own
	s.exec("CREATE SCHEMA dst")
	s.exec(sql...)
	return s
}

func (s *server) password() string {
	p, _ := s.url.User.Password()
	return p
}

func (s *server) jdbc() string { return "jdbc:postgresql://" + s.url.Host + "/" + s.name }

// slot is the name of the test's slot: slots belong to the whole server.
func (s *server) slot() string { return s.name }

func (s *server) connect() *pgconn.PgConn {
	s.t.Helper()
	c, err := pgconn.Connect(context.Background(), s.url.String())
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// exec runs statements.
func (s *server) exec(sql ...string) {
	s.t.Helper()
	c := s.connect()
	defer c.Close(context.Background())
	for _, statement := range sql {
		if err := c.Exec(context.Background(), statement).Close(); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// query returns the rows of a query, each printed with bars between its values.
func (s *server) query(sql string) []string {
	s.t.Helper()
	c := s.connect()
	defer c.Close(context.Background())
	rows, err := rowsOf(c, sql)
	if err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

func rowsOf(c *pgconn.PgConn, sql string) ([]string, error) {
	result := c.ExecParams(context.Background(), sql, nil, nil, nil, nil).Read()
	if result.Err != nil {
		return nil, result.Err
	}
	var rows []string
	for _, row := range result.Rows {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = string(v)
			if v == nil {
				texts[i] = "NULL"
			}
		}
		rows = append(rows, strings.Join(texts, "|"))
	}
	return rows, nil
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

// patience bounds what a test waits for.
const patience = 60 * time.Second

// waitFor waits until a condition holds.
func (s *server) waitFor(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			s.t.Fatalf("waited for %s", what)
		}
	}
}

// source is the Postgres-CDC block of a job; more are further options, tables the names without their schema.
func (s *server) source(more string, tables ...string) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = fmt.Sprintf("%q", s.name+".public."+t)
	}
	return fmt.Sprintf(`Postgres-CDC { base-url = %q, username = %q, password = %q, slot.name = %q, table-names = [%s], %s }`,
		s.jdbc(), s.url.User.Username(), s.password(), s.slot(), strings.Join(names, ", "), more)
}

// toTables is a job that copies tables into those of the same name in the schema dst.
func (s *server) toTables(env, more string, tables ...string) string {
	return fmt.Sprintf(`env { job.mode = STREAMING, checkpoint.interval = 200, parallelism = 2, job.retry.times = 100,
			job.retry.interval.seconds = 1, %s }
		source { %s }
		sink { Jdbc { url = %q, user = %q, password = %q, generate_sink_sql = true, database = %q, schema = dst } }`,
		env, s.source(more, tables...), s.jdbc(), s.url.User.Username(), s.password(), s.name)
}

func registry() *plugin.Registry {
	return plugin.NewRegistry(postgrescdc.Plugins, postgres.Plugins, blackhole.Plugins, transform.Plugins)
}

// world is an engine that is closed at the end of the test.
type world struct {
	*engine.Engine
	t testing.TB
}

func newEngine(t testing.TB, dir string) *world {
	t.Helper()
	options := engine.Options{Dir: dir, Plugins: registry()}
	if os.Getenv("CULVERT_TEST_LOG") != "" {
		options.Logger = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug})
	}
	eng, err := engine.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{eng, t}
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	if w.Engine == nil {
		return
	}
	if err := w.Engine.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
	w.Engine = nil
}

// submit starts a job.
func (w *world) submit(text string, o engine.SubmitOptions) *engine.Job {
	w.t.Helper()
	job, err := w.Submit(w.t.Context(), []byte(text), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return job
}

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

// same waits until a table of dst has the rows of its source.
func (s *server) same(job *engine.Job, tables ...string) {
	s.t.Helper()
	for _, name := range tables {
		var diff string
		ok := func() bool {
			diff = s.diff(name)
			return diff == ""
		}
		deadline := time.NewTimer(patience)
		tick := time.NewTicker(20 * time.Millisecond)
		for !ok() {
			select {
			case <-tick.C:
				if job == nil || !job.Info().State.Ended() {
					continue
				}
			case <-deadline.C:
			}
			if job != nil {
				s.t.Logf("the job is %v: %s", job.Info().State, job.Info().Error)
			}
			s.t.Fatalf("%s differs:\n%.3000s", name, diff)
		}
		tick.Stop()
		deadline.Stop()
	}
}

// diff compares a table with its target, by their columns' names.
func (s *server) diff(name string) string {
	s.t.Helper()
	c := s.connect()
	defer c.Close(context.Background())
	columns, err := rowsOf(c, fmt.Sprintf(`SELECT string_agg(quote_ident(attname) || '::text', ', ' ORDER BY attname) FROM pg_attribute
		WHERE attrelid = 'public.%s'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, name))
	if err != nil {
		return err.Error()
	}
	read := func(schema string) []string {
		rows, err := rowsOf(c, fmt.Sprintf("SELECT %s FROM %s.%s t", columns[0], schema, name))
		if err != nil {
			return []string{schema, err.Error()}
		}
		slices.Sort(rows)
		return rows
	}
	return cmp.Diff(read("public"), read("dst"))
}

// count returns the number of rows of a table, -1 if it is missing.
func (s *server) count(from string) int {
	s.t.Helper()
	c := s.connect()
	defer c.Close(context.Background())
	rows, err := rowsOf(c, "SELECT count(*) FROM "+from)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(rows[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}
