package parquet_test

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

// A host that reads or writes parquet files adds the format to the LocalFile connector.
func ExampleFormat() {
	reg := plugin.NewRegistry(file.With(parquet.Format()))
	source, _ := reg.Lookup(plugin.SourceRole, "LocalFile")
	fmt.Println(source.Summary)
	// Output: Reads files of this machine: csv, json, parquet, text.
}
