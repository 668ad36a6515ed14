package postgres

import (
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Plugins returns the Jdbc source and sink with PostgreSQL as their only database.
func Plugins() []plugin.Plugin { return jdbc.Plugins(Dialect())() }

// Dialect returns the PostgreSQL dialect, for [jdbc.Plugins].
func Dialect() jdbc.Dialect { return dialect{} }

type dialect struct{}

// prefix begins every url of this dialect.
const prefix = "jdbc:postgresql:"

// Name implements [jdbc.Dialect].
func (dialect) Name() string { return "PostgreSQL" }

// Prefix implements [jdbc.Dialect].
func (dialect) Prefix() string { return prefix }

// Open implements [jdbc.Dialect].
func (dialect) Open(c jdbc.Connection) (jdbc.Database, error) {
	config, err := parseURL(c)
	if err != nil {
		return nil, err
	}
	return newDatabase(config, c), nil
}

func configError(err error, fix string) error {
	return &plugin.Error{Code: plugin.CodeConfig, Err: err, Fix: fix}
}
