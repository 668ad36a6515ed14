package jdbctest

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// Service is a server that one test has for itself and may kill.
type Service struct {
	// URL is where it is.
	URL string
	// Home is a directory, open to the user who runs the server, that is removed with it.
	Home string
	run  func(command string) string
}

// StartService starts a server with the script that the variable with _SERVICE behind its name holds; the script prints
// the variable. Without the script, and in short mode, the test is skipped. The server ends with the test.
func StartService(t testing.TB, variable string) *Service {
	t.Helper()
	script := os.Getenv(variable + "_SERVICE")
	if testing.Short() || script == "" {
		t.Skipf("needs a server of its own, which the script in %s_SERVICE starts", variable)
	}
	home, err := os.MkdirTemp("", "culvert-service-") // the server runs as another user, who may not enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &Service{Home: home}
	s.run = func(command string) string {
		t.Helper()
		cmd := exec.Command(script, command)
		cmd.Env = append(os.Environ(), "CULVERT_SERVICES="+home)
		cmd.Stderr = os.Stderr
		output, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v", script, command, err)
		}
		return string(output)
	}
	t.Cleanup(func() {
		s.run("stop")
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	s.URL = regexp.MustCompile(variable + "='([^']+)'").FindStringSubmatch(s.run("start"))[1]
	return s
}

// Kill ends the server as a crash would.
func (s *Service) Kill() { s.run("kill") }

// Restart starts it again.
func (s *Service) Restart() { s.run("restart") }
