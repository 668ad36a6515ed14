package mysql_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	driver "github.com/go-sql-driver/mysql"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
)

// fixture is a database of its own on the test server, and another driver's way to it.
type fixture struct {
	*sql.DB
	name                 string
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

// newFixture makes a database and drops it when the test ends.
func newFixture(t testing.TB, statements ...string) *fixture {
	t.Helper()
	u := server(t)
	f := &fixture{name: fmt.Sprintf("culvert_test_%d", rand.Uint64()), host: u.Host, user: u.User.Username()}
	f.password, _ = u.User.Password()
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd = "tcp", u.Host, f.user, f.password
	cfg.MultiStatements = true
	first, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Exec("CREATE DATABASE " + f.name + " DEFAULT CHARACTER SET utf8mb4"); err != nil {
		t.Fatal(err)
	}
	cfg.DBName = f.name
	if f.DB, err = sql.Open("mysql", cfg.FormatDSN()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := f.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE IF EXISTS "+f.name)
		if err := cmp.Or(err, f.Close()); err != nil {
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

// url is the database as a job names it.
func (f *fixture) url() string { return "jdbc:mysql://" + f.host + "/" + f.name }

// access is the options that every job needs.
func (f *fixture) access(pairs ...any) []any {
	return append([]any{"url", f.url(), "user", f.user, "password", f.password}, pairs...)
}

// query returns the rows of a query, each printed.
func (f *fixture) query(t testing.TB, text string) []string {
	t.Helper()
	rows, err := f.Query(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = string(b)
			}
		}
		list = append(list, join(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
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

// any2s are the options of several blocks.
type any2s [][]any

func (list any2s) values() []config.Value {
	values := make([]config.Value, len(list))
	for i, pairs := range list {
		values[i] = block(pairs...)
	}
	return values
}

func env(inputs ...*plugin.Table) plugin.Env {
	return plugin.Env{
		Job: plugin.Job{ID: 7, Name: "test"}, Vertex: "Sink[0]-Jdbc", Parallelism: 1, Inputs: inputs,
		Logger: hclog.NewNullLogger(), Alloc: memory.DefaultAllocator, Now: time.Now,
	}
}

func lookup(t testing.TB, role plugin.Role) plugin.Plugin {
	t.Helper()
	reg := plugin.NewRegistry(setOf)
	if err := reg.Err(); err != nil {
		t.Fatal(err)
	}
	p, ok := reg.Lookup(role, "jdbc")
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

// join prints values with bars between them.
func join(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
		if v == nil {
			texts[i] = "NULL"
		}
	}
	return strings.Join(texts, "|")
}

func newTable(t testing.TB, tab plugin.Table) *plugin.Table {
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

// setOf is the set under test.
func setOf() []plugin.Plugin { return mysql.Plugins() }

// load writes batches through one writer and flushes it.
func load(t testing.TB, s plugin.Sink, batches ...plugin.Batch) {
	t.Helper()
	if err := tryLoad(t, s, batches...); err != nil {
		t.Fatal(err)
	}
}

func tryLoad(t testing.TB, s plugin.Sink, batches ...plugin.Batch) error {
	ctx := t.Context()
	w, err := s.Writer(ctx, plugin.Task{Env: env()})
	if err != nil {
		return err
	}
	for _, b := range batches {
		if err := w.Write(ctx, b); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	token, err := w.Flush(ctx, 1)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	if token != nil {
		if err := s.(plugin.Committer).Commit(ctx, 1, [][]byte{token}); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// sinkFor makes a sink for one table and prepares it.
func sinkFor(t testing.TB, tab *plugin.Table, pairs ...any) plugin.Sink {
	t.Helper()
	s := openSink(t, block(pairs...), tab)
	if err := s.Prepare(t.Context(), []*plugin.Table{tab}); err != nil {
		t.Fatal(err)
	}
	return s
}

// collector is an Out that keeps rows as Go values.
type collector struct {
	rows   []string
	byName map[string][]string // per table
	stop   bool                // Full is true: Read returns after each batch
}

func (c *collector) Batch(b plugin.Batch) error {
	defer b.Release()
	if c.byName == nil {
		c.byName = map[string][]string{}
	}
	for i := range b.Len() {
		values := make([]any, len(b.Table.Columns))
		for j, col := range b.Table.Columns {
			values[j] = column.Value(b.Rows.Column(j), col.Type, i)
		}
		text := join(values)
		c.rows = append(c.rows, text)
		c.byName[b.Table.ID.String()] = append(c.byName[b.Table.ID.String()], text)
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
		for {
			err := r.Read(ctx, out)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads a whole source.
func read(t testing.TB, pairs ...any) []string {
	t.Helper()
	s := openSource(t, block(pairs...))
	out := &collector{}
	if err := readAll(t, s, splitsOf(t, s), out); err != nil {
		t.Fatal(err)
	}
	return out.rows
}

// valueCollector is an Out that keeps rows as Go values.
type valueCollector struct {
	collector
	values [][]any
}

func (c *valueCollector) Batch(b plugin.Batch) error {
	for i := range b.Len() {
		values := make([]any, len(b.Table.Columns))
		for j, col := range b.Table.Columns {
			values[j] = column.Value(b.Rows.Column(j), col.Type, i)
		}
		c.values = append(c.values, values)
	}
	b.Release()
	return nil
}

type configValue = config.Value

func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}
