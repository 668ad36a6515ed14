package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// server is a database server of the program's own, run by a script that knows start, kill, restart and stop.
type server struct {
	script, home string
	url          *url.URL
}

// exported finds the server's url in what the script prints.
var exported = regexp.MustCompile(`export CULVERT_TEST_[A-Z]+='([^']+)'`)

// startServer starts a server that keeps its data in a directory of its own.
func startServer(ctx context.Context, script, home string) (*server, error) {
	script, err := filepath.Abs(script)
	if err != nil {
		return nil, err
	}
	s := &server{script: script, home: home}
	output, err := s.run(ctx, "start")
	if err != nil {
		return nil, err
	}
	match := exported.FindStringSubmatch(output)
	if match == nil {
		return nil, fmt.Errorf("%s start prints no url: %s", script, output)
	}
	address := match[1]
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	s.url, err = url.Parse(address)
	return s, err
}

func (s *server) run(ctx context.Context, command string) (string, error) {
	cmd := exec.CommandContext(ctx, s.script, command)
	cmd.Env = append(os.Environ(), "CULVERT_SERVICES="+s.home)
	output, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s %s: %w: %s", s.script, command, err, exit.Stderr)
	}
	return string(output), err
}

// crash kills the server and starts it again.
func (s *server) crash(ctx context.Context) error {
	if _, err := s.run(ctx, "kill"); err != nil {
		return err
	}
	_, err := s.run(ctx, "restart")
	return err
}

// stop stops the server and removes its data. That it may be gone already is no error.
func (s *server) stop(ctx context.Context) {
	_, _ = s.run(ctx, "stop")
}
