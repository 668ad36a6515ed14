package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/plugin"
)

// childDir names the directory that a child process works in; its presence makes the test binary that child.
const childDir = "CULVERT_TEST_KILL_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := runChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const (
	killRounds = 20
	killLanes  = 2
	killEpochs = 120
	killRows   = 400 // of one lane and epoch
)

// TestKill kills a process that writes with is_exactly_once at random moments, and starts it again, until it has
// written everything: each row must be there once.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "target.db")
	execute(t, path, "CREATE TABLE people (id INTEGER, \"Name\" TEXT, age INT)", "PRAGMA journal_mode = wal")
	kills := 0
	for round := 0; ; round++ {
		if runUntilKilled(t, dir, round) {
			break
		}
		kills++
	}
	if kills < killRounds {
		t.Errorf("the child was killed %d times only, want %d", kills, killRounds)
	}
	all := killLanes * killEpochs * killRows
	got := query(t, path, "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM people")[0]
	if want := fmt.Sprintf("%d|%d|0|%d", all, all, all-1); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if rest := leftOvers(t, path); len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
}

// runUntilKilled starts the child, kills it after some of its steps, and reports whether it came to its end before.
func runUntilKilled(t *testing.T, dir string, round int) (finished bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	steps, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// The steps come from both lanes and the coordinator. Killing after a number of them that differs from round to
	// round hits every place between two steps, and whatever runs by the time of the signal.
	left := 3 + round*7%29
	scanner := bufio.NewScanner(steps)
	for scanner.Scan() {
		if scanner.Text() == "end" {
			finished = true
		}
		if left--; left == 0 && round < killRounds*2 {
			_ = child.Process.Kill()
		}
	}
	err = child.Wait()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == -1) {
		t.Fatalf("the child failed: %v", err)
	}
	return finished
}

// checkpoint is what the child's engine keeps: the next epoch to write, and the last one with its tokens.
type checkpoint struct {
	Epoch  uint64
	Tokens [][]byte
}

// runChild is an engine in small: lanes write, flush, the checkpoint becomes durable, is committed, and so on.
func runChild(dir string) error {
	ctx := context.Background()
	step := func(name string) { fmt.Println(name) }
	file := filepath.Join(dir, "checkpoint")
	last, err := readCheckpoint(file)
	if err != nil {
		return err
	}
	tab, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "people"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "Name", Type: plugin.TypeOf(plugin.String)},
		{Name: "age", Type: plugin.TypeOf(plugin.SmallInt)}}})
	if err != nil {
		return err
	}
	sink, err := openChildSink(ctx, filepath.Join(dir, "target.db"), tab)
	if err != nil {
		return err
	}
	committer := sink.(plugin.Committer)
	if err := committer.Commit(ctx, last.Epoch, last.Tokens); err != nil {
		return err
	}
	step("committed again")
	if err := committer.Abort(ctx, last.Epoch); err != nil {
		return err
	}
	var writers []plugin.Writer
	for lane := range killLanes {
		w, err := sink.Writer(ctx, plugin.Task{Env: env(), Index: lane})
		if err != nil {
			return err
		}
		writers = append(writers, w)
	}
	for last.Epoch < killEpochs {
		next := checkpoint{Epoch: last.Epoch + 1}
		if next.Tokens, err = writeEpoch(ctx, writers, tab, next.Epoch, step); err != nil {
			return err
		}
		if err := next.save(file); err != nil {
			return err
		}
		step("saved")
		if err := committer.Commit(ctx, next.Epoch, next.Tokens); err != nil {
			return err
		}
		step("committed")
		last = next
	}
	for _, w := range writers {
		if err := w.Close(); err != nil {
			return err
		}
	}
	step("end")
	return nil
}

func openChildSink(ctx context.Context, path string, tab *plugin.Table) (plugin.Sink, error) {
	p, ok := plugin.NewRegistry(setOf).Lookup(plugin.SinkRole, "jdbc")
	if !ok {
		return nil, errors.New("no sink")
	}
	return p.Sink(ctx, block("url", "jdbc:sqlite:"+path, "is_exactly_once", "true"), env(tab))
}

// writeEpoch lets each lane write its part of an epoch in two batches and flush it.
func writeEpoch(ctx context.Context, writers []plugin.Writer, tab *plugin.Table, epoch uint64, step func(string)) ([][]byte, error) {
	tokens := make([][]byte, len(writers))
	errs := make([]error, len(writers))
	var wg sync.WaitGroup
	for lane, w := range writers {
		wg.Go(func() {
			first := (int(epoch-1)*len(writers) + lane) * killRows
			for _, part := range []int{0, killRows / 2} {
				b, err := idBatch(tab, first+part, killRows/2)
				if err == nil {
					err = w.Write(ctx, b)
				}
				if err != nil {
					errs[lane] = err
					return
				}
				step("written")
			}
			tokens[lane], errs[lane] = w.Flush(ctx, epoch)
			step("flushed")
		})
	}
	wg.Wait()
	return tokens, errors.Join(errs...)
}

func readCheckpoint(file string) (c checkpoint, err error) {
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(data, &c)
}

func (c checkpoint) save(file string) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
