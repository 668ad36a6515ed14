package mysqlcdc

import (
	"context"

	"github.com/culvertdata/culvert/plugin"
)

// PlainPlugins is Plugins for servers that do not tell the place of a view in the log, as MySQL does not.
func PlainPlugins() []plugin.Plugin {
	info := plugin.Info{Name: "MySQL-CDC", Summary: "a plain server", Streaming: true, Pings: true}
	return []plugin.Plugin{plugin.NewSource(info, func(ctx context.Context, o Options, env plugin.Env) (*Source, error) {
		s, err := open(ctx, o, env)
		if err == nil {
			s.plain = true
		}
		return s, err
	})}
}
