package mysqlcdc_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
)

// newPostgresTarget makes a PostgreSQL database that changes go to, and returns it with the block of a job.
func newPostgresTarget(b *testing.B) (*dbtest.Database, string) {
	b.Helper()
	p := dbtest.Postgres(b)
	return p, fmt.Sprintf(`sink { Jdbc { %s, generate_sink_sql = true, database = %q, table = "public.${table_name}",
		primary_keys = ["${primary_key}"] } }`, p.Access(), p.Name)
}

// openFor opens an engine that knows both databases.
func openFor(b *testing.B) *engine.Engine {
	b.Helper()
	return dbtest.OpenEngine(b, b.TempDir(), mysqlcdc.Plugins, postgres.Plugins)
}

// BenchmarkPostgresBacklog takes a log of inserts and updates to PostgreSQL, as upserts:
//
//	go test -run - -bench PostgresBacklog -benchtime 1x ./plugin/mysqlcdc
func BenchmarkPostgresBacklog(b *testing.B) {
	rows := benchRows(b)
	p, sink := newPostgresTarget(b)
	f := newFixture(b, mixed("a", 1)[0])
	file, pos := f.place(b)
	f.Exec(insertMixed("a", 0, rows), "UPDATE a SET n = n + 1, note = CONCAT(note, '!') WHERE id % 2 = 0")
	eng := openFor(b)
	b.ResetTimer()
	job := submit(b, eng, fmt.Sprintf("env { job.mode = STREAMING, checkpoint.interval = 1000 }\n%s\n%s",
		f.source(f.names("a")+fmt.Sprintf(
			`, stop.mode = latest, startup.mode = specific, startup.specific-offset.file = %q, startup.specific-offset.pos = %d`,
			file, pos)), sink))
	if _, err := job.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(rows+rows/2)/b.Elapsed().Seconds(), "changes/s")
	b.StopTimer()
	const sum = "SELECT sum(n) FROM a"
	if want, got := f.Query(sum)[0], p.Query(sum)[0]; got != want {
		b.Errorf("the sum in PostgreSQL is %s, want %s", got, want)
	}
}

// BenchmarkPostgresLatency has a client make 2,000 changes a second, twenty in a transaction, and tells how long it
// takes from right before their commit to their arrival in PostgreSQL, with a checkpoint each second. With
// exactly-once they arrive after the checkpoint that they are part of:
//
//	go test -run - -bench PostgresLatency -benchtime 1x ./plugin/mysqlcdc
func BenchmarkPostgresLatency(b *testing.B) {
	for _, exactly := range []bool{false, true} {
		b.Run(fmt.Sprintf("exactly-once=%t", exactly), func(b *testing.B) { postgresLatency(b, exactly) })
	}
}

func postgresLatency(b *testing.B, exactly bool) {
	const rate, together, seconds = 2000, 20, 15
	p, sink := newPostgresTarget(b)
	p.Exec(`CREATE TABLE a (id bigint PRIMARY KEY, sent bigint,
		arrived bigint DEFAULT extract(epoch FROM clock_timestamp()) * 1000000)`)
	f := newFixture(b, "CREATE TABLE a (id BIGINT PRIMARY KEY, sent BIGINT)")
	sink = strings.Replace(sink, "Jdbc {", fmt.Sprintf("Jdbc { is_exactly_once = %t,", exactly), 1)
	job := submit(b, openFor(b), fmt.Sprintf("env { job.mode = STREAMING, checkpoint.interval = 1000 }\n%s\n%s",
		f.source(f.names("a")), sink))
	rows := func(want int) func() string {
		return func() string {
			if got := p.Query("SELECT count(*) FROM a")[0]; got != fmt.Sprint(want) {
				return fmt.Sprintf("%s rows, want %d", got, want)
			}
			return ""
		}
	}
	f.Exec("INSERT INTO a VALUES (0, 0)")
	dbtest.Eventually(b, job, rows(1))
	tick := time.NewTicker(time.Second * together / rate)
	defer tick.Stop()
	for n := 0; n < rate*seconds; n += together {
		<-tick.C
		f.Exec(fmt.Sprintf("INSERT INTO a SELECT %d + seq, %d FROM seq_1_to_%d", n, time.Now().UnixMicro(), together))
	}
	dbtest.Eventually(b, job, rows(rate*seconds+1))
	for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
		text := p.Query(fmt.Sprintf(`SELECT percentile_cont(%g) WITHIN GROUP (ORDER BY arrived - sent) / 1000.0
			FROM a WHERE id > 0`, share))[0]
		ms, err := strconv.ParseFloat(text, 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(ms, name)
	}
}
