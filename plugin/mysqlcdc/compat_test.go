package mysqlcdc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin/internal/compattest"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestSeaTunnelJobs runs SeaTunnel's own job files for MySQL-CDC.
func TestSeaTunnelJobs(t *testing.T) {
	files := compattest.Open(t)
	f := newFixtureAt(t, dbtest.StartService(t, dbtest.MariaDBVariable).URL) // the files make users and databases
	script := func(name string) {
		t.Helper()
		f.Exec(strings.NewReplacer("GRANT ALL PRIVILEGES ON *.* TO 'mysqluser'@'%';", "",
			"utf8mb4_0900_ai_ci", "utf8mb4_unicode_ci").Replace(files.DDL("mysql", name)))
	}
	for _, name := range []string{"setup", "mysql_cdc", "shop"} {
		script(name)
	}
	run := func(name string, check func(same func(from, to, order string))) {
		t.Run(name, func(t *testing.T) {
			job := start(t, files.Job(name, "mysql_cdc_e2e:3306", f.Host))
			check(func(from, to, order string) {
				t.Helper()
				dbtest.Eventually(t, job, func() string { return f.same(from, to, order) })
			})
		})
	}
	follows := func(tables ...string) func(same func(from, to, order string)) {
		return func(same func(from, to, order string)) {
			for _, name := range tables {
				from, to := "mysql_cdc."+name, "mysql_cdc2."+name
				same(from, to, "id")
				f.Exec("INSERT INTO "+from+" (id, f_int, f_varchar) VALUES (1001, 5, 'new')",
					"UPDATE "+from+" SET f_bigint = 10000 WHERE id = 3", "DELETE FROM "+from+" WHERE id < 2")
				same(from, to, "id")
			}
		}
	}
	const source = "mysql_cdc_e2e_source_table"
	run("mysqlcdc_to_mysql", func(same func(from, to, order string)) {
		const from, to = "mysql_cdc." + source, "mysql_cdc.mysql_cdc_e2e_sink_table"
		same(from, to, "id")
		f.Exec("INSERT INTO "+from+" (id, f_int, f_varchar) VALUES (2001, 5, 'new')",
			"UPDATE "+from+" SET f_bigint = 10000 WHERE id = 2", "DELETE FROM "+from+" WHERE id = 2001")
		same(from, to, "id")
	})
	run("mysqlcdc_to_mysql_with_multi_table_mode_two_table", follows(source, source+"2"))
	run("mysqlcdc_to_mysql_with_custom_primary_key",
		follows(source+"_1_custom_primary_key", source+"_2_custom_primary_key"))
	run("mysqlcdc_to_mysql_with_schema_change", func(same func(from, to, order string)) {
		const from, to = "shop.products", "shop.mysql_cdc_e2e_sink_table_with_schema_change"
		same(from, to, "id")
		for _, name := range []string{"add_columns", "drop_columns", "change_columns", "modify_columns"} {
			script(name)
			if name != "add_columns" {
				same(from, to, "id")
				continue
			}
			// Rows that are there get the time of the ALTER TABLE, of each server its own.
			part := func(what, table string) string { return "(SELECT " + what + table + ") AS q" }
			const alike, rest = "id, name, add_column1, add_column2, add_column3 FROM ", "* FROM "
			same(part(alike, from), part(alike, to), "id")
			same(part(rest, from+" WHERE id >= 128"), part(rest, to+" WHERE id >= 128"), "id")
		}
	})
}

// same compares two tables, or queries in brackets; "" says that their rows are the same.
func (f *fixture) same(from, to, order string) string {
	want, err := f.TryQuery("SELECT * FROM " + from + " ORDER BY " + order)
	if err != nil {
		return err.Error()
	}
	got, err := f.TryQuery("SELECT * FROM " + to + " ORDER BY " + order)
	if err != nil || !slices.Equal(want, got) {
		return fmt.Sprintf("%s has %d rows, %s %d: %v", to, len(got), from, len(want), err)
	}
	return ""
}
