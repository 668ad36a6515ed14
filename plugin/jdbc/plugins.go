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
		db, err := open(dialects, o.Access, env, Connection{Snapshot: o.Snapshot, NullSpecials: o.Specials == "NULL"})
		if err != nil {
			return nil, err
		}
		return &Source{options: o, env: env, db: db}, nil
	})
}

func sinkPlugin(dialects []Dialect) plugin.Plugin {
	info := plugin.Info{
		Name: "Jdbc", Summary: "Writes tables of a database.", MultiTable: true,
		Delivery: plugin.TwoPhase, Commits: true, Changes: true, Pings: true,
	}
	return plugin.NewSink(info, func(_ context.Context, o SinkOptions, env plugin.Env) (*Sink, error) {
		db, err := open(dialects, o.Access, env, Connection{})
		if err != nil {
			return nil, err
		}
		return newSink(o, env, db)
	})
}

// open finds the dialect of a url. c holds what the role of the plugin adds to the options that both have.
func open(dialects []Dialect, a Access, env plugin.Env, c Connection) (Database, error) {
	url := strings.TrimSpace(a.URL)
	var known []string
	for _, d := range dialects {
		prefix := d.Prefix()
		if len(url) >= len(prefix) && strings.EqualFold(url[:len(prefix)], prefix) {
			c.URL = prefix + url[len(prefix):]
			c.User, c.Password, c.Properties = a.User, a.Password, a.Properties
			c.Timeout, c.Logger = a.Timeout, env.Logger
			return d.Open(c)
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
