package column

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

func TestSmoke(t *testing.T) {
	alloc := memory.NewCheckedAllocator(NewPool())
	defer alloc.AssertSize(t, 0)
	table, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)},
		{Name: "s", Type: plugin.TypeOf(plugin.String)},
		{Name: "b", Type: plugin.TypeOf(plugin.Boolean)},
		{Name: "d", Type: plugin.DecimalOf(38, 18)},
		{Name: "ts", Type: plugin.TypeOf(plugin.Timestamp)},
		{Name: "l", Type: plugin.ArrayOf(plugin.TypeOf(plugin.Int))},
		{Name: "m", Type: plugin.MapOf(plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int))},
		{Name: "r", Type: plugin.RowOf(plugin.Field{Name: "x", Type: plugin.TypeOf(plugin.Date)})},
		{Name: "n", Type: plugin.TypeOf(plugin.Null)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(table, alloc)
	for i := range 100 {
		err := b.AppendRow(plugin.Insert, i, "héllo", i%2 == 0, "-12345678901234567890.123456789012345678", "2024-02-29 10:11:12.5",
			[]int{1, 2, i}, map[string]int{"b": 1, "a": 2}, []any{"0001-01-01"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.AppendRow(plugin.Delete, nil, nil, nil, nil, nil, nil, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := b.AppendRow(plugin.Insert, 1, "a", nil, "1", "x", nil, nil, nil, nil); err == nil {
			t.Fatal("no error")
		}
	}
	batch := b.Batch()
	head := batch.Slice(0, 4)
	t.Log(head.Rows)
	head.Release()
	batch.Release()
	b.Release()
}
