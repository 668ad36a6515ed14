package main

import (
	"context"
	"flag"
	"os"
	"os/exec"
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

func TestKilledJobsLoseAndRepeatNothing(t *testing.T) {
	kills := 5
	if testing.Short() {
		kills = 2
	}
	err := torture(t.Context(), options{dir: t.TempDir(), kills: kills, seed: 1,
		command: func(ctx context.Context, args ...string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, os.Args[0], args...)
			cmd.Env = append(os.Environ(), "TORTURE_CHILD=1")
			return cmd
		}})
	if err != nil {
		t.Fatal(err)
	}
}
