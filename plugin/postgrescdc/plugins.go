package postgrescdc

import (
	"context"
	"errors"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/debezium"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// Plugins returns the Postgres-CDC source.
func Plugins() []plugin.Plugin {
	info := plugin.Info{
		Name: "Postgres-CDC", Summary: "Reads tables of PostgreSQL and follows their changes.", Streaming: true, Pings: true,
	}
	return []plugin.Plugin{plugin.NewSource(info, open)}
}

func open(_ context.Context, o Options, env plugin.Env) (*Source, error) {
	url := strings.TrimSpace(o.url())
	if !strings.HasPrefix(url, "jdbc:postgresql:") {
		return nil, configError(errors.New("base-url: the url is not one of PostgreSQL"),
			"write jdbc:postgresql://host:port/database")
	}
	server, err := postgres.NewServer(jdbc.Connection{
		URL: url, User: o.User, Password: o.Password, Timeout: o.Timeout, Logger: env.Logger,
		NullSpecials: o.nullSpecials(),
	})
	if err != nil {
		return nil, err
	}
	s := &Source{options: o, env: env, server: server}
	if strings.EqualFold(o.Format, debezium.Format) {
		s.messages, err = debezium.Table(env.TableID())
	}
	return s, err
}

func configError(err error, fix string) error {
	return &plugin.Error{Code: plugin.CodeConfig, Err: err, Fix: fix}
}
