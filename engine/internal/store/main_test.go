package store

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain turns the test binary into the child of the crash tests if it was started as one.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		os.Exit(crashChild(dir))
	}
	if dir := os.Getenv(idleDirEnv); dir != "" {
		os.Exit(idleChild(dir))
	}
	goleak.VerifyTestMain(m)
}
