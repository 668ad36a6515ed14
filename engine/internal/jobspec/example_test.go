package jobspec_test

import (
	"fmt"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func ExampleParse() {
	root, err := hocon.Parse([]byte(`
env {
  job.mode = "STREAMING"
  job.retry.time = 5
}
source {
  Http { result_table_name = "orders" }
  Http { result_table_name = "clients" }
}
sink {
  Console { source_table_name = ["orders", "client"] }
}`), hocon.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, _ := jobspec.Parse(root)
	for _, p := range append(spec.Errors, spec.Warnings...) {
		fmt.Printf("%s %s\n  %s\n", p.Pos, p.Path, p.Text)
	}
	// Output:
	// 8:8 source[1]
	//   The 'source_table_name' option configured is incorrect, this table(clients) belonging to source/transform(Http) is not used.
	// 11:33 sink[0].source_table_name
	//   The 'source_table_name' option configured in [Console] is incorrect, and the source/transform[client] is not found.
	// 4:3 env.job.retry.time
	//   is not an option and has no effect; did you mean "job.retry.times"?
}
