package postgres_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/metrics"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// changesOptions are the options of the source Changes: upserts and deletes of random keys, in an order that a seed
// decides, as a reader of a database's log puts them out.
type changesOptions struct {
	Rows  int64 `opt:"rows" required:"true" help:"Changes in all."`
	Batch int64 `opt:"batch" default:"2000" help:"Changes of a batch."`
	Keys  int64 `opt:"keys" default:"100000" help:"Number of different keys."`
	Rate  int64 `opt:"rate" default:"0" help:"Changes a second; 0 means as fast as possible."`
	Kinds int64 `opt:"deletes" default:"25" help:"Percent of deletes."`
}

func changesPlugin() []plugin.Plugin {
	return []plugin.Plugin{plugin.NewSource(plugin.Info{Name: "Changes", Batch: true, Streaming: true},
		func(_ context.Context, o changesOptions, env plugin.Env) (*changes, error) {
			t, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "people"}, Key: []int{0},
				Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.BigInt), NotNull: true},
					{Name: "name", Type: plugin.TypeOf(plugin.String)}, {Name: "age", Type: plugin.TypeOf(plugin.Int)}}})
			return &changes{o: o, table: t}, err
		})}
}

type changes struct {
	o     changesOptions
	table *plugin.Table
}

func (c *changes) Tables(context.Context) ([]*plugin.Table, error) {
	return []*plugin.Table{c.table}, nil
}

func (c *changes) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return &changesSplitter{c: c, given: state != nil}, nil
}

func (c *changes) Reader(_ context.Context, t plugin.Task) (plugin.Reader, error) {
	return &changesReader{c: c, builder: column.NewBuilder(c.table, memory.DefaultAllocator)}, nil
}

type changesSplitter struct {
	c     *changes
	given bool
}

func (s *changesSplitter) Next(context.Context) ([]plugin.Split, error) {
	if s.given {
		return nil, io.EOF
	}
	s.given = true
	return []plugin.Split{{ID: "log", Table: s.c.table.ID, Rows: s.c.o.Rows}}, nil
}

func (s *changesSplitter) Done(plugin.Split, []byte) error { return nil }
func (s *changesSplitter) State() ([]byte, error)          { return []byte{1}, nil }
func (s *changesSplitter) Close() error                    { return nil }

type changesReader struct {
	c       *changes
	builder *column.Builder
	at      int64
	begun   time.Time
	text    []byte
}

func (r *changesReader) Open(_ context.Context, s plugin.Split) error {
	if len(s.State) > 0 {
		r.at = int64(binary.BigEndian.Uint64(s.State))
	}
	r.begun = time.Now().Add(-r.due(r.at))
	return nil
}

// due is when a change happens, after the start.
func (r *changesReader) due(n int64) time.Duration {
	if r.c.o.Rate == 0 {
		return 0
	}
	return time.Duration(n) * time.Second / time.Duration(r.c.o.Rate)
}

// Read puts out the changes that have happened, one batch at a time.
func (r *changesReader) Read(ctx context.Context, out plugin.Out) error {
	for r.at < r.c.o.Rows && !out.Full() {
		happened := r.begun.Add(r.due(r.at))
		if wait := time.Until(happened); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-out.Wake():
				timer.Stop()
				return nil
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			}
		}
		b := r.batch(min(r.c.o.Batch, r.c.o.Rows-r.at))
		if r.c.o.Rate > 0 {
			b.EventTime = happened.UnixMilli()
		}
		if err := out.Batch(b); err != nil {
			return err
		}
	}
	if r.at == r.c.o.Rows {
		return io.EOF
	}
	return nil
}

// change is the key of change n, and whether it is a delete.
func (c *changes) change(n int64) (key int64, deleted bool) {
	rng := rand.NewPCG(uint64(n), 7)
	v := rng.Uint64()
	return int64(v % uint64(c.o.Keys)), int64(v>>40%100) < c.o.Kinds
}

func (r *changesReader) batch(n int64) plugin.Batch {
	id, name := r.builder.Column(0).(*column.Fixed[int64]), r.builder.Column(1).(*column.Text)
	age := r.builder.Column(2).(*column.Fixed[int32])
	for range n {
		key, deleted := r.c.change(r.at)
		id.Append(key)
		r.text = fmt.Appendf(r.text[:0], "name %d", r.at)
		name.Append(r.text)
		age.Append(int32(r.at % 100))
		kind := plugin.UpdateAfter
		if deleted {
			kind = plugin.Delete
		}
		r.builder.EndRow(kind)
		r.at++
	}
	return r.builder.Batch()
}

func (r *changesReader) Position() ([]byte, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(r.at)), nil
}

func (r *changesReader) Close() error {
	r.builder.Release()
	return nil
}

// left is the content of the table after n changes.
func (c *changes) left() map[int64]int64 {
	rows := map[int64]int64{}
	for n := range c.o.Rows {
		if key, deleted := c.change(n); deleted {
			delete(rows, key)
		} else {
			rows[key] = n
		}
	}
	return rows
}

// follow runs the source Changes into a table of the server and checks what is there at the end.
func follow(t testing.TB, s *dbtest.Database, o changesOptions, options string) *engine.Result {
	t.Helper()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(postgres.Plugins, changesPlugin)})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close(context.Background())
	job, err := eng.Submit(t.Context(), fmt.Appendf(nil, `
		env { job.mode = STREAMING, checkpoint.interval = 1000 }
		source { Changes { rows = %d, batch = %d, keys = %d, rate = %d, deletes = %d } }
		sink { Jdbc { %s, table = people, primary_keys = [id], generate_sink_sql = true, %s } }`,
		o.Rows, o.Batch, o.Keys, o.Rate, o.Kinds, s.Access(), options), engine.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := job.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := (&changes{o: o}).left()
	var sum int64
	for key, n := range want {
		sum += key*31 + n
	}
	got := s.Query("SELECT count(*), sum(id * 31 + substr(name, 6)::bigint) FROM people")[0]
	if wanted := fmt.Sprintf("%d|%d", len(want), sum); got != wanted {
		t.Errorf("the table has %s, want %s", got, wanted)
	}
	return result
}

// BenchmarkChanges applies upserts and deletes as fast as they come:
//
//	go test -run xxx -bench Changes -benchtime 3x ./plugin/jdbc/postgres/
func BenchmarkChanges(b *testing.B) {
	for _, kind := range []struct {
		name    string
		deletes int64
		options string
	}{{"upserts", 0, ""}, {"upserts and deletes", 25, ""}, {"exactly once", 25, "is_exactly_once = true"}} {
		for _, size := range []int64{200, 2000, 8192} {
			b.Run(fmt.Sprintf("%s/batch %d", kind.name, size), func(b *testing.B) {
				const rows = 400_000
				for b.Loop() {
					b.StopTimer()
					s := dbtest.Postgres(b, "CREATE TABLE people (id bigint PRIMARY KEY, name text, age int)", "CHECKPOINT")
					b.StartTimer()
					follow(b, s, changesOptions{Rows: rows, Batch: size, Keys: 100_000, Kinds: kind.deletes}, kind.options)
				}
				b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "changes/s")
			})
		}
	}
}

// BenchmarkLatency has 2,000 changes a second come alone, with a checkpoint a second, and tells how long they take
// until they are visible:
//
//	go test -run xxx -bench Latency -benchtime 1x ./plugin/jdbc/postgres/
func BenchmarkLatency(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := dbtest.Postgres(b, "CREATE TABLE people (id bigint PRIMARY KEY, name text, age int)")
		b.StartTimer()
		l := latencyOf(b, s, changesOptions{Rows: 10_000, Batch: 1, Keys: 5000, Rate: 2000, Kinds: 25})
		b.ReportMetric(float64(l.Quantile(0.5).Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(l.Quantile(0.99).Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(l.Max.Milliseconds()), "max-ms")
	}
}

func latencyOf(t testing.TB, s *dbtest.Database, o changesOptions) metrics.Latency {
	t.Helper()
	l := follow(t, s, o, "").Metrics.Latency()
	if l.Count != o.Rows {
		t.Errorf("the latency of %d changes is known, want %d", l.Count, o.Rows)
	}
	return l
}
