package transform

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

func BenchmarkTransforms(b *testing.B) {
	in := table(b, "fields { id = bigint, name = string, age = int }")
	rows := column.NewBuilder(in, memory.DefaultAllocator)
	for i := range column.FullRows {
		if err := rows.AppendRow(plugin.RowKind(i%4), i, fmt.Sprintf("name,%d", i), i%100); err != nil {
			b.Fatal(err)
		}
	}
	data := rows.Batch()
	for _, test := range [][2]string{
		{"Copy", "fields { name2 = name, age2 = age }"},
		{"FieldMapper", "field_mapper { age = years, name = name }"},
		{"Filter", "fields = [name]"},
		{"FilterRowKind", "include_kinds = [INSERT, UPDATE_AFTER]"},
		{"Replace", `replace_field = name, pattern = ",", replacement = ";"`},
		{"Replace",
			`replace_field = name, pattern = "([0-9]+)", replacement = "<$1>", is_regex = true, replace_first = true`},
		{"Split", `separator = ",", split_field = name, output_fields = [a, b]`},
		{"Split", `separator = "[,;]", split_field = name, output_fields = [a, b]`},
		{"RowKindExtractor", ""},
	} {
		b.Run(test[0]+" "+test[1], func(b *testing.B) {
			tr, err := open(b, test[0], test[1], column.NewPool())
			if err != nil {
				b.Fatal(err)
			}
			out, err := tr.Derive(in)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				err := tr.Apply(b.Context(), data, out, func(made plugin.Batch) error { made.Release(); return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*column.FullRows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
