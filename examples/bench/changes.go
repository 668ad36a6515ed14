package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// The stream of changes: the same list again and again, which leaves the same table behind each time.
const (
	changeKeys = 700 // of each kind of life: see changeList
	leastRate  = 100_000
)

// changes puts a stream of changes into PostgreSQL and checks what is left.
func (d *databases) changes(ctx context.Context, p *postgres) ([]string, error) {
	if err := p.setUp(ctx); err != nil {
		return nil, err
	}
	list, n := changeList()
	times := max(1, d.flags.rows/n)
	job := fmt.Sprintf(changeJob, times, times, list, p.sink())
	var walls, cpus []float64
	rss := 0.0
	for range d.flags.rounds {
		if err := p.empty(ctx); err != nil {
			return nil, err
		}
		run, err := inProcess(ctx, d.flags, "changes", job)
		if err != nil {
			return nil, err
		}
		if run.Rows != int64(times*n) {
			return nil, fmt.Errorf("the sink took %d changes, want %d", run.Rows, times*n)
		}
		if err := checkChanges(ctx, p); err != nil {
			return nil, err
		}
		walls, cpus, rss = append(walls, run.Wall), append(cpus, run.CPU), max(rss, run.RSS)
	}
	wall, total := median(walls), float64(times*n)
	return []string{
		fmt.Sprint(times * n), fmt.Sprintf("%.2f", wall), "", fmt.Sprintf("%.0f/s", total/wall),
		fmt.Sprintf(">= %d", leastRate), "", fmt.Sprintf("%.2f", median(cpus)*1e6/total), "",
		fmt.Sprintf("%.0f", rss), fmt.Sprintf("< %d", mostRSS), "",
	}, nil
}

const changeJob = `
env { job.mode = BATCH, checkpoint.interval = 1000 }
source {
  FakeSource {
    row.num = %d, split.num = %d
    schema {
      primaryKey { name = pk, columnNames = [id] }
      fields {
        id = int, account = bigint, name = string, city = string, ratio = double, amount = "decimal(12,2)"
        changed = timestamp, active = boolean
      }
    }
    rows = [
%s
    ]
  }
}
sink {
%s
}
`

// changeLine is one change in the job file.
const changeLine = `      { kind = %s, fields = [%d, %d, "name %d", "city %d", %d.5, %d.25, "2026-01-02T03:04:05.%06d", %t] }
`

// changeList lists changes of three kinds of rows in turn: those that are inserted and updated, those that are deleted
// in the end, and those that come back after they were deleted.
func changeList() (list string, n int) {
	var b strings.Builder
	add := func(kind string, id, version int) {
		fmt.Fprintf(&b, changeLine, kind, id, id*7, version, id%100, version, id, id, version%2 == 0)
		n++
	}
	lives := [][]string{
		{"INSERT", "UPDATE_AFTER", "UPDATE_AFTER"},
		{"INSERT", "UPDATE_AFTER", "DELETE"},
		{"INSERT", "DELETE", "INSERT"},
	}
	for version := range 3 {
		for id := range changeKeys * len(lives) {
			add(lives[id%len(lives)][version], id, version)
		}
	}
	return b.String(), n
}

// checkChanges checks that the table holds what the list of changes leaves behind.
func checkChanges(ctx context.Context, p *postgres) error {
	want, err := p.one(ctx, fmt.Sprintf(`SELECT md5(string_agg(
		format('%%s,%%s,name 2,city %%s,2.5,%%s.25,%%s,t', id, id * 7, id %% 100, id,
			'2026-01-02 03:04:05'::timestamp + id * interval '1 microsecond'), ';' ORDER BY id))
		FROM generate_series(0, %d) id WHERE id %% 3 <> 1`, 3*changeKeys-1))
	if err != nil {
		return err
	}
	have, err := p.one(ctx, `SELECT md5(string_agg(format('%s,%s,%s,%s,%s,%s,%s,%s',
		id, account, name, city, ratio, amount, changed, active), ';' ORDER BY id)) FROM `+targetTable)
	if err == nil && !slices.Equal(have, want) {
		err = fmt.Errorf("the table that the changes leave behind is not the expected one")
	}
	return err
}
