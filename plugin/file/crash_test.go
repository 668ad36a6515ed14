package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/internal/fsys"
)

// crashFS stops the program, as it were, after some steps: every step from then on fails and changes nothing. What
// was not synced by then is lost, as by a power cut: contents are cut to what was synced, and entries of directories
// that were not synced are undone, newest first.
type crashFS struct {
	fsys.OS
	left int // steps until the crash; -1 for none
	undo []change
	open []*crashFile
}

var errCrash = errors.New("the program is gone")

// change is an entry of a directory that a crash would undo.
type change struct {
	dir  string
	back func() error
}

func (c *crashFS) step() error {
	if c.left == 0 {
		return errCrash
	}
	if c.left > 0 {
		c.left--
	}
	return nil
}

func (c *crashFS) Create(name string) (fsys.File, error) {
	if err := c.step(); err != nil {
		return nil, err
	}
	f, err := c.OS.Create(name)
	if err != nil {
		return nil, err
	}
	c.undo = append(c.undo, change{filepath.Dir(name), func() error { return os.Remove(name) }})
	file := &crashFile{File: f, fs: c, name: name}
	c.open = append(c.open, file)
	return file, nil
}

func (c *crashFS) Mkdir(name string) error {
	if err := c.step(); err != nil {
		return err
	}
	err := c.OS.Mkdir(name)
	if err == nil {
		c.undo = append(c.undo, change{filepath.Dir(name), func() error { return os.RemoveAll(name) }})
	}
	return err
}

func (c *crashFS) Rename(from, to string) error {
	if err := c.step(); err != nil {
		return err
	}
	err := c.OS.Rename(from, to)
	if err == nil {
		c.undo = append(c.undo, change{filepath.Dir(to), func() error { return os.Rename(to, from) }})
		for _, f := range c.open {
			if f.name == from {
				f.name = to
			}
		}
	}
	return err
}

func (c *crashFS) Remove(name string) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.OS.Remove(name)
}

func (c *crashFS) SyncDir(name string) error {
	if err := c.step(); err != nil {
		return err
	}
	c.undo = slices.DeleteFunc(c.undo, func(ch change) bool { return ch.dir == name })
	return nil // the test outlives the program, so nothing need reach the disk
}

func (c *crashFS) Open(name string) (io.ReadCloser, error) { return c.OS.Open(name) }

// powerCut loses what was not synced.
func (c *crashFS) powerCut() error {
	for _, f := range c.open {
		if err := os.Truncate(f.name, f.synced); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, ch := range slices.Backward(c.undo) {
		if err := ch.back(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

type crashFile struct {
	fsys.File
	fs      *crashFS
	name    string
	written int64
	synced  int64
}

func (f *crashFile) Write(p []byte) (int, error) {
	if err := f.fs.step(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // a write may have got half way
		return n, err
	}
	n, err := f.File.Write(p)
	f.written += int64(n)
	return n, err
}

func (f *crashFile) Sync() error {
	if err := f.fs.step(); err != nil {
		return err
	}
	f.synced = f.written
	return nil
}

// checkpoint is what the engine would have stored.
type checkpoint struct {
	epoch  uint64
	next   int // row to go on with
	tokens [][]byte
}

// job is a small engine: a source of numbered rows, one or several lanes, and a checkpoint after each few batches.
type job struct {
	table   *plugin.Table
	options string
	fs      *crashFS
	lanes   int
	rows    int
	batch   int
	store   *checkpoint // the last durable one
	epoch   uint64      // the last one used; never goes back
}

// run starts or restores the job and ends at its end, or at a crash with errCrash.
func (j *job) run(t *testing.T) error {
	s, err := openTestSink(t, j.options, j.table)
	if err != nil {
		return err
	}
	s.fs = j.fs
	at := checkpoint{}
	if j.store == nil {
		if err := s.Prepare(t.Context(), []*plugin.Table{j.table}); err != nil {
			return err
		}
	} else {
		at = *j.store
		if err := s.Commit(t.Context(), at.epoch, at.tokens); err != nil {
			return err
		}
	}
	if err := s.Abort(t.Context(), at.epoch); err != nil {
		return err
	}
	var writers []plugin.Writer
	defer func() {
		for _, w := range writers {
			_ = w.Close()
		}
	}()
	for i := range j.lanes {
		w, err := s.Writer(t.Context(), plugin.Task{Env: s.env, Index: i, Epoch: at.epoch})
		if err != nil {
			return err
		}
		writers = append(writers, w)
	}
	return j.pump(t, s, writers, at.next)
}

func (j *job) pump(t *testing.T, s *sink, writers []plugin.Writer, next int) error {
	for next < j.rows {
		for _, w := range writers { // some batches of each lane
			for range 2 {
				to := min(next+j.batch, j.rows)
				b := numbered(j.table, next, to)
				err := w.Write(t.Context(), b)
				b.Release()
				if err != nil {
					return err
				}
				next = to
			}
		}
		j.epoch++
		cp := checkpoint{epoch: j.epoch, next: next}
		for _, w := range writers {
			token, err := w.Flush(t.Context(), j.epoch)
			if err != nil {
				return err
			}
			cp.tokens = append(cp.tokens, token)
		}
		if err := j.fs.step(); err != nil { // the store's own transaction
			return err
		}
		j.store = &cp
		if err := s.Commit(t.Context(), cp.epoch, cp.tokens); err != nil {
			return err
		}
	}
	return nil
}

// numbered makes rows i, "part-<i%3>", text.
func numbered(table *plugin.Table, from, to int) plugin.Batch {
	build := column.NewBuilder(table, column.NewPool())
	for i := from; i < to; i++ {
		if err := build.AppendRow(plugin.Insert, i, fmt.Sprintf("p%d", i%3), fmt.Sprintf("text of %d", i)); err != nil {
			panic(err)
		}
	}
	return build.Batch()
}

func numberedTable(t testing.TB) *plugin.Table {
	t.Helper()
	table, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "numbers"}, Columns: []plugin.Column{
		{Name: "n", Type: plugin.TypeOf(plugin.Int)}, {Name: "part", Type: plugin.TypeOf(plugin.String)},
		{Name: "text", Type: plugin.TypeOf(plugin.String)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// committed reads the lines of all visible files, sorted.
func committed(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && len(text) > 0 {
			all = append(all, strings.Split(string(text), "\n")...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestCrashBetweenAnyTwoSteps(t *testing.T) {
	for _, tc := range []struct{ name, options string }{
		{"plain", ``},
		{"partitions", `partition_by = [part], is_partition_field_write_in_file = true, max.open.files = 2`},
		{"rolling", `batch_size = 7`},
	} {
		for _, power := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, power=%v", tc.name, power), func(t *testing.T) {
				steps, stride := 0, 1
				if testing.Short() {
					stride = 7
				}
				for crashEverywhere(t, tc.options, steps, power) {
					steps += stride
				}
				if steps < 20 {
					t.Errorf("only %d places to crash at", steps)
				}
			})
		}
	}
}

// crashEverywhere runs a job that crashes after so many steps, then again and again until it ends, each time after
// some more. It reports whether there was a crash at all.
func crashEverywhere(t *testing.T, more string, steps int, power bool) bool {
	t.Helper()
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	j := &job{table: numberedTable(t), lanes: 2, rows: 50, batch: 9}
	j.options = fmt.Sprintf("path = %q, tmp_path = %q, file_format_type = csv, %s", target, filepath.Join(dir, "tmp"),
		more)
	crashed := false
	for attempt := 0; ; attempt++ {
		j.fs = &crashFS{left: steps + attempt*3}
		if attempt > 4 {
			j.fs.left = -1
		}
		err := j.run(t)
		if err == nil {
			break
		}
		if !errors.Is(err, errCrash) {
			t.Fatalf("crash after %d steps, attempt %d: %v", steps, attempt, err)
		}
		crashed = true
		if power {
			if err := j.fs.powerCut(); err != nil {
				t.Fatal(err)
			}
		}
		if j.store == nil && len(visible(t, target)) > 0 {
			t.Fatalf("crash after %d steps: files are visible before the first checkpoint", steps)
		}
	}
	checkNumbers(t, target, j.rows, fmt.Sprintf("crash after %d steps", steps))
	if left := visible(t, filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Fatalf("crash after %d steps: staged files are left: %v", steps, left)
	}
	return crashed
}

func visible(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

// checkNumbers wants each numbered row exactly once.
func checkNumbers(t testing.TB, dir string, rows int, when string) {
	t.Helper()
	var want []string
	for i := range rows {
		want = append(want, fmt.Sprintf("%d,p%d,text of %d", i, i%3, i))
	}
	slices.Sort(want)
	got := committed(t, dir)
	if !slices.Equal(got, want) {
		t.Fatalf("%s: %d lines, want %d: %v", when, len(got), len(want), got)
	}
}
