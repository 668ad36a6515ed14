// Command torture proves that a crash loses and repeats nothing. It runs a job csv -> csv with two-phase files and a
// checkpoint every 200 ms in a child process, kills the child with SIGKILL at random moments, starts it again, and now
// and then stops the job with a savepoint and goes on with another parallelism. At the end each input line must stand
// in the output exactly once.
//
//	go run ./examples/torture -kills 50
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// options of the parent.
type options struct {
	dir     string
	kills   int
	lines   int
	seed    uint64
	command func(ctx context.Context, args ...string) *exec.Cmd
}

func main() {
	child := flag.Bool("child", false, "run the job; for the program's own use")
	savepoint := flag.Duration("savepoint", 0, "child: stop with a savepoint after this time and go on")
	parallelism := flag.Int("parallelism", 2, "child: lanes of the job after it was stopped with a savepoint")
	dir := flag.String("dir", "", "directory of the data; empty makes a temporary one")
	kills := flag.Int("kills", 50, "times to kill the job")
	lines := flag.Int("lines", 0, "lines of the input; 0 means 12,000 for each kill")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random moments")
	flag.Parse()
	ctx := context.Background()
	if *child {
		exitOn(runChild(ctx, *dir, *savepoint, *parallelism))
		return
	}
	self, err := os.Executable()
	exitOn(err)
	if *dir == "" {
		*dir, err = os.MkdirTemp("", "torture")
		exitOn(err)
		defer os.RemoveAll(*dir)
	}
	exitOn(torture(ctx, options{dir: *dir, kills: *kills, lines: *lines, seed: *seed,
		command: func(ctx context.Context, args ...string) *exec.Cmd { return exec.CommandContext(ctx, self, args...) }}))
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// torture kills and restarts the child until it has been killed often enough, lets it end, and compares.
func torture(ctx context.Context, o options) error {
	if o.lines == 0 {
		o.lines = 12_000 * o.kills
	}
	random := rand.New(rand.NewPCG(o.seed, 0))
	if err := writeInput(filepath.Join(o.dir, "input.csv"), o.lines); err != nil {
		return err
	}
	killed, savepoints := 0, 0
	for {
		args := []string{"-child", "-dir", o.dir, "-parallelism", fmt.Sprint(1 + random.IntN(4))}
		if random.IntN(4) == 0 {
			savepoints++
			args = append(args, "-savepoint", (time.Duration(100+random.IntN(500)) * time.Millisecond).String())
		}
		patience := time.Duration(50+random.IntN(1200)) * time.Millisecond
		if killed >= o.kills {
			patience = 10 * time.Minute
		}
		ended, err := runFor(ctx, o.command, patience, args)
		if err != nil {
			return err
		}
		if ended {
			break
		}
		killed++
	}
	fmt.Printf("killed %d times, asked for %d savepoints, seed %d\n", killed, savepoints, o.seed)
	return compare(o.dir, o.lines)
}

// runFor runs the child for at most d, then kills it. It reports whether the child came to its end by itself.
func runFor(ctx context.Context, command func(context.Context, ...string) *exec.Cmd, d time.Duration, args []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	cmd := command(ctx, args...) // ends with SIGKILL
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("child: %w\n%s", err, output)
	}
	return true, nil
}
