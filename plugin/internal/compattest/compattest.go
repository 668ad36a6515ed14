// Package compattest lets tests of connectors run SeaTunnel's own job files, of which only names of hosts are others.
// It holds none of them: the variable CULVERT_TEST_COMPAT names a directory with jobs/NAME.conf and the statements
// that make their tables, ddl/SERVER/NAME.sql. Where it is not set, the tests are skipped.
package compattest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Variable names the directory.
const Variable = "CULVERT_TEST_COMPAT"

// Files are the files of the directory.
type Files struct {
	t   testing.TB
	dir string
}

// Open finds the directory, or skips the test.
func Open(t testing.TB) Files {
	t.Helper()
	dir := os.Getenv(Variable)
	if dir == "" {
		t.Skip(Variable + " is not set")
	}
	return Files{t, dir}
}

// Job returns the text of a job. hosts are pairs of a name that the job has and the one that stands for it here.
func (f Files) Job(name string, hosts ...string) string {
	f.t.Helper()
	return strings.NewReplacer(hosts...).Replace(f.read("jobs", name+".conf"))
}

// DDL returns the statements of a file for one kind of server.
func (f Files) DDL(server, name string) string {
	f.t.Helper()
	return f.read("ddl", server, name+".sql")
}

func (f Files) read(path ...string) string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(slices.Insert(path, 0, f.dir)...))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}
