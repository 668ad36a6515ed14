// Command run runs one job file in this process and shows its progress:
//
//	go run ./examples/run -i rows=1000 job.conf
//	go run ./examples/run -check job.conf         # shows the plan and runs nothing
//	go run ./examples/run -describe LocalFile     # shows the options of a plugin
//
// The exit code is 0 only if the job finished: 1 says that it failed or was canceled, 2 that it could not start.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/examples/internal/progress"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/all"
)

const (
	exitFailed   = 1
	exitUnusable = 2
)

// variables collects -i name=value.
type variables map[string]string

// String implements flag.Value.
func (v variables) String() string { return "" }

// Set implements flag.Value.
func (v variables) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("write it as name=value")
	}
	v[name] = value
	return nil
}

func main() {
	vars := variables{}
	data := flag.String("data", "", "directory of the store; empty keeps everything in memory")
	check := flag.Bool("check", false, "show the plan and run nothing")
	describe := flag.String("describe", "", "show the options of the `plugin` and run nothing; all lists the plugins")
	quiet := flag.Bool("quiet", false, "no progress, no log")
	flag.Var(vars, "i", "variable of the job file, `name=value`; may be repeated")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: run [flags] JOB-FILE")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *describe != "" {
		os.Exit(describePlugin(plugin.NewRegistry(all.Plugins), *describe))
	}
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(exitUnusable)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, flag.Arg(0), *data, *check, *quiet, engine.SubmitOptions{Variables: vars})
	stop()
	os.Exit(code)
}

func run(ctx context.Context, file, data string, check, quiet bool, o engine.SubmitOptions) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return complain(err)
	}
	eng, err := engine.Open(engine.Options{Dir: data, Plugins: plugin.NewRegistry(all.Plugins), Logger: logger(quiet),
		Env: os.LookupEnv})
	if err != nil {
		return complain(err)
	}
	defer eng.Close(context.WithoutCancel(ctx))
	if check {
		return explain(ctx, eng, text, o)
	}
	job, err := eng.Submit(ctx, text, o)
	if err != nil {
		return complain(err)
	}
	result, err := watch(ctx, job, quiet)
	if ctx.Err() != nil {
		result, err = cancel(context.WithoutCancel(ctx), eng, job)
	}
	if result != nil {
		fmt.Printf("%s: %s rows in, %s out, %s rejected, %.2f s\n", result.State, progress.Thousands(result.RowsIn),
			progress.Thousands(result.RowsOut), progress.Thousands(result.Rejected), result.Duration.Seconds())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return 0
}

func explain(ctx context.Context, eng *engine.Engine, text []byte, o engine.SubmitOptions) int {
	explanation, err := eng.Explain(ctx, text, o)
	if err != nil {
		return complain(err)
	}
	fmt.Print(explanation)
	return 0
}

// describePlugin prints the reference of the plugins of a name, or a list of all.
func describePlugin(registry *plugin.Registry, name string) int {
	found := false
	for _, role := range []plugin.Role{plugin.SourceRole, plugin.TransformRole, plugin.SinkRole} {
		for _, p := range registry.All(role) {
			if name == "all" {
				fmt.Printf("%-10s %-18s %s\n", p.Role, p.Name, p.Summary)
			}
		}
		if p, ok := registry.Lookup(role, name); ok {
			fmt.Printf("# %s %s\n\n%s\n\n%s\n", p.Name, p.Role, p.Summary, p.Spec().Markdown())
			found = true
		}
	}
	if !found && name != "all" {
		return complain(fmt.Errorf("no plugin is called %q; -describe all lists them", name))
	}
	return 0
}

func watch(ctx context.Context, job *engine.Job, quiet bool) (*engine.Result, error) {
	if quiet {
		return job.Wait(ctx)
	}
	return progress.Watch(ctx, os.Stderr, job, 0)
}

// cancel stops the job after a signal.
func cancel(ctx context.Context, eng *engine.Engine, job *engine.Job) (*engine.Result, error) {
	if err := eng.Stop(ctx, job.ID(), engine.StopOptions{}); err != nil && !errors.Is(err, engine.ErrJobEnded) {
		return nil, err
	}
	return job.Wait(ctx)
}

func logger(quiet bool) hclog.Logger {
	if quiet {
		return hclog.NewNullLogger()
	}
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: os.Stderr})
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return exitUnusable
}
