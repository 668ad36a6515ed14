package fake

import (
	"io"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// drain is a plugin.Out that releases batches at once.
type drain struct{ sink }

func (*drain) Batch(b plugin.Batch) error { b.Release(); return nil }

func benchmark(b *testing.B, schema string) {
	env := testEnv()
	env.Alloc = column.NewPool()
	s := mustOpen(b, "row.num = 1000000, "+schema, env)
	split := splits(b, s)[0]
	r, err := s.Reader(b.Context(), plugin.Task{Env: env})
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Open(b.Context(), split); err != nil {
			b.Fatal(err)
		}
		if err := r.Read(b.Context(), &drain{}); err != io.EOF {
			b.Fatal(err)
		}
		rows += 1000000
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkStringIntInt(b *testing.B) {
	benchmark(b, "schema { fields { name = string, age = int, score = int } }")
}

func BenchmarkEveryType(b *testing.B) { benchmark(b, everyType) }

func BenchmarkTemplates(b *testing.B) {
	benchmark(b,
		"string.template = [one, two, three], int.template = [1, 2, 3], schema { fields { name = string, age = int } }")
}
