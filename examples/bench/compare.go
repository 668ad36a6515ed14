package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// comparison is one case of databases: a job, and the limit that it is compared with.
type comparison struct {
	name string
	goal float64 // the least rate; 0: there is none
	cpu  float64 // the most microseconds of processor time for a row; 0: no goal
	from server
	to   server
	// limit does what the job does, without an engine.
	limit     func(ctx context.Context) error
	limitName string
}

// server is one database, or a kind of file, with a table to read and a table to write.
type server interface {
	// setUp makes the tables and fills the one to read. It does so once.
	setUp(ctx context.Context) error
	// source and sink are the blocks of a job file for the two tables.
	source() string
	sink() string
	// empty empties the table to write, count counts its rows.
	empty(ctx context.Context) error
	count(ctx context.Context) (int64, error)
	// prepare makes the bytes that write writes; the table to write is full.
	prepare(ctx context.Context) error
	// read reads the table to read and drops what comes, write fills the table to write with bytes that were prepared.
	read(ctx context.Context) error
	write(ctx context.Context) error
	// close drops the tables.
	close(ctx context.Context) error
}

// compareAll runs the cases of databases.
func compareAll(ctx context.Context, f flags) (err error) {
	pattern, err := regexp.Compile(f.only)
	if err != nil {
		return err
	}
	var running services
	defer func() { err = errors.Join(err, running.stop()) }()
	all := &databases{flags: f, services: &running}
	defer func() { err = errors.Join(err, all.close(ctx)) }()
	fmt.Printf("%d rows, %d rounds, parallelism %d\n\n", f.rows, f.rounds, f.lanes)
	out := newTable("case", "rows", "ours s", "limit s", "rate", "goal", "A/A", "CPU us/row", "goal", "RSS MiB", "goal",
		"limit")
	for _, plan := range all.cases() {
		if !pattern.MatchString(plan.name) {
			continue
		}
		row, err := plan.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", plan.name, err)
		}
		if err := out.add(append([]string{plan.name}, row...)...); err != nil {
			return err
		}
	}
	return nil
}

// table prints rows under a head, each as soon as it is known.
type table struct{ *tabwriter.Writer }

// leastWidth is that of all columns, so that rows which are printed one by one stand under each other.
const leastWidth = 11

func newTable(head ...string) table {
	t := table{tabwriter.NewWriter(os.Stdout, leastWidth, 0, 2, ' ', 0)}
	_ = t.add(head...) // a failing standard output shows with the first row
	return t
}

func (t table) add(cells ...string) error {
	cells[0] = fmt.Sprintf("%-24s", cells[0])
	fmt.Fprintln(t, strings.Join(cells, "\t"))
	return t.Flush()
}

// rounds is what the rounds of a comparison took, in seconds.
type rounds struct {
	ours, first, second []float64
	cpu                 []float64
	rss                 float64
}

// compare runs a comparison's rounds.
func (d *databases) compare(ctx context.Context, c comparison) ([]string, error) {
	if err := errors.Join(c.from.setUp(ctx), c.to.setUp(ctx)); err != nil {
		return nil, err
	}
	if _, err := d.ours(ctx, c); err != nil { // fills caches and the servers' logs, and the table that prepare reads
		return nil, err
	}
	if err := c.to.prepare(ctx); err != nil {
		return nil, err
	}
	var r rounds
	for i := range d.flags.rounds {
		first, second := &r.first, &r.second
		if i%2 == 1 {
			first, second = second, first
		}
		if err := d.round(ctx, c, &r, first, second); err != nil {
			return nil, err
		}
	}
	return d.row(c, r), nil
}

func (d *databases) round(ctx context.Context, c comparison, r *rounds, before, after *[]float64) error {
	t, err := d.limit(ctx, c)
	if err != nil {
		return err
	}
	*before = append(*before, t)
	job, err := d.ours(ctx, c)
	if err != nil {
		return err
	}
	r.ours, r.cpu, r.rss = append(r.ours, job.Wall), append(r.cpu, job.CPU), max(r.rss, job.RSS)
	if t, err = d.limit(ctx, c); err != nil {
		return err
	}
	*after = append(*after, t)
	return nil
}

// ours runs the job and checks the number of rows.
func (d *databases) ours(ctx context.Context, c comparison) (jobRun, error) {
	if err := c.to.empty(ctx); err != nil {
		return jobRun{}, err
	}
	name := strings.ReplaceAll(c.name, " -> ", "-to-")
	job, err := inProcess(ctx, d.flags, name, jobText(d.flags, c.from.source(), c.to.sink()))
	if err != nil {
		return job, err
	}
	return job, d.check(ctx, c.to)
}

// limit runs the limit, checks the number of rows and returns the seconds that it took.
func (d *databases) limit(ctx context.Context, c comparison) (float64, error) {
	if err := c.to.empty(ctx); err != nil {
		return 0, err
	}
	begun := time.Now()
	err := c.limit(ctx)
	took := time.Since(begun).Seconds()
	if err != nil {
		return 0, fmt.Errorf("limit: %w", err)
	}
	return took, d.check(ctx, c.to)
}

func (d *databases) check(ctx context.Context, to server) error {
	n, err := to.count(ctx)
	if err == nil && n != int64(d.flags.rows) {
		err = fmt.Errorf("the target has %d rows, want %d", n, d.flags.rows)
	}
	return err
}

// mostRSS is the goal for the memory of every case, in MiB.
const mostRSS = 150

// row prints what the rounds found.
func (d *databases) row(c comparison, r rounds) []string {
	ours, limit := median(r.ours), median(slices.Concat(r.first, r.second))
	cpuGoal := ""
	if c.cpu > 0 {
		cpuGoal = fmt.Sprintf("< %g", c.cpu)
	}
	return []string{
		fmt.Sprint(d.flags.rows), fmt.Sprintf("%.2f", ours), fmt.Sprintf("%.2f", limit), fmt.Sprintf("%.2f", limit/ours),
		fmt.Sprintf(">= %g", c.goal), fmt.Sprintf("%.2f", median(r.first)/median(r.second)),
		fmt.Sprintf("%.2f", median(r.cpu)*1e6/float64(d.flags.rows)), cpuGoal,
		fmt.Sprintf("%.0f", r.rss), fmt.Sprintf("< %d", mostRSS), c.limitName,
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// together runs functions at the same time.
func together(ctx context.Context, fs ...func(context.Context) error) error {
	errs := make([]error, len(fs))
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() { errs[i] = f(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
