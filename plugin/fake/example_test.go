package fake_test

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config/hocon"
	"github.com/culvertdata/culvert/plugin/fake"
)

// A job file declares the columns; the source tells what tables it makes and how it cuts them into splits.
func ExamplePlugins() {
	block, err := hocon.ParseValue([]byte(`{
		row.num = 100
		split.num = 2
		int.min = 18
		int.max = 99
		schema {
			table = "shop.customers"
			fields { name = string, age = int }
		}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	registry := plugin.NewRegistry(fake.Plugins)
	source, _ := registry.Lookup(plugin.SourceRole, "fakesource")
	opened, err := source.Source(ctx, block, plugin.Env{
		Parallelism: 1, Logger: hclog.NewNullLogger(), Alloc: memory.DefaultAllocator, Now: time.Now,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	tables, err := opened.Tables(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tables[0].ID, tables[0].Names())
	splitter, err := opened.Splits(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		splits, err := splitter.Next(ctx)
		if err == io.EOF {
			break
		}
		for _, s := range splits {
			fmt.Println(s.ID, s.Rows)
		}
	}
	// Output:
	// shop.customers [name age]
	// shop.customers/0/0 50
	// shop.customers/0/1 50
}
