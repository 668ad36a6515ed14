package console_test

import (
	"context"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/console"
)

// A host may have the rows on its standard output instead of in the log: it registers console.To(os.Stdout) in place
// of console.Plugins.
func ExampleTo() {
	registry := plugin.NewRegistry(console.To(os.Stdout))
	sink, _ := registry.Lookup(plugin.SinkRole, "Console")

	people, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "people"}, Columns: []plugin.Column{
		{Name: "name", Type: plugin.TypeOf(plugin.String)},
		{Name: "age", Type: plugin.TypeOf(plugin.Int)},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	opened, err := sink.Sink(ctx, config.Value{Kind: config.Object}, plugin.Env{Inputs: []*plugin.Table{people}})
	if err != nil {
		fmt.Println(err)
		return
	}
	writer, err := opened.Writer(ctx, plugin.Task{})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := column.NewBuilder(people, memory.DefaultAllocator)
	if err := rows.AppendRow(plugin.Insert, "Ada", 36); err != nil {
		fmt.Println(err)
		return
	}
	if err := writer.Write(ctx, rows.Batch()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// output rowType: name<STRING>, age<INT>
	// subtaskIndex=0  rowIndex=1:  SeaTunnelRow#tableId=people SeaTunnelRow#kind=INSERT : Ada, 36
}
