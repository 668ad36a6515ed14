package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// testEnv is what the engine would lend.
func testEnv(inputs ...*plugin.Table) plugin.Env {
	return plugin.Env{
		Job:    plugin.Job{ID: 42, Name: "test"},
		Vertex: "Vertex", Parallelism: 1, Inputs: inputs,
		Logger: hclog.NewNullLogger(), Alloc: column.NewPool(),
		Now: func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) },
	}
}

// options parses a plugin's block.
func options(t testing.TB, text string) config.Value {
	t.Helper()
	v, err := hocon.ParseValue([]byte("{" + text + "}"))
	if err != nil {
		t.Fatalf("options: %v", err)
	}
	return v
}

// openSource makes the source from the text of its block.
func openSource(t testing.TB, text string) (plugin.Source, error) {
	t.Helper()
	p, ok := plugin.NewRegistry(Plugins).Lookup(plugin.SourceRole, Name)
	if !ok {
		t.Fatal("no source")
	}
	return p.Source(t.Context(), options(t, text), testEnv())
}

func openTestSink(t testing.TB, text string, table *plugin.Table) (*sink, error) {
	t.Helper()
	p, ok := plugin.NewRegistry(Plugins).Lookup(plugin.SinkRole, Name)
	if !ok {
		t.Fatal("no sink")
	}
	s, err := p.Sink(t.Context(), options(t, text), testEnv(table))
	if err != nil {
		return nil, err
	}
	return s.(*sink), nil
}

// collector is an Out that keeps rows as text.
type collector struct {
	rows    []string
	batches int
	stop    int // Full turns true after so many batches; 0 never
}

func (c *collector) Batch(b plugin.Batch) error {
	defer b.Release()
	c.batches++
	for i := range b.Len() {
		c.rows = append(c.rows, rowText(b, i))
	}
	return nil
}

func (c *collector) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.New("not used") }
func (c *collector) Change(plugin.SchemaChange) error                { return errors.New("not used") }
func (c *collector) Full() bool                                      { return c.stop > 0 && c.batches >= c.stop }
func (c *collector) Wake() <-chan struct{}                           { return nil }

// rowText joins a row's values: name=value, with <nil> for null.
func rowText(b plugin.Batch, i int) string {
	text := ""
	for k, c := range b.Table.Columns {
		if k > 0 {
			text += "|"
		}
		v := column.Value(b.Rows.Column(k), c.Type, i)
		if bytes, ok := v.([]byte); ok {
			v = fmt.Sprintf("x%x", bytes)
		}
		text += fmt.Sprint(v)
	}
	return text
}

// splitsOf lists a source's splits.
func splitsOf(ctx context.Context, s plugin.Source) ([]plugin.Split, error) {
	splitter, err := s.Splits(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer splitter.Close()
	var all []plugin.Split
	for {
		some, err := splitter.Next(ctx)
		all = append(all, some...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// readRows reads all splits of a source, one after the other.
func readRows(ctx context.Context, s plugin.Source) ([]string, error) {
	if _, err := s.Tables(ctx); err != nil {
		return nil, err
	}
	splits, err := splitsOf(ctx, s)
	if err != nil {
		return nil, err
	}
	env := testEnv()
	pool := env.Alloc.(*column.Pool)
	r, err := s.Reader(ctx, plugin.Task{Env: env})
	if err != nil {
		return nil, err
	}
	out := &collector{}
	for _, split := range splits {
		if err := readSplit(ctx, r, split, out); err != nil {
			return out.rows, errors.Join(err, r.Close())
		}
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	if n := pool.Held(); n != 0 {
		return nil, fmt.Errorf("%d bytes are still held", n)
	}
	return out.rows, nil
}

func readSplit(ctx context.Context, r plugin.Reader, split plugin.Split, out *collector) error {
	if err := r.Open(ctx, split); err != nil {
		return err
	}
	for {
		if err := r.Read(ctx, out); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// read reads everything that a source block says.
func read(t testing.TB, text string) ([]string, error) {
	t.Helper()
	s, err := openSource(t, text)
	if err != nil {
		return nil, err
	}
	return readRows(t.Context(), s)
}

// put writes a file below a directory and returns its path.
func put(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
