package parquet_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

// benchBatches are rows of mixed columns, and their size as csv.
func benchBatches(b *testing.B, alloc memory.Allocator) (*plugin.Table, []plugin.Batch, int64) {
	b.Helper()
	tab := table(b,
		plugin.Column{Name: "id", Type: plugin.TypeOf(plugin.BigInt)},
		plugin.Column{Name: "n", Type: plugin.TypeOf(plugin.Int)},
		plugin.Column{Name: "name", Type: plugin.TypeOf(plugin.String)},
		plugin.Column{Name: "city", Type: plugin.TypeOf(plugin.String)},
		plugin.Column{Name: "score", Type: plugin.TypeOf(plugin.Double)},
		plugin.Column{Name: "amount", Type: plugin.DecimalOf(12, 2)},
		plugin.Column{Name: "at", Type: plugin.TypeOf(plugin.Timestamp)},
		plugin.Column{Name: "ok", Type: plugin.TypeOf(plugin.Boolean)})
	builder := column.NewBuilder(tab, alloc)
	var batches []plugin.Batch
	for i := range 500_000 {
		err := builder.AppendRow(plugin.Insert, int64(i), i%1000, fmt.Sprintf("customer %09d", i), fmt.Sprint("city ", i%500),
			float64(i)/7, fmt.Sprintf("%d.%02d", i%100000, i%100), time.UnixMicro(1700000000000000+int64(i)*1001).UTC(),
			i%2 == 0)
		if err != nil {
			b.Fatal(err)
		}
		if builder.Full() {
			batches = append(batches, builder.Batch())
		}
	}
	batches = append(batches, builder.Batch())
	var line []byte
	size := int64(0)
	for _, batch := range batches {
		for i := range batch.Len() {
			line = line[:0]
			for j, c := range tab.Columns {
				line = append(column.FormatText(line, batch.Rows.Column(j), c.Type, i, nil), ',')
			}
			size += int64(len(line))
		}
	}
	return tab, batches, size
}

// BenchmarkWrite reports the speed in bytes that the rows have as csv.
func BenchmarkWrite(b *testing.B) {
	pool := column.NewPool()
	tab, batches, size := benchBatches(b, pool)
	for _, codec := range []string{"none", "snappy", "zstd"} {
		b.Run(codec, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				w, err := parquet.Format().NewWriter(io.Discard, format.WriteOptions{Table: tab, Codec: codec, Alloc: pool})
				if err != nil {
					b.Fatal(err)
				}
				for _, batch := range batches {
					if err := w.Write(batch); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Finish(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(w.Size())/1e6, "MB")
			}
		})
	}
}

// BenchmarkRead reports the speed in bytes that the rows have as csv.
func BenchmarkRead(b *testing.B) {
	pool := column.NewPool()
	tab, batches, size := benchBatches(b, pool)
	for _, codec := range []string{"none", "snappy"} {
		data := write(b, format.WriteOptions{Table: tab, Codec: codec}, batches...)
		b.Run(codec, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				r, err := parquet.Format().NewReader(format.ReadOptions{Table: tab, Alloc: pool})
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Open(b.Context(), input(data), format.Range{End: -1}, nil); err != nil {
					b.Fatal(err)
				}
				n := 0
				for {
					batch, err := r.Next(b.Context())
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					n += batch.Len()
					batch.Release()
				}
				if n != 500_000 {
					b.Fatalf("%d rows", n)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
