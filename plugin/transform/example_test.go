package transform_test

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config/hocon"
	"github.com/culvertdata/culvert/plugin/transform"
)

// A transform says what it makes of a table, then turns batches of the one into batches of the other.
func ExamplePlugins() {
	options, err := hocon.ParseValue([]byte(`{ separator = " +", split_field = name, output_fields = [first, last] }`))
	if err != nil {
		fmt.Println(err)
		return
	}
	people,
		err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{{Name: "name", Type: plugin.TypeOf(plugin.String)}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	registry := plugin.NewRegistry(transform.Plugins)
	found, _ := registry.Lookup(plugin.TransformRole, "Split")
	split, err := found.Transform(ctx, options, plugin.Env{Alloc: memory.DefaultAllocator})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := split.Derive(people)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Names())
	rows := column.NewBuilder(people, memory.DefaultAllocator)
	for _, name := range []string{"Ada  Lovelace", "Homer"} {
		if err := rows.AppendRow(plugin.Insert, name); err != nil {
			fmt.Println(err)
			return
		}
	}
	err = split.Apply(ctx, rows.Batch(), out, func(b plugin.Batch) error {
		for i := range b.Len() {
			fmt.Println(column.Value(b.Rows.Column(1), out.Columns[1].Type, i),
				column.Value(b.Rows.Column(2), out.Columns[2].Type, i))
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// [name first last]
	// Ada Lovelace
	// Homer <nil>
}
