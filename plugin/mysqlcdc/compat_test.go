package mysqlcdc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestSeaTunnelJobs runs SeaTunnel's own job files, of which only the host is another one. CULVERT_TEST_COMPAT names
// the directory that holds them and the statements that make their tables: jobs/*.conf and ddl/mysql/*.sql.
func TestSeaTunnelJobs(t *testing.T) {
	dir := os.Getenv("CULVERT_TEST_COMPAT")
	if dir == "" {
		t.Skip("CULVERT_TEST_COMPAT is not set")
	}
	f := newFixtureAt(t, dbtest.StartService(t, dbtest.MariaDBVariable).URL) // the files make users and databases
	read := func(path ...string) string {
		data, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	script := func(name string) {
		t.Helper()
		text := strings.NewReplacer("GRANT ALL PRIVILEGES ON *.* TO 'mysqluser'@'%';", "", "utf8mb4_0900_ai_ci", "utf8mb4_unicode_ci").Replace(read("ddl", "mysql", name))
		f.Exec(text)
	}
	for _, name := range []string{"setup.sql", "mysql_cdc.sql", "shop.sql"} {
		script(name)
	}
	same := func(from, to, order string) func() string {
		return func() string {
			want, err := f.TryQuery("SELECT * FROM " + from + " ORDER BY " + order)
			if err != nil {
				return err.Error()
			}
			got, err := f.TryQuery("SELECT * FROM " + to + " ORDER BY " + order)
			if err != nil || strings.Join(want, "\n") != strings.Join(got, "\n") {
				return fmt.Sprintf("%s has %d rows, %s %d: %v", to, len(got), from, len(want), err)
			}
			return ""
		}
	}
	run := func(name string, check func(eventually func(func() string))) {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(read("jobs", name+".conf"), "mysql_cdc_e2e:3306", f.Host)
			job := start(t, text)
			check(func(condition func() string) { t.Helper(); dbtest.Eventually(t, job, condition) })
		})
	}
	const source, table2 = "mysql_cdc_e2e_source_table", "mysql_cdc_e2e_source_table2"
	changes := func(table string) {
		f.Exec("INSERT INTO "+table+" (id, f_int, f_varchar) VALUES (1001, 5, 'new')", "UPDATE "+table+" SET f_bigint = 10000 WHERE id = 3",
			"DELETE FROM "+table+" WHERE id < 2")
	}
	run("mysqlcdc_to_mysql_with_multi_table_mode_two_table", func(eventually func(func() string)) {
		for _, name := range []string{source, table2} {
			eventually(same("mysql_cdc."+name, "mysql_cdc2."+name, "id"))
			changes("mysql_cdc." + name)
			eventually(same("mysql_cdc."+name, "mysql_cdc2."+name, "id"))
		}
	})
	run("mysqlcdc_to_mysql_with_custom_primary_key", func(eventually func(func() string)) {
		for _, name := range []string{source + "_1_custom_primary_key", source + "_2_custom_primary_key"} {
			eventually(same("mysql_cdc."+name, "mysql_cdc2."+name, "id"))
			changes("mysql_cdc." + name)
			eventually(same("mysql_cdc."+name, "mysql_cdc2."+name, "id"))
		}
	})
	run("mysqlcdc_to_mysql_with_schema_change", func(eventually func(func() string)) {
		const from, to = "shop.products", "shop.mysql_cdc_e2e_sink_table_with_schema_change"
		eventually(same(from, to, "id"))
		for _, name := range []string{"add_columns.sql", "drop_columns.sql", "change_columns.sql", "modify_columns.sql"} {
			script(name)
			if name == "add_columns.sql" { // rows that are there get the time of the ALTER TABLE, of each server its own
				eventually(same("(SELECT id, name, add_column1, add_column2, add_column3 FROM "+from+") AS q",
					"(SELECT id, name, add_column1, add_column2, add_column3 FROM "+to+") AS q", "id"))
				eventually(same("(SELECT * FROM "+from+" WHERE id >= 128) AS q", "(SELECT * FROM "+to+" WHERE id >= 128) AS q", "id"))
				continue
			}
			eventually(same(from, to, "id"))
		}
	})
}
