package dbtest

import (
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
)

// patience is how long tests wait for something: much longer than it takes on a busy machine.
const patience = 90 * time.Second

// Eventually waits until nothing is wrong any more: wrong says what is, "" for nothing. The test fails with the last of
// its texts, also when the job, which may be nil, has ended by then.
func Eventually(t testing.TB, job *engine.Job, wrong func() string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		ended := job != nil && job.Info().State.Ended()
		text := wrong()
		switch {
		case text == "":
			return
		case ended:
			t.Fatalf("the job is %s: %s\n%s", job.Info().State, job.Info().Error, text)
		case time.Now().After(deadline):
			t.Fatalf("still after %s: %s", patience, text)
		}
	}
}

// Until waits until something has become true.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	Eventually(t, nil, func() string {
		if done() {
			return ""
		}
		return "waiting for this: " + what
	})
}
