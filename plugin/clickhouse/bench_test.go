package clickhouse_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// The benchmarks compare with the bare limit, turn about in one run: an insert of prepared bytes and a read that
// discards. ratio is our rate by the bare one, from the medians, aa that of the bare one by itself; us/row is the CPU
// of this process alone.

// An insert benchmark writes benchRepeats times benchRows.
const (
	benchRows    = 1 << 20
	benchRepeats = 4
)

const benchColumns = "id Int64, n Int32, a String, b String, d Float64, p Decimal(12, 2), t DateTime, ok UInt8"

func benchTable(t testing.TB) *plugin.Table {
	return tableOf(t, "rows", nil, col("id", plugin.TypeOf(plugin.BigInt)), col("n", plugin.TypeOf(plugin.Int)),
		col("a", plugin.TypeOf(plugin.String)), col("b", plugin.TypeOf(plugin.String)),
		col("d", plugin.TypeOf(plugin.Double)),
		col("p", plugin.DecimalOf(12, 2)), col("t", plugin.TypeOf(plugin.Timestamp)),
		col("ok", plugin.TypeOf(plugin.Boolean)))
}

func benchBatches(t testing.TB) []plugin.Batch {
	table := benchTable(t)
	var batches []plugin.Batch
	b := column.NewBuilder(table, memory.DefaultAllocator)
	for i := range benchRows {
		err := b.AppendRow(plugin.Insert, i, i%1000, fmt.Sprintf("customer %d", i), "a text of some length "+fmt.Sprint(i%97),
			float64(i)/3, column.Decimal{Num: decimalOf(i), Scale: 2}, time.Unix(1_700_000_000+int64(i), 0).UTC(), i%2 == 0)
		if err != nil {
			t.Fatal(err)
		}
		if b.Len() == column.FullRows {
			batches = append(batches, b.Batch())
		}
	}
	return batches
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// compare runs two ways in turn and reports the ratio of their medians.
func compare(b *testing.B, rows float64, bare, ours func()) {
	var times [3][]time.Duration
	var used time.Duration
	for range max(b.N, 5) {
		for i, run := range []func(){bare, ours, bare} {
			before, start := cpu(), time.Now()
			run()
			times[i] = append(times[i], time.Since(start))
			if i == 1 {
				used += cpu() - before
			}
		}
	}
	for i := range times {
		slices.Sort(times[i])
	}
	n := len(times[0])
	b.ReportMetric(float64(times[0][n/2])/float64(times[1][n/2]), "ratio")
	b.ReportMetric(float64(times[0][n/2])/float64(times[2][n/2]), "aa")
	b.ReportMetric(rows/times[1][n/2].Seconds()/1e6, "Mrows/s")
	b.ReportMetric(float64(used.Microseconds())/float64(n)/rows, "cpu-us/row")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkInsert(b *testing.B) {
	for _, bulk := range []int{20_000, 250_000} {
		b.Run(fmt.Sprint(bulk), func(b *testing.B) {
			d := newDB(b)
			batches := benchBatches(b)
			fresh := func() {
				d.exec("DROP TABLE IF EXISTS @.rows", "CREATE TABLE @.rows ("+benchColumns+") ENGINE = MergeTree ORDER BY tuple()")
			}
			bodies := benchBodies(b, batches, bulk)
			address := "http://" + d.host + "/?query=" + url.QueryEscape("INSERT INTO "+d.name+".rows FORMAT Native")
			compare(b, benchRepeats*benchRows, func() {
				fresh()
				for _, body := range slices.Repeat(bodies, benchRepeats) {
					resp, err := http.Post(address, "", bytes.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}, func() {
				fresh()
				w := newWriter(b, d.options("bulk_size", bulk), batches[0].Table)
				for _, batch := range slices.Repeat(batches, benchRepeats) {
					if err := w.Write(context.Background(), batch); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := w.Flush(context.Background(), 1); err != nil {
					b.Fatal(err)
				}
			})
			if got := d.query("SELECT count() FROM @.rows"); got != fmt.Sprint(benchRepeats*benchRows) {
				b.Fatalf("%s rows", got)
			}
		})
	}
}

// BenchmarkChanges applies updates, half of whose rows are the old forms, and one delete in twenty, to tables that the
// sink made for a streaming job. Rows are those of the stream.
func BenchmarkChanges(b *testing.B) {
	for _, tables := range []int{1, 20, 500} {
		b.Run(fmt.Sprint(tables, " tables"), func(b *testing.B) {
			d := newDB(b)
			var inputs []*plugin.Table
			for i := range tables {
				t := *benchTable(b)
				t.ID.Name, t.Key = fmt.Sprint("t", i), []int{0}
				t.Columns = slices.Clone(t.Columns)
				t.Columns[0].NotNull = true
				made, err := plugin.NewTable(t)
				if err != nil {
					b.Fatal(err)
				}
				inputs = append(inputs, made)
			}
			w := writerIn(b, streaming(time.Now(), inputs...), d.options())
			const rows = 1 << 19
			var batches []plugin.Batch
			size := max(200, 4000/tables)
			for from := 0; from < rows; from += size {
				batches = append(batches, changeBatch(b, inputs[from/size%tables], from, size))
			}
			before, start := cpu(), time.Now()
			pushed := start
			for b.Loop() {
				for _, batch := range batches {
					if err := w.Write(b.Context(), batch); err != nil {
						b.Fatal(err)
					}
					if time.Since(pushed) > 250*time.Millisecond {
						if err := w.(plugin.Pusher).Push(b.Context()); err != nil {
							b.Fatal(err)
						}
						pushed = time.Now()
					}
				}
				if err := write(b, w); err != nil {
					b.Fatal(err)
				}
			}
			n := float64(b.N) * rows
			b.ReportMetric(n/time.Since(start).Seconds()/1e6, "Mrows/s")
			b.ReportMetric(float64((cpu()-before).Microseconds())/n, "cpu-us/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func changeBatch(b *testing.B, t *plugin.Table, from, n int) plugin.Batch {
	builder := column.NewBuilder(t, memory.DefaultAllocator)
	defer builder.Release()
	for i := from; i < from+n; i++ {
		kind := []plugin.RowKind{old, upd}[i%2]
		if i%40 == 39 {
			kind = del
		}
		err := builder.AppendRow(kind, i/2%100_000, i%1000, fmt.Sprintf("customer %d", i),
			"a text of some length "+fmt.Sprint(i%97),
			float64(i)/3, column.Decimal{Num: decimalOf(i), Scale: 2}, time.Unix(1_700_000_000, 0).UTC(), i%2 == 0)
		if err != nil {
			b.Fatal(err)
		}
	}
	return builder.Batch()
}

// BenchmarkCompression inserts and reads with each compression; none is the bare limit of the ratio.
func BenchmarkCompression(b *testing.B) {
	noFrames(b)
	batches := benchBatches(b)
	for _, method := range []string{"none", "lz4", "zstd"} {
		b.Run(method, func(b *testing.B) {
			d := newDB(b)
			insert := func(method string) {
				w := newWriter(b, d.options("compression", method, "bulk_size", 250_000, "schema_save_mode", "RECREATE_SCHEMA"),
					batches[0].Table)
				if err := write(b, w); err != nil {
					b.Fatal(err)
				}
				for _, batch := range batches {
					if err := w.Write(context.Background(), batch); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := w.Flush(context.Background(), 1); err != nil {
					b.Fatal(err)
				}
			}
			compare(b, benchRows, func() { insert("none") }, func() { insert(method) })
		})
	}
}

// benchBodies prepares inserts of bulk rows, as the writer would send them.
func benchBodies(b *testing.B, batches []plugin.Batch, bulk int) [][]byte {
	var targets []native.Target
	types := []string{"Int64", "Int32", "String", "String", "Float64", "Decimal(12, 2)", "DateTime", "UInt8"}
	for i, c := range batches[0].Table.Columns {
		t, err := native.ParseType(types[i])
		if err != nil {
			b.Fatal(err)
		}
		targets = append(targets, native.Target{Column: native.Column{Name: c.Name, Type: t}, From: c.Type, Index: i})
	}
	e, err := native.NewEncoder(targets, time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	var bodies [][]byte
	var body []byte
	rows := 0
	for i, batch := range batches {
		if body, err = e.AppendBlock(body, batch.Rows); err != nil {
			b.Fatal(err)
		}
		if rows += batch.Len(); rows >= bulk || i == len(batches)-1 {
			bodies, body, rows = append(bodies, body), nil, 0
		}
	}
	return bodies
}

// counter is an Out that counts rows.
type counter struct {
	values
	n int
}

func (c *counter) Batch(b plugin.Batch) error {
	c.n += b.Len()
	b.Release()
	return nil
}

func BenchmarkSelect(b *testing.B) {
	d := newDB(b)
	w := newWriter(b, d.options("bulk_size", benchRows), benchTable(b))
	if err := write(b, w, benchBatches(b)...); err != nil {
		b.Fatal(err)
	}
	d.exec("OPTIMIZE TABLE @.rows FINAL")
	const sql = "SELECT * FROM rows"
	for _, size := range []string{"8192", "16384", "32768", "65536"} {
		b.Run("block size "+size, func(b *testing.B) {
			settings := "&max_block_size=8192"
			config := plugintest.Options()
			if size != "" {
				settings, config = "&max_block_size="+size, plugintest.Options("max_block_size", size)
			}
			s, err := lookup(b, plugin.SourceRole).Source(b.Context(), d.options("sql", sql, "clickhouse.config", config), env())
			if err != nil {
				b.Fatal(err)
			}
			alloc := column.NewPool()
			compare(b, benchRows, func() {
				resp, err := http.Get("http://" + d.host + "/?database=" + d.name + settings + "&query=" +
					url.QueryEscape(sql+" FORMAT Native"))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.CopyBuffer(io.Discard, resp.Body, make([]byte, 256<<10))
				_ = resp.Body.Close()
			}, func() {
				task := plugin.Task{Env: env()}
				task.Alloc = alloc
				r, err := s.Reader(b.Context(), task)
				if err != nil {
					b.Fatal(err)
				}
				out := &counter{}
				if err := r.Open(b.Context(), plugin.Split{ID: "query"}); err != nil {
					b.Fatal(err)
				}
				for err = nil; err == nil; {
					err = r.Read(b.Context(), out)
				}
				if out.n != benchRows {
					b.Fatal(out.n, err)
				}
				_ = r.Close()
			})
		})
	}
}

func decimalOf(i int) decimal128.Num { return decimal128.FromI64(int64(i)) }
