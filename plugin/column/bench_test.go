package column

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

const benchName = "a name of 20 letters"

func reportRows(b *testing.B, rows int) {
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkTypedAppend(b *testing.B) {
	pool := NewPool()
	builder := NewBuilder(threeColumns(b), pool)
	id, name, price := builder.Column(0).(*Fixed[int64]), builder.Column(1).(*Text), builder.Column(2).(*Fixed[float64])
	b.ReportAllocs()
	for b.Loop() {
		for i := range FullRows {
			id.Append(int64(i))
			name.AppendString(benchName)
			price.Append(float64(i))
			builder.EndRow(plugin.Insert)
		}
		builder.Batch().Release()
	}
	reportRows(b, FullRows)
}

func BenchmarkColumnwise(b *testing.B) {
	pool := NewPool()
	builder := NewBuilder(threeColumns(b), pool)
	id, name, price := builder.Column(0).(*Fixed[int64]), builder.Column(1).(*Text), builder.Column(2).(*Fixed[float64])
	b.ReportAllocs()
	for b.Loop() {
		for i, ids := 0, id.Extend(FullRows); i < len(ids); i++ {
			ids[i] = int64(i)
		}
		for range FullRows {
			name.AppendString(benchName)
		}
		for i, prices := 0, price.Extend(FullRows); i < len(prices); i++ {
			prices[i] = float64(i)
		}
		builder.EndRows(FullRows)
		builder.Batch().Release()
	}
	reportRows(b, FullRows)
}

func BenchmarkAppendRow(b *testing.B) {
	pool := NewPool()
	builder := NewBuilder(threeColumns(b), pool)
	b.ReportAllocs()
	for b.Loop() {
		for i := range FullRows {
			if err := builder.AppendRow(plugin.Insert, int64(i), benchName, 1.5); err != nil {
				b.Fatal(err)
			}
		}
		builder.Batch().Release()
	}
	reportRows(b, FullRows)
}

var textBenchmarks = []struct {
	name string
	typ  plugin.Type
	text string
	json string
}{
	{"bigint", plugin.TypeOf(plugin.BigInt), "1234567890", "1234567890"},
	{"double", plugin.TypeOf(plugin.Double), "1234.5678", "1234.5678"},
	{"decimal", plugin.DecimalOf(18, 4), "12345678.1234", "12345678.1234"},
	{"date", plugin.TypeOf(plugin.Date), "2024-02-29", `"2024-02-29"`},
	{"timestamp", plugin.TypeOf(plugin.Timestamp), "2024-02-29 10:11:12.123456", `"2024-02-29T10:11:12.123456"`},
	{"string", plugin.TypeOf(plugin.String), benchName, `"` + benchName + `"`},
}

func BenchmarkAppendText(b *testing.B) {
	for _, bench := range textBenchmarks {
		b.Run(bench.name, func(b *testing.B) {
			text := []byte(bench.text)
			benchmarkAppend(b, bench.typ, func(c Column) error { return AppendText(c, bench.typ, text, nil) })
		})
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	for _, bench := range textBenchmarks {
		b.Run(bench.name, func(b *testing.B) {
			text := []byte(bench.json)
			benchmarkAppend(b, bench.typ, func(c Column) error { return AppendJSON(c, bench.typ, text) })
		})
	}
}

func benchmarkAppend(b *testing.B, typ plugin.Type, append func(c Column) error) {
	b.Helper()
	builder := NewBuilder(table(b, typ), NewPool())
	c := builder.Column(0)
	b.ReportAllocs()
	for b.Loop() {
		for range 1000 {
			if err := append(c); err != nil {
				b.Fatal(err)
			}
			builder.EndRow(plugin.Insert)
		}
		builder.Batch().Release()
	}
	reportRows(b, 1000)
}

func BenchmarkAppendJSONRow(b *testing.B) {
	builder := NewBuilder(threeColumns(b), NewPool())
	row := []byte(`{"id":123456,"name":"` + benchName + `","price":1234.5}`)
	b.ReportAllocs()
	for b.Loop() {
		for range 1000 {
			if err := builder.AppendJSON(plugin.Insert, row); err != nil {
				b.Fatal(err)
			}
		}
		builder.Batch().Release()
	}
	reportRows(b, 1000)
}

func BenchmarkFormat(b *testing.B) {
	for _, bench := range textBenchmarks {
		a := oneColumn(b, bench.typ, 1000, func(c Column, _ int) error {
			return AppendText(c, bench.typ, []byte(bench.text), nil)
		})
		buf := make([]byte, 0, 1<<16)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = buf[:0]
				for i := range a.Len() {
					buf = FormatText(buf, a, bench.typ, i, nil)
				}
			}
			reportRows(b, 1000)
		})
	}
}

func BenchmarkSizeAndTake(b *testing.B) {
	pool := NewPool()
	builder := NewBuilder(threeColumns(b), pool)
	rows := make([]int32, 0, FullRows/2)
	for i := range FullRows {
		if err := builder.AppendRow(plugin.Insert, i, benchName, 1.5); err != nil {
			b.Fatal(err)
		}
		if i%2 == 0 {
			rows = append(rows, int32(i))
		}
	}
	batch := builder.Batch()
	defer batch.Release()
	b.Run("Size", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Size(batch)
		}
		reportRows(b, FullRows)
	})
	b.Run("Take", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Take(batch, rows, pool).Release()
		}
		reportRows(b, len(rows))
	})
}
