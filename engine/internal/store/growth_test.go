package store

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
)

// growthEnv sets the number of checkpoints of TestManyCheckpoints, for the long run: 100000.
const growthEnv = "CULVERT_STORE_CHECKPOINTS"

// TestManyCheckpoints takes many checkpoints of 300 bytes to 4 KiB and looks at what they leave on disk and in memory.
func TestManyCheckpoints(t *testing.T) {
	const pipelines, maxDisk, maxHeap = 8, 50 << 20, 32 << 20
	n := 6000
	if s := os.Getenv(growthEnv); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	if err := s.PutJob(t.Context(), Job{ID: 1, State: "RUNNING"}); err != nil {
		t.Fatal(err)
	}
	var disk, heap int64
	start := time.Now()
	for done := 0; done < n; done += n / 10 {
		takeCheckpoints(t, s, pipelines, done/pipelines, n/10/pipelines)
		heap = max(heap, heapInUse())
		disk = max(disk, fileSizes(t, dir))
	}
	took := time.Since(start)
	if disk > maxDisk || heap > maxHeap {
		t.Errorf("%d checkpoints take %d KiB on disk and %d KiB of memory", n, disk>>10, heap>>10)
	}
	if keys := count(t, s, slotFamily); keys != pipelines*DefaultCheckpointsKept {
		t.Errorf("%d slots, want %d", keys, pipelines*DefaultCheckpointsKept)
	}
	t.Logf("%d checkpoints in %v: at most %d KiB of files (%d KiB on disk now), %d KiB of heap, %d KiB resident", n,
		took.Round(time.Millisecond), disk>>10, s.Size()>>10, heap>>10, residentKiB())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d KiB of files after Close", fileSizes(t, dir)>>10)
}

func takeCheckpoints(t *testing.T, s *Store, pipelines, from, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for p := range pipelines {
		wg.Go(func() {
			c := s.Checkpoints(1)
			for i := range n {
				cp := &checkpoint.Checkpoint{Pipeline: p + 1, Epoch: uint64(from + i + 1), Time: time.Now()}
				state := make([]byte, 300+rand.IntN(3800))
				for i := range state {
					state[i] = byte(rand.Uint32())
				}
				cp.Sources = []checkpoint.Source{{Vertex: "Source[0]-X", Splitter: state}}
				if err := c.Prepare(t.Context(), cp); err != nil {
					t.Error(err)
					return
				}
				if err := c.Complete(t.Context(), p+1, cp.Epoch); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// fileSizes counts the holes in files too.
func fileSizes(t testing.TB, dir string) (sum int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil { // tables come and go
			sum += info.Size()
		}
	}
	return sum
}

// residentKiB is the memory of the process in the kernel's view, 0 where it can't be had.
func residentKiB() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(b, []byte("VmRSS:"))
	fields := strings.Fields(string(after))
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kib
}
