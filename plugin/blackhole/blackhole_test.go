package blackhole_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

func table(t testing.TB, name string) *plugin.Table {
	t.Helper()
	made, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: name},
		Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.Int)}}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func batch(t testing.TB, table *plugin.Table, rows int) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(table, memory.DefaultAllocator)
	for i := range rows {
		if err := b.AppendRow(plugin.Insert, i); err != nil {
			t.Fatal(err)
		}
	}
	return b.Batch()
}

func open(t testing.TB, set plugin.Set, delay string) plugin.Sink {
	t.Helper()
	registry := plugin.NewRegistry(set)
	if err := registry.Err(); err != nil {
		t.Fatal(err)
	}
	found, _ := registry.Lookup(plugin.SinkRole, "blackhole")
	options := config.Value{Kind: config.Object}.Set("delay.ms", config.TextValue(delay))
	s, err := found.Sink(t.Context(), options, plugin.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func writer(t testing.TB, s plugin.Sink) plugin.Writer {
	t.Helper()
	w, err := s.Writer(t.Context(), plugin.Task{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestCounterSeesAllWriters(t *testing.T) {
	var counter blackhole.Counter
	s := open(t, blackhole.Into(&counter), "0")
	a, b := table(t, "a"), table(t, "b")
	of := [2]plugin.Batch{batch(t, a, 3), batch(t, b, 5)}
	var wg sync.WaitGroup
	for range 4 {
		w := writer(t, s)
		wg.Go(func() {
			for range 100 {
				for _, rows := range of {
					if err := w.Write(t.Context(), rows); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if counter.Rows(a.ID) != 1200 || counter.Rows(b.ID) != 2000 || counter.Total() != 3200 {
		t.Errorf("counted %d, %d and %d in all; want 1200, 2000, 3200", counter.Rows(a.ID), counter.Rows(b.ID),
			counter.Total())
	}
	if n := counter.Rows(plugin.TableID{Name: "c"}); n != 0 {
		t.Errorf("an unknown table has %d rows", n)
	}
}

func TestWithoutCounter(t *testing.T) {
	w := writer(t, open(t, blackhole.Plugins, "0"))
	if err := w.Write(t.Context(), batch(t, table(t, "a"), 1)); err != nil {
		t.Error(err)
	}
	token, err := w.Flush(t.Context(), 1)
	if token != nil || err != nil || w.Close() != nil {
		t.Errorf("token %v, error %v", token, err)
	}
}

func TestDelay(t *testing.T) {
	w := writer(t, open(t, blackhole.Plugins, "30"))
	rows := batch(t, table(t, "a"), 1)
	begun := time.Now()
	if err := w.Write(t.Context(), rows); err != nil || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("error %v after %v, want none after 30 ms", err, time.Since(begun))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := writer(t, open(t, blackhole.Plugins, "3600000")).Write(ctx, rows); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled in the pause: error %v", err)
	}
}

// A host reads the numbers while the job runs and after it.
func ExampleInto() {
	var counter blackhole.Counter
	registry := plugin.NewRegistry(blackhole.Into(&counter))
	fmt.Println(registry.Names(plugin.SinkRole), counter.Total())
	// Output: [Blackhole] 0
}

func BenchmarkWrite(b *testing.B) {
	var counter blackhole.Counter
	w := writer(b, open(b, blackhole.Into(&counter), "0"))
	rows := batch(b, table(b, "a"), column.FullRows)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(counter.Total())/b.Elapsed().Seconds(), "rows/s")
}
