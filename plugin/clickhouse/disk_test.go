//go:build linux

package clickhouse_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestFullDisk writes to a server whose disk is full: the error says so, and when there is room again the rows that are
// written once more are there once.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	host(t)
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // the server has a user of its own
		t.Fatal(err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=120m,mode=755"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	own := dbtest.StartServiceIn(t, dbtest.ClickHouseVariable, dir).URL
	for _, key := range []bool{true, false} {
		t.Run(fmt.Sprintf("key %t", key), func(t *testing.T) {
			d := &db{t: t, host: own, name: fmt.Sprintf("full_%t", key)}
			d.exec("CREATE DATABASE @")
			table := idName(t)
			if !key {
				table = tableOf(t, "people", nil, table.Columns...)
			}
			var rows [][]any
			for i := range 20_000 {
				rows = append(rows, []any{i, strings.Repeat(fmt.Sprint(i*7919%10007), 40)})
			}
			w := newWriter(t, d.options("bulk_size", 7000), table)
			free := fill(t, dir)
			err := write(t, w, batchOf(t, table, rows[:10_000]...), batchOf(t, table, rows[10_000:]...))
			var e *plugin.Error
			if !errors.As(err, &e) || e.Code != plugin.CodeUnavailable || !e.Retry || !strings.Contains(err.Error(), "disk") {
				t.Errorf("got error %v, want one about the disk that a retry may help", err)
			}
			free()
			if got := d.query("SELECT count() FROM @.people"); got != "0" {
				t.Errorf("%s rows of the failed inserts are there", got)
			}
			w = newWriter(t, d.options("bulk_size", 7000), table)
			if err := write(t, w, batchOf(t, table, rows...)); err != nil {
				t.Fatal(err)
			}
			if got := d.query("SELECT count(), uniqExact(id) FROM @.people"); got != "20000\t20000" {
				t.Errorf("%s rows, want 20,000", got)
			}
		})
	}
}

// fill leaves no room on a file system, and returns what makes room again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}
