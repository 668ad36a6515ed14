package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func quantile(times []time.Duration, q float64) time.Duration {
	slices.Sort(times)
	return times[int(q*float64(len(times)-1))]
}

func reportQuantiles(b *testing.B, times []time.Duration) {
	b.ReportMetric(float64(quantile(times, 0.5).Microseconds()), "p50-us")
	b.ReportMetric(float64(quantile(times, 0.99).Microseconds()), "p99-us")
}

// wantError checks that an error says all of some things.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error is %q, want %q in it", err, part)
		}
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	put(t, s, Job{ID: 1})
	_, err := Open(Options{Dir: dir})
	if !errors.Is(err, ErrLocked) {
		t.Errorf("error is %v, want ErrLocked", err)
	}
	wantError(t, err, dir, "another engine has it open")
	put(t, s, Job{ID: 2})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(list(t, open(t, Options{Dir: dir}), false)); n != 2 {
		t.Errorf("%d jobs, want 2", n)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, Options{Dir: dir}).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, formatName), []byte("culvert store format 12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := fileNames(t, dir)
	_, err := Open(Options{Dir: dir})
	var newer *FormatError
	if !errors.As(err, &newer) {
		t.Fatalf("error is %v, want a *FormatError", err)
	}
	if diff := cmp.Diff(&FormatError{Dir: dir, Found: 12, Known: 1}, newer); diff != "" {
		t.Error(diff)
	}
	wantError(t, err, dir, "format 12", "up to 1", "newer version")
	if diff := cmp.Diff(before, fileNames(t, dir)); diff != "" {
		t.Errorf("Open has changed the directory:\n%s", diff)
	}
}

func fileNames(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestFormatFile(t *testing.T) {
	tests := map[string]struct {
		content  string
		database bool
		want     string // of the error; none if empty
	}{
		"new":                      {"", false, ""},
		"present":                  {"culvert store format 1\n", true, ""},
		"making was cut short":     {"culvert sto", false, ""},
		"before the first Badger":  {"culvert store format 1\n", false, ""},
		"somebody else's database": {"", true, "not of this engine"},
		"damaged":                  {"culvert store format x\n", true, "file CULVERT is damaged"},
		"zero":                     {"culvert store format 0\n", true, "file CULVERT is damaged"},
	}
	for name, tt := range tests {
		dir := t.TempDir()
		if tt.database {
			if err := open(t, Options{Dir: dir}).Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, formatName), []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(Options{Dir: dir})
		switch {
		case tt.want != "":
			wantError(t, err, dir, tt.want)
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestFormatOne opens a copy of a store that format 1 wrote, which must stay readable.
func TestFormatOne(t *testing.T) {
	const golden = "testdata/format-1"
	if *update {
		makeGolden(t, golden)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(golden)); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Dir: dir})
	running := []Job{{ID: 1, State: "RUNNING", Record: []byte("record 1")}}
	if diff := cmp.Diff(running, list(t, s, false)); diff != "" {
		t.Errorf("running jobs:\n%s", diff)
	}
	ended := []Job{{ID: 2, State: "FAILED", Ended: true, EndTime: at(1e9), Record: []byte("record 2")}}
	if diff := cmp.Diff(ended, list(t, s, true)); diff != "" {
		t.Errorf("ended jobs:\n%s", diff)
	}
	config, err := s.Config(t.Context(), 1)
	if err != nil || string(config) != "{env: {}}" {
		t.Errorf("config is %q, error %v", config, err)
	}
	if config, err = s.Config(t.Context(), 2); err != nil || !bytes.Equal(config, goldenConfig()) {
		t.Errorf("the large config has %d bytes, error %v", len(config), err)
	}
	if diff := cmp.Diff(someCheckpoint(1, 6, 50), latest(t, s, 1, 1)); diff != "" {
		t.Errorf("checkpoint:\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{4, 5, 6}, epochs(t, s, 1)); diff != "" {
		t.Errorf("epochs:\n%s", diff)
	}
	checkNothingPending(t, s)
}

func goldenConfig() []byte { return bytes.Repeat([]byte("config 2 "), 10_000) }

func makeGolden(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Dir: dir})
	put(t, s, Job{ID: 1, State: "RUNNING", Record: []byte("record 1"), Config: []byte("{env: {}}")})
	put(t, s, Job{ID: 2, State: "FAILED", Ended: true, EndTime: at(1e9), Record: []byte("record 2"),
		Config: goldenConfig()})
	for epoch := uint64(1); epoch <= 6; epoch++ {
		prepare(t, s, 1, 1, epoch)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range fileNames(t, dir) {
		if info, err := os.Stat(name); err == nil && allocated(info) < info.Size()/2 {
			_ = os.Remove(name) // DISCARD: a megabyte of nothing, made anew if it is missing
		}
	}
}

// Badger cuts a log to nothing before it removes it. A process that dies in between must not leave a store that doesn't
// open.
func TestEmptyLogsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	put(t, s, Job{ID: 1})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00001.mem", "00077.mem", "000001.vlog", "000099.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(list(t, open(t, Options{Dir: dir}), false)); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}
}

func TestUnusableDirectories(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Options{Dir: file})
	wantError(t, err, file, "not a directory")
	_, err = Open(Options{Dir: filepath.Join(file, "below")})
	wantError(t, err, file, "not a directory")
	_, err = Open(Options{CheckpointsKept: 201})
	wantError(t, err, "201 is not between 1 and 200")
	_, err = Open(Options{CheckpointsKept: -1})
	wantError(t, err, "-1 is not between 1 and 200")
}

// mountTmpfs makes a small file system, or skips the test where that isn't possible.
func mountTmpfs(t *testing.T, size string) string {
	t.Helper()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("only root on Linux can mount a file system to fill")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a file system to fill can't be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

func TestDiskFull(t *testing.T) {
	volume := mountTmpfs(t, "64m")
	dir := filepath.Join(volume, "store")
	s := open(t, Options{Dir: dir})
	put(t, s, Job{ID: 1})

	filler := filepath.Join(volume, "filler")
	fill(t, filler)
	for range 3 {
		err := s.PutJob(t.Context(), Job{ID: 2})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("error is %v, want ENOSPC", err)
		}
		wantError(t, err, dir, "make room")
	}
	err := s.Checkpoints(1).Prepare(t.Context(), someCheckpoint(1, 1, 10))
	wantError(t, err, dir, "no space left")
	if n := len(list(t, s, false)); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	put(t, s, Job{ID: 2})
	fill(t, filler)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	_, err = Open(Options{Dir: dir})
	wantError(t, err, dir, "no space left")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if n := len(list(t, open(t, Options{Dir: dir}), false)); n != 2 {
		t.Errorf("%d jobs, want 2", n)
	}
}

// fill writes until nothing fits any more, and leaves a little so that Close can write its tables.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(info.Size()-8<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyVolume(t *testing.T) {
	volume := mountTmpfs(t, "64m")
	dir := filepath.Join(volume, "store")
	s := open(t, Options{Dir: dir})
	put(t, s, Job{ID: 1})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", "remount,ro", volume).CombinedOutput(); err != nil {
		t.Skipf("remounting failed: %v: %s", err, out)
	}
	_, err := Open(Options{Dir: dir})
	wantError(t, err, dir, "read-only file system")
	_, err = Open(Options{Dir: filepath.Join(volume, "other")})
	wantError(t, err, "other", "read-only file system")
}

func TestReadOnlyDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root writes into read-only directories; TestReadOnlyVolume has it covered")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Options{Dir: dir})
	wantError(t, err, dir, "permission denied")
}

// After a commit failed nobody knows what is on the disk.
func TestFailedCommitStopsWrites(t *testing.T) {
	s := open(t, Options{})
	put(t, s, Job{ID: 1})
	broken := errors.New("the disk is gone")
	if err := s.write(func(*tx) error { s.commit.failed = broken; return nil }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := s.PutJob(t.Context(), Job{ID: 2})
		if !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	}
	if n := len(list(t, s, false)); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	c := s.Checkpoints(1)
	_, _, jobErr := s.Job(t.Context(), 1)
	_, latestErr := c.Latest(t.Context(), 1)
	_, expireErr := s.Expire(t.Context(), time.Now(), 1, 1)
	_, idErr := s.NextID()
	errs := map[string]error{
		"PutJob": s.PutJob(t.Context(), Job{}), "DeleteJob": s.DeleteJob(t.Context(), 1), "Job": jobErr,
		"Prepare": c.Prepare(t.Context(), crashState(1, 1)), "Complete": c.Complete(t.Context(), 1, 1),
		"Latest": latestErr, "Expire": expireErr, "NextID": idErr,
	}
	for _, err := range s.Jobs(t.Context(), true) {
		errs["Jobs"] = err
	}
	for name, err := range errs {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s returned %v, want ErrClosed", name, err)
		}
	}
	if size := s.Size(); size != 0 {
		t.Errorf("Size is %d", size)
	}
}

// Close while others write: each write is either refused or in the store.
func TestCloseWaitsForWrites(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	var mu sync.Mutex
	want := map[int64]bool{}
	var wg sync.WaitGroup
	started := make(chan struct{}, 8)
	for w := range int64(8) {
		wg.Go(func() {
			for id := w * 1000; ; id++ {
				err := s.PutJob(t.Context(), Job{ID: id})
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				want[id] = true
				mu.Unlock()
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range cap(started) {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	got := map[int64]bool{}
	for _, j := range list(t, open(t, Options{Dir: dir}), false) {
		got[j.ID] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSize(t *testing.T) {
	eachPlace(t, func(t *testing.T, s *Store) {
		before := s.Size()
		for id := range int64(40) {
			put(t, s, Job{ID: id, Config: bytes.Repeat([]byte("x"), 150_000)})
		}
		// In memory only what has been flushed into tables counts, which happens in the background.
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for start := time.Now(); s.Size()-before < 2<<20; <-tick.C {
			if time.Since(start) > 10*time.Second {
				t.Fatalf("6 MB of configs take %d bytes", s.Size()-before)
			}
		}
		if grown := s.Size() - before; grown > 20<<20 {
			t.Errorf("6 MB of configs take %d bytes", grown)
		}
	})
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := badgerLog{hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Debug, DisableTime: true})}
	log.Errorf("a %d\n", 1)
	log.Warningf("b")
	log.Infof("c %s", "x")
	log.Debugf("d")
	want := "[ERROR] a 1\n[WARN]  b\n[DEBUG] c x\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestOpenIsQuiet(t *testing.T) {
	var out bytes.Buffer
	log := hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Info})
	dir := t.TempDir()
	for range 2 {
		s := open(t, Options{Dir: dir, Logger: log})
		put(t, s, Job{ID: 1})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if out.Len() > 0 {
		t.Errorf("the log says:\n%s", out.String())
	}
}

func ExampleOpen() {
	s, err := Open(Options{}) // in memory
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	id, err := s.NextID()
	fmt.Println(id > 1<<53, err)
	// Output: true <nil>
}
