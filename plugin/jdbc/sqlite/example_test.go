package sqlite_test

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite"
)

// A host lists the databases that its Jdbc source and sink know.
func ExampleDialect() {
	reg := plugin.NewRegistry(jdbc.Plugins(sqlite.Dialect()))
	sink, _ := reg.Lookup(plugin.SinkRole, "jdbc")
	fmt.Println(sink.Name, sink.Summary)
	fmt.Println("secrets:", sink.Spec().Secrets())
	// Output:
	// Jdbc Writes tables of a database.
	// secrets: [password]
}

// A host that needs SQLite alone takes the ready set.
func ExamplePlugins() {
	reg := plugin.NewRegistry(sqlite.Plugins)
	fmt.Println(reg.Names(plugin.SourceRole), reg.Names(plugin.SinkRole))
	// Output: [Jdbc] [Jdbc]
}
