package file_test

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config/hocon"
	"github.com/culvertdata/culvert/plugin/file"
)

// A host lists the connector with the formats that it wants to link; text, csv and json are always there.
func ExampleWith() {
	reg := plugin.NewRegistry(file.With())
	fmt.Println(reg.Err(), reg.Names(plugin.SourceRole), reg.Names(plugin.SinkRole))
	// Output: <nil> [LocalFile] [LocalFile]
}

// A mistake in the options is found before anything is opened.
func ExamplePlugins() {
	options, err := hocon.ParseValue([]byte(`{ path = /data/in, file_format_type = csw, skip_header_row_number = -1 }`))
	if err != nil {
		fmt.Println(err)
		return
	}
	source, _ := plugin.NewRegistry(file.Plugins).Lookup(plugin.SourceRole, "localfile")
	for _, problem := range source.Check(options) {
		fmt.Println(problem.Path)
	}
	// Output:
	// file_format_type
	// skip_header_row_number
}
