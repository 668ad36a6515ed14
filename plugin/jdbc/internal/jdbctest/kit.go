package jdbctest

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// Kit makes sources and sinks of the plugins under test.
type Kit struct{ Plugins plugin.Set }

// With returns a kit that has other plugins, too.
func (k Kit) With(others plugin.Set) Kit {
	return Kit{func() []plugin.Plugin { return slices.Concat(k.Plugins(), others()) }}
}

// Env is what a plugin is lent.
func Env(inputs ...*plugin.Table) plugin.Env {
	return plugin.Env{
		Job: plugin.Job{ID: 7, Name: "test"}, Vertex: "Sink[0]-Jdbc", Parallelism: 1, Inputs: inputs,
		Logger: hclog.NewNullLogger(), Alloc: memory.DefaultAllocator, Now: time.Now,
	}
}

// Lookup returns the source or the sink.
func (k Kit) Lookup(t testing.TB, role plugin.Role) plugin.Plugin {
	t.Helper()
	p, err := k.find(role)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (k Kit) find(role plugin.Role) (plugin.Plugin, error) {
	registry := plugin.NewRegistry(k.Plugins)
	p, ok := registry.Lookup(role, "jdbc")
	if err := registry.Err(); err != nil || !ok {
		return p, errors.Join(errors.New("no "+role.String()+" is named Jdbc"), err)
	}
	return p, nil
}

// OpenSource makes a source.
func (k Kit) OpenSource(t testing.TB, o config.Value) plugin.Source {
	t.Helper()
	s, err := k.Lookup(t, plugin.SourceRole).Source(t.Context(), o, Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// OpenSink makes a sink.
func (k Kit) OpenSink(t testing.TB, o config.Value, inputs ...*plugin.Table) plugin.Sink {
	t.Helper()
	s, err := k.Lookup(t, plugin.SinkRole).Sink(t.Context(), o, Env(inputs...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// SinkFor makes a sink for one table and prepares it. The pairs are its options.
func (k Kit) SinkFor(t testing.TB, tab *plugin.Table, pairs ...any) plugin.Sink {
	t.Helper()
	s := k.OpenSink(t, plugintest.Options(pairs...), tab)
	if err := s.Prepare(t.Context(), []*plugin.Table{tab}); err != nil {
		t.Fatal(err)
	}
	return s
}

// Load writes batches through one writer, flushes it and commits.
func Load(t testing.TB, s plugin.Sink, batches ...plugin.Batch) {
	t.Helper()
	if err := TryLoad(t, s, batches...); err != nil {
		t.Fatal(err)
	}
}

// TryLoad is [Load]; it returns the first error.
func TryLoad(t testing.TB, s plugin.Sink, batches ...plugin.Batch) error {
	ctx := t.Context()
	w, err := s.Writer(ctx, plugin.Task{Env: Env()})
	if err != nil {
		return err
	}
	for _, b := range batches {
		if err := w.Write(ctx, b); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return errors.Join(flush(ctx, s, w, 1), w.Close())
}

// flush ends an epoch and commits it.
func flush(ctx context.Context, s plugin.Sink, w plugin.Writer, epoch uint64) error {
	token, err := w.Flush(ctx, epoch)
	if err != nil || token == nil {
		return err
	}
	return s.(plugin.Committer).Commit(ctx, epoch, [][]byte{token})
}

// SplitsOf returns all splits of a source.
func SplitsOf(t testing.TB, s plugin.Source) []plugin.Split {
	t.Helper()
	splits, err := splitsOf(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return splits
}

func splitsOf(ctx context.Context, s plugin.Source) ([]plugin.Split, error) {
	sp, err := s.Splits(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer sp.Close()
	var all []plugin.Split
	for {
		some, err := sp.Next(ctx)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
}

// ReadAll reads splits with one reader.
func ReadAll(t testing.TB, s plugin.Source, splits []plugin.Split, out plugin.Out) error {
	return readAll(t.Context(), s, splits, out)
}

func readAll(ctx context.Context, s plugin.Source, splits []plugin.Split, out plugin.Out) error {
	r, err := s.Reader(ctx, plugin.Task{Env: Env()})
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
		if err != io.EOF {
			return err
		}
	}
	return nil
}

// Read reads a whole source, whose options the pairs are, and returns its rows, printed, in the order of their coming.
func (k Kit) Read(t testing.TB, pairs ...any) []string {
	t.Helper()
	out := &Collector{}
	if err := k.collect(t.Context(), plugintest.Options(pairs...), out); err != nil {
		t.Fatal(err)
	}
	return out.Rows
}

func (k Kit) collect(ctx context.Context, o config.Value, out *Collector) error {
	p, err := k.find(plugin.SourceRole)
	if err != nil {
		return err
	}
	s, err := p.Source(ctx, o, Env())
	if err != nil {
		return err
	}
	splits, err := splitsOf(ctx, s)
	if err != nil {
		return err
	}
	return readAll(ctx, s, splits, out)
}

// CheckError checks what an error says, and that it says what to do.
func CheckError(t testing.TB, err error, code plugin.Code, parts ...string) {
	t.Helper()
	var e *plugin.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v", err)
	}
	if e.Code != code || e.Fix == "" && code != plugin.CodeConfig {
		t.Errorf("code %s, fix %q of %v", e.Code, e.Fix, err)
	}
	checkText(t, err, parts...)
}
