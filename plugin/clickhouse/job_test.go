package clickhouse_test

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin/clickhouse"
	"github.com/culvertdata/culvert/plugin/fake"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m, dbtest.RunJob(clickhouse.Plugins, changesPlugins)) }

// run runs a job to its end.
func run(t testing.TB, text string) *engine.Result {
	t.Helper()
	eng := dbtest.OpenEngine(t, "", clickhouse.Plugins, fake.Plugins)
	defer eng.Close(context.WithoutCancel(t.Context()))
	result, err := dbtest.Submit(t, eng, text, engine.SubmitOptions{}).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

const changelogJob = `
env { parallelism = 1, job.mode = "BATCH" }
source {
  FakeSource {
    schema = { fields { pk_id = bigint, name = string, score = int } }
    rows = [
      { kind = INSERT, fields = [1, "A", 100] }
      { kind = INSERT, fields = [2, "B", 100] }
      { kind = INSERT, fields = [3, "C", 100] }
      { kind = INSERT, fields = [3, "C", 100] }
      { kind = UPDATE_BEFORE, fields = [1, "A", 100] }
      { kind = UPDATE_AFTER, fields = [1, "A_1", 100] }
      { kind = DELETE, fields = [2, "B", 100] }
    ]
  }
}
sink { Clickhouse { host = "HOST", database = "DB", table = "sink_table", username = "default", password = "", primary_key = "pk_id" } }
`

func (d *db) job(text string) string {
	return strings.NewReplacer("HOST", d.host, "clickhouse:8123", d.host, "DB", d.name, `"default"
    table`, `"`+d.name+`"
    table`, `database = "default"`, `database = "`+d.name+`"`).Replace(text)
}

func TestJobWithChanges(t *testing.T) {
	for _, engine := range []string{"MergeTree ORDER BY pk_id", "ReplacingMergeTree ORDER BY pk_id"} {
		t.Run(engine, func(t *testing.T) {
			d := newDB(t)
			d.exec("CREATE TABLE @.sink_table (pk_id Int64, name String, score Int32) ENGINE = " + engine)
			run(t, d.job(changelogJob))
			if diff := cmp.Diff("1\tA_1\t100\n3\tC\t100", d.query("SELECT * FROM @.sink_table ORDER BY pk_id")); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJobCopies(t *testing.T) {
	d := newDB(t)
	columns := "(id Int64, a Array(Nullable(String)), d Decimal(9, 4), l LowCardinality(String), t DateTime, u " +
		"UInt64, f FixedString(3))"
	for _, name := range []string{"source_table", "sink_table"} {
		d.exec("CREATE TABLE @." + name + " " + columns + " ENGINE = MergeTree ORDER BY id")
	}
	d.exec("INSERT INTO @.source_table SELECT number, [toString(number), NULL], number % 100000, toString(number % " +
		"10), number, number, 'x' FROM numbers(200000)")
	result := run(t, d.job(`
env { parallelism = 2, job.mode = "BATCH", checkpoint.interval = 10 }
source { Clickhouse { host = "HOST", database = "DB", sql = "select * from source_table", username = "default", password = "" } }
sink { Clickhouse { host = "HOST", database = "DB", table = "sink_table", username = "default", password = "" } }
`))
	if result.RowsOut != 200_000 {
		t.Errorf("%d rows out, want 200,000", result.RowsOut)
	}
	sum := func(table string) string {
		return d.query("SELECT count(), sum(cityHash64(id, toString(a), toString(d), l, t, u, f)) FROM @." + table)
	}
	if diff := cmp.Diff(sum("source_table"), sum("sink_table")); diff != "" {
		t.Errorf("tables (-source +sink):\n%s", diff)
	}
}

const (
	killRows   = 400_000
	killRounds = 6
)

// TestKill kills the engine at random moments while it copies, until the job has come to its end: every row is there,
// and once, because the table replaces rows by key.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	d := newDB(t)
	d.exec("CREATE TABLE @.src (id Int64, s String) ENGINE = MergeTree ORDER BY id",
		fmt.Sprintf("INSERT INTO @.src SELECT number, toString(number) FROM numbers(%d)", killRows),
		"CREATE TABLE @.dst (id Int64, s String) ENGINE = ReplacingMergeTree ORDER BY id")
	dir := t.TempDir()
	job := d.job(`
env { job.mode = "BATCH", checkpoint.interval = 20, job.name = "kill", read_limit.rows_per_second = 300000 }
source { Clickhouse { host = "HOST", database = "DB", sql = "select * from src order by id", username = "default", password = "" } }
sink { Clickhouse { host = "HOST", database = "DB", table = "dst", username = "default", password = "", primary_key = "id", bulk_size = 5000 } }
`)
	kills := 0
	for round := 0; !runUntilKilled(t, dir, job, round); round++ {
		kills++
	}
	if kills < killRounds {
		t.Errorf("the child was killed %d times only, want %d", kills, killRounds)
	}
	want := fmt.Sprintf("%d\t%d", killRows, killRows)
	if got := d.query("SELECT count(), uniqExact(id) FROM @.dst FINAL"); got != want {
		t.Errorf("%s rows, want %s", got, want)
	}
}

// runUntilKilled starts the child, kills it after some checkpoints, and reports whether it came to its end before.
func runUntilKilled(t *testing.T, dir, job string, round int) (finished bool) {
	t.Helper()
	lines, kill := startChild(t, dir, job)
	left := 1 + round*3%5
	for line := range lines {
		finished = finished || line == "end"
		if left--; left == 0 && round < killRounds && !finished {
			kill()
		}
	}
	kill()
	return finished
}

// startChild starts the child. It returns the lines that it prints, and a function that kills it and waits for its end.
func startChild(t *testing.T, dir, job string) (lines <-chan string, kill func()) {
	t.Helper()
	child := dbtest.NewJob(t, dir, job)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan string, 10_000)
	var read sync.WaitGroup
	read.Go(func() {
		defer close(printed)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			printed <- scanner.Text()
		}
	})
	return printed, sync.OnceFunc(func() {
		_ = child.Process.Kill()
		read.Wait()
		child.Finished()
	})
}
