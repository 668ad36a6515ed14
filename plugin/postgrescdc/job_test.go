package postgrescdc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// TestAddedTables starts a job from its savepoint with other tables: new ones are copied, old ones are not again, and
// those that are not named any more are left alone.
func TestAddedTables(t *testing.T) {
	const fill = "INSERT INTO %s SELECT i, 'v' || i FROM generate_series(1, 3000) i"
	s := newServer(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.exec("CREATE TABLE "+name+" (id int PRIMARY KEY, v text)", fmt.Sprintf(fill, name))
	}
	w := newEngine(t, "")
	job := w.submit(s.toTables("", "snapshot.split.size = 400", "a", "b"), engine.SubmitOptions{ID: 5})
	s.same(job, "a", "b")
	s.exec("UPDATE a SET v = 'x' WHERE id < 100")
	s.same(job, "a")
	w.savepoint(job)
	s.exec("UPDATE a SET v = 'y' WHERE id < 50", "DELETE FROM b WHERE id < 10", "UPDATE c SET v = 'z' WHERE id < 10",
		"UPDATE dst.a SET v = 'kept' WHERE id = 2000")
	job = w.submit(s.toTables("", "snapshot.split.size = 400", "a", "c", "d"),
		engine.SubmitOptions{ID: 5, FromSavepoint: true})
	s.same(job, "c", "d")
	s.exec("DELETE FROM a WHERE id > 2900", "INSERT INTO c VALUES (5000, 'new')", "DELETE FROM d WHERE id < 7")
	s.same(job, "c", "d")
	s.waitFor("the old table's changes", func() bool { return s.count("dst.a") == 2900 })
	if got := s.query("SELECT v FROM dst.a WHERE id IN (40, 60, 2000) ORDER BY id"); strings.Join(got, " ") != "y x kept" {
		t.Errorf("the old table is %q", got)
	}
	if n := s.count("dst.b"); n != 3000 {
		t.Errorf("the removed table has %d rows", n)
	}
	w.savepoint(job)
	job = w.submit(s.toTables("", "", "a", "b", "c", "d"), engine.SubmitOptions{ID: 5, FromSavepoint: true})
	s.exec("INSERT INTO b VALUES (6000, 'again')")
	s.waitFor("the table that came back", func() bool { return s.count("dst.b WHERE id = 6000") == 1 })
	s.same(job, "c", "d")
}

// TestSchemaChanges takes changes of columns to the target.
func TestSchemaChanges(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text, w text, n int)",
		"INSERT INTO a VALUES (1, 'v', 'w', 1), (2, 'v', 'w', 2)")
	w := newEngine(t, "")
	more := "debezium { include.schema.changes = true }"
	job := w.submit(s.toTables("", more, "a"), engine.SubmitOptions{ID: 5})
	s.same(job, "a")
	steps := []string{
		"ALTER TABLE a ADD c date; UPDATE a SET c = '2024-01-01'",
		"ALTER TABLE a RENAME v TO renamed; UPDATE a SET renamed = renamed || '2'; INSERT INTO a VALUES (3, 'r', 'w', 3)",
		"ALTER TABLE a DROP w; INSERT INTO a VALUES (4, 'r', 4)",
		"ALTER TABLE a ALTER n TYPE bigint; INSERT INTO a VALUES (5, 'r', 5000000000)",
		"ALTER TABLE a DROP c, ADD c text; UPDATE a SET c = 'text' WHERE id = 3",
		"ALTER TABLE a RENAME renamed TO x; ALTER TABLE a RENAME n TO y; ALTER TABLE a ADD z numeric(5,2); " +
			"UPDATE a SET z = 1.5, y = y + 1",
		"BEGIN; INSERT INTO a VALUES (10, 'a', 1, 'c', 1); ALTER TABLE a ADD k int; " +
			"INSERT INTO a VALUES (11, 'a', 1, 'c', 1, 1); " +
			"ALTER TABLE a DROP k; INSERT INTO a VALUES (12, 'a', 1, 'c', 1); COMMIT",
	}
	for i, sql := range steps {
		s.exec(sql)
		s.same(job, "a")
		if i == 2 {
			w.savepoint(job)
			s.exec("INSERT INTO a VALUES (100, 'r', 4)")
			job = w.submit(s.toTables("", more, "a"), engine.SubmitOptions{ID: 5, FromSavepoint: true})
			s.same(job, "a")
		}
	}
	columns := func(table string) []string {
		return s.query("SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = '" + table +
			"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1")
	}
	want, got := columns("a"), columns("dst.a")
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("columns %q, want %q", got, want)
	}
}

// TestLateSchemaChanges comes to changes of columns when the catalog is further already.
func TestLateSchemaChanges(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text)", "INSERT INTO a VALUES (1, 'v'), (2, 'v')")
	w := newEngine(t, "")
	file := s.toTables("", "debezium { include.schema.changes = true }", "a")
	job := w.submit(file, engine.SubmitOptions{ID: 5})
	s.same(job, "a")
	for _, sql := range []string{
		"ALTER TABLE a ADD x int; UPDATE a SET x = 7 WHERE id = 1; " +
			"ALTER TABLE a RENAME x TO y; UPDATE a SET v = 'w' WHERE id = 2",
		"ALTER TABLE a ADD k text, ADD l int; UPDATE a SET l = 8 WHERE id = 1; " +
			"ALTER TABLE a DROP k; ALTER TABLE a RENAME l TO m; INSERT INTO a VALUES (3)",
		"ALTER TABLE a ADD n int; UPDATE a SET n = 9 WHERE id = 1; " +
			"ALTER TABLE a DROP n, ADD o int; UPDATE a SET o = 10 WHERE id = 2",
		"ALTER TABLE a ADD p int; UPDATE a SET p = 11 WHERE id = 1; " +
			"ALTER TABLE a DROP p, ADD p text; UPDATE a SET p = '12' WHERE id = 2",
		"ALTER TABLE a ALTER o TYPE bigint; UPDATE a SET o = 13 WHERE id = 1; " +
			"ALTER TABLE a DROP p, ADD p int; UPDATE a SET p = 14 WHERE id = 2",
	} {
		w.savepoint(job)
		s.exec(sql)
		job = w.submit(file, engine.SubmitOptions{ID: 5, FromSavepoint: true})
		s.same(job, "a")
	}
}

// TestPlannedColumns keeps the target's columns where changes of columns are not wanted.
func TestPlannedColumns(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text, w text, g int GENERATED ALWAYS AS (id * 2) STORED)",
		"INSERT INTO a VALUES (1, 'v', 'w')")
	job := newEngine(t, "").submit(s.toTables("", "", "a"), engine.SubmitOptions{})
	s.same(job, "a")
	s.exec("ALTER TABLE a ADD extra int; INSERT INTO a VALUES (2, 'v', 'w')",
		"ALTER TABLE a DROP w; INSERT INTO a VALUES (3, 'v')")
	s.waitFor("the rows", func() bool { return s.count("dst.a") == 3 })
	want := "1|v|w 2|v|w 3|v|NULL"
	if got := strings.Join(s.query("SELECT * FROM dst.a ORDER BY id"), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.exec("ALTER TABLE a ALTER v TYPE int USING 1; INSERT INTO a VALUES (4, 7)")
	_, err := job.Wait(t.Context())
	if err == nil || !strings.Contains(err.Error(), "include.schema.changes") {
		t.Errorf("a change of type: %v", err)
	}
}

// TestStartupModes starts with and without a snapshot.
func TestStartupModes(t *testing.T) {
	tests := []struct {
		mode string
		slot bool // it is there before, with a row behind it
		want string
	}{
		{"initial", false, "1 2 3 4"}, {"initial", true, "1 2 3 4"},
		{"latest", false, "4"}, {"latest", true, "4"},
		{"earliest", false, "4"}, {"earliest", true, "3 4"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s slot %v", test.mode, test.slot), func(t *testing.T) {
			s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)")
			s.exec("CREATE PUBLICATION " + s.slot() + " FOR TABLE a")
			if test.slot {
				s.exec("SELECT pg_create_logical_replication_slot('" + s.slot() + "', 'pgoutput')")
			}
			s.exec("INSERT INTO a VALUES (3)")
			job := newEngine(t, "").submit(s.toTables("", "startup.mode = "+test.mode, "a"), engine.SubmitOptions{})
			s.streaming()
			s.exec("INSERT INTO a VALUES (4)")
			s.waitFor("the last row in the target; the job is "+job.Info().State.String(),
				func() bool { return s.count("dst.a WHERE id = 4") == 1 })
			if got := strings.Join(s.query("SELECT id FROM dst.a ORDER BY id"), " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestIdleTable makes sure that changes of other tables are not kept for a table that does not change.
func TestIdleTable(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE busy (v text)")
	newEngine(t, "").submit(s.toTables("", "", "a"), engine.SubmitOptions{})
	s.streaming()
	s.exec("INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
	at := s.query("SELECT pg_current_wal_insert_lsn()")[0]
	s.waitFor("the slot to move on", func() bool {
		return s.count("pg_replication_slots WHERE slot_name = '"+s.slot()+"' AND confirmed_flush_lsn >= '"+at+"'") == 1
	})
}

// TestReconnect cuts the stream's connection, which costs none of the job's own retries.
func TestReconnect(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text)")
	text := strings.Replace(s.toTables("", "", "a"), "job.retry.times = 100", "job.retry.times = 0", 1)
	job := newEngine(t, "").submit(text, engine.SubmitOptions{})
	for i := range 4 {
		s.streaming()
		s.exec(fmt.Sprintf("INSERT INTO a SELECT i, 'x' FROM generate_series(%d, %d) i", i*20000, i*20000+19999))
		if i > 0 {
			s.exec("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '" + s.slot() + "'")
		}
		s.same(job, "a")
	}
}

// TestLargeTransaction stops the job with a savepoint, several times, in the middle of one transaction: the target,
// which has no key, gets each of its rows once.
func TestLargeTransaction(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int, v text)", "ALTER TABLE a REPLICA IDENTITY FULL",
		"CREATE TABLE dst.a (id int, v text)",
		"CREATE TABLE b (id int PRIMARY KEY)")
	w := newEngine(t, "")
	text := s.toTables("read_limit.rows_per_second = 20000", "", "a")
	job := w.submit(text, engine.SubmitOptions{ID: 5})
	s.streaming()
	s.exec("BEGIN; INSERT INTO a SELECT i, 'v' FROM generate_series(1, 15000) i; SAVEPOINT s; INSERT INTO a VALUES " +
		"(0, 'lost'); " +
		"ROLLBACK TO s; INSERT INTO a SELECT i, 'w' FROM generate_series(15001, 30000) i; COMMIT")
	middles := 0
	for range 4 {
		n := s.count("dst.a")
		s.waitFor("more rows", func() bool { return s.count("dst.a") > n || n == 30000 })
		w.savepoint(job)
		if n := s.count("dst.a"); n > 0 && n < 30000 {
			middles++
		}
		job = w.submit(text, engine.SubmitOptions{ID: 5, FromSavepoint: true})
	}
	s.waitFor("all rows", func() bool { return s.count("dst.a") >= 30000 })
	if got := s.query("SELECT count(*), count(DISTINCT id), min(id) FROM dst.a")[0]; got != "30000|30000|1" {
		t.Errorf("rows, different ids and the least: %s", got)
	}
	if middles == 0 {
		t.Error("no savepoint fell into the transaction")
	}
}

// TestJobFile runs a job file as people have it.
func TestJobFile(t *testing.T) {
	s := newServer(t, "CREATE SCHEMA inventory",
		`CREATE TABLE inventory.full_types_no_primary_key (id int NOT NULL, f_bytea bytea,
		f_numeric numeric(10,5), f_char char, f_timestamp3 timestamp(3), f_time time(0), f_default_numeric numeric, f_inet inet)`,
		"ALTER TABLE inventory.full_types_no_primary_key REPLICA IDENTITY FULL",
		"CREATE TABLE inventory.sink (LIKE inventory.full_types_no_primary_key, PRIMARY KEY (id))",
		`INSERT INTO inventory.full_types_no_primary_key VALUES (1, '2', 1.5, 'c', '2024-01-01 10:00:00.123', `+
			`'10:00:00', 5, '192.168.1.1')`)
	job := fmt.Sprintf(`
		env { execution.parallelism = 1, job.mode = "STREAMING", checkpoint.interval = 500
			read_limit.bytes_per_second=7000000, read_limit.rows_per_second=400 }
		source {
			Postgres-CDC {
				result_table_name = "customers_postgres_cdc"
				username = %[2]q
				password = %[3]q
				database-names = [%[1]q]
				schema-names = ["inventory"]
				table-names = ["%[1]s.inventory.full_types_no_primary_key"]
				base-url = "%[4]s?loggerLevel=OFF"
				slot.name = %[1]q
				decoding.plugin.name = "decoderbufs"
				exactly_once = true
				table-names-config = [ { table = "%[1]s.inventory.full_types_no_primary_key", primaryKeys = ["id"] } ]
			}
		}
		transform {
		}
		sink {
			jdbc {
				source_table_name = "customers_postgres_cdc"
				url = "%[4]s?loggerLevel=OFF"
				driver = "org.postgresql.Driver"
				user = %[2]q
				password = %[3]q
				generate_sink_sql = true
				database = %[1]s
				table = inventory.sink
				primary_keys = ["id"]
			}
		}`, s.Name, s.User, s.Password, s.URL)
	newEngine(t, "").submit(job, engine.SubmitOptions{})
	same := func() bool {
		return s.count("(TABLE inventory.full_types_no_primary_key EXCEPT TABLE inventory.sink) x") == 0 &&
			s.count("(TABLE inventory.sink EXCEPT TABLE inventory.full_types_no_primary_key) x") == 0
	}
	s.waitFor("the snapshot", same)
	s.exec("INSERT INTO inventory.full_types_no_primary_key SELECT 2, f_bytea, -0.5, 'x', f_timestamp3, f_time, 7, "+
		"'10.0.0.0/8' FROM inventory.sink",
		"UPDATE inventory.full_types_no_primary_key SET f_char = 'z' WHERE id = 1")
	s.waitFor("the changes", same)
	s.exec("DELETE FROM inventory.full_types_no_primary_key WHERE id = 1")
	s.waitFor("the delete", same)
}

// TestSlotErrors breaks the slot between two runs of a job.
func TestSlotErrors(t *testing.T) {
	tests := []struct {
		name string
		do   func(s *server)
		want string
	}{
		{"gone", func(s *server) { s.exec("SELECT pg_drop_replication_slot('" + s.slot() + "')") }, "is gone"},
		{"moved on", func(s *server) {
			s.exec("INSERT INTO a VALUES (7)", "SELECT pg_replication_slot_advance('"+s.slot()+"', pg_current_wal_lsn())")
		}, "given to somebody else"},
		{"lost", func(s *server) {
			s.exec("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
			s.t.Cleanup(func() { s.exec("ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()") })
			s.waitFor("the slot to be lost", func() bool {
				s.exec("CREATE TABLE junk AS SELECT repeat(md5(i::text), 30) FROM generate_series(1, 20000) i", "DROP TABLE junk",
					"SELECT pg_switch_wal()", "CHECKPOINT")
				return s.query("SELECT wal_status FROM pg_replication_slots WHERE slot_name = '" + s.slot() + "'")[0] == "lost"
			})
		}, "invalidated"},
		{"in use", func(s *server) { occupy(s) }, "in use"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
			w := newEngine(t, "")
			text := strings.Replace(s.toTables("", "connect.timeout.ms = 500", "a"), "job.retry.times = 100",
				"job.retry.times = 0", 1)
			job := w.submit(text, engine.SubmitOptions{ID: 5})
			s.same(job, "a")
			w.savepoint(job)
			s.released()
			test.do(s)
			job = w.submit(text, engine.SubmitOptions{ID: 5, FromSavepoint: true})
			_, err := job.Wait(t.Context())
			var e *plugin.Error
			if err == nil || !strings.Contains(err.Error(), test.want) || !errors.As(err, &e) || e.Fix == "" {
				t.Errorf("got %v, want a text with %q and what to do", err, test.want)
			}
		})
	}
}

// occupy reads the test's slot until the end of the test.
func occupy(s *server) {
	c, err := s.bare(s.t).Replication(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	err = c.Send(fmt.Sprintf("START_REPLICATION SLOT %s LOGICAL 0/0 (proto_version '1', publication_names '%s')",
		s.slot(), s.slot()))
	if err != nil {
		s.t.Fatal(err)
	}
	msg, err := c.Conn().ReceiveMessage(context.Background())
	if _, ok := msg.(*pgproto3.CopyBothResponse); !ok || err != nil {
		s.t.Fatal(msg, err)
	}
}
