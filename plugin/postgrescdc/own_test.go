package postgrescdc_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// ownServer starts a server that a test has for itself, and returns its address and what runs commands of its script.
func ownServer(t *testing.T) (address string, run func(command string) string) {
	t.Helper()
	service := os.Getenv(serviceVariable)
	if testing.Short() || service == "" {
		t.Skip("needs a server of its own, which the script in " + serviceVariable + " starts")
	}
	home, err := os.MkdirTemp("", "culvert-postgrescdc-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o755); err != nil { // the server runs as another user
		t.Fatal(err)
	}
	run = func(command string) string {
		cmd := exec.Command(service, command)
		cmd.Env = append(os.Environ(), "CULVERT_SERVICES="+home)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v", service, command, err)
		}
		return string(out)
	}
	t.Cleanup(func() {
		run("stop")
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	return regexp.MustCompile(serverVariable + "='([^']+)'").FindStringSubmatch(run("start"))[1], run
}
