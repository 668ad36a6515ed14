package jdbc_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// server is one kind of server, and how its failures are brought about.
type server struct {
	name, variable string
	open           func(t testing.TB, sql ...string) *dbtest.Database
	at             func(t testing.TB, url string) *dbtest.Database
	// fill makes rows of a table (id, name, n).
	fill string
	// reader makes a user of a name who may read only, single one who may connect once.
	reader, single func(d *dbtest.Database, name string) []string
	// dropUser drops either.
	dropUser func(d *dbtest.Database, name string) []string
	// rest are the tables and transactions that must not be left over.
	rest string
	// crowded is what the server says of too many connections, full of a full disk.
	crowded, full string
	// on makes the table target on a disk.
	on func(d *dbtest.Database, disk string) []string
	// off takes the disk out of use.
	off func(d *dbtest.Database) []string
}

func plugins() []plugin.Plugin { return jdbc.Plugins(postgres.Dialect(), mysql.Dialect())() }

var kit = jdbctest.Kit{Plugins: plugins}

var servers = []server{
	{
		name: "postgres", variable: dbtest.PostgresVariable, open: dbtest.Postgres,
		at:   func(t testing.TB, url string) *dbtest.Database { return dbtest.PostgresAt(t, url) },
		fill: "INSERT INTO people SELECT i, 'name ' || i, i * 10 FROM generate_series(1, %d) i",
		reader: func(_ *dbtest.Database, name string) []string {
			return []string{"CREATE ROLE " + name + " LOGIN PASSWORD 'geheim'",
				"GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + name}
		},
		single: func(_ *dbtest.Database, name string) []string {
			return []string{"CREATE ROLE " + name + " LOGIN PASSWORD 'geheim' CONNECTION LIMIT 1",
				"GRANT ALL ON ALL TABLES IN SCHEMA public TO " + name, "GRANT ALL ON SCHEMA public TO " + name}
		},
		dropUser: func(_ *dbtest.Database, name string) []string {
			return []string{"DROP OWNED BY " + name, "DROP ROLE " + name}
		},
		rest: `SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'culvert\_%'
			AND relname <> 'culvert_commits'`,
		on: func(d *dbtest.Database, disk string) []string {
			return []string{"CREATE TABLESPACE " + d.Name + " LOCATION '" + disk + "'", targetTable + " TABLESPACE " + d.Name}
		},
		off: func(d *dbtest.Database) []string {
			return []string{"DROP TABLE target", "DROP TABLESPACE " + d.Name}
		},
		crowded: "too many connections", full: "No space left on device",
	},
	{
		name: "mariadb", variable: dbtest.MariaDBVariable, open: dbtest.MariaDB,
		at:   func(t testing.TB, url string) *dbtest.Database { return dbtest.MariaDBAt(t, url) },
		fill: "INSERT INTO people SELECT seq, CONCAT('name ', seq), seq * 10 FROM seq_1_to_%d",
		reader: func(d *dbtest.Database, name string) []string {
			return []string{"CREATE USER " + name + "@'127.0.0.1' IDENTIFIED BY 'geheim'",
				"GRANT SELECT ON " + d.Name + ".* TO " + name + "@'127.0.0.1'"}
		},
		single: func(d *dbtest.Database, name string) []string {
			return []string{"CREATE USER " + name + "@'127.0.0.1' IDENTIFIED BY 'geheim' WITH MAX_USER_CONNECTIONS 1",
				"GRANT ALL ON " + d.Name + ".* TO " + name + "@'127.0.0.1'"}
		},
		dropUser: func(_ *dbtest.Database, name string) []string {
			return []string{"DROP USER " + name + "@'127.0.0.1'"}
		},
		rest: `SHOW TABLES LIKE 'culvert\_stage\_%'`,
		on: func(_ *dbtest.Database, disk string) []string {
			return []string{targetTable + " DATA DIRECTORY = '" + disk + "'"}
		},
		off:     func(*dbtest.Database) []string { return []string{"DROP TABLE target"} },
		crowded: "max_user_connections", full: "is full",
	},
}

// The target has no key, so that a row that comes twice shows.
const (
	sourceTable = "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(300), n INT)"
	targetTable = "CREATE TABLE target (id INT, name VARCHAR(300), n INT)"
)

// ends are the two ends of a job, as lines of a job file.
type ends struct{ source, sink string }

// goodJob copies people to target.
func goodJob(s server, d *dbtest.Database) ends {
	path := "public.people"
	if s.name == "mariadb" {
		path = d.Name + ".people"
	}
	return ends{
		source: d.Access() + fmt.Sprintf(", table_path = %q", path),
		sink:   d.Access() + ", table = target",
	}
}

// patience is the connection timeout of the jobs, in seconds.
const patience = 3

func (e ends) text(exactly bool) string {
	return fmt.Sprintf(`
		env { parallelism = 2, job.retry.times = 0 }
		source { Jdbc { connection_check_timeout_sec = %d, %s } }
		sink { Jdbc { connection_check_timeout_sec = %[1]d, %[3]s, is_exactly_once = %[4]v,
			enable_upsert = false, support_upsert_by_insert_only = true } }`, patience, e.source, e.sink, exactly)
}

// changeOf changes the good job.
type changeOf func(t *testing.T, s server, d *dbtest.Database, good *ends)

// failure is a case: the job that change makes of the good one fails.
type failure struct {
	name   string
	before func(s server, d *dbtest.Database) []string
	change changeOf
	after  func(s server, d *dbtest.Database) []string
	want   func(s server, d *dbtest.Database) []string // parts of the error
	once   bool                                        // it fails with is_exactly_once only
}

func says(parts ...string) func(server, *dbtest.Database) []string {
	return func(server, *dbtest.Database) []string { return parts }
}

// replaced returns a change of all ends of the job, or only of that with table = target.
func replaced(sinkOnly bool, old, by func(d *dbtest.Database) string) changeOf {
	return func(t *testing.T, _ server, d *dbtest.Database, good *ends) {
		swap := func(text string) string {
			if !strings.Contains(text, old(d)) {
				t.Fatalf("%q is not in %s", old(d), text)
			}
			return strings.Replace(text, old(d), by(d), 1)
		}
		if good.sink = swap(good.sink); !sinkOnly {
			good.source = swap(good.source)
		}
	}
}

func password(d *dbtest.Database) string { return fmt.Sprintf("password = %q", d.Password) }
func urlOf(d *dbtest.Database) string    { return fmt.Sprintf("url = %q", d.URL) }

func fixed(text string) func(*dbtest.Database) string {
	return func(*dbtest.Database) string { return text }
}

func elsewhere(d *dbtest.Database) string { return fmt.Sprintf("url = %q", d.URL+"_not") }

func credentials(d *dbtest.Database) string {
	return fmt.Sprintf("user = %q, password = %q", d.User, d.Password)
}

func guest(d *dbtest.Database) string { return d.Name + "_g" }

func asGuest(d *dbtest.Database) string {
	return fmt.Sprintf("user = %q, password = geheim", guest(d))
}

var failures = []failure{
	{
		name:   "wrong password of the source",
		change: replaced(false, password, fixed("password = geheim")),
		want:   says("check user and password"),
	},
	{
		name:   "wrong password of the sink",
		change: replaced(true, password, fixed("password = geheim")),
		want:   says("check user and password"),
	},
	{
		name:   "unknown database of the source",
		change: replaced(false, urlOf, elsewhere),
		want:   func(_ server, d *dbtest.Database) []string { return []string{d.Name + "_not", "database"} },
	},
	{
		name: "unknown database of the sink", once: true, // otherwise MariaDB's is made
		change: replaced(true, urlOf, elsewhere),
		want:   func(_ server, d *dbtest.Database) []string { return []string{d.Name + "_not", "database"} },
	},
	{
		name: "unknown table",
		change: func(_ *testing.T, _ server, _ *dbtest.Database, good *ends) {
			good.source = strings.Replace(good.source, ".people", ".peopel", 1)
		},
		want: says("peopel", "did you mean"),
	},
	{
		name:   "missing column",
		before: func(server, *dbtest.Database) []string { return []string{"ALTER TABLE target DROP COLUMN n"} },
		after:  func(server, *dbtest.Database) []string { return []string{"ALTER TABLE target ADD COLUMN n INT"} },
		want:   says("target", "no column n", "the table has id, name"),
	},
	{
		name: "type clash",
		before: func(server, *dbtest.Database) []string {
			return []string{"DROP TABLE target", "CREATE TABLE target (id INT, name INT, n INT)",
				"UPDATE people SET name = n", "UPDATE people SET name = 'seven' WHERE id = 7"}
		},
		after: func(s server, _ *dbtest.Database) []string {
			return []string{"DROP TABLE target", targetTable}
		},
		want: says("target", "name", "id = 7", "seven"),
	},
	{
		name:   "read-only user",
		before: func(s server, d *dbtest.Database) []string { return s.reader(d, guest(d)) },
		change: replaced(true, credentials, asGuest),
		after:  func(s server, d *dbtest.Database) []string { return s.dropUser(d, guest(d)) },
		want:   says("denied", "grant the user"),
	},
	{
		name:   "server of the source gone",
		change: func(t *testing.T, _ server, d *dbtest.Database, good *ends) { good.source = gone(t, d, good.source) },
		want:   says("connection refused", "check that the server runs"),
	},
	{
		name:   "server of the sink gone",
		change: func(t *testing.T, _ server, d *dbtest.Database, good *ends) { good.sink = gone(t, d, good.sink) },
		want:   says("connection refused", "check that the server runs"),
	},
	{
		name:   "too many connections",
		before: func(s server, d *dbtest.Database) []string { return s.single(d, guest(d)) },
		change: replaced(false, credentials, asGuest),
		after:  func(s server, d *dbtest.Database) []string { return s.dropUser(d, guest(d)) },
		want:   func(s server, _ *dbtest.Database) []string { return []string{s.crowded, "parallelism"} },
	},
}

// gone replaces the address of a server by one where none listens.
func gone(t *testing.T, d *dbtest.Database, text string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, rest, _ := strings.Cut(d.URL, "//")
	host, _, _ := strings.Cut(rest, "/")
	return strings.Replace(text, host, l.Addr().String(), 1)
}

// TestFailures fails jobs in every way that a database knows: each has a clear error, soon, and leaves nothing behind
// that a second try would double.
func TestFailures(t *testing.T) {
	for _, s := range servers {
		for _, f := range failures {
			for _, exactly := range []bool{false, true} {
				if f.once && !exactly {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/exactly once %v", s.name, f.name, exactly), func(t *testing.T) {
					d := s.open(t, sourceTable, targetTable, fmt.Sprintf(s.fill, 100))
					if f.before != nil {
						d.Exec(f.before(s, d)...)
					}
					job := goodJob(s, d)
					if f.change != nil {
						f.change(t, s, d, &job)
					}
					_, err := within(t, job.text(exactly))
					checkFailure(t, err, f.want(s, d))
					if f.after != nil {
						d.Exec(f.after(s, d)...)
					}
					checkSecondTry(t, s, d, exactly)
				})
			}
		}
	}
}

// within runs a job that must end within its connection timeout.
func within(t *testing.T, job string) (*engine.Result, error) {
	t.Helper()
	start := time.Now()
	result, err := kit.RunJob(t, job)
	if took := time.Since(start); took > (patience+1)*time.Second {
		t.Errorf("the job took %s", took)
	}
	return result, err
}

func checkFailure(t *testing.T, err error, parts []string) {
	t.Helper()
	if err == nil {
		t.Fatal("the job did not fail")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "geheim") {
		t.Errorf("error %q shows the password", err)
	}
}

// checkSecondTry runs the good job after a failed one: each row must be there once. Without is_exactly_once the failed
// one may have written rows, but only in the cases in which it came so far.
func checkSecondTry(t *testing.T, s server, d *dbtest.Database, exactly bool) {
	t.Helper()
	if rest := d.Query(s.rest); len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
	if got := d.Query("SELECT count(*) FROM target")[0]; got != "0" {
		if exactly {
			t.Errorf("the failed job has written %s rows", got)
		}
		d.Exec("DELETE FROM target")
	}
	if result := kit.MustRunJob(t, goodJob(s, d).text(exactly)); result.State != engine.Finished {
		t.Errorf("state %s", result.State)
	}
	checkCopied(t, s, d)
}

// checkCopied compares target with source, and looks for what must not be left.
func checkCopied(t *testing.T, s server, d *dbtest.Database) {
	t.Helper()
	if d := cmp.Diff(d.Query("SELECT * FROM people ORDER BY id"), d.Query("SELECT * FROM target ORDER BY id")); d != "" {
		t.Error(d)
	}
	if rest := d.Query(s.rest); len(rest) > 0 {
		t.Errorf("left over in the end: %q", rest)
	}
}

// TestServerComesBack kills the server while a job runs. With retries the job ends as if nothing had been; without, it
// fails with an error that names the server.
func TestServerComesBack(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			service := dbtest.StartService(t, s.variable)
			d := s.at(t, service.URL)
			d.Exec(sourceTable, targetTable, fmt.Sprintf(s.fill, 20_000))
			env := "read_limit.rows_per_second = 5000, checkpoint.interval = 200, job.retry.interval.seconds = 1"
			text := strings.Replace(goodJob(s, d).text(true), "job.retry.times = 0", env+", job.retry.times = %d", 1)
			for _, retries := range []int{30, 0} {
				d.Exec("DELETE FROM target")
				ended := make(chan error, 1)
				go func() {
					_, err := kit.RunJob(t, fmt.Sprintf(text, retries))
					ended <- err
				}()
				dbtest.Until(t, "rows come", func() bool { return d.Query("SELECT count(*) FROM target")[0] != "0" })
				service.Kill()
				if retries == 0 {
					checkFailure(t, <-ended, []string{"connect"})
				}
				service.Restart()
				if retries > 0 {
					if err := <-ended; err != nil {
						t.Fatal(err)
					}
					checkCopied(t, s, d)
				}
			}
		})
	}
}

// TestFullDisk fills the server's disk: a small file system in memory that the target lives on. When there is room, the
// failed job goes on from its last checkpoint.
func TestFullDisk(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			d := s.open(t, sourceTable, fmt.Sprintf(s.fill, 40_000), "UPDATE people SET name = REPEAT('x', 300)")
			disk := smallDisk(t, s)
			d.Exec(s.on(d, disk)...)
			t.Cleanup(func() { d.Exec(s.off(d)...) })
			job := goodJob(s, d)
			_, err := within(t, job.text(false))
			checkFailure(t, err, []string{"target", s.full, "make room"})
			d.Exec("DELETE FROM target")

			eng := dbtest.OpenEngine(t, "", kit.Plugins)
			text := strings.Replace(job.text(true), "env {", "env { checkpoint.interval = 50, ", 1)
			_, err = jdbctest.Run(t, eng, text, engine.SubmitOptions{ID: 1})
			checkFailure(t, err, []string{"target", s.full, "make room"})
			remount(t, disk, "200m")
			if _, err := jdbctest.Run(t, eng, text, engine.SubmitOptions{ID: 1, FromSavepoint: true}); err != nil {
				t.Fatal(err)
			}
			checkCopied(t, s, d)
		})
	}
}

// smallDisk mounts four megabytes that the server may write to.
func smallDisk(t *testing.T, s server) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir, err := os.MkdirTemp("", "culvert-disk-")
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", dir).CombinedOutput()
	if err != nil {
		_ = os.Remove(dir)
		t.Skipf("mount: %v: %s", err, output)
	}
	t.Cleanup(func() {
		output, err := exec.Command("umount", "-l", dir).CombinedOutput()
		if err != nil {
			t.Errorf("umount: %v: %s", err, output)
		}
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	disk := filepath.Join(dir, "data")
	owner := map[string]string{"postgres": "postgres", "mariadb": "mysql"}[s.name]
	if output, err := exec.Command("install", "-d", "-m", "700", "-o", owner, disk).CombinedOutput(); err != nil {
		t.Fatalf("install: %v: %s", err, output)
	}
	return disk
}

// remount gives the file system that a directory is on another size.
func remount(t *testing.T, disk, size string) {
	t.Helper()
	output, err := exec.Command("mount", "-o", "remount,size="+size, filepath.Dir(disk)).CombinedOutput()
	if err != nil {
		t.Fatalf("mount: %v: %s", err, output)
	}
}
