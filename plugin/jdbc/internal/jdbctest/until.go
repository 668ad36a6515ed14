package jdbctest

import (
	"testing"
	"time"
)

// untilPatience is how long [Until] waits.
const untilPatience = 30 * time.Second

// Until waits until something has become true.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(untilPatience); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for this: %s", untilPatience, what)
		}
	}
}
