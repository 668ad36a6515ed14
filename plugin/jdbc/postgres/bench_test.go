package postgres_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin/file"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// benchRows is how many rows each operation of a benchmark moves.
const benchRows = 1000000

// BenchmarkTable copies a table of eight mixed columns, by a job and by two psql processes, which is the limit:
//
//	go test -bench Table -benchtime 3x ./plugin/jdbc/postgres/
func BenchmarkTable(b *testing.B) {
	s := dbtest.Postgres(b, mixedTable(benchRows)...)
	s.Exec("VACUUM a", "CHECKPOINT")
	b.Run("culvert", func(b *testing.B) {
		measure(b, s, func() {
			kit.With(file.Plugins).MustRunJob(b,
				fmt.Sprintf("source { Jdbc { %s, table_path = a } }\nsink { Jdbc { %s, table = b } }",
					s.Access(), s.Access()))
		})
	})
	b.Run("psql", func(b *testing.B) {
		measure(b, s, func() {
			shell(b, s, `psql -qXc "COPY a TO STDOUT (FORMAT BINARY)" "$0" | psql -qXc "COPY b FROM STDIN (FORMAT BINARY)" "$0"`)
		})
	})
}

// BenchmarkFile loads a CSV file, by a job and by psql.
func BenchmarkFile(b *testing.B) {
	s := dbtest.Postgres(b, mixedTable(benchRows)...)
	path := filepath.Join(b.TempDir(), "a.csv")
	shell(b, s, `psql -qXc "\copy (SELECT id, n, name, note, score, amount, at, ok::text FROM a) TO '`+path+
		`' (FORMAT CSV, NULL '')" "$0"`)
	b.Run("culvert", func(b *testing.B) {
		measure(b, s, func() {
			kit.With(file.Plugins).MustRunJob(b,
				fmt.Sprintf(`source { LocalFile { path = %q, file_format_type = csv, schema { fields {
				id = bigint, n = int, name = string, note = string, score = double, amount = "decimal(12,2)",
				at = timestamp,
				ok = boolean } } } }
				sink { Jdbc { %s, table = "b", primary_keys = ["id"] } }`, path, s.Access()))
		})
	})
	b.Run("psql", func(b *testing.B) {
		measure(b, s, func() { shell(b, s, `psql -qXc "\copy b FROM '`+path+`' (FORMAT CSV, NULL '')" "$0"`) })
	})
}

// measure measures an operation that fills table b.
func measure(b *testing.B, s *dbtest.Database, do func()) {
	dbtest.Operation{
		Rows:   benchRows,
		Before: func() { s.Exec("DROP TABLE IF EXISTS b", "CREATE TABLE b (LIKE a INCLUDING ALL)", "CHECKPOINT") },
		Do:     do,
		After: func() {
			if got := s.Query("SELECT count(*) FROM b")[0]; got != fmt.Sprint(benchRows) {
				b.Fatalf("%s rows", got)
			}
		},
	}.Measure(b)
}

func shell(b *testing.B, s *dbtest.Database, command string) {
	if _, err := exec.LookPath("psql"); err != nil {
		b.Skip(err)
	}
	cmd := exec.CommandContext(b.Context(), "bash", "-o", "pipefail", "-c", command,
		fmt.Sprintf("postgres://%s:%s@%s", s.User, s.Password, strings.TrimPrefix(s.URL, "jdbc:postgresql://")))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = os.Stderr, &output
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %s", err, &output)
	}
}
