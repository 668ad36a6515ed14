// Command bench measures the engine and prints a table:
//
//	go run ./examples/bench
//	go run ./examples/bench -only 'csv.*'
//
// Each case runs in a process of its own, so its memory is its own, and beside a raw limit where there is one: the
// same bytes read, or copied and synced, by a loop without an engine. Rows are counted at the sink.
//
// # Databases
//
//	go run ./examples/bench -databases -rows 5000000 -rounds 5
//	go run ./examples/bench -databases -only 'postgres -> .*' -parallelism 1
//
// moves a table of eight columns (int, bigint, two strings, double, decimal(12,2), timestamp with microseconds,
// boolean) and a primary key from one database to another by a job file as anybody would write it, and compares with
// the fastest way that needs no engine:
//
//   - PostgreSQL to PostgreSQL: psql's binary COPY TO STDOUT, piped into its COPY FROM STDIN;
//   - a CSV file to PostgreSQL: psql's \copy of the file;
//   - PostgreSQL to MariaDB: LOAD DATA LOCAL of a file that was prepared;
//   - between others: a reader that drops what it reads and a writer of prepared bytes, at the same time; the limit is
//     when the slower one is done.
//
// Both sides write the same table, which is emptied before, with the server's own durability. A round is the limit, our
// job in a process of its own, and the limit again; every second round goes the other way round. The columns:
//
//	ours, limit   median seconds of the whole process; the limit's over both runs of each round
//	rate          limit / ours: 1 is as fast as the limit
//	A/A           the limit's first runs compared with its second ones: what differs although nothing does
//	CPU us/row    processor time of our process
//	RSS MiB       its largest resident size, the largest of all rounds
//
// Rows are counted in the target after each run of either side; another number ends the program. A case of changes
// puts inserts, updates and deletes of a FakeSource into PostgreSQL, and checks the table that is left.
//
// Servers are taken from CULVERT_TEST_POSTGRES, CULVERT_TEST_MARIADB and CULVERT_TEST_CLICKHOUSE, or started by the
// scripts in .ci/services and stopped afterwards. psql and the mariadb client must be installed.
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

// flags are the program's flags.
type flags struct {
	only, dir           string
	databases           bool
	rows, rounds, lanes int
	child, job, profile string
}

func parseFlags() flags {
	var f flags
	flag.StringVar(&f.only, "only", "", "`regexp` of the cases to run; empty runs all")
	flag.StringVar(&f.dir, "dir", filepath.Join(os.TempDir(), "culvert-bench"), "directory of the data, kept between runs")
	flag.BoolVar(&f.databases, "databases", false, "run the cases of databases instead of the others")
	flag.IntVar(&f.rows, "rows", 1_000_000, "rows of the tables that -databases moves")
	flag.IntVar(&f.rounds, "rounds", 3, "rounds of each case of -databases")
	flag.IntVar(&f.lanes, "parallelism", 2, "parallelism in the jobs of -databases")
	flag.StringVar(&f.profile, "profile", "", "`directory` for a CPU profile of each job of -databases")
	flag.StringVar(&f.child, "case", "", "run this case and print it as JSON; for the program's own use")
	flag.StringVar(&f.job, "job", "", "run this job file and print what it took as JSON; for the program's own use")
	flag.Parse()
	return f
}

func main() {
	f := parseFlags()
	if err := run(context.Background(), f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) error {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	switch {
	case f.child != "":
		return runCase(ctx, f.child, f.dir)
	case f.job != "":
		return runJobFile(ctx, f)
	}
	fmt.Printf("%s, %d processors\n\n", runtime.Version(), runtime.NumCPU())
	if f.databases {
		return compareAll(ctx, f)
	}
	return runAll(ctx, f.only, f.dir)
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
		fmt.Fprintf(table, "%s\t%.4g %s\t%s\t%s\t%.0f\t%.1f\t%s\n", c.name, m.Value, c.unit, c.goal, raw, m.RSS,
			m.CPU, m.Note)
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
