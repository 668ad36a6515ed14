package jdbc

import (
	"context"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// Plugins returns the Jdbc source and sink for the given dialects.
func Plugins(dialects ...Dialect) plugin.Set {
	return func() []plugin.Plugin {
		return []plugin.Plugin{sourcePlugin(dialects), sinkPlugin(dialects)}
	}
}

func sourcePlugin(dialects []Dialect) plugin.Plugin {
	info := plugin.Info{
		Name: "Jdbc", Summary: "Reads tables and queries of a database.", Batch: true, Streaming: true, Pings: true,
	}
	return plugin.NewSource(info, func(_ context.Context, o SourceOptions, env plugin.Env) (*Source, error) {
		db, err := open(dialects, o.Access, env)
		if err != nil {
			return nil, err
		}
		return &Source{options: o, env: env, db: db}, nil
	})
}

func sinkPlugin(dialects []Dialect) plugin.Plugin {
	info := plugin.Info{
		Name: "Jdbc", Summary: "Writes tables of a database.", MultiTable: true,
		Delivery: plugin.TwoPhase, Commits: true, Pings: true,
	}
	return plugin.NewSink(info, func(_ context.Context, o SinkOptions, env plugin.Env) (*Sink, error) {
		db, err := open(dialects, o.Access, env)
		if err != nil {
			return nil, err
		}
		return newSink(o, env, db)
	})
}

// open finds the dialect of a url.
func open(dialects []Dialect, a Access, env plugin.Env) (Database, error) {
	url := strings.TrimSpace(a.URL)
	var known []string
	for _, d := range dialects {
		prefix := d.Prefix()
		if len(url) >= len(prefix) && strings.EqualFold(url[:len(prefix)], prefix) {
			return d.Open(Connection{
				URL: prefix + url[len(prefix):], User: a.User, Password: a.Password, Properties: a.Properties,
				Timeout: a.Timeout, Logger: env.Logger,
			})
		}
		known = append(known, fmt.Sprintf("%s (%s)", d.Name(), prefix))
	}
	// The url may hold a password, so only its head is shown.
	parts := strings.SplitN(url, ":", 3)
	head := strings.Join(parts[:min(2, len(parts))], ":")
	return nil, &plugin.Error{
		Code: plugin.CodeConfig, Vertex: env.Vertex,
		Err: fmt.Errorf("url: no database is known for %q", head),
		Fix: "known are " + strings.Join(known, ", "),
	}
}
