package postgrescdc_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin/internal/compattest"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestSeaTunnelJobs runs SeaTunnel's own job files for Postgres-CDC. They have the user and the database that they
// name, and all the same slot.
func TestSeaTunnelJobs(t *testing.T) {
	files := compattest.Open(t)
	address := dbtest.StartService(t, dbtest.PostgresVariable).URL
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.OpenPostgres(t, address).Exec("CREATE ROLE postgres SUPERUSER LOGIN PASSWORD 'postgres'",
		"CREATE DATABASE postgres_cdc OWNER postgres")
	own := &url.URL{
		Scheme: at.Scheme, User: url.UserPassword("postgres", "postgres"), Host: at.Host, Path: "/postgres_cdc",
	}
	const table1, table2, noKey = "inventory.postgres_cdc_table_1", "inventory.postgres_cdc_table_2",
		"inventory.full_types_no_primary_key"
	const sink1, sink2 = "inventory.sink_postgres_cdc_table_1", "inventory.sink_postgres_cdc_table_2"
	tests := []struct {
		name  string
		pairs [][2]string
	}{
		{"postgrescdc_to_postgres", [][2]string{{table1, sink1}}},
		{"pgcdc_to_pg_with_multi_table_mode_two_table", [][2]string{{table1, sink1}, {table2, sink2}}},
		{"postgrescdc_to_postgres_with_custom_primary_key", [][2]string{{noKey, sink1}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &server{dbtest.OpenPostgres(t, own.String()), t}
			// PostGIS is not installed, nor is it used by these tables.
			s.exec("DROP PUBLICATION IF EXISTS seatunnel",
				strings.Replace(files.DDL("postgres", "inventory"), "CREATE EXTENSION postgis;", "", 1))
			t.Cleanup(func() {
				s.released()
				s.dropSlots()
			})
			w := newEngine(t, "")
			job := w.submit(files.Job(test.name, "postgres_cdc_e2e:5432", at.Host), engine.SubmitOptions{})
			for _, pair := range test.pairs {
				s.follows(job, pair[0], pair[1])
			}
		})
	}
}

// follows waits until a table is copied, changes it, and waits for the changes.
func (s *server) follows(job *engine.Job, from, to string) {
	s.t.Helper()
	same := func() {
		s.t.Helper()
		s.waitFor(to, func() bool {
			if info := job.Info(); info.State.Ended() {
				s.t.Fatalf("the job is %v: %s", info.State, info.Error)
			}
			differ := "(TABLE %s EXCEPT ALL TABLE %s) x"
			return s.count(fmt.Sprintf(differ, from, to)) == 0 && s.count(fmt.Sprintf(differ, to, from)) == 0
		})
	}
	same()
	copyRow := "INSERT INTO " + from + " SELECT %, f_bytea, f_small, f_int, f_big, f_real, f_double_precision, f_numeric, " +
		"f_decimal, f_boolean, f_text, f_char, f_character, f_character_varying, f_timestamp3, f_timestamp6, f_date, f_time, " +
		"f_default_numeric, f_inet FROM " + from + " WHERE id = 1"
	s.exec(strings.Replace(copyRow, "%", "2", 1), strings.Replace(copyRow, "%", "3", 1),
		"UPDATE "+from+" SET f_big = -7, f_text = NULL, f_inet = '10.0.0.0/8' WHERE id = 2")
	same()
	s.exec("UPDATE "+from+" SET id = 4 WHERE id = 3", "DELETE FROM "+from+" WHERE id = 1")
	same()
}
