package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// scenario is a kind of job to torture.
type scenario struct {
	// servers are the database servers that the job uses; they are killed, too.
	servers []*server
	// prepare makes what a job reads, rows of it, with an empty target, and returns the job's text, in which
	// ${parallelism} is a variable. The directory is new; the servers are the same for each job.
	prepare func(ctx context.Context, dir string, rows int) (job string, err error)
	// work changes what the job reads, while it runs and until the context ends. It lives through kills of the servers;
	// nil: nothing changes.
	work func(ctx context.Context) error
	// endless says that the job never ends by itself: it is over when check finds nothing wrong.
	endless bool
	// check compares the target with the source and looks for what must not be left behind. It returns what there is
	// to tell.
	check func(ctx context.Context, dir string, rows int) (string, error)
	// hammer is there for change data capture.
	hammer *hammer
}

// opener makes a scenario. services is the directory of the scripts that start servers, dir where they may live.
type opener func(ctx context.Context, services, dir string) (*scenario, error)

func openers() map[string]opener {
	return map[string]opener{
		"csv":               openCSV,
		"postgres-postgres": pairOf(postgresKind, postgresKind),
		"mariadb-postgres":  pairOf(mariadbKind, postgresKind),
		"postgres-mariadb":  pairOf(postgresKind, mariadbKind),

		"mysqlcdc-postgres":              hammerOf(mariadbKind, mysqlCDC, postgresTarget, "postgres", false),
		"mysqlcdc-postgres-two-phase":    hammerOf(mariadbKind, mysqlCDC, postgresTarget, "postgres", true),
		"mysqlcdc-clickhouse":            hammerOf(mariadbKind, mysqlCDC, newClickhouseTarget, "clickhouse", false),
		"postgrescdc-postgres":           hammerOf(postgresKind, postgresCDC, postgresTarget, "postgres", false),
		"postgrescdc-postgres-two-phase": hammerOf(postgresKind, postgresCDC, postgresTarget, "postgres", true),
		"postgrescdc-clickhouse":         hammerOf(postgresKind, postgresCDC, newClickhouseTarget, "clickhouse", false),
	}
}

func scenarioNames() []string {
	var names []string
	for name := range openers() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func openScenario(ctx context.Context, name, services, dir string) (*scenario, error) {
	open, ok := openers()[name]
	if !ok {
		return nil, fmt.Errorf("no scenario is called %q; there are %s", name, strings.Join(scenarioNames(), ", "))
	}
	return open(ctx, services, dir)
}

// stop stops the servers.
func (s *scenario) stop(ctx context.Context) {
	for _, server := range s.servers {
		server.stop(ctx)
	}
}
