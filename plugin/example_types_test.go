package plugin_test

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func ExampleParseType() {
	for _, text := range []string{"BigInt", "decimal(10, 2)", "map<string, array<int>>",
		"{a = int, b = date}", "integer"} {
		t, err := plugin.ParseType(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(t)
	}
	// Output:
	// BIGINT
	// Decimal(10, 2)
	// Map<STRING, ARRAY<INT>>
	// ROW<a INT,b DATE>
	// type "integer" is not known; did you mean "int"?
}

func ExampleSchema() {
	v, err := hocon.ParseValue([]byte(`{ table = shop.orders, fields { id = bigint, price = "decimal(10, 2)" } }`))
	if err != nil {
		fmt.Println(err)
		return
	}
	var s plugin.Schema
	if err := s.DecodeConfig(v); err != nil {
		fmt.Println(err)
		return
	}
	table, err := s.Table(plugin.TableID{Name: "fallback"}, "FakeSource")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(table.ID, table.Schema.Field(0), table.Schema.Field(1))
	// Output: shop.orders id: type=int64, nullable price: type=decimal(10, 2), nullable
}
