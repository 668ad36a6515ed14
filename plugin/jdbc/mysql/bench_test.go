package mysql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

// benchRows is how many rows each operation of a benchmark moves.
const benchRows = 1_000_000

// BenchmarkRead reads a table of eight mixed columns, by a job into nothing, and by a bare reader that looks at no
// value, which is the limit:
//
//	go test -run - -bench Read -benchtime 3x ./plugin/jdbc/mysql/
func BenchmarkRead(b *testing.B) {
	f := dbtest.MariaDB(b, mixedTable(benchRows)...)
	for _, lanes := range []int{1, 2} {
		b.Run(fmt.Sprintf("job/%d", lanes), func(b *testing.B) {
			job := fmt.Sprintf(`env { parallelism = %d }
				source { Jdbc { %s, table_path = "%s.a", split.size = 50000 } }
				sink { Blackhole {} }`, lanes, f.Access(), f.Name)
			dbtest.Operation{
				Rows: benchRows, Do: func() { kit.With(blackhole.Plugins).MustRunJob(b, job) },
			}.Measure(b)
		})
	}
	b.Run("bare", func(b *testing.B) {
		dbtest.Operation{Rows: benchRows, Do: func() { bareRead(b, f) }}.Measure(b)
	})
}

// BenchmarkWrite writes prepared columns, and the prepared bytes of a file, which is the limit.
func BenchmarkWrite(b *testing.B) {
	f := dbtest.MariaDB(b, mixedTable(benchRows/4)...)
	f.Exec("CREATE TABLE b LIKE a")
	s := kit.OpenSource(b, f.Options("table_path", f.Name+".a"))
	out := &batches{}
	if err := jdbctest.ReadAll(b, s, jdbctest.SplitsOf(b, s), out); err != nil {
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
			f.Exec("TRUNCATE b", "DROP TABLE IF EXISTS culvert_commits")
			sink := kit.OpenSink(b, f.Options(append(way.pairs, "table", "b")...), tables[0])
			dbtest.Operation{
				Rows: benchRows / 4, Do: func() { jdbctest.Load(b, sink, out.list...) },
				After: func() { f.Exec("TRUNCATE b", "DROP TABLE IF EXISTS culvert_commits") },
			}.Measure(b)
		})
	}
	b.Run("bare", func(b *testing.B) {
		c := bareConn(b, f)
		bare := func() {
			rest := file
			next := func() []byte {
				part := rest[:min(len(rest), 256<<10)]
				rest = rest[len(part):]
				return part
			}
			if _, err := c.Load("LOAD DATA LOCAL INFILE 'x' INTO TABLE b CHARACTER SET utf8mb4", next); err != nil {
				b.Fatal(err)
			}
		}
		dbtest.Operation{Rows: benchRows / 4, Do: bare, After: func() { f.Exec("TRUNCATE b") }}.Measure(b)
	})
}

// fileOf returns the table a as a file.
func fileOf(b *testing.B, f *dbtest.Database) []byte {
	host, port, _ := strings.Cut(hostOf(f), ":")
	cmd := exec.CommandContext(b.Context(), "mariadb", "--no-defaults", "-h", host, "-P", port, "-u", f.User, "-N",
		"-B", "-e", "SELECT * FROM a", f.Name)
	cmd.Env = append(cmd.Environ(), "MYSQL_PWD="+f.Password)
	var data bytes.Buffer
	cmd.Stdout = &data
	if err := cmd.Run(); err != nil {
		b.Skip(err)
	}
	return data.Bytes()
}

// hostOf is the address of the server.
func hostOf(f *dbtest.Database) string {
	rest := strings.TrimPrefix(f.URL, "jdbc:mysql://")
	return strings.TrimSuffix(rest, "/"+f.Name)
}

func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

func bareConn(b *testing.B, f *dbtest.Database) *wire.Conn {
	c, err := wire.Connect(b.Context(), wire.Config{Addr: hostOf(f), User: f.User, Password: f.Password, Database: f.Name,
		Dial: dial})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

func bareRead(b *testing.B, f *dbtest.Database) {
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
