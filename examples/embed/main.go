// Command embed is the shortest host program: it links two plugins, runs a job and prints what it did.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/fake"
)

const job = `
source { FakeSource { row.num = 1000000, schema { fields { id = bigint, name = string } } } }
sink   { Blackhole { } }
`

func main() {
	ctx := context.Background()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(fake.Plugins, blackhole.Plugins)})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	running, err := eng.Submit(ctx, []byte(job), engine.SubmitOptions{Name: "embedded"})
	if err != nil {
		log.Fatal(err)
	}
	result, err := running.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.State, result.RowsOut, "rows in", result.Duration)
}
