package clickhouse_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// changesOptions are those of the source Changes: it makes changes of several tables, the same ones at every start, and
// then stays idle.
type changesOptions struct {
	Tables int `opt:"tables" required:"true" help:"How many."`
	Steps  int `opt:"steps" required:"true" help:"Changes of each table."`
}

func changesPlugins() []plugin.Plugin {
	return []plugin.Plugin{plugin.NewSource(plugin.Info{Name: "Changes", Summary: "Makes changes.", Streaming: true},
		func(_ context.Context, o changesOptions, _ plugin.Env) (*changes, error) { return newChanges(o) })}
}

type changes struct {
	tables  []*plugin.Table
	streams []*stream
}

// lastPut is when a reader of this process put rows out, in Unix nanoseconds.
var lastPut atomic.Int64

func newChanges(o changesOptions) (*changes, error) {
	c := &changes{}
	for i := range o.Tables {
		table, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Database: "shop", Name: fmt.Sprint("t", i)},
			Key: []int{0},
			Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.Int), NotNull: true},
				{Name: "name", Type: plugin.TypeOf(plugin.String)}}})
		if err != nil {
			return nil, err
		}
		s := newStream(uint64(i))
		for range o.Steps {
			s.next()
		}
		c.tables, c.streams = append(c.tables, table), append(c.streams, s)
	}
	return c, nil
}

func (c *changes) Tables(context.Context) ([]*plugin.Table, error) { return c.tables, nil }

func (c *changes) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return &oneSplit{handed: state != nil}, nil
}

func (c *changes) Reader(context.Context, plugin.Task) (plugin.Reader, error) {
	return &changesReader{changes: c}, nil
}

type oneSplit struct{ handed bool }

func (s *oneSplit) Next(context.Context) ([]plugin.Split, error) {
	if s.handed {
		return nil, io.EOF
	}
	s.handed = true
	return []plugin.Split{{ID: "all", Rows: -1}}, nil
}

func (s *oneSplit) Done(plugin.Split, []byte) error { return nil }
func (s *oneSplit) State() ([]byte, error)          { return []byte("handed"), nil }
func (s *oneSplit) Close() error                    { return nil }

// changesReader puts out some rows of each table in turn.
type changesReader struct {
	*changes
	at   []int // of each table
	turn int
}

func (r *changesReader) Open(_ context.Context, s plugin.Split) error {
	r.at = make([]int, len(r.tables))
	if s.State == nil {
		return nil
	}
	return json.Unmarshal(s.State, &r.at)
}

func (r *changesReader) Position() ([]byte, error) { return json.Marshal(r.at) }
func (r *changesReader) Close() error              { return nil }

func (r *changesReader) Read(ctx context.Context, out plugin.Out) error {
	for range r.tables {
		i := r.turn % len(r.tables)
		r.turn++
		left := r.streams[i].log[r.at[i]:]
		if len(left) == 0 {
			continue
		}
		rows := left[:min(len(left), 1+rand.IntN(20))]
		b := column.NewBuilder(r.tables[i], memory.DefaultAllocator)
		defer b.Release()
		for _, row := range rows {
			if err := b.AppendRow(row[0].(plugin.RowKind), row[1:]...); err != nil {
				return err
			}
		}
		r.at[i] += len(rows)
		lastPut.Store(time.Now().UnixNano())
		return out.Batch(b.Batch())
	}
	select {
	case <-out.Wake():
	case <-ctx.Done():
	}
	return nil
}

// holds reports the first table that does not hold what its stream leaves in it.
func (c *changes) holds(ctx context.Context, d *db) error {
	for i, s := range c.streams {
		sql := strings.NewReplacer("@", d.name, "people", c.tables[i].ID.Name).Replace(final("id, name"))
		got, err := d.ask(ctx, sql)
		if err != nil {
			return err
		}
		if got != s.text() {
			return fmt.Errorf("%s holds\n%s\nwant\n%s", c.tables[i].ID.Name, got, s.text())
		}
	}
	return nil
}

const streamJob = `
env { job.mode = STREAMING, checkpoint.interval = 200, read_limit.rows_per_second = RATE, job.retry.times = 100, job.retry.interval.seconds = 1 }
source { Changes { tables = TABLES, steps = STEPS } }
sink { Clickhouse { host = "HOST", database = "DB" } }
`

// TestStream shows the changes of many tables within a second, and makes few parts of them.
func TestStream(t *testing.T) {
	d := newDB(t)
	const tables, steps, rate = 20, 300, 6000
	eng := dbtest.OpenEngine(t, "", clickhouse.Plugins, changesPlugins)
	dbtest.Submit(t, eng, d.streamJob(tables, steps, rate), engine.SubmitOptions{})
	want, err := newChanges(changesOptions{tables, steps})
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, s := range want.streams {
		total += int64(len(s.log))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for err := want.holds(ctx, d); err != nil; err = want.holds(ctx, d) {
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	late := time.Since(time.Unix(0, lastPut.Load()))
	if late > 2*time.Second {
		t.Errorf("the last change was visible after %v, want a second or less", late)
	}
	seconds := float64(total) / rate
	// four a second, and one for each checkpoint
	inserts, err := strconv.Atoi(d.query("SELECT max(n) FROM (SELECT max(max_block_number) AS n FROM system.parts " +
		"WHERE database = '@' GROUP BY table)"))
	if most := seconds*(4+5) + 5; err != nil || float64(inserts) > most {
		t.Errorf("%d inserts into a table, want %.0f at most", inserts, most)
	}
	t.Logf("%d changes of %d tables in %.1f s, %d inserts into a table, the last change visible after %v", total, tables,
		seconds, inserts, late)
}

func (d *db) streamJob(tables, steps, rate int) string {
	return d.job(strings.NewReplacer("TABLES", fmt.Sprint(tables), "STEPS", fmt.Sprint(steps), "RATE",
		fmt.Sprint(rate)).Replace(streamJob))
}

// TestKillStream kills the engine, and the server, again and again while changes of several tables are followed.
func TestKillStream(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	service := dbtest.StartService(t, dbtest.ClickHouseVariable)
	d := &db{t: t, host: service.URL, name: "killed"}
	d.exec("CREATE DATABASE @")
	const tables, steps, rate = 5, 2000, 3000
	dir, job := t.TempDir(), d.streamJob(tables, steps, rate)
	want, err := newChanges(changesOptions{tables, steps})
	if err != nil {
		t.Fatal(err)
	}
	for round := range killRounds {
		child, kill := startChild(t, dir, job)
		left := 2 + round*3%5
		for range child {
			if left--; left == 1 && round%2 == 0 {
				service.Kill()
				service.Restart()
			}
			if left == 0 {
				break
			}
		}
		kill()
	}
	child, kill := startChild(t, dir, job)
	defer kill()
	go func() {
		for range child {
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for err := want.holds(ctx, d); err != nil; err = want.holds(ctx, d) {
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}
