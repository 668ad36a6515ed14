package sqlite_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

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

func notADatabase(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lock takes a file's write lock, in a way that keeps readers out too, until release is called.
func lock(t testing.TB, path string) (release func()) {
	t.Helper()
	c, err := lite.Open(path, lite.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		if err := errors.Join(c.Exec("ROLLBACK"), c.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(release)
	return release
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

// newFile returns the url of a database that some statements have filled.
func newFile(t testing.TB, sql ...string) (url, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.db")
	execute(t, path, sql...)
	return "jdbc:sqlite:" + path, path
}

func execute(t testing.TB, path string, sql ...string) {
	t.Helper()
	c, err := lite.Open(path, lite.Create)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sql {
		if err := c.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// query returns the rows of a query, each printed.
func query(t testing.TB, path, sql string) []string {
	t.Helper()
	c, err := lite.Open(path, lite.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	stmt, err := c.Prepare(sql)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var rows []string
	for {
		more, err := stmt.Step()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return rows
		}
		rows = append(rows, join(stmt.Values()))
	}
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
func setOf() []plugin.Plugin { return sqlite.Plugins() }

// idBatch has n rows of people with ids from the first on.
func idBatch(tab *plugin.Table, first, n int) (plugin.Batch, error) {
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	for i := range n {
		if err := b.AppendRow(plugin.Insert, first+i, "someone", 1); err != nil {
			return plugin.Batch{}, err
		}
	}
	return b.Batch(), nil
}

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

func sorted(rows []string) []string {
	rows = slices.Clone(rows)
	slices.Sort(rows)
	return rows
}
