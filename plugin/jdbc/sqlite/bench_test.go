package sqlite_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	_ "modernc.org/sqlite" // the driver to compare with

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

const benchRows = 1_000_000

var benchColumns = []plugin.Column{
	{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "n", Type: plugin.TypeOf(plugin.Int)},
	{Name: "name", Type: plugin.TypeOf(plugin.String)}, {Name: "city", Type: plugin.TypeOf(plugin.String)},
	{Name: "score", Type: plugin.TypeOf(plugin.Double)}, {Name: "amount", Type: plugin.DecimalOf(12, 2)},
	{Name: "at", Type: plugin.TypeOf(plugin.Timestamp)}, {Name: "ok", Type: plugin.TypeOf(plugin.Boolean)},
}

// benchValue returns the values of one row.
func benchValue(i int) []any {
	return []any{
		int64(i), int64(i % 1000), fmt.Sprintf("customer %09d", i), "Springfield", float64(i) / 7,
		fmt.Sprintf("%d.%02d", i%100000, i%100), time.UnixMicro(1700000000000000 + int64(i)*1001).UTC(), i%2 == 0,
	}
}

func benchTable(b *testing.B, key []int) *plugin.Table {
	return jdbctest.Table(b, plugin.Table{ID: plugin.TableID{Name: "rows"}, Columns: benchColumns, Key: key})
}

func benchBatches(b *testing.B, tab *plugin.Table) []plugin.Batch {
	b.Helper()
	builder := column.NewBuilder(tab, memory.DefaultAllocator)
	var batches []plugin.Batch
	for i := range benchRows {
		if err := builder.AppendRow(plugin.Insert, benchValue(i)...); err != nil {
			b.Fatal(err)
		}
		if builder.Full() {
			batches = append(batches, builder.Batch())
		}
	}
	return append(batches, builder.Batch())
}

func rowsPerSecond(b *testing.B) {
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWrite compares the sink with a loop over a prepared statement of the database/sql driver that commits once,
// both into the same table.
func BenchmarkWrite(b *testing.B) {
	b.Run("driver", func(b *testing.B) {
		values := make([][]any, benchRows)
		for i := range values {
			values[i] = benchValue(i)
			values[i][6] = values[i][6].(time.Time).Format("2006-01-02 15:04:05.000000")
		}
		for b.Loop() {
			b.StopTimer()
			url, path := newFile(b)
			kit.SinkFor(b, benchTable(b, []int{0}), "url", url)
			b.StartTimer()
			driverInsert(b, path, values)
		}
		rowsPerSecond(b)
	})
	for _, exactly := range []bool{false, true} {
		b.Run(fmt.Sprintf("sink/exactly_once=%v", exactly), func(b *testing.B) {
			tab := benchTable(b, []int{0})
			batches := benchBatches(b, tab)
			for b.Loop() {
				b.StopTimer()
				url, _ := newFile(b)
				s := kit.SinkFor(b, tab, "url", url, "is_exactly_once", exactly)
				b.StartTimer()
				jdbctest.Load(b, s, batches...)
			}
			rowsPerSecond(b)
		})
	}
}

func driverInsert(b *testing.B, path string, values [][]any) {
	b.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	stmt, err := tx.Prepare("INSERT INTO rows VALUES (?,?,?,?,?,?,?,?)")
	if err != nil {
		b.Fatal(err)
	}
	for _, v := range values {
		if _, err := stmt.Exec(v...); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRead compares the source with a loop over the driver's rows.
func BenchmarkRead(b *testing.B) {
	tab := benchTable(b, nil)
	url, path := newFile(b)
	jdbctest.Load(b, kit.SinkFor(b, tab, "url", url), benchBatches(b, tab)...)
	b.Run("driver", func(b *testing.B) {
		for b.Loop() {
			driverSelect(b, path)
		}
		rowsPerSecond(b)
	})
	b.Run("source", func(b *testing.B) {
		for b.Loop() {
			s := kit.OpenSource(b, plugintest.Options("url", url, "table_path", "rows"))
			out := &counter{}
			if err := jdbctest.ReadAll(b, s, jdbctest.SplitsOf(b, s), out); err != nil {
				b.Fatal(err)
			}
			if out.rows != benchRows {
				b.Fatalf("%d rows", out.rows)
			}
		}
		rowsPerSecond(b)
	})
}

func driverSelect(b *testing.B, path string) {
	b.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT * FROM rows")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var id, n int64
	var name, city, amount, at sql.RawBytes
	var score float64
	var ok bool
	count := 0
	for rows.Next() {
		if err := rows.Scan(&id, &n, &name, &city, &score, &amount, &at, &ok); err != nil {
			b.Fatal(err)
		}
		count++
	}
	if count != benchRows {
		b.Fatalf("%d rows", count)
	}
}

// counter is an Out that only counts.
type counter struct {
	jdbctest.Collector
	rows int
}

func (c *counter) Batch(b plugin.Batch) error {
	c.rows += b.Len()
	b.Release()
	return nil
}
