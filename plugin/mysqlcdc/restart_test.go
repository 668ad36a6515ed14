package mysqlcdc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestAlteredBetweenRuns alters a table while its job runs and while it is stopped, in jobs that follow changes of the
// columns in both runs, in one of them, or in none.
func TestAlteredBetweenRuns(t *testing.T) {
	const another, row = "ALTER TABLE a ADD c TEXT", "INSERT INTO a VALUES (4, 'v4', 'b4', 'c4')"
	tests := []struct {
		name          string
		before, after bool     // whether the run follows changes
		between       []string // what happens between the runs
		want          string   // the target's columns and rows
	}{
		{"always", true, true, []string{another, row},
			"id v b c: 1|v1|NULL|NULL 3|v3|b3|NULL 4|v4|b4|c4"},
		{"at last", false, true, []string{another, row},
			"id v b c: 1|v1|NULL|NULL 3|v3|NULL|NULL 4|v4|b4|c4"},
		{"what came before", false, true, []string{"INSERT INTO a VALUES (4, 'v4', 'b4')"},
			"id v b: 1|v1|NULL 3|v3|NULL 4|v4|b4"},
		{"no more", true, false, []string{another, row}, "id v b: 1|v1|NULL 3|v3|b3 4|v4|b4"},
		{"never", false, false, []string{another, row}, "id v: 1|v1 3|v3 4|v4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v TEXT)", "INSERT INTO a VALUES (1, 'v1')")
			text := func(follows bool) string {
				return f.job("", fmt.Sprintf("%s, debezium { include.schema.changes = %v }", f.names("a"), follows))
			}
			has := func(id int) func() string {
				return func() string {
					rows, err := f.TryQuery(fmt.Sprintf("SELECT id FROM %s.a WHERE id = %d", f.to, id))
					if err == nil && len(rows) == 1 {
						return ""
					}
					return fmt.Sprintf("there is no row %d: %v", id, err)
				}
			}
			eng := dbtest.OpenEngine(t, "", plugins)
			job := submit(t, eng, text(test.before))
			dbtest.Eventually(t, job, func() string { return begun(job) })
			f.Exec("ALTER TABLE a ADD b TEXT", "INSERT INTO a VALUES (3, 'v3', 'b3')")
			dbtest.Eventually(t, job, has(3))
			dbtest.Savepoint(t, eng, job)
			f.Exec(test.between...)
			job = restart(t, eng, text(test.after))
			dbtest.Eventually(t, job, has(4))
			if got := f.contents(f.to + ".a"); got != test.want {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
}

// contents returns the names of a table's columns and its rows.
func (f *fixture) contents(table string) string {
	var names []string
	for _, row := range f.Query("DESCRIBE " + table) {
		name, _, _ := strings.Cut(row, "|")
		names = append(names, name)
	}
	return strings.Join(names, " ") + ": " + strings.Join(f.Query("SELECT * FROM "+table+" ORDER BY 1"), " ")
}
