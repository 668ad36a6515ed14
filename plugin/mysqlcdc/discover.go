package mysqlcdc

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// isSystem reports whether a database is the server's own.
func isSystem(database string) bool {
	switch strings.ToLower(database) {
	case "mysql", "information_schema", "performance_schema", "sys":
		return true
	}
	return false
}

// finder finds the tables that a job names.
type finder struct {
	o        Options
	standard string // the url's database
	names    []plugin.TableID
	database *regexp.Regexp
	table    *regexp.Regexp // nil: no pattern
}

func newFinder(o Options, standard string) (*finder, error) {
	f := &finder{o: o, standard: standard}
	var err error
	if f.database, err = whole(orAny(o.DatabasePattern)); err != nil {
		return nil, err
	}
	if o.TablePattern != "" {
		if f.table, err = whole(o.TablePattern); err != nil {
			return nil, err
		}
	}
	for _, name := range o.TableNames {
		id, err := plugin.ParseTableID(name, false)
		if err != nil {
			return nil, err
		}
		if id.Database == "" {
			id.Database = standard
		}
		f.names = append(f.names, id)
	}
	return f, nil
}

func orAny(pattern string) string {
	if pattern == "" {
		return ".*"
	}
	return pattern
}

// find returns the tables in the order of table-names, then those of table-pattern by name.
func (f *finder) find(c *wire.Conn) ([]plugin.TableID, error) {
	have, err := f.list(c)
	if err != nil {
		return nil, err
	}
	var found []plugin.TableID
	var errs []error
	for _, id := range f.names {
		if i := indexOf(have, id); i >= 0 {
			if !slices.Contains(found, have[i]) {
				found = append(found, have[i])
			}
			continue
		}
		errs = append(errs, missing(id, have))
	}
	if f.table != nil {
		for _, id := range have {
			if f.matches(id) && !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, configError(fmt.Errorf("table-pattern: no table matches %q", f.o.TablePattern),
			"the pattern is for whole names of the form database.table; a point in a name is written \\\\.")
	}
	return found, nil
}

// list returns the base tables that the user may see, by name, of the databases that are looked at.
func (f *finder) list(c *wire.Conn) ([]plugin.TableID, error) {
	rows, err := c.Rows(`SELECT table_schema, table_name FROM information_schema.tables
		WHERE table_type = 'BASE TABLE' ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	var ids []plugin.TableID
	for _, row := range rows {
		id := plugin.TableID{Database: wire.String(row[0]), Name: wire.String(row[1])}
		if !isSystem(id.Database) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// matches reports whether the patterns take a table.
func (f *finder) matches(id plugin.TableID) bool {
	if len(f.o.DatabaseNames) > 0 && !slices.Contains(f.o.DatabaseNames, id.Database) {
		return false
	}
	return f.database.MatchString(id.Database) && f.table.MatchString(id.Database+"."+id.Name)
}

// indexOf finds a table by its exact name, else without regard to case if that is unambiguous: servers differ in
// whether case matters.
func indexOf(have []plugin.TableID, id plugin.TableID) int {
	if i := slices.Index(have, id); i >= 0 {
		return i
	}
	at := -1
	for i, h := range have {
		if strings.EqualFold(h.Database, id.Database) && strings.EqualFold(h.Name, id.Name) {
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}

// missing is the error of a table that is not there, with the nearest name.
func missing(id plugin.TableID, have []plugin.TableID) error {
	e := &plugin.Error{
		Code: plugin.CodeNotFound, Table: id, Err: errors.New("there is no such table"),
		Fix: "check its name, and that the user has SELECT on it; views cannot be captured",
	}
	names := make([]string, len(have))
	for i, h := range have {
		names[i] = h.String()
	}
	if near, ok := config.Nearest(id.String(), names); ok {
		e.Fix = "did you mean " + near + "? " + strings.ToUpper(e.Fix[:1]) + e.Fix[1:]
	}
	return e
}

func configError(err error, fix string) error {
	return &plugin.Error{Code: plugin.CodeConfig, Err: err, Fix: fix}
}
