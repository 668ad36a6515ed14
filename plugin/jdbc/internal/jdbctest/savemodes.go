package jdbctest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// The save modes of SeaTunnel.
const (
	recreate = "RECREATE_SCHEMA"
	create   = "CREATE_SCHEMA_WHEN_NOT_EXIST"
	demand   = "ERROR_WHEN_SCHEMA_NOT_EXIST"
	ignore   = "IGNORE"

	dropRows = "DROP_DATA"
	keepRows = "APPEND_DATA"
	custom   = "CUSTOM_PROCESSING"
	noRows   = "ERROR_WHEN_DATA_EXISTS"
)

// saveMode is a combination of modes, the table before, and the rows after one was written.
type saveMode struct {
	schema, data string
	before       string
	sql          string      // custom_sql
	code         plugin.Code // of the error that is wanted
	says         string
	want         []string
}

// What may be there before.
const (
	nothing = "no table"
	empty   = "an empty table"
	full    = "a table with a row"
	narrow  = "a table without some columns"
)

var saveModes = []saveMode{
	{schema: create, data: keepRows, before: nothing, want: []string{"1|new|1"}},
	{schema: create, data: keepRows, before: full, want: []string{"1|new|1|NULL", "9|old|9|9"}},
	{schema: create, data: keepRows, before: narrow, code: plugin.CodeNotFound, says: "no column Na`m\"e, n"},
	{schema: create, data: dropRows, before: nothing, want: []string{"1|new|1"}},
	{schema: create, data: dropRows, before: full, want: []string{"1|new|1|NULL"}},
	{schema: recreate, data: keepRows, before: nothing, want: []string{"1|new|1"}},
	{schema: recreate, data: keepRows, before: full, want: []string{"1|new|1"}},
	{schema: recreate, data: noRows, before: full, want: []string{"1|new|1"}},
	{schema: demand, data: keepRows, before: nothing, code: plugin.CodeNotFound, says: "does not exist"},
	{schema: demand, data: keepRows, before: full, want: []string{"1|new|1|NULL", "9|old|9|9"}},
	{schema: ignore, data: keepRows, before: full, want: []string{"1|new|1|NULL", "9|old|9|9"}},
	{schema: create, data: noRows, before: full, code: plugin.CodeExists, says: "holds rows"},
	{schema: create, data: noRows, before: empty, want: []string{"1|new|1|NULL"}},
	{schema: create, data: custom, before: full, sql: "DELETE FROM ${table_name} WHERE id > 8",
		want: []string{"1|new|1|NULL"}},
	{schema: create, data: custom, before: full, sql: "UPDATE ${table_name} SET id = 5;",
		want: []string{"1|new|1|NULL", "5|old|9|9"}},
	{schema: create, data: custom, before: full, sql: "DELETE FROM nowhere", code: plugin.CodeConfig, says: "custom_sql"},
}

func (s Suite) testSaveModes(t *testing.T) {
	for _, m := range saveModes {
		t.Run(strings.Join([]string{m.schema, m.data, m.before, m.sql}, " "), func(t *testing.T) {
			d := s.Open(t)
			s.before(d, m.before)
			tab := people(t)
			pairs := []any{"schema_save_mode", m.schema, "data_save_mode", m.data}
			if m.sql != "" {
				pairs = append(pairs, "custom_sql", m.sql)
			}
			sink := s.OpenSink(t, d.Options(pairs...), tab)
			err := sink.Prepare(t.Context(), []*plugin.Table{tab})
			if m.code != "" {
				checkText(t, err, "people", m.says)
				var e *plugin.Error
				if !errors.As(err, &e) || e.Code != m.code {
					t.Errorf("error %v, want the code %s", err, m.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			Load(t, sink, Batch(t, tab, Insert(1, "new", 1)))
			if d := cmp.Diff(m.want, d.Query("SELECT * FROM people ORDER BY id")); d != "" {
				t.Error(d)
			}
		})
	}
}

// before makes what is there before the job.
func (s Suite) before(d *dbtest.Database, what string) {
	columns := "id INT, " + s.Quote("Na`m\"e") + " VARCHAR(50), n INT, old INT"
	switch what {
	case nothing:
		return
	case narrow:
		columns = "id INT"
	}
	d.Exec("CREATE TABLE people (" + columns + ")")
	if what == full {
		d.Exec("INSERT INTO people VALUES (9, 'old', 9, 9)")
	}
}
