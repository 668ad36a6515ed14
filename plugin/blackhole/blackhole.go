// Package blackhole is the sink Blackhole: it drops all rows. It is there to measure what is upstream of it, and to run
// a job for its effects on a source. The engine counts the rows as for any sink; a host that wants the numbers in hand
// registers [Into] with a [Counter].
package blackhole

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// Options are the options of Blackhole.
type Options struct {
	Delay time.Duration `opt:"delay.ms" unit:"ms" default:"0" min:"0" help:"Pause for each batch, to play a slow sink."`
}

// Plugins returns the sink Blackhole.
func Plugins() []plugin.Plugin { return Into(nil)() }

// Into returns the sink Blackhole counting into c, which may be nil.
func Into(c *Counter) plugin.Set {
	open := func(_ context.Context, o Options, _ plugin.Env) (*sink, error) {
		return &sink{options: o, counter: c}, nil
	}
	return func() []plugin.Plugin {
		return []plugin.Plugin{plugin.NewSink(plugin.Info{
			Name: "Blackhole", Summary: "Drops all rows.", MultiTable: true, Delivery: plugin.Idempotent, Changes: true,
		}, open)}
	}
}

// Counter counts the rows that arrive, those included that come again after a restart. The zero value is ready. It may
// be read at any time, from any goroutine.
type Counter struct {
	tables sync.Map // plugin.TableID -> *atomic.Int64
}

// of returns the number of a table.
func (c *Counter) of(id plugin.TableID) *atomic.Int64 {
	if n, ok := c.tables.Load(id); ok {
		return n.(*atomic.Int64)
	}
	n, _ := c.tables.LoadOrStore(id, new(atomic.Int64))
	return n.(*atomic.Int64)
}

// Rows returns the number of rows of one table.
func (c *Counter) Rows(id plugin.TableID) int64 {
	if n, ok := c.tables.Load(id); ok {
		return n.(*atomic.Int64).Load()
	}
	return 0
}

// Total returns the number of rows of all tables.
func (c *Counter) Total() int64 {
	total := int64(0)
	c.tables.Range(func(_, n any) bool {
		total += n.(*atomic.Int64).Load()
		return true
	})
	return total
}

// sink is an opened Blackhole.
type sink struct {
	options Options
	counter *Counter
}

// Prepare does nothing.
func (s *sink) Prepare(context.Context, []*plugin.Table) error { return nil }

// ApplyChange does nothing: rows of any columns are dropped.
func (s *sink) ApplyChange(context.Context, plugin.SchemaChange) error { return nil }

// Truncate does nothing: there are no rows.
func (s *sink) Truncate(context.Context, *plugin.Table) error { return nil }

// Writer makes the writer of one lane.
func (s *sink) Writer(context.Context, plugin.Task) (plugin.Writer, error) {
	return &writer{sink: s}, nil
}

// writer drops the rows of one lane.
type writer struct {
	*sink
	table *plugin.Table // of the last batch
	rows  *atomic.Int64 // its number
}

// Write counts the rows if anybody asked for it, and drops them.
func (w *writer) Write(ctx context.Context, b plugin.Batch) error {
	if w.counter != nil {
		if w.table != b.Table {
			w.table, w.rows = b.Table, w.counter.of(b.Table.ID)
		}
		w.rows.Add(int64(b.Len()))
	}
	if w.options.Delay > 0 {
		return plugin.Sleep(ctx, w.options.Delay)
	}
	return nil
}

// Flush has nothing to do.
func (w *writer) Flush(context.Context, uint64) ([]byte, error) { return nil, nil }

// Close does nothing.
func (w *writer) Close() error { return nil }
