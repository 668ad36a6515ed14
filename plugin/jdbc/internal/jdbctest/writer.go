package jdbctest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// writerFile holds the options of the sink, and makes a child an engine in small: lanes write, flush, the checkpoint
// becomes durable, is committed, and so on. It says each of its steps, so that it can be killed behind any of them.
const writerFile = "writer.json"

const (
	writerLanes  = 2
	writerEpochs = 60
	writerRows   = 400 // of one lane and epoch
)

// testKillWriter kills a process that writes with is_exactly_once after some of its steps, and starts it again, until
// it has written everything: each row must be there once.
func (s Suite) testKillWriter(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	d := s.Open(t)
	d.Exec("CREATE TABLE people (id INT, " + s.Quote("Na`m\"e") + " VARCHAR(50), n BIGINT)")
	dir := t.TempDir()
	var pairs []string
	for _, v := range d.Pairs("is_exactly_once", true) {
		pairs = append(pairs, fmt.Sprint(v))
	}
	if err := saveJSON(filepath.Join(dir, writerFile), pairs); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for !runSteps(t, dir, kills) {
		kills++
	}
	if kills < killRounds {
		t.Errorf("the child was killed %d times only, want %d", kills, killRounds)
	}
	const all = writerLanes * writerEpochs * writerRows
	got := d.Query("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM people")[0]
	if want := fmt.Sprintf("%d|%d|0|%d", all, all, all-1); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if rest := s.LeftOver(d); len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
}

// runSteps starts the child, kills it after some of its steps, and reports whether it came to its end before. The steps
// come from all lanes and the coordinator: a number of them that differs from round to round hits every place between
// two steps, and whatever runs by the time of the signal.
func runSteps(t *testing.T, dir string, round int) (finished bool) {
	t.Helper()
	child := dbtest.NewChild(t, dir)
	steps, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	left := 3 + round*7%29
	scanner := bufio.NewScanner(steps)
	for scanner.Scan() {
		finished = finished || scanner.Text() == "end"
		if left--; left == 0 && round < killRounds*2 {
			_ = child.Process.Kill()
		}
	}
	child.Finished()
	return finished
}

// writerCheckpoint is what the small engine keeps: an epoch and its tokens.
type writerCheckpoint struct {
	Epoch  uint64
	Tokens [][]byte
}

// smallEngine is the child's.
type smallEngine struct {
	sink    plugin.Sink
	table   *plugin.Table
	writers []plugin.Writer
}

func (e *smallEngine) committer() plugin.Committer { return e.sink.(plugin.Committer) }

func step(name string) { fmt.Println(name) }

// runWriter is the child.
func runWriter(ctx context.Context, dir string, k Kit) error {
	file := filepath.Join(dir, "checkpoint")
	var last writerCheckpoint
	if err := readJSON(file, &last); err != nil && !os.IsNotExist(err) {
		return err
	}
	e, err := openSmall(ctx, dir, k)
	if err != nil {
		return err
	}
	if err := e.committer().Commit(ctx, last.Epoch, last.Tokens); err != nil {
		return err
	}
	step("committed again")
	if err := e.committer().Abort(ctx, last.Epoch); err != nil {
		return err
	}
	if err := e.openWriters(ctx); err != nil {
		return err
	}
	for last.Epoch < writerEpochs {
		last.Epoch++
		if last.Tokens, err = e.write(ctx, last.Epoch); err != nil {
			return err
		}
		if err := saveJSON(file, last); err != nil {
			return err
		}
		step("saved")
		if err := e.committer().Commit(ctx, last.Epoch, last.Tokens); err != nil {
			return err
		}
		step("committed")
	}
	for _, w := range e.writers {
		if err := w.Close(); err != nil {
			return err
		}
	}
	step("end")
	return nil
}

func openSmall(ctx context.Context, dir string, k Kit) (*smallEngine, error) {
	var texts []string
	if err := readJSON(filepath.Join(dir, writerFile), &texts); err != nil {
		return nil, err
	}
	var pairs []any
	for _, text := range texts {
		pairs = append(pairs, text)
	}
	p, err := k.find(plugin.SinkRole)
	if err != nil {
		return nil, err
	}
	e := &smallEngine{}
	if e.table, err = plugin.NewTable(peopleTable()); err != nil {
		return nil, err
	}
	e.sink, err = p.Sink(ctx, plugintest.Options(pairs...), Env(e.table))
	return e, err
}

func (e *smallEngine) openWriters(ctx context.Context) error {
	for lane := range writerLanes {
		w, err := e.sink.Writer(ctx, plugin.Task{Env: Env(), Index: lane})
		if err != nil {
			return err
		}
		e.writers = append(e.writers, w)
	}
	return nil
}

// write lets each lane write its part of an epoch in two batches and flush it.
func (e *smallEngine) write(ctx context.Context, epoch uint64) ([][]byte, error) {
	tokens := make([][]byte, len(e.writers))
	errs := make([]error, len(e.writers))
	var wg sync.WaitGroup
	for lane, w := range e.writers {
		wg.Go(func() { tokens[lane], errs[lane] = e.writeLane(ctx, w, lane, epoch) })
	}
	wg.Wait()
	return tokens, errors.Join(errs...)
}

func (e *smallEngine) writeLane(ctx context.Context, w plugin.Writer, lane int, epoch uint64) ([]byte, error) {
	first := (int(epoch-1)*writerLanes + lane) * writerRows
	for _, part := range []int{0, writerRows / 2} {
		rows := make([]Row, writerRows/2)
		for i := range rows {
			rows[i] = Insert(first+part+i, "someone", 1)
		}
		b, err := makeBatch(e.table, rows)
		if err == nil {
			err = w.Write(ctx, b)
		}
		if err != nil {
			return nil, err
		}
		step("written")
	}
	token, err := w.Flush(ctx, epoch)
	step("flushed")
	return token, err
}

func readJSON(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// saveJSON replaces a file as a whole.
func saveJSON(file string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
