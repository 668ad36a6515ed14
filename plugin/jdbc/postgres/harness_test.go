package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/fake"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// Tests need a server; the script .ci/services/postgres starts one and prints these variables.
const (
	serverVariable  = "CULVERT_TEST_POSTGRES"
	serviceVariable = "CULVERT_TEST_POSTGRES_SERVICE"
)

// databases numbers the tests' databases.
var databases atomic.Int64

// server is a database of the test server's that one test has for itself.
type server struct {
	t    testing.TB
	url  *url.URL // of the database
	name string
}

// newServer makes a database and runs statements in it. It is dropped at the end of the test.
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
	t.Cleanup(func() { admin.exec("DROP DATABASE IF EXISTS " + s.name + " WITH (FORCE)") })
	own := *base
	own.Path = "/" + s.name
	s.url = &own
	s.exec(sql...)
	return s
}

// password is the test server's.
func (s *server) password() string {
	p, _ := s.url.User.Password()
	return p
}

// options are the options that reach the database, and further pairs.
func (s *server) options(pairs ...any) config.Value {
	return block(append([]any{"url", s.jdbc(), "user", s.url.User.Username(), "password", s.password()}, pairs...)...)
}

func (s *server) jdbc() string { return "jdbc:postgresql://" + s.url.Host + "/" + s.name }

// access are the lines of a job file that reach the database.
func (s *server) access() string {
	return fmt.Sprintf("url = %q\nuser = %q\npassword = %q\n", s.jdbc(), s.url.User.Username(), s.password())
}

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
	result := c.ExecParams(context.Background(), sql, nil, nil, nil, nil).Read()
	if result.Err != nil {
		s.t.Fatalf("%s: %v", sql, result.Err)
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
	return rows
}

// run runs a job to its end.
func run(t testing.TB, job string) (*engine.Result, error) {
	t.Helper()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(postgres.Plugins, fake.Plugins)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := eng.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	j, err := eng.Submit(t.Context(), []byte(job), engine.SubmitOptions{})
	if err != nil {
		return nil, err
	}
	return j.Wait(t.Context())
}

func mustRun(t testing.TB, job string) *engine.Result {
	t.Helper()
	result, err := run(t, job)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// block is the options of a plugin: pairs of a name and a value.
func block(pairs ...any) config.Value {
	v := config.Value{Kind: config.Object}
	for i := 0; i < len(pairs); i += 2 {
		v = v.Set(pairs[i].(string), value(pairs[i+1]))
	}
	return v
}

func value(v any) config.Value {
	switch v := v.(type) {
	case config.Value:
		return v
	case []config.Value:
		return config.Value{Kind: config.List, Items: v}
	case []string:
		list := config.Value{Kind: config.List}
		for _, s := range v {
			list.Items = append(list.Items, config.TextValue(s))
		}
		return list
	default:
		return config.TextValue(fmt.Sprint(v))
	}
}

func env(inputs ...*plugin.Table) plugin.Env {
	return plugin.Env{
		Job: plugin.Job{ID: 7, Name: "test"}, Vertex: "Sink[0]-Jdbc", Parallelism: 1, Inputs: inputs,
		Logger: hclog.NewNullLogger(), Alloc: memory.DefaultAllocator, Now: time.Now,
	}
}

func lookup(t testing.TB, role plugin.Role) plugin.Plugin {
	t.Helper()
	p, ok := plugin.NewRegistry(postgres.Plugins).Lookup(role, "jdbc")
	if !ok {
		t.Fatalf("no %s is named Jdbc", role)
	}
	return p
}

func openSink(t testing.TB, o config.Value, inputs ...*plugin.Table) plugin.Sink {
	t.Helper()
	s, err := lookup(t, plugin.SinkRole).Sink(t.Context(), o, env(inputs...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openSource(t testing.TB, o config.Value) plugin.Source {
	t.Helper()
	s, err := lookup(t, plugin.SourceRole).Source(t.Context(), o, env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func table(t testing.TB, tab plugin.Table) *plugin.Table {
	t.Helper()
	made, err := plugin.NewTable(tab)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// row is a row for batch: a kind and the values.
type row struct {
	kind   plugin.RowKind
	values []any
}

func insert(values ...any) row { return row{plugin.Insert, values} }

func batch(t testing.TB, tab *plugin.Table, rows ...row) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	for _, r := range rows {
		if err := b.AppendRow(r.kind, r.values...); err != nil {
			t.Fatal(err)
		}
	}
	return b.Batch()
}

// sinkFor makes a sink for one table and prepares it.
func sinkFor(t testing.TB, o config.Value, tab *plugin.Table) plugin.Sink {
	t.Helper()
	s := openSink(t, o, tab)
	if err := s.Prepare(t.Context(), []*plugin.Table{tab}); err != nil {
		t.Fatal(err)
	}
	return s
}

// load writes batches through one writer, flushes it and commits.
func load(t testing.TB, s plugin.Sink, batches ...plugin.Batch) error {
	t.Helper()
	ctx := t.Context()
	w, err := s.Writer(ctx, plugin.Task{Env: env()})
	if err != nil {
		return err
	}
	defer w.Close()
	for _, b := range batches {
		if err := w.Write(ctx, b); err != nil {
			return err
		}
	}
	token, err := w.Flush(ctx, 1)
	if err != nil || token == nil {
		return err
	}
	return s.(plugin.Committer).Commit(ctx, 1, [][]byte{token})
}

// collector is an Out that keeps rows, printed.
type collector struct {
	rows []string
	stop bool // Full is true: Read returns after each batch
}

func (c *collector) Batch(b plugin.Batch) error {
	defer b.Release()
	for i := range b.Len() {
		texts := make([]string, len(b.Table.Columns))
		for j, col := range b.Table.Columns {
			texts[j] = fmt.Sprint(column.Value(b.Rows.Column(j), col.Type, i))
		}
		c.rows = append(c.rows, strings.Join(texts, "|"))
	}
	return nil
}

func (c *collector) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.ErrUnsupported }
func (c *collector) Change(plugin.SchemaChange) error                { return errors.ErrUnsupported }
func (c *collector) Full() bool                                      { return c.stop }
func (c *collector) Wake() <-chan struct{}                           { return nil }

// splitsOf returns all splits of a source.
func splitsOf(t testing.TB, s plugin.Source) []plugin.Split {
	t.Helper()
	sp, err := s.Splits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	var all []plugin.Split
	for {
		some, err := sp.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
}

// readAll reads splits with one reader.
func readAll(t testing.TB, s plugin.Source, splits []plugin.Split, out plugin.Out) error {
	t.Helper()
	ctx := t.Context()
	r, err := s.Reader(ctx, plugin.Task{Env: env()})
	if err != nil {
		return err
	}
	defer r.Close()
	for _, split := range splits {
		if err := r.Open(ctx, split); err != nil {
			return err
		}
		for err = nil; err == nil; {
			err = r.Read(ctx, out)
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}

// read reads a whole source; the rows are sorted.
func read(t testing.TB, o config.Value) []string {
	t.Helper()
	s := openSource(t, o)
	out := &collector{}
	if err := readAll(t, s, splitsOf(t, s), out); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out.rows)
	return out.rows
}
