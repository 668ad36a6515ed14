package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// services are the database servers of a run: those of the environment, and those that were started for it.
type services struct {
	started []string // scripts of those that are to be stopped
}

// variables tells where a running server is.
var variables = map[string]string{
	"postgres": "CULVERT_TEST_POSTGRES", "mariadb": "CULVERT_TEST_MARIADB", "clickhouse": "CULVERT_TEST_CLICKHOUSE",
}

// address returns where a server is, and starts it if the environment names none.
func (s *services) address(ctx context.Context, name string) (string, error) {
	if address := os.Getenv(variables[name]); address != "" {
		return address, nil
	}
	script, err := findScript(name)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, script, "start")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s start: %w", script, err)
	}
	s.started = append(s.started, script)
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if err := os.Setenv(key, strings.Trim(value, "'")); err != nil {
			return "", err
		}
	}
	return os.Getenv(variables[name]), nil
}

// findScript looks for a service's script in the working directory and those above it.
func findScript(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		script := filepath.Join(dir, ".ci", "services", name)
		if _, err := os.Stat(script); err == nil {
			return script, nil
		}
	}
	return "", fmt.Errorf("%s is not set, and there is no script .ci/services/%s to start a server", variables[name], name)
}

// stop stops the servers that were started.
func (s *services) stop() error {
	var errs []error
	for _, script := range s.started {
		errs = append(errs, exec.Command(script, "stop").Run())
	}
	return errors.Join(errs...)
}
