package jdbctest

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin/config"
)

// Block is the options of a plugin: pairs of a name and a value.
func Block(pairs ...any) config.Value {
	v := config.Value{Kind: config.Object}
	for i := 0; i < len(pairs); i += 2 {
		v = v.Set(pairs[i].(string), value(pairs[i+1]))
	}
	return v
}

// Blocks is a list of the options of several plugins, such as table_list.
func Blocks(list ...[]any) config.Value {
	v := config.Value{Kind: config.List}
	for _, pairs := range list {
		v.Items = append(v.Items, Block(pairs...))
	}
	return v
}

func value(v any) config.Value {
	switch v := v.(type) {
	case config.Value:
		return v
	case []config.Value:
		return config.Value{Kind: config.List, Items: v}
	case []string:
		list := config.Value{Kind: config.List}
		for _, s := range v {
			list.Items = append(list.Items, config.TextValue(s))
		}
		return list
	default:
		return config.TextValue(fmt.Sprint(v))
	}
}
