package sqlite

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Plugins returns the Jdbc source and sink with SQLite as their only database.
func Plugins() []plugin.Plugin { return jdbc.Plugins(Dialect())() }

// Dialect returns the SQLite dialect, for [jdbc.Plugins].
func Dialect() jdbc.Dialect { return dialect{} }

type dialect struct{}

// prefix begins every url of this dialect.
const prefix = "jdbc:sqlite:"

// Name implements [jdbc.Dialect].
func (dialect) Name() string { return "SQLite" }

// Prefix implements [jdbc.Dialect].
func (dialect) Prefix() string { return prefix }

// pragma is one setting of a connection.
type pragma struct{ name, value string }

// pragmas are the settings that a job may make.
var pragmas = []string{
	"auto_vacuum", "automatic_index", "busy_timeout", "cache_size", "cache_spill", "case_sensitive_like",
	"cell_size_check", "encoding", "foreign_keys", "ignore_check_constraints", "journal_mode",
	"journal_size_limit", "locking_mode", "mmap_size", "page_size", "recursive_triggers", "secure_delete", "synchronous",
	"temp_store", "wal_autocheckpoint",
}

// Open implements [jdbc.Dialect]: it takes the url apart.
func (dialect) Open(c jdbc.Connection) (jdbc.Database, error) {
	name, query := strings.TrimPrefix(c.URL, prefix), ""
	if !strings.HasPrefix(name, "file:") { // such a URI has parameters of its own
		name, query, _ = strings.Cut(name, "?")
	}
	if name == "" {
		name = ":memory:"
	}
	d := newDatabase(name, c)
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, configError(fmt.Errorf("url: %w", err), "write pragmas as ?name=value&name=value")
	}
	for key := range values {
		if err := d.set(key, values.Get(key)); err != nil {
			return nil, err
		}
	}
	for key, value := range c.Properties {
		if err := d.set(key, value); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(d.pragmas, func(a, b pragma) int { return strings.Compare(a.name, b.name) })
	return d, nil
}

// set records a pragma of the url or the properties.
func (d *database) set(name, value string) error {
	name = strings.ToLower(name)
	if !slices.Contains(pragmas, name) {
		text := "the setting has no effect on SQLite"
		if near, ok := config.Nearest(name, pragmas); ok {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		d.log.Warn(text, "name", name)
		return nil
	}
	for _, c := range value {
		if !strings.ContainsRune("_-", c) && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return configError(fmt.Errorf("%s: %q is no value of a pragma", name, value), "write a word or a number")
		}
	}
	d.pragmas = slices.DeleteFunc(d.pragmas, func(p pragma) bool { return p.name == name })
	d.pragmas = append(d.pragmas, pragma{name, value})
	return nil
}

func configError(err error, fix string) error {
	return &plugin.Error{Code: plugin.CodeConfig, Err: err, Fix: fix}
}
