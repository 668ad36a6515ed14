package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test binary be the child.
func TestMain(m *testing.M) {
	if os.Getenv("TORTURE_CHILD") == "1" {
		main()
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// self starts the test binary as the child.
func self(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), "TORTURE_CHILD=1")
	return cmd
}

func TestKilledJobsLoseAndRepeatNothing(t *testing.T) {
	o := options{kills: 5, rows: 20_000, seed: 1, command: self}
	if testing.Short() {
		o.kills, o.rows = 2, 8_000
	}
	torment1(t, "csv", "", o)
}

// TestKilledServersLoseAndRepeatNothing needs the scripts that start servers; CULVERT_TEST_POSTGRES_SERVICE names one.
func TestKilledServersLoseAndRepeatNothing(t *testing.T) {
	script := os.Getenv("CULVERT_TEST_POSTGRES_SERVICE")
	if testing.Short() || script == "" {
		t.Skip("starts database servers with the scripts beside the one in CULVERT_TEST_POSTGRES_SERVICE")
	}
	o := options{kills: 2, serverKills: 1, rows: 20_000, seed: 2, command: self}
	torment1(t, "mariadb-postgres", filepath.Dir(script), o)
}

func torment1(t *testing.T, name, services string, o options) {
	t.Helper()
	dir, err := os.MkdirTemp("", "torture") // servers run as another user, who may not enter the test's directory
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	o.dir = dir
	if err := start(t.Context(), name, services, o); err != nil {
		t.Fatal(err)
	}
}

// TestEndlessJobs lets a job that never ends be over when its check is content.
func TestEndlessJobs(t *testing.T) {
	worked := make(chan struct{})
	checks := 0
	s := &scenario{
		endless: true,
		prepare: func(context.Context, string, int) (string, error) { return "", nil },
		work: func(ctx context.Context) error {
			<-ctx.Done()
			close(worked)
			return ctx.Err()
		},
		check: func(context.Context, string, int) (string, error) {
			<-worked // it is asked only after the work has ended
			if checks++; checks < 3 {
				return "", errors.New("not yet")
			}
			return "equal", nil
		},
	}
	o := options{dir: t.TempDir(), kills: 2, seed: 3, command: func(ctx context.Context, _ ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "sleep", "1000")
	}}
	if err := torture(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if checks < 3 {
		t.Errorf("%d checks", checks)
	}
}

// TestFailures checks that what goes wrong is told.
func TestFailures(t *testing.T) {
	good := scenario{
		prepare: func(context.Context, string, int) (string, error) { return "", nil },
		check:   func(context.Context, string, int) (string, error) { return "fine", nil },
	}
	tests := []struct {
		name, child string
		change      func(*scenario)
		want        string
	}{
		{"child", "echo it broke; exit 1", func(*scenario) {}, "it broke"},
		{"prepare", "true", func(s *scenario) {
			s.prepare = func(context.Context, string, int) (string, error) { return "", errors.New("no room") }
		}, "no room"},
		{"check", "true", func(s *scenario) {
			s.check = func(context.Context, string, int) (string, error) { return "", errors.New("a row is missing") }
		}, "a row is missing"},
		{"work", "true", func(s *scenario) {
			s.work = func(context.Context) error { return errors.New("no more rows") }
		}, "no more rows"},
		{"nothing", "true", func(*scenario) {}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := good
			test.change(&s)
			err := torture(t.Context(), &s, options{dir: t.TempDir(), command: func(ctx context.Context, _ ...string) *exec.Cmd {
				return exec.CommandContext(ctx, "sh", "-c", test.child)
			}})
			if test.want == "" && err != nil || test.want != "" && !strings.Contains(fmt.Sprint(err), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// TestCountLines finds what is missing, doubled or foreign.
func TestCountLines(t *testing.T) {
	tests := []struct{ text, want string }{
		{inputLine(1) + "\n" + inputLine(0) + "\n", ""},
		{inputLine(0) + "\n", "line 1 stands 0 times"},
		{inputLine(0) + "\n" + inputLine(1) + "\n" + inputLine(0) + "\n", "line 0 stands 2 times"},
		{inputLine(0) + "\n" + inputLine(2) + "\n", "was never written"},
		{inputLine(0)[:9] + "\n" + inputLine(1) + "\n", "was never written"},
	}
	for _, test := range tests {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "part.csv"), []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := countLines(dir, 2)
		if test.want == "" && err != nil || test.want != "" && !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%q: error %v, want %q", test.text, err, test.want)
		}
	}
}

func TestUnknownScenario(t *testing.T) {
	_, err := openScenario(t.Context(), "csb", "", "")
	if err == nil || !strings.Contains(err.Error(), "mariadb-postgres") {
		t.Errorf("error %v", err)
	}
}
