package postgrescdc_test

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config/hocon"
	"github.com/culvertdata/culvert/plugin/postgrescdc"
)

// The block of a job is checked without a server.
func ExamplePlugins() {
	registry := plugin.NewRegistry(postgrescdc.Plugins)
	source, _ := registry.Lookup(plugin.SourceRole, "postgres-cdc")
	block, err := hocon.Parse([]byte(`
		base-url = "jdbc:postgresql://localhost:5432/shop"
		username = cdc
		password = secret
		table-names = [shop.public.orders, shop.public.customers]
		slot.name = orders
		startup.mode = specific
		debezium { include.schema.changes = true }
	`), hocon.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, problem := range source.Check(block) {
		fmt.Println(problem)
	}
	// Output:
	// 7:18: startup.mode: "specific" is not allowed; allowed: initial, earliest, latest
}
