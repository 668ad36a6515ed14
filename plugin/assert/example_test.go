package assert_test

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/assert"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// A rule that does not hold fails the write, and with it the job. The error shows the row and the rule.
func ExamplePlugins() {
	rules, err := hocon.ParseValue([]byte(`{
		rules {
			row_rules = [ { rule_type = MIN_ROW, rule_value = 1 } ]
			field_rules = [
				{ field_name = age, field_type = int, field_value = [ { rule_type = MAX, rule_value = 150 } ] }
			]
		}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	people, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "people"}, Columns: []plugin.Column{
		{Name: "name", Type: plugin.TypeOf(plugin.String)},
		{Name: "age", Type: plugin.TypeOf(plugin.Int)},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	registry := plugin.NewRegistry(assert.Plugins)
	found, _ := registry.Lookup(plugin.SinkRole, "Assert")
	sink, err := found.Sink(ctx, rules, plugin.Env{Inputs: []*plugin.Table{people}, Logger: hclog.NewNullLogger()})
	if err != nil {
		fmt.Println(err)
		return
	}
	writer, err := sink.Writer(ctx, plugin.Task{})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := column.NewBuilder(people, memory.DefaultAllocator)
	if err := rows.AppendRow(plugin.Insert, "Methuselah", 969); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(writer.Write(ctx, rows.Batch()))
	// Output:
	// table people: row :SeaTunnelRow{tableId=people, kind=+I, fields=[Methuselah, 969]} fail rule: field age: MAX 150
}
