package changetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

const (
	kills    = 15
	killKeys = 70
)

// Kill kills the process that runs a job again and again while columns of its table are added, renamed, modified and
// dropped, some fifteen times a second. open makes an empty database. The package's TestMain must call [jdbctest.Main]
// with the plugins under test and [Evolving].
func Kill(t *testing.T, open func(t testing.TB, sql ...string) *dbtest.Database) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	for _, test := range []struct {
		name, sink string
		keys       int64
	}{
		{"upserts", "", killKeys},
		{"exactly once", "is_exactly_once = true", killKeys},
		{"exactly once, each row its own", "is_exactly_once = true, support_upsert_by_insert_only = true",
			evolveEvery * evolveVersions},
	} {
		t.Run(test.name, func(t *testing.T) {
			for left := kills; left > 0; { // on a fast machine a job ends before it was killed so often
				left -= killOne(t, open(t), test.keys, test.sink, left)
			}
		})
	}
}

// killOne runs a job to its end, with up to a number of kills on the way, and checks what it has written.
func killOne(t *testing.T, d *dbtest.Database, keys int64, options string, most int) (times int) {
	t.Helper()
	job := fmt.Sprintf(`
		env { job.mode = STREAMING, checkpoint.interval = 50, job.retry.times = 0 }
		source { Evolve { keys = %d } }
		sink { Jdbc { %s, generate_sink_sql = true, %s } }`, keys, d.Access(), options)
	times = dbtest.KillJob(t, t.TempDir(), job, most, 100*time.Millisecond, 500*time.Millisecond)
	got := d.Query("SELECT * FROM evolving")
	slices.Sort(got)
	if d := cmp.Diff(evolved(keys), got); d != "" {
		t.Error(d)
	}
	if times == 0 {
		t.Fatal("the job ends before it can be killed")
	}
	return times
}
