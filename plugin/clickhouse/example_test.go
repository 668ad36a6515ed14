package clickhouse_test

import (
	"context"
	"fmt"
	"log"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse"
	"github.com/culvertdata/culvert/plugin/fake"
)

// A job that makes its table, a ReplacingMergeTree ordered by id, and writes to it.
func ExamplePlugins() {
	ctx := context.Background()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(fake.Plugins, clickhouse.Plugins)})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	job, err := eng.Submit(ctx, []byte(`
source { FakeSource { row.num = 1000, schema { table = "shop.orders", fields { id = bigint, name = string } } } }
sink { Clickhouse { host = "localhost:8123", database = shop, table = "${table_name}", primary_key = id } }
`), engine.SubmitOptions{})
	if err != nil {
		log.Fatal(err)
	}
	result, err := job.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.RowsOut)
}
