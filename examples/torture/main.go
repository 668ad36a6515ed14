// Command torture proves that a crash loses and repeats nothing. It runs a job in a child process, kills the child with
// SIGKILL at random moments and starts it again, kills the database servers that the job uses and starts them again,
// and now and then stops the job with a savepoint and goes on with another parallelism. At the end the target must hold
// each row of the source exactly once, and nothing else may be left behind.
//
//	go run ./examples/torture -kills 50
//	go run ./examples/torture -scenario mariadb-postgres -kills 30 -server-kills 30
//	go run ./examples/torture -scenario mysqlcdc-postgres -changes 50000000
//
// The scenarios are csv, two-phase files; pairs of databases with is_exactly_once; and change data capture, where
// clients change rows and columns of 20 tables meanwhile. The servers are the program's own; the scripts in -services
// start them.
//
// With -changes nothing is killed: so many rows change while one job follows them, and the child must need no more
// memory at the end than at the start, below -memory, and its store must not grow.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	child := flag.Bool("child", false, "run the job; for the program's own use")
	savepoint := flag.Duration("savepoint", 0, "child: stop with a savepoint after this time and go on")
	parallelism := flag.Int("parallelism", 2, "child: lanes of the job after it was stopped with a savepoint")
	dir := flag.String("dir", "", "directory of the data; empty makes a temporary one")
	name := flag.String("scenario", "csv", "what to torture: "+strings.Join(scenarioNames(), ", "))
	services := flag.String("services", ".ci/services", "directory of the scripts that start database servers")
	kills := flag.Int("kills", 50, "times to kill the job")
	serverKills := flag.Int("server-kills", 0, "times to kill a database server")
	rows := flag.Int("rows", 100_000, "rows of each job's input")
	changes := flag.Int64("changes", 0, "kill nothing, make so many changes for a capture to follow, and watch its memory")
	memory := flag.Int64("memory", 200, "MiB that the job's process may take while -changes are made")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random moments")
	flag.Parse()
	ctx := context.Background()
	if *child {
		exitOn(runChild(ctx, *dir, *savepoint, *parallelism))
		return
	}
	self, err := os.Executable()
	exitOn(err)
	exitOn(start(ctx, *name, *services, options{
		dir: *dir, kills: *kills, serverKills: *serverKills, rows: *rows, seed: *seed,
		changes: *changes, memory: *memory << 20,
		command: func(ctx context.Context, args ...string) *exec.Cmd { return exec.CommandContext(ctx, self, args...) },
	}))
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// start makes the directory and the scenario and tortures it.
func start(ctx context.Context, name, services string, o options) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "torture"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir)
	}
	s, err := openScenario(ctx, name, services, o.dir)
	if err != nil {
		return err
	}
	defer s.stop(ctx)
	fmt.Printf("%s, seed %d\n", name, o.seed)
	if o.changes > 0 {
		return soak(ctx, s, o)
	}
	return torture(ctx, s, o)
}
