package clickhouse_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// newServer is set if the server is one of today.
const newServer = "CULVERT_TEST_CLICKHOUSE_NEW"

// host returns the HTTP address of the server for tests.
func host(t testing.TB) string {
	t.Helper()
	return dbtest.Address(t, dbtest.ClickHouseVariable)
}

// db is a database of one test.
type db struct {
	t    testing.TB
	host string
	name string
}

// newDB makes a database that is dropped at the end of the test.
func newDB(t testing.TB) *db {
	t.Helper()
	d := &db{t: t, host: host(t), name: fmt.Sprintf("culvert_%d_%d", os.Getpid(), time.Now().UnixNano())}
	d.exec("CREATE DATABASE " + d.name)
	t.Cleanup(func() {
		if _, err := d.ask(context.Background(), "DROP DATABASE "+d.name); err != nil {
			t.Error(err)
		}
	})
	return d
}

// ask runs a statement with no part of the package under test.
func (d *db) ask(ctx context.Context, sql string) (string, error) {
	settings := "?allow_experimental_low_cardinality_type=1"
	if os.Getenv(newServer) != "" {
		settings = "?mutations_sync=1&output_format_decimal_trailing_zeros=1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.host+"/"+settings, strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	req.Close = true // a connection that waits may be closed by the server when the next statement comes
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", sql, bytes.TrimSpace(text))
	}
	return strings.TrimSuffix(string(text), "\n"), err
}

// exec runs statements in the database; @ stands for its name.
func (d *db) exec(statements ...string) {
	d.t.Helper()
	for _, sql := range statements {
		d.query(sql)
	}
}

// query runs a statement in the database, @ stands for its name, and returns the text of its result.
func (d *db) query(sql string) string {
	d.t.Helper()
	text, err := d.ask(d.t.Context(), strings.ReplaceAll(sql, "@", d.name))
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

// options are those of a plugin that works in the database.
func (d *db) options(pairs ...any) config.Value {
	base := []any{"host", d.host, "database", d.name, "username", "default", "password", ""}
	return plugintest.Options(append(base, pairs...)...)
}

func env(inputs ...*plugin.Table) plugin.Env {
	return plugin.Env{
		Job: plugin.Job{ID: 7, Name: "test"}, Vertex: "Sink[0]-Clickhouse", Parallelism: 1, Inputs: inputs,
		Logger: hclog.NewNullLogger(), Alloc: memory.DefaultAllocator, Now: time.Now, Dial: (&net.Dialer{}).DialContext,
	}
}

// streaming is the env of a job that does not end by itself, at a time of its clock.
func streaming(now time.Time, inputs ...*plugin.Table) plugin.Env {
	e := env(inputs...)
	e.Job.Mode = plugin.Unbounded
	e.Now = func() time.Time { return now }
	return e
}

func lookup(t testing.TB, role plugin.Role) plugin.Plugin {
	t.Helper()
	reg := plugin.NewRegistry(clickhouse.Plugins)
	if err := reg.Err(); err != nil {
		t.Fatal(err)
	}
	p, ok := reg.Lookup(role, "clickhouse")
	if !ok {
		t.Fatalf("no %s is named Clickhouse", role)
	}
	return p
}

// values is an Out that keeps rows as Go values.
type values struct {
	wake  chan struct{}
	table *plugin.Table
	rows  [][]any
}

func (v *values) Batch(b plugin.Batch) error {
	defer b.Release()
	v.table = b.Table
	for i := range b.Len() {
		row := make([]any, len(b.Table.Columns))
		for j, c := range b.Table.Columns {
			row[j] = column.Value(b.Rows.Column(j), c.Type, i)
		}
		v.rows = append(v.rows, row)
	}
	return nil
}

func (v *values) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.New("not used") }
func (v *values) Change(plugin.SchemaChange) error                { return errors.New("not used") }
func (v *values) Full() bool                                      { return false }
func (v *values) Wake() <-chan struct{}                           { return v.wake }

// readAll reads a source in one go.
func readAll(ctx context.Context, p plugin.Plugin, o config.Value) (*values, error) {
	s, err := p.Source(ctx, o, env())
	if err != nil {
		return nil, err
	}
	sp, err := s.Splits(ctx, nil)
	if err != nil {
		return nil, err
	}
	r, err := s.Reader(ctx, plugin.Task{Env: env()})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	splits, err := sp.Next(ctx)
	if err != nil {
		return nil, err
	}
	out := &values{wake: make(chan struct{})}
	for _, split := range splits {
		if err := r.Open(ctx, split); err != nil {
			return nil, err
		}
		for err = nil; err == nil; {
			err = r.Read(ctx, out)
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return out, nil
}

// batchOf builds a batch of rows; a row may begin with its kind.
func batchOf(t testing.TB, table *plugin.Table, rows ...[]any) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(table, memory.DefaultAllocator)
	defer b.Release()
	for _, row := range rows {
		kind := plugin.Insert
		if k, ok := row[0].(plugin.RowKind); ok {
			kind, row = k, row[1:]
		}
		if err := b.AppendRow(kind, row...); err != nil {
			t.Fatal(err)
		}
	}
	return b.Batch()
}

func tableOf(t testing.TB, name string, key []int, columns ...plugin.Column) *plugin.Table {
	t.Helper()
	table, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Database: "src", Name: name},
		Columns: columns, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func col(name string, t plugin.Type) plugin.Column { return plugin.Column{Name: name, Type: t} }

// newWriter makes a sink, prepares it, and makes a writer that is closed at the end of the test.
func newWriter(t testing.TB, o config.Value, table *plugin.Table) plugin.Writer {
	t.Helper()
	return writerIn(t, env(table), o)
}

// writerIn is newWriter in an env.
func writerIn(t testing.TB, e plugin.Env, o config.Value) plugin.Writer {
	t.Helper()
	s, err := lookup(t, plugin.SinkRole).Sink(t.Context(), o, e)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context(), e.Inputs); err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), plugin.Task{Env: e})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// write writes and flushes.
func write(t testing.TB, w plugin.Writer, batches ...plugin.Batch) error {
	t.Helper()
	for _, b := range batches {
		err := w.Write(t.Context(), b)
		b.Release()
		if err != nil {
			return err
		}
	}
	_, err := w.Flush(t.Context(), 1)
	return err
}
