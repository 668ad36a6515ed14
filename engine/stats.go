package engine

import (
	"context"
	"maps"

	"github.com/culvertdata/culvert/metrics"
	"github.com/culvertdata/culvert/plugin"
)

// Counts returns the number of jobs in each state, those of the history included. States without jobs are left out.
func (e *Engine) Counts() map[State]int {
	counts := map[State]int{}
	for _, j := range e.active() {
		counts[j.state()]++
	}
	for name, n := range e.store.CountEnded() {
		if s, err := ParseState(name); err == nil {
			counts[s] += n
		}
	}
	return counts
}

// Stats returns what a metrics collector shows: the number of jobs in each state and the counters of the jobs that
// have not ended.
func (e *Engine) Stats(ctx context.Context) (metrics.Stats, error) {
	if err := ctx.Err(); err != nil {
		return metrics.Stats{}, err
	}
	s := metrics.Stats{Time: e.options.Now(), Closing: e.Closing(), Tags: maps.Clone(e.Tags()), States: map[string]int{}}
	for state, n := range e.Counts() {
		s.States[state.String()] = n
	}
	for _, j := range e.active() {
		s.Jobs = append(s.Jobs, j.Info().Counters())
	}
	return s, nil
}

// Counters returns the job's counters for package metrics.
func (i Info) Counters() metrics.Job {
	job := metrics.Job{ID: i.ID, Name: i.Name, State: i.State.String(), Created: i.Created, Finished: i.Finished,
		Sources: tableCounters(i.Metrics, plugin.SourceRole), Sinks: tableCounters(i.Metrics, plugin.SinkRole),
		Rejected: i.Metrics.Rejected()}
	for _, v := range i.Metrics.Vertices {
		job.Latencies = append(job.Latencies, v.Latencies...)
		job.Lags = append(job.Lags, v.Lags...)
	}
	return job
}

func tableCounters(m Metrics, role plugin.Role) []metrics.Table {
	sums := m.ByTable(role)
	tables := make([]metrics.Table, len(sums))
	for i, t := range sums {
		tables[i] = metrics.Table{Name: t.Table, Rows: t.Rows, Bytes: t.Bytes}
	}
	return tables
}
