package jdbctest

import (
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// Blocks is a list of the options of several plugins, such as table_list.
func Blocks(list ...[]any) config.Value {
	v := config.Value{Kind: config.List}
	for _, pairs := range list {
		v.Items = append(v.Items, plugintest.Options(pairs...))
	}
	return v
}
