// Command bench measures the engine and prints a table:
//
//	go run ./examples/bench
//	go run ./examples/bench -only 'csv.*'
//
// Each case runs in a process of its own, so its memory is its own, and beside a raw limit where there is one: the
// same bytes read, or copied and synced, by a loop without an engine. Rows are counted at the sink.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"text/tabwriter"
)

// measurement is what one case found.
type measurement struct {
	Value float64 // in the case's unit
	// Raw is the limit in the same unit, 0 if there is none.
	Raw     float64
	RawName string
	// Note is free text.
	Note string
	// RSS is the largest resident size of the process in MiB, CPU its processor seconds.
	RSS, CPU float64
}

// benchCase is one row of the table.
type benchCase struct {
	name string
	unit string
	goal string
	run  func(ctx context.Context, dir string) (measurement, error)
}

func main() {
	only := flag.String("only", "", "`regexp` of the cases to run; empty runs all")
	child := flag.String("case", "", "run this case and print it as JSON; for the program's own use")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "culvert-bench"), "directory of the data, kept between runs")
	flag.Parse()
	ctx := context.Background()
	err := os.MkdirAll(*dir, 0o755)
	if err == nil && *child != "" {
		err = runCase(ctx, *child, *dir)
	} else if err == nil {
		err = runAll(ctx, *only, *dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runAll(ctx context.Context, only, dir string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d processors\n\n", runtime.Version(), runtime.NumCPU())
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "case\tmeasured\tgoal\traw limit\tRSS MiB\tCPU s\tnote")
	for _, c := range cases() {
		if !pattern.MatchString(c.name) {
			continue
		}
		m, err := inChild(ctx, self, c.name, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		raw := ""
		if m.Raw > 0 {
			raw = fmt.Sprintf("%.4g (%s)", m.Raw, m.RawName)
		}
		fmt.Fprintf(table, "%s\t%.4g %s\t%s\t%s\t%.0f\t%.1f\t%s\n", c.name, m.Value, c.unit, c.goal, raw, m.RSS, m.CPU, m.Note)
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func inChild(ctx context.Context, self, name, dir string) (measurement, error) {
	cmd := exec.CommandContext(ctx, self, "-case", name, "-dir", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return measurement{}, err
	}
	var m measurement
	return m, json.Unmarshal(out, &m)
}

func runCase(ctx context.Context, name, dir string) error {
	for _, c := range cases() {
		if c.name != name {
			continue
		}
		m, err := c.run(ctx, dir)
		if err != nil {
			return err
		}
		if m.RSS == 0 {
			m.RSS = peakRSS()
		}
		m.CPU = cpuSeconds()
		return json.NewEncoder(os.Stdout).Encode(m)
	}
	return fmt.Errorf("no case %q", name)
}
