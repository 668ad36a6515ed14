package mysqlcdc_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// benchRows is how many rows the benchmarks move, unless CULVERT_TEST_ROWS says otherwise.
func benchRows(b *testing.B) int {
	text := os.Getenv("CULVERT_TEST_ROWS")
	if text == "" {
		return 500_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// mixed returns the statements that make a table of eight mixed columns.
func mixed(name string, rows int) []string {
	return []string{
		"CREATE TABLE " + name + ` (id BIGINT PRIMARY KEY, n INT, name VARCHAR(40), note VARCHAR(80), score DOUBLE,
			amount DECIMAL(12,2), at DATETIME(6), ok BOOLEAN)`,
		insertMixed(name, 0, rows),
	}
}

func insertMixed(name string, from, rows int) string {
	return fmt.Sprintf(`INSERT INTO %s SELECT %d + seq, seq %% 1000, CONCAT('name ', seq), CONCAT('a longer text, number ', seq * 7),
			seq / 7e0, seq %% 100000 / 100, '2024-01-01' + INTERVAL seq * 1001 MICROSECOND, seq %% 2 FROM seq_1_to_%d`,
		name, from, rows)
}

// run runs a job to its end and reports its speed.
func run(b *testing.B, text string, rows int) {
	b.Helper()
	eng := dbtest.OpenEngine(b, "", plugins)
	b.ResetTimer()
	for range b.N {
		job := dbtest.Submit(b, eng, text, engine.SubmitOptions{})
		result, err := job.Wait(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if result.RowsIn != int64(rows) {
			b.Fatalf("%d rows, want %d", result.RowsIn, rows)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSnapshot compares the snapshot with the Jdbc source.
func BenchmarkSnapshot(b *testing.B) {
	rows := benchRows(b)
	f := newFixture(b, mixed("a", rows)...)
	for _, lanes := range []int{1, 2} {
		b.Run(fmt.Sprintf("Jdbc/lanes=%d", lanes), func(b *testing.B) {
			run(b, fmt.Sprintf(`env { parallelism = %d }
				source { Jdbc { url = "jdbc:mysql://%s/%s", user = %q, password = %q, table_path = "%[3]s.a" } }
				sink { Blackhole { } }`, lanes, f.Host, f.from, f.User, f.Password), rows)
		})
		b.Run(fmt.Sprintf("CDC/lanes=%d", lanes), func(b *testing.B) {
			run(b, fmt.Sprintf("env { parallelism = %d, job.mode = STREAMING }\n%s\nsink { Blackhole { } }", lanes,
				f.source(f.names("a")+", stop.mode = latest")), rows)
		})
	}
}

// BenchmarkBacklog decodes the log of transactions of different sizes.
func BenchmarkBacklog(b *testing.B) {
	for _, size := range []int{1, 100, 100_000} {
		b.Run(fmt.Sprintf("rows=%d", size), func(b *testing.B) {
			rows := benchRows(b)
			if size == 1 {
				rows /= 10
			}
			f := newFixture(b, mixed("a", 1)[0])
			file, pos := f.place(b)
			f.Exec("SET GLOBAL innodb_flush_log_at_trx_commit = 0, GLOBAL sync_binlog = 0")
			f.Exec(fmt.Sprintf(`BEGIN NOT ATOMIC DECLARE i INT DEFAULT 0;
				WHILE i < %d DO %s; SET i = i + %d; END WHILE; END`, rows,
				insertMixedVar("a", size), size))
			f.Exec("SET GLOBAL innodb_flush_log_at_trx_commit = 1, GLOBAL sync_binlog = 1")
			run(b, fmt.Sprintf("env { job.mode = STREAMING }\n%s\nsink { Blackhole { } }", f.source(f.names("a")+fmt.Sprintf(
				`, stop.mode = latest, startup.mode = specific, startup.specific-offset.file = %q, startup.specific-offset.pos `+
					`= %d`,
				file, pos))), rows)
		})
	}
}

func insertMixedVar(name string, rows int) string {
	return fmt.Sprintf(`INSERT INTO %s SELECT i + seq, seq %% 1000, CONCAT('name ', seq), CONCAT('a longer text, number ', seq * 7),
			seq / 7e0, seq %% 100000 / 100, '2024-01-01' + INTERVAL seq * 1001 MICROSECOND, seq %% 2 FROM seq_1_to_%d`,
		name, rows)
}
