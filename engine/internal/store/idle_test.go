package store

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// idleDirEnv makes the test binary a process that opens a store and says what it weighs.
const idleDirEnv = "CULVERT_STORE_IDLE_DIR"

func idleChild(dir string) int {
	debug.FreeOSMemory()
	before := residentKiB()
	start := time.Now()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	took := time.Since(start)
	opened := residentKiB()
	debug.FreeOSMemory()
	fmt.Println(before, opened, residentKiB(), took.Microseconds())
	if err := s.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// TestIdle opens an empty store in a process of its own, twice, and measures memory and time.
func TestIdle(t *testing.T) {
	const maxKiB, maxTime = 12 << 10, 100 * time.Millisecond
	dir := t.TempDir()
	for _, what := range []string{"new", "reopened"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), idleDirEnv+"="+dir)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var before, opened, idle, micros int64
		if _, err := fmt.Sscan(strings.TrimSpace(string(out)), &before, &opened, &idle, &micros); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		took := time.Duration(micros) * time.Microsecond
		t.Logf("%s: open %v, resident %d KiB before, %d after, %d idle", what, took, before, opened, idle)
		if opened-before > maxKiB {
			t.Errorf("%s: an idle store takes %d KiB, want at most %d", what, opened-before, maxKiB)
		}
		if took > maxTime {
			t.Errorf("%s: open took %v, want at most %v", what, took, maxTime)
		}
	}
}
