package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/fake"
)

const exampleJob = `
env { job.name = "example" }
source { FakeSource { row.num = ${rows}, schema { table = "shop.orders", fields { id = bigint, name = string } } } }
sink { Blackhole { } }
`

func exampleEngine() *engine.Engine {
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(fake.Plugins, blackhole.Plugins)})
	if err != nil {
		log.Fatal(err)
	}
	return eng
}

func Example() {
	ctx := context.Background()
	eng := exampleEngine()
	defer eng.Close(ctx)
	job, err := eng.Submit(ctx, []byte(exampleJob), engine.SubmitOptions{Variables: map[string]string{"rows": "1000"}})
	if err != nil {
		log.Fatal(err)
	}
	result, err := job.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Name(), result.State, result.RowsIn, result.RowsOut)
	// Output: example FINISHED 1000 1000
}

func ExampleEngine_Submit_problems() {
	ctx := context.Background()
	eng := exampleEngine()
	defer eng.Close(ctx)
	_, err := eng.Submit(ctx, []byte(`
source { FakeSource { row.num = lots, schema { fields { id = bigint } } } }
sink { Blackhole { } }
`), engine.SubmitOptions{})
	var config *engine.ConfigError
	if errors.As(err, &config) {
		for _, p := range config.Problems {
			fmt.Println(p.Pos.Line, p.Path)
		}
	}
	// Output: 2 source[0].row.num
}

func ExampleEngine_Stop() {
	ctx := context.Background()
	eng := exampleEngine()
	defer eng.Close(ctx)
	text := []byte(`
env { job.mode = STREAMING }
source { FakeSource { row.num = 10, schema { fields { id = bigint } } } }
sink { Blackhole { } }
`)
	job, err := eng.Submit(ctx, text, engine.SubmitOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := eng.Stop(ctx, job.ID(), engine.StopOptions{Savepoint: true}); err != nil {
		log.Fatal(err)
	}
	result, err := job.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.State)
	// The same id links the next run to the savepoint.
	again, err := eng.Submit(ctx, text, engine.SubmitOptions{ID: job.ID(), FromSavepoint: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.ID() == job.ID(), again.Info().FromSavepoint)
	// Output:
	// SAVEPOINT_DONE
	// true true
}

func ExampleEngine_List() {
	ctx := context.Background()
	eng := exampleEngine()
	defer eng.Close(ctx)
	for _, rows := range []string{"10", "20"} {
		job, err := eng.Submit(ctx, []byte(exampleJob), engine.SubmitOptions{Variables: map[string]string{"rows": rows}})
		if err != nil {
			log.Fatal(err)
		}
		if _, err := job.Wait(ctx); err != nil {
			log.Fatal(err)
		}
	}
	for info, err := range eng.List(ctx, engine.Filter{States: []engine.State{engine.Finished}}) {
		if err != nil {
			log.Fatal(err)
		}
		tables := info.Metrics.ByTable(plugin.SinkRole)
		fmt.Println(info.Name, info.State, tables[0].Table, tables[0].Rows)
	}
	// Output:
	// example FINISHED shop.orders 10
	// example FINISHED shop.orders 20
}

func ExampleEngine_Explain() {
	ctx := context.Background()
	eng := exampleEngine()
	defer eng.Close(ctx)
	plan, err := eng.Explain(ctx, []byte(exampleJob), engine.SubmitOptions{Variables: map[string]string{"rows": "10"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan)
	// Output:
	// pipeline 1 (BATCH)
	//   Source[0]-FakeSource, 1 lanes
	//   Sink[0]-Blackhole-MultiTableSink, 1 lanes
	//   Source[0]-FakeSource -> Sink[0]-Blackhole-MultiTableSink
	//       shop.orders (id BIGINT, name STRING)
	// Source[0]-FakeSource: 1 splits, about 10 rows
	// Source[0]-FakeSource -> Sink[0]-Blackhole-MultiTableSink: effectively-once
}

func ExampleEngine_Subscribe() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	eng := exampleEngine()
	defer eng.Close(context.Background())
	events := eng.Subscribe(ctx)
	_, err := eng.Submit(ctx, []byte(exampleJob), engine.SubmitOptions{Variables: map[string]string{"rows": "10"}})
	if err != nil {
		log.Fatal(err)
	}
	for ev := range events {
		changed, ok := ev.(engine.StateChanged)
		if !ok {
			continue
		}
		fmt.Println(changed.From, "->", changed.To)
		if changed.To.Ended() {
			break
		}
	}
	// Output:
	// CREATED -> SCHEDULED
	// SCHEDULED -> RUNNING
	// RUNNING -> FINISHED
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "culvert")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// With a directory, jobs, checkpoints and the history survive the process.
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: plugin.NewRegistry(fake.Plugins, blackhole.Plugins)})
	if err != nil {
		log.Fatal(err)
	}
	if err := eng.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("closed")
	// Output: closed
}
