package mysqlcdc_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
)

// hammerKey is a table's key in the hammer: how it is declared, and the literals of a number.
type hammerKey struct {
	declare string
	columns []string
	literal func(n int) []string
}

var hammerKeys = []hammerKey{
	{"id INT PRIMARY KEY", []string{"id"}, func(n int) []string { return []string{fmt.Sprint(n)} }},
	{"a INT, b VARCHAR(10), PRIMARY KEY (a, b)", []string{"a", "b"}, func(n int) []string {
		return []string{fmt.Sprint(n / 7), fmt.Sprintf("'b%d'", n%7)}
	}},
	{"name VARCHAR(20) PRIMARY KEY", []string{"name"}, func(n int) []string {
		return []string{fmt.Sprintf("'%s%d'", []string{"Ab", "aC", "é", "_Z"}[n%4], n)}
	}},
	{"id BIGINT UNSIGNED PRIMARY KEY", []string{"id"}, func(n int) []string {
		return []string{fmt.Sprint(uint64(9223372036854775807) - 1000 + uint64(n))}
	}},
	{"id INT NOT NULL, UNIQUE KEY u (id)", []string{"id"}, func(n int) []string { return []string{fmt.Sprint(n * 3)} }},
	{"id DECIMAL(20,4) PRIMARY KEY", []string{"id"},
		func(n int) []string { return []string{fmt.Sprintf("%d.%04d", n-500, n)} }},
	{"id DATETIME(3) PRIMARY KEY", []string{"id"}, func(n int) []string {
		return []string{fmt.Sprintf("'2024-01-01' + INTERVAL %d SECOND", n*1777)}
	}},
	{"id VARBINARY(8) PRIMARY KEY", []string{"id"},
		func(n int) []string { return []string{fmt.Sprintf("x'%08x'", uint32(n)*0x01020411)} }},
}

// hammer is tables that clients change, and a job that keeps up with them.
type hammer struct {
	*fixture
	db      *sql.DB // of the clients
	tables  int
	rows    int // keys of each table
	initial int
}

func newHammer(t *testing.T, rows int) *hammer {
	t.Helper()
	return newHammerAt(t, dbtest.Address(t, dbtest.MariaDBVariable), rows)
}

// newHammerAt makes the tables on the server at a url.
func newHammerAt(t *testing.T, at string, rows int) *hammer {
	t.Helper()
	h := &hammer{fixture: newFixtureAt(t, at), tables: len(hammerKeys), rows: rows, initial: rows * 2 / 3}
	var err error
	if h.db, err = sql.Open("mysql", h.DSN); err != nil {
		t.Fatal(err)
	}
	h.db.SetMaxIdleConns(16)
	t.Cleanup(func() { _ = h.db.Close() })
	for i := range h.tables {
		k := h.key(i)
		h.Exec(fmt.Sprintf("CREATE TABLE t%d (%s, v INT, s VARCHAR(60), x DOUBLE, at TIMESTAMP(3) NULL)", i, k.declare))
		var values []string
		for n := range h.initial {
			values = append(values, fmt.Sprintf("(%s, %d, 'start', 0.5, NULL)", strings.Join(k.literal(n), ", "), n))
		}
		h.Exec(fmt.Sprintf("INSERT INTO t%d VALUES %s", i, strings.Join(values, ",")))
	}
	return h
}

func (h *hammer) key(table int) hammerKey { return hammerKeys[table%len(hammerKeys)] }

func (h *hammer) where(k hammerKey, n int) string {
	var parts []string
	for i, literal := range k.literal(n) {
		parts = append(parts, k.columns[i]+" = "+literal)
	}
	return strings.Join(parts, " AND ")
}

// statement is a random change of a random table.
func (h *hammer) statement(rng *rand.Rand) string {
	table := rng.IntN(h.tables)
	k, n, v := h.key(table), rng.IntN(h.rows), rng.IntN(1_000_000)
	values := fmt.Sprintf("("+strings.Join(k.columns, ", ")+
		", v, s, x, at) VALUES (%s, %d, 'é %d', %d.25, '2024-05-05 05:05:05.5' + INTERVAL %d SECOND)",
		strings.Join(k.literal(n), ", "), v, v, v%1000, v)
	switch rng.IntN(6) {
	case 0, 1:
		return fmt.Sprintf("INSERT INTO t%d %s ON DUPLICATE KEY UPDATE v = v + 1, s = 'doubled'", table, values)
	case 2:
		return fmt.Sprintf("REPLACE INTO t%d %s", table, values)
	case 3:
		return fmt.Sprintf("DELETE FROM t%d WHERE %s", table, h.where(k, n))
	case 4:
		to := k.literal(rng.IntN(h.rows))
		var sets []string
		for i, c := range k.columns {
			sets = append(sets, c+" = "+to[i])
		}
		return fmt.Sprintf("UPDATE IGNORE t%d SET %s WHERE %s", table, strings.Join(sets, ", "), h.where(k, n))
	default:
		return fmt.Sprintf("UPDATE t%d SET v = %d, s = 'updated' WHERE v %% 50 = %d", table, v, rng.IntN(50))
	}
}

// client changes tables until the context ends. ddl says whether it alters them, too.
func (h *hammer) client(ctx context.Context, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 7))
	for ctx.Err() == nil {
		if err := h.transaction(ctx, rng); err != nil && ctx.Err() == nil && !passes(err) {
			return err
		}
	}
	return nil
}

// passes reports errors that clients of a busy server, or of one that is killed, must expect.
func passes(err error) bool {
	var refused *driver.MySQLError
	if errors.As(err, &refused) {
		switch refused.Number {
		case 1205, 1213, 1020, 1053, 1927:
			return true
		}
		return false
	}
	return true // the connection
}

func (h *hammer) transaction(ctx context.Context, rng *rand.Rand) error {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for range 1 + rng.IntN(8) {
		if _, err := tx.ExecContext(ctx, h.statement(rng)); err != nil {
			return err
		}
	}
	switch rng.IntN(20) {
	case 0:
		return tx.Rollback()
	case 1: // a long one
		_ = plugin.Sleep(ctx, time.Duration(rng.IntN(300))*time.Millisecond)
	}
	return tx.Commit()
}

// clients starts some and returns what stops them and waits for them.
func (h *hammer) clients(t *testing.T, n int) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		wg.Go(func() {
			if err := h.client(ctx, uint64(i)+rand.Uint64()); err != nil {
				errs <- err
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
		close(errs)
		for err := range errs {
			t.Error(err)
		}
	}
}

func (h *hammer) job(extra string) string {
	var names []string
	for i := range h.tables {
		names = append(names, fmt.Sprintf("t%d", i))
	}
	return h.fixture.job("parallelism = 2, job.retry.times = 1000, job.retry.interval.seconds = 1, "+
		"read_limit.rows_per_second = 20000",
		h.names(names...)+", snapshot.split.size = 100, "+extra)
}

// differences compares all tables.
func (h *hammer) differences() string {
	var lines []string
	for i := range h.tables {
		if d := h.difference(fmt.Sprintf("t%d", i), "*", strings.Join(h.key(i).columns, ", ")); d != "" {
			lines = append(lines, d)
		}
	}
	return strings.Join(lines, "\n")
}

// hammerTime is how long clients work: short, unless CULVERT_TEST_HAMMER says otherwise.
func hammerTime(t *testing.T) time.Duration {
	text := os.Getenv("CULVERT_TEST_HAMMER")
	if text == "" {
		return 4 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestHammer changes tables while they are read and followed.
func TestHammer(t *testing.T) {
	h := newHammer(t, 600)
	stop := h.clients(t, 4)
	job := start(t, h.job(""))
	_ = plugin.Sleep(t.Context(), hammerTime(t))
	stop()
	dbtest.Eventually(t, job, h.differences)
}

// TestHammerPlain plays a server that does not tell the place of a view in the log, as MySQL does not.
func TestHammerPlain(t *testing.T) {
	for _, exact := range []bool{true, false} {
		t.Run(fmt.Sprintf("exactly_once=%v", exact), func(t *testing.T) {
			h := newHammer(t, 600)
			stop := h.clients(t, 3)
			eng := dbtest.OpenEngine(t, "", mysqlcdc.PlainPlugins, mysql.Plugins)
			job := submit(t, eng, h.job(fmt.Sprintf("exactly_once = %v", exact)))
			_ = plugin.Sleep(t.Context(), hammerTime(t)/2)
			stop()
			dbtest.Eventually(t, job, h.differences)
		})
	}
}

// TestHammerKillsEngine kills the process of the engine again and again meanwhile.
func TestHammerKillsEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	h := newHammer(t, 6000)
	dir, job := t.TempDir(), h.job("incremental.parallelism = 2")
	stop := h.clients(t, 4)
	kills := 0
	for until := time.Now().Add(2 * hammerTime(t)); time.Now().Before(until); kills++ {
		child := dbtest.StartJob(t, dir, job)
		_ = plugin.Sleep(t.Context(), time.Duration(200+rand.IntN(800))*time.Millisecond)
		child.Kill()
	}
	stop()
	t.Logf("%d kills", kills)
	child := dbtest.StartJob(t, dir, job)
	dbtest.Eventually(t, nil, h.differences)
	child.Kill()
}

// TestHugeTransaction kills the engine in the middle of a transaction that is larger than any batch.
func TestHugeTransaction(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, n INT)", "CREATE TABLE b (id INT PRIMARY KEY, n INT)")
	dir := t.TempDir()
	job := f.job("read_limit.rows_per_second = 20000", f.names("a", "b"))
	child := dbtest.StartJob(t, dir, job)
	f.Exec("INSERT INTO b VALUES (0, 0)")
	dbtest.Eventually(t, nil, func() string { return f.difference("b", "*", "id") })
	f.Exec(`START TRANSACTION; INSERT INTO a SELECT seq, 0 FROM seq_1_to_30000; INSERT INTO b SELECT seq, 1 FROM seq_1_to_5000;
		UPDATE a SET n = 1 WHERE id % 2 = 0; DELETE FROM a WHERE id % 3 = 0; UPDATE a SET id = id + 100000 WHERE id % 5 = 0; COMMIT`)
	for range 6 {
		_ = plugin.Sleep(t.Context(), time.Duration(300+rand.IntN(300))*time.Millisecond)
		child.Kill()
		child = dbtest.StartJob(t, dir, job)
	}
	dbtest.Eventually(t, nil, func() string { return f.difference("a", "*", "id") + f.difference("b", "*", "id") })
	child.Kill()
}

// TestStatementsInLog refuses changes that were not logged as rows.
func TestStatementsInLog(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, n INT)")
	job := start(t, f.job("job.retry.times = 0", f.names("a")))
	dbtest.Eventually(t, job, func() string { return begun(job) })
	f.Exec("SET SESSION binlog_format = STATEMENT; INSERT INTO a VALUES (1, 1); SET SESSION binlog_format = ROW")
	_, err := job.Wait(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a statement instead of the rows") {
		t.Errorf("got %v", err)
	}
}

// TestSwappedTable renames another table to the captured one's name, as tools for changes of large tables do.
func TestSwappedTable(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, n INT)", "INSERT INTO a VALUES (1, 1), (2, 2)")
	job := start(t, f.job("", f.names("a")+schemaChanges))
	same := func() string { return f.difference("a", "*", "id") }
	dbtest.Eventually(t, job, same)
	f.Exec("CREATE TABLE a_new (id INT PRIMARY KEY, n INT, x VARCHAR(10) DEFAULT 'x')",
		"INSERT INTO a_new (id, n) SELECT * FROM a",
		"RENAME TABLE a TO a_old, a_new TO a", "INSERT INTO a VALUES (3, 3, 'y')")
	dbtest.Eventually(t, job, same)
}

// TestHammerKillsServer kills a database server of its own again and again meanwhile.
func TestHammerKillsServer(t *testing.T) {
	service := dbtest.StartService(t, dbtest.MariaDBVariable)
	h := newHammerAt(t, service.URL, 6000)
	stop := h.clients(t, 4)
	job := start(t, h.job(""))
	for until := time.Now().Add(2 * hammerTime(t)); time.Now().Before(until); {
		_ = plugin.Sleep(t.Context(), time.Duration(500+rand.IntN(1500))*time.Millisecond)
		service.Kill()
		service.Restart()
	}
	stop()
	dbtest.Eventually(t, job, h.differences)
}
