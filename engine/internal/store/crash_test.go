package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
)

const (
	crashDirEnv   = "CULVERT_STORE_CRASH_DIR"
	crashWriters  = 4
	crashJobStep  = 1_000_000
	crashPipeline = 1
)

// crashState is a checkpoint whose bytes follow from job and epoch, so that a torn one shows. Every eleventh is large.
func crashState(job int64, epoch uint64) *checkpoint.Checkpoint {
	size := 100 + int(epoch*37%4000)
	if epoch%11 == 0 {
		size = 3*chunkSize + int(epoch)
	}
	seed := binary.AppendUvarint(binary.AppendVarint([]byte{1}, job), epoch)
	state := bytes.Repeat(seed, size/len(seed)+1)[:size]
	return &checkpoint.Checkpoint{Pipeline: crashPipeline, Epoch: epoch, Time: time.Unix(int64(epoch), 0).UTC(),
		Sources: []checkpoint.Source{{Vertex: "Source[0]-X", Splitter: state}}}
}

func crashRecord(job int64, epoch uint64) []byte { return fmt.Appendf(nil, "record %d %d", job, epoch) }

func crashConfig(job int64) []byte { return fmt.Appendf(nil, "config %d", job) }

// crashChild writes until it is killed, and prints a line for each write that was acknowledged: the step, the job and
// the epoch.
func crashChild(dir string) int {
	s, err := Open(Options{Dir: dir})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	first, err := s.NextID()
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("id", first, 0)
	out := &ackLog{}
	var wg sync.WaitGroup
	for w := range crashWriters {
		wg.Go(func() {
			for job := first + int64(w)*crashJobStep; ; job++ {
				if err := crashJob(s, out, job); err != nil {
					out.line("error", 0, 0, err)
					return
				}
			}
		})
	}
	wg.Wait()
	return 1
}

// ackLog keeps lines whole.
type ackLog struct{ mu sync.Mutex }

func (l *ackLog) line(what string, job int64, epoch uint64, more ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(os.Stdout, append([]any{what, job, epoch}, more...)...)
}

// crashJob is the life of one job.
func crashJob(s *Store, out *ackLog, job int64) error {
	ctx := context.Background()
	j := Job{ID: job, State: "RUNNING", Record: crashRecord(job, 0), Config: crashConfig(job)}
	if err := s.PutJob(ctx, j); err != nil {
		return err
	}
	out.line("put", job, 0)
	c := s.Checkpoints(job)
	for epoch := uint64(1); epoch <= 30; epoch++ {
		if err := c.Prepare(ctx, crashState(job, epoch)); err != nil {
			return err
		}
		out.line("prepare", job, epoch)
		if err := c.Complete(ctx, crashPipeline, epoch); err != nil {
			return err
		}
		out.line("complete", job, epoch)
		j.Record, j.Config = crashRecord(job, epoch), nil
		if err := s.PutJob(ctx, j); err != nil {
			return err
		}
		out.line("record", job, epoch)
	}
	j.State, j.EndTime = "FINISHED", time.Unix(job&0xffff, 0)
	if err := s.Finish(ctx, j, false); err != nil {
		return err
	}
	out.line("finish", job, 30)
	if job%3 != 0 {
		return nil
	}
	if err := s.DeleteJob(ctx, job); err != nil {
		return err
	}
	out.line("delete", job, 30)
	return nil
}

// acked is what a child said of one job.
type acked struct {
	prepared, completed, recorded uint64
	finished, deleted             bool
}

// TestKilled kills a process that writes, at random moments. All that it had acknowledged must be in the store.
func TestKilled(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	dir := filepath.Join(t.TempDir(), "store")
	all := map[int64]*acked{}
	var lastID int64
	for round := range rounds {
		jobs, id := runAndKill(t, dir, time.Duration(rand.IntN(150))*time.Millisecond)
		if id != 0 && id <= lastID {
			t.Fatalf("round %d: id %d was given out after %d", round, id, lastID)
		}
		lastID = max(lastID, id)
		for job, a := range jobs {
			all[job] = a
		}
		s := open(t, Options{Dir: dir})
		for job, a := range all {
			checkAcked(t, s, job, a)
		}
		checkNothingPending(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("after round %d, with %d jobs", round, len(all))
		}
	}
	t.Logf("%d rounds, %d jobs acknowledged", rounds, len(all))
}

// runAndKill starts a child, lets it write for a while, kills it and returns what it said.
func runAndKill(t *testing.T, dir string, after time.Duration) (jobs map[int64]*acked, id int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	jobs = map[int64]*acked{}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line that was cut short acknowledges nothing
		}
		id = max(id, note(t, jobs, strings.TrimSpace(line)))
	}
	_ = cmd.Wait()
	return jobs, id
}

func note(t *testing.T, jobs map[int64]*acked, line string) (id int64) {
	var what string
	var job int64
	var epoch uint64
	if _, err := fmt.Sscan(line, &what, &job, &epoch); err != nil {
		t.Errorf("the child says: %s", line)
		return 0
	}
	if what == "id" {
		return job
	}
	a := jobs[job]
	if a == nil {
		a = &acked{}
		jobs[job] = a
	}
	switch what {
	case "put":
	case "prepare":
		a.prepared = epoch
	case "complete":
		a.completed = epoch
	case "record":
		a.recorded = epoch
	case "finish":
		a.finished = true
	case "delete":
		a.deleted = true
	default:
		t.Errorf("the child says: %s", line)
	}
	return 0
}

// checkAcked compares a job with what was acknowledged of it. One more write may have been done than was said.
func checkAcked(t *testing.T, s *Store, job int64, a *acked) {
	t.Helper()
	j, found, err := s.Job(t.Context(), job)
	if err != nil {
		t.Errorf("job %d: %v", job, err)
		return
	}
	mayBeDeleted := a.finished && job%3 == 0
	if !found {
		if !a.deleted && !mayBeDeleted {
			t.Errorf("job %d is lost; acknowledged: %+v", job, a)
		}
		return
	}
	if a.deleted {
		t.Errorf("job %d is back", job)
	}
	if a.finished && !j.Ended {
		t.Errorf("job %d is %s again", job, j.State)
	}
	if string(j.Record) != string(crashRecord(job, a.recorded)) && string(j.Record) != string(crashRecord(job, a.recorded+1)) {
		t.Errorf("job %d has record %q, acknowledged: %+v", job, j.Record, a)
	}
	if config, err := s.Config(t.Context(), job); err != nil || string(config) != string(crashConfig(job)) {
		t.Errorf("job %d has config %q, error %v", job, config, err)
	}
	checkLatest(t, s, job, a, j.Ended)
}

func checkLatest(t *testing.T, s *Store, job int64, a *acked, ended bool) {
	t.Helper()
	got, err := s.Checkpoints(job).Latest(t.Context(), crashPipeline)
	switch {
	case err != nil:
		t.Errorf("job %d: %v", job, err)
	case ended:
		if got != nil {
			t.Errorf("job %d has ended and still has checkpoint %d", job, got.Epoch)
		}
	case got == nil:
		if a.prepared > 0 {
			t.Errorf("job %d has lost checkpoint %d", job, a.prepared)
		}
	case got.Epoch != a.prepared && got.Epoch != a.prepared+1:
		t.Errorf("job %d has checkpoint %d, acknowledged: %+v", job, got.Epoch, a)
	case got.Epoch == a.completed && got.State != checkpoint.Complete:
		t.Errorf("job %d, checkpoint %d is not complete, acknowledged: %+v", job, got.Epoch, a)
	default:
		want := crashState(job, got.Epoch)
		if !bytes.Equal(got.Sources[0].Splitter, want.Sources[0].Splitter) {
			t.Errorf("job %d, checkpoint %d is torn", job, got.Epoch)
		}
	}
}
