package mysql_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
)

// benchRows is how many rows each operation of a benchmark moves.
const benchRows = 1_000_000

// BenchmarkRead reads a table of eight mixed columns, by a job into nothing, and by a bare reader that looks at no
// value, which is the limit:
//
//	go test -run - -bench Read -benchtime 3x ./plugin/jdbc/mysql/
func BenchmarkRead(b *testing.B) {
	f := newFixture(b, mixed("a", benchRows)...)
	for _, lanes := range []int{1, 2} {
		b.Run(fmt.Sprintf("job/%d", lanes), func(b *testing.B) {
			measure(b, func() {
				benchJob(b,
					fmt.Sprintf(`env { parallelism = %d }
						source { Jdbc { %s, table_path = "%s.a", split.size = 50000 } }
						sink { Blackhole {} }`,
						lanes, f.block(), f.name))
			})
		})
	}
	b.Run("bare", func(b *testing.B) {
		measure(b, func() { bareRead(b, f) })
	})
}

// BenchmarkWrite writes prepared columns, and the prepared bytes of a file, which is the limit.
func BenchmarkWrite(b *testing.B) {
	f := newFixture(b, mixed("a", benchRows/4)...)
	f.run(b, "CREATE TABLE b LIKE a")
	s := openSource(b, block(f.access("table_path", f.name+".a")...))
	out := &batches{}
	if err := readAll(b, s, splitsOf(b, s), out); err != nil {
		b.Fatal(err)
	}
	tables, err := s.Tables(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	file := fileOf(b, f)
	for _, way := range []struct {
		name  string
		pairs []any
	}{{"insert", []any{"enable_upsert", "false"}}, {"upsert", nil}, {"exactly once", []any{"is_exactly_once", "true"}}} {
		b.Run(way.name, func(b *testing.B) {
			f.run(b, "TRUNCATE b", "DROP TABLE IF EXISTS culvert_commits")
			sink := openSink(b, block(f.access(append(way.pairs, "table", "b")...)...), tables[0])
			measureRows(b, benchRows/4, func() {
				load(b, sink, out.list...)
				b.StopTimer()
				f.run(b, "TRUNCATE b", "DROP TABLE IF EXISTS culvert_commits")
				b.StartTimer()
			})
		})
	}
	b.Run("bare", func(b *testing.B) {
		c := bareConn(b, f)
		measureRows(b, benchRows/4, func() {
			rest := file
			next := func() []byte {
				part := rest[:min(len(rest), 256<<10)]
				rest = rest[len(part):]
				return part
			}
			if _, err := c.Load("LOAD DATA LOCAL INFILE 'x' INTO TABLE b CHARACTER SET utf8mb4", next); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			f.run(b, "TRUNCATE b")
			b.StartTimer()
		})
	})
}

// fileOf returns the table a as a file.
func fileOf(b *testing.B, f *fixture) []byte {
	host, port, _ := strings.Cut(f.host, ":")
	cmd := exec.CommandContext(b.Context(), "mariadb", "--no-defaults", "-h", host, "-P", port, "-u", f.user, "-N",
		"-B", "-e", "SELECT * FROM a", f.name)
	cmd.Env = append(cmd.Environ(), "MYSQL_PWD="+f.password)
	var data bytes.Buffer
	cmd.Stdout = &data
	if err := cmd.Run(); err != nil {
		b.Skip(err)
	}
	return data.Bytes()
}

// block is access in the words of a job file.
func (f *fixture) block() string {
	return fmt.Sprintf("url = %q, user = %q, password = %q", f.url(), f.user, f.password)
}

func bareConn(b *testing.B, f *fixture) *wire.Conn {
	c, err := wire.Connect(b.Context(), wire.Config{Addr: f.host, User: f.user, Password: f.password, Database: f.name,
		Dial: dial})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

func bareRead(b *testing.B, f *fixture) {
	c := bareConn(b, f)
	stmt, err := c.Prepare("SELECT * FROM a")
	if err == nil {
		err = stmt.Query()
	}
	for err == nil {
		_, err = c.Row()
	}
	if !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
}

func measure(b *testing.B, do func()) { measureRows(b, benchRows, do) }

// measureRows reports rows a second and the time that this process worked for each.
func measureRows(b *testing.B, rows int, do func()) {
	var cpu time.Duration
	for b.Loop() {
		before := processTime()
		do()
		cpu += processTime() - before
	}
	n := float64(b.N) * float64(rows)
	b.ReportMetric(n/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(cpu.Microseconds())/n, "cpu-µs/row")
}

func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchJob(b testing.TB, job string) {
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(mysql.Plugins, blackhole.Plugins)})
	if err != nil {
		b.Fatal(err)
	}
	defer eng.Close(b.Context())
	j, err := eng.Submit(b.Context(), []byte(job), engine.SubmitOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := j.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
}
