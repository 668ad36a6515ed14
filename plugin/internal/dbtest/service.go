package dbtest

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// Service is a server that one test has for itself and may kill.
type Service struct {
	// URL is where it is, as the variable of its kind says it.
	URL string
	// Home is a directory, open to the user who runs the server, that is removed with it.
	Home string
	run  func(command string) string
}

// StartService starts a server with the script that the variable with _SERVICE behind its name holds; the script prints
// the variable. In short mode the test is skipped, and without the script as [Address] says. The server ends with the
// test.
func StartService(t testing.TB, variable string) *Service {
	t.Helper()
	home, err := os.MkdirTemp("", "culvert-service-") // the server runs as another user, who may not enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	return StartServiceIn(t, variable, home)
}

// StartServiceIn is [StartService] in a directory that the caller removes.
func StartServiceIn(t testing.TB, variable, home string) *Service {
	t.Helper()
	script := os.Getenv(variable + "_SERVICE")
	if testing.Short() {
		t.Skip("starts a server")
	}
	if script == "" {
		missing(t, variable+"_SERVICE", variable)
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
	t.Cleanup(func() { s.run("stop") })
	s.URL = regexp.MustCompile(variable + "='([^']+)'").FindStringSubmatch(s.run("start"))[1]
	return s
}

// Kill ends the server as a crash would.
func (s *Service) Kill() { s.run("kill") }

// Restart starts it again.
func (s *Service) Restart() { s.run("restart") }
