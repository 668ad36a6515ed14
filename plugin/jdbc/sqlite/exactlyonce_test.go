package sqlite_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// twoPhase is a sink with is_exactly_once, and the writer of one lane.
type twoPhase struct {
	t *testing.T
	plugin.Sink
	w plugin.Writer
}

func newTwoPhase(t *testing.T, url string, tab *plugin.Table, pairs ...any) *twoPhase {
	s := kit.OpenSink(t, plugintest.Options(append([]any{"url", url, "is_exactly_once", "true"}, pairs...)...), tab)
	x := &twoPhase{t: t, Sink: s}
	x.open()
	return x
}

func (x *twoPhase) open() {
	x.t.Helper()
	w, err := x.Writer(x.t.Context(), plugin.Task{Env: jdbctest.Env()})
	if err != nil {
		x.t.Fatal(err)
	}
	x.w = w
	x.t.Cleanup(func() { w.Close() })
}

func (x *twoPhase) write(b plugin.Batch) {
	x.t.Helper()
	if err := x.w.Write(x.t.Context(), b); err != nil {
		x.t.Fatal(err)
	}
}

func (x *twoPhase) flush(epoch uint64) [][]byte {
	x.t.Helper()
	token, err := x.w.Flush(x.t.Context(), epoch)
	if err != nil {
		x.t.Fatal(err)
	}
	if token == nil {
		return nil
	}
	return [][]byte{token}
}

func (x *twoPhase) commit(epoch uint64, tokens [][]byte) error {
	return x.Sink.(plugin.Committer).Commit(x.t.Context(), epoch, tokens)
}

func (x *twoPhase) abort(after uint64) {
	x.t.Helper()
	if err := x.Sink.(plugin.Committer).Abort(x.t.Context(), after); err != nil {
		x.t.Fatal(err)
	}
}

const peopleTable = `CREATE TABLE people (id INTEGER, "Name" TEXT, age INT)`

func ids(t *testing.T, path string) string {
	return strings.Join(query(t, path, "SELECT id FROM people ORDER BY id"), " ")
}

func TestRowsShowWithTheCommit(t *testing.T) {
	url, path := newFile(t, peopleTable)
	tab := people(t)
	x := newTwoPhase(t, url, tab)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", 1)))
	first := x.flush(1)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(2, "b", 2)))
	if got := ids(t, path); got != "" {
		t.Errorf("rows %s show before the commit", got)
	}
	for range 2 {
		if err := x.commit(1, first); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, path); got != "1" {
			t.Errorf("rows %q after the commit", got)
		}
	}
	if err := x.commit(2, x.flush(2)); err != nil {
		t.Fatal(err)
	}
	if token := x.flush(3); token != nil {
		t.Errorf("token %s of an epoch without rows", token)
	}
	if got := ids(t, path); got != "1 2" {
		t.Errorf("rows %q", got)
	}
	if rest := leftOvers(t, path); len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
}

// TestCommitInAnotherProcess commits and aborts with a new sink, as after a restart.
func TestCommitInAnotherProcess(t *testing.T) {
	url, path := newFile(t, peopleTable)
	tab := people(t)
	x := newTwoPhase(t, url, tab)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", 1)))
	prepared := x.flush(4)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(2, "b", 2)))
	later := x.flush(5)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(3, "c", 3))) // dies before the flush

	again := newTwoPhase(t, url, tab)
	if err := again.commit(4, prepared); err != nil {
		t.Fatal(err)
	}
	again.abort(4)
	again.abort(4)
	if rest := leftOvers(t, path); len(rest) > 0 {
		t.Errorf("left over: %q", rest)
	}
	again.write(jdbctest.Batch(t, tab, jdbctest.Insert(2, "b", 2), jdbctest.Insert(3, "c", 3)))
	if err := again.commit(5, again.flush(5)); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, path); got != "1 2 3" {
		t.Errorf("rows %q", got)
	}
	// The aborted epoch had the same number as one that is committed by now.
	if err := again.commit(5, later); err != nil {
		t.Error(err)
	}
	if got := ids(t, path); got != "1 2 3" {
		t.Errorf("rows %q after the commit of an old token", got)
	}
}

func TestCommitAfterAbort(t *testing.T) {
	url, path := newFile(t, peopleTable)
	tab := people(t)
	x := newTwoPhase(t, url, tab)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", 1)))
	tokens := x.flush(1)
	x.abort(0)
	jdbctest.CheckError(t, x.commit(1, tokens), plugin.CodeNotFound, "are gone")
	if got := ids(t, path); got != "" {
		t.Errorf("rows %q", got)
	}
}

func TestAbortLeavesOthersAlone(t *testing.T) {
	url, path := newFile(t, peopleTable)
	tab := people(t)
	x := newTwoPhase(t, url, tab)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", 1)))
	tokens := x.flush(1)

	other := jdbctest.Env(tab)
	other.Job.ID++
	sink, err := kit.Lookup(t, plugin.SinkRole).Sink(t.Context(),
		plugintest.Options("url", url, "is_exactly_once", "true"), other)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.(plugin.Committer).Abort(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := x.commit(1, tokens); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, path); got != "1" {
		t.Errorf("rows %q", got)
	}
}

// TestAbortOfAFreshFile checks that a job that never staged leaves no tables behind.
func TestAbortOfAFreshFile(t *testing.T) {
	url, path := newFile(t, peopleTable)
	s := kit.OpenSink(t, plugintest.Options("url", url, "is_exactly_once", "true"), people(t))
	if err := s.(plugin.Committer).Abort(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if got := query(t, path, "SELECT count(*) FROM sqlite_schema"); got[0] != "1" {
		t.Errorf("%s tables", got)
	}
}

// TestJobStartsAfresh checks that a job of the same id, started from scratch, counts its epochs anew.
func TestJobStartsAfresh(t *testing.T) {
	url, path := newFile(t, peopleTable)
	tab := people(t)
	for run := range 2 {
		x := newTwoPhase(t, url, tab)
		x.abort(0)
		x.write(jdbctest.Batch(t, tab, jdbctest.Insert(run, "a", 1)))
		if err := x.commit(1, x.flush(1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := ids(t, path); got != "0 1" {
		t.Errorf("rows %q", got)
	}
}

// TestFailedCommitChangesNothing breaks a constraint in the second of two staging tables.
func TestFailedCommitChangesNothing(t *testing.T) {
	url, path := newFile(t, peopleTable, "CREATE UNIQUE INDEX u ON people (age)")
	tab := people(t)
	x := newTwoPhase(t, url, tab)
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", 1)))
	tokens := x.flush(1)
	x.open()
	x.write(jdbctest.Batch(t, tab, jdbctest.Insert(2, "b", 1)))
	tokens = append(tokens, x.flush(1)...)
	for range 2 {
		err := x.commit(1, tokens)
		jdbctest.CheckError(t, err, plugin.CodeData, "people", "UNIQUE constraint failed")
		if got := ids(t, path); got != "" {
			t.Errorf("rows %q", got)
		}
	}
	execute(t, path, "DROP INDEX u")
	if err := x.commit(1, tokens); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, path); got != "1 2" {
		t.Errorf("rows %q", got)
	}
}

// TestLanesAtTheSameTime writes from several goroutines, with commits in between.
func TestLanesAtTheSameTime(t *testing.T) {
	const lanes, epochs, rows = 4, 5, 300
	for _, exactly := range []bool{false, true} {
		t.Run(fmt.Sprintf("exactly once %v", exactly), func(t *testing.T) {
			url, path := newFile(t, peopleTable)
			tab := people(t)
			s := kit.OpenSink(t, plugintest.Options("url", url, "is_exactly_once", exactly), tab)
			tokens := make([][][]byte, epochs)
			var mu sync.Mutex
			var wg sync.WaitGroup
			for lane := range lanes {
				wg.Go(func() {
					if err := writeLane(t.Context(), t, s, tab, lane, epochs, rows, func(epoch int, token []byte) {
						mu.Lock()
						defer mu.Unlock()
						tokens[epoch] = append(tokens[epoch], token)
					}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if exactly {
				for epoch := range epochs {
					if err := s.(plugin.Committer).Commit(t.Context(), uint64(epoch+1), tokens[epoch]); err != nil {
						t.Fatal(err)
					}
				}
			}
			got := query(t, path, "SELECT count(*), count(DISTINCT id) FROM people")[0]
			if want := fmt.Sprintf("%d|%d", lanes*epochs*rows, lanes*epochs*rows); got != want {
				t.Errorf("%s rows, want %s", got, want)
			}
		})
	}
}

func writeLane(ctx context.Context, t *testing.T, s plugin.Sink, tab *plugin.Table, lane, epochs, rows int,
	keep func(int, []byte)) error {
	w, err := s.Writer(ctx, plugin.Task{Env: jdbctest.Env(), Index: lane})
	if err != nil {
		return err
	}
	defer w.Close()
	for epoch := range epochs {
		var list []jdbctest.Row
		for i := range rows {
			list = append(list, jdbctest.Insert((lane*epochs+epoch)*rows+i, "x", i))
		}
		b := jdbctest.Batch(t, tab, list...)
		if err := w.Write(ctx, b); err != nil {
			return err
		}
		b.Release()
		token, err := w.Flush(ctx, uint64(epoch+1))
		if err != nil {
			return err
		}
		if token != nil {
			keep(epoch, token)
		}
	}
	return nil
}

// TestPlentyOfRuns moves staged rows whose operations alternate.
func TestPlentyOfRuns(t *testing.T) {
	url, path := newFile(t)
	tab := people(t, 0)
	s := kit.SinkFor(t, tab, "url", url, "is_exactly_once", "true")
	var rows []jdbctest.Row
	for i := range 5000 {
		rows = append(rows, jdbctest.Insert(i, "x", 1), jdbctest.Remove(i-1, nil, nil), jdbctest.Before(i, "x", 1),
			jdbctest.After(i, "y", 2))
	}
	jdbctest.Load(t, s, jdbctest.Batch(t, tab, rows...))
	if d := cmp.Diff([]string{"4999|y|2"}, query(t, path, "SELECT * FROM people")); d != "" {
		t.Error(d)
	}
}
