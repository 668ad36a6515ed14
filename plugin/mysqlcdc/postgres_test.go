package mysqlcdc_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
)

// postgresTarget is the schema of a PostgreSQL server that changes go to.
type postgresTarget struct {
	*sql.DB
	schema, sink string // its name, and the block of a job
}

func newPostgresTarget(b *testing.B) *postgresTarget {
	b.Helper()
	text := os.Getenv("CULVERT_TEST_POSTGRES")
	if text == "" {
		b.Skip(`CULVERT_TEST_POSTGRES is not set; run eval "$(.ci/services/postgres start)"`)
	}
	u, err := url.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("pgx", text)
	if err != nil {
		b.Fatal(err)
	}
	p := &postgresTarget{DB: db, schema: fmt.Sprintf("cdc_%d", time.Now().UnixNano())}
	p.exec(b, "CREATE SCHEMA "+p.schema)
	b.Cleanup(func() {
		_, _ = db.Exec("DROP SCHEMA " + p.schema + " CASCADE")
		db.Close()
	})
	password, _ := u.User.Password()
	p.sink = fmt.Sprintf(`sink { Jdbc { url = "jdbc:postgresql://%s%s", user = %q, password = %q, generate_sink_sql = true,
		database = %q, table = "%s.${table_name}", primary_keys = ["${primary_key}"] } }`, u.Host, u.Path, u.User.Username(),
		password, u.Path[1:], p.schema)
	return p
}

func (p *postgresTarget) exec(b *testing.B, statement string) {
	b.Helper()
	if _, err := p.Exec(statement); err != nil {
		b.Fatalf("%.80s: %v", statement, err)
	}
}

func (p *postgresTarget) number(b *testing.B, query string) (n float64) {
	b.Helper()
	if err := p.QueryRow(query).Scan(&n); err != nil {
		b.Fatalf("%.80s: %v", query, err)
	}
	return n
}

// openFor opens an engine that knows both databases.
func openFor(b *testing.B) *engine.Engine {
	b.Helper()
	eng, err := engine.Open(engine.Options{Logger: logger(), Dir: b.TempDir(),
		Plugins: plugin.NewRegistry(mysqlcdc.Plugins, jdbc.Plugins(postgres.Dialect()))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { eng.Close(context.WithoutCancel(b.Context())) })
	return eng
}

// BenchmarkPostgresBacklog takes a log of inserts and updates to PostgreSQL, as upserts:
//
//	go test -run - -bench PostgresBacklog -benchtime 1x ./plugin/mysqlcdc
func BenchmarkPostgresBacklog(b *testing.B) {
	rows := benchRows(b)
	p := newPostgresTarget(b)
	f := newFixture(b, mixed("a", 1)[0])
	file, pos := f.place(b)
	f.run(b, insertMixed("a", 0, rows), "UPDATE a SET n = n + 1, note = CONCAT(note, '!') WHERE id % 2 = 0")
	eng := openFor(b)
	b.ResetTimer()
	job := submit(b, eng, fmt.Sprintf("env { job.mode = STREAMING, checkpoint.interval = 1000 }\n%s\n%s", f.source(f.names("a")+fmt.Sprintf(
		`, stop.mode = latest, startup.mode = specific, startup.specific-offset.file = %q, startup.specific-offset.pos = %d`,
		file, pos)), p.sink))
	if _, err := job.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(rows+rows/2)/b.Elapsed().Seconds(), "changes/s")
	b.StopTimer()
	want := f.query(b, "SELECT SUM(n) FROM a")[0] // quoted
	if got := fmt.Sprintf("%q", fmt.Sprintf("%.0f", p.number(b, "SELECT sum(n) FROM "+p.schema+".a"))); got != want {
		b.Errorf("the sum in PostgreSQL is %s, want %s", got, want)
	}
}

// BenchmarkPostgresLatency has a client make 2,000 changes a second, twenty in a transaction, and tells how long it takes
// from right before their commit to their arrival in PostgreSQL, with a checkpoint each second. With exactly-once they
// arrive after the checkpoint that they are part of:
//
//	go test -run - -bench PostgresLatency -benchtime 1x ./plugin/mysqlcdc
func BenchmarkPostgresLatency(b *testing.B) {
	for _, exactly := range []bool{false, true} {
		b.Run(fmt.Sprintf("exactly-once=%t", exactly), func(b *testing.B) { postgresLatency(b, exactly) })
	}
}

func postgresLatency(b *testing.B, exactly bool) {
	const rate, together, seconds = 2000, 20, 15
	p := newPostgresTarget(b)
	p.exec(b, "CREATE TABLE "+p.schema+`.a (id bigint PRIMARY KEY, sent bigint,
		arrived bigint DEFAULT extract(epoch FROM clock_timestamp()) * 1000000)`)
	f := newFixture(b, "CREATE TABLE a (id BIGINT PRIMARY KEY, sent BIGINT)")
	sink := strings.Replace(p.sink, "Jdbc {", fmt.Sprintf("Jdbc { is_exactly_once = %t,", exactly), 1)
	job := submit(b, openFor(b), fmt.Sprintf("env { job.mode = STREAMING, checkpoint.interval = 1000 }\n%s\n%s",
		f.source(f.names("a")), sink))
	f.run(b, "INSERT INTO a VALUES (0, 0)")
	eventually(b, job, time.Minute, func() string {
		if p.number(b, "SELECT count(*) FROM "+p.schema+".a") == 1 {
			return ""
		}
		return "the first row has not come"
	})
	tick := time.NewTicker(time.Second * together / rate)
	defer tick.Stop()
	for n := 0; n < rate*seconds; n += together {
		<-tick.C
		f.run(b, fmt.Sprintf("INSERT INTO a SELECT %d + seq, %d FROM seq_1_to_%d", n, time.Now().UnixMicro(), together))
	}
	eventually(b, job, time.Minute, func() string {
		if p.number(b, "SELECT count(*) FROM "+p.schema+".a") == rate*seconds+1 {
			return ""
		}
		return "rows are missing"
	})
	for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
		b.ReportMetric(p.number(b, fmt.Sprintf(`SELECT percentile_cont(%g) WITHIN GROUP (ORDER BY arrived - sent) / 1000.0
			FROM %s.a WHERE id > 0`, share, p.schema)), name)
	}
}
