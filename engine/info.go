package engine

import (
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/exec"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/metrics"
	"github.com/culvertdata/culvert/plugin"
)

// Info is what is known of a job at one moment.
type Info struct {
	ID    int64
	Name  string
	State State
	Mode  plugin.Mode
	// Created is when the job was submitted; Finished is when it ended, zero before.
	Created, Finished time.Time
	// Error is the reason of a failure, with secrets masked; empty otherwise.
	Error string
	// Env are the options of the env block as written, in order.
	Env []EnvOption
	// FromSavepoint says that the job was started from a savepoint.
	FromSavepoint bool
	// Graph are the job's vertices and edges.
	Graph Graph
	// Metrics are the counters; for an ended job, the last ones.
	Metrics Metrics
}

// EnvOption is one option of the env block.
type EnvOption struct{ Key, Value string }

// Graph is a job's vertices and edges, in SeaTunnel's names and numbers.
type Graph = plan.DAG

// Metrics are the counters of a job. They go on over restarts, so rows that are read again are counted again.
type Metrics struct {
	Vertices []VertexMetrics
}

// VertexMetrics are the counters of one source, transform or sink.
type VertexMetrics struct {
	Vertex string
	Role   plugin.Role
	Tables []TableMetrics
	// Rejected are rows that a sink refused and the error policy let pass.
	Rejected int64
	// Positions are how far the splits that a source has begun are read, as of the last checkpoint. They are known
	// while the job is at hand, not in the history.
	Positions []Position `json:"-"`
	// Latencies are how long changes took until they were visible, by table; of sinks, for sources that tell when
	// changes happened. Lags are how far behind the tasks of a source are that follows a log. Both are known while the
	// job is at hand, not in the history, and begin anew with the process.
	Latencies []metrics.TableLatency `json:"-"`
	Lags      []metrics.SourceLag    `json:"-"`
}

// Position is how far a split is read. Only its connector understands State.
type Position struct {
	Split string
	State []byte
}

// TableMetrics are the counters of one table at one vertex. Bytes follow SeaTunnel's rule for the size of a value.
type TableMetrics struct {
	Table string
	Rows  int64
	Bytes int64
}

// Totals returns the rows and bytes that the vertices of a role have put out (sources, transforms) or taken in (sinks).
func (m Metrics) Totals(role plugin.Role) (rows, bytes int64) {
	for _, t := range m.ByTable(role) {
		rows += t.Rows
		bytes += t.Bytes
	}
	return rows, bytes
}

// ByTable returns the counters of a role, summed up by table, in the order in which the tables first came.
func (m Metrics) ByTable(role plugin.Role) []TableMetrics {
	var sums []TableMetrics
	for _, v := range m.Vertices {
		if v.Role != role {
			continue
		}
		for _, t := range v.Tables {
			i := slices.IndexFunc(sums, func(s TableMetrics) bool { return s.Table == t.Table })
			if i < 0 {
				sums = append(sums, t)
				continue
			}
			sums[i].Rows += t.Rows
			sums[i].Bytes += t.Bytes
		}
	}
	return sums
}

// Latency returns how long changes took until they were visible, over all tables and sinks.
func (m Metrics) Latency() metrics.Latency {
	var all metrics.Latency
	for _, v := range m.Vertices {
		for _, l := range v.Latencies {
			all.Add(l.Latency)
		}
	}
	return all
}

// Rejected returns the number of rows that sinks refused.
func (m Metrics) Rejected() int64 {
	var n int64
	for _, v := range m.Vertices {
		n += v.Rejected
	}
	return n
}

func metricsOf(runners []*exec.Runner) Metrics {
	var m Metrics
	for _, r := range runners {
		for _, v := range r.Metrics() {
			vm := VertexMetrics{Vertex: v.Vertex, Role: v.Role, Rejected: v.Rejected, Latencies: v.Latencies, Lags: v.Lags}
			for _, t := range v.Tables {
				vm.Tables = append(vm.Tables, TableMetrics{Table: t.Table, Rows: t.Rows, Bytes: t.Bytes})
			}
			for _, p := range v.Positions {
				vm.Positions = append(vm.Positions, Position(p))
			}
			m.Vertices = append(m.Vertices, vm)
		}
	}
	return m
}

// Result is what a job has done, as Wait returns it.
type Result struct {
	ID      int64
	State   State
	Metrics Metrics
	// RowsIn are the rows that the sources read, RowsOut those that the sinks took, Rejected those that they refused.
	RowsIn, RowsOut, Rejected int64
	// Duration is the time from submission to the end.
	Duration time.Duration
}

func resultOf(i Info) *Result {
	r := &Result{ID: i.ID, State: i.State, Metrics: i.Metrics, Duration: i.Finished.Sub(i.Created)}
	r.RowsIn, _ = i.Metrics.Totals(plugin.SourceRole)
	r.RowsOut, _ = i.Metrics.Totals(plugin.SinkRole)
	r.Rejected = i.Metrics.Rejected()
	return r
}

// Filter chooses jobs. The zero value chooses all.
type Filter struct {
	// States are the states to choose; empty means any.
	States []State
}

// Active chooses the jobs that have not ended.
func Active() Filter {
	return Filter{States: []State{Created, Scheduled, Running, Failing, DoingSavepoint, Canceling}}
}

// Ended chooses the jobs of the history.
func Ended() Filter { return Filter{States: []State{Failed, SavepointDone, Canceled, Finished}} }

func (f Filter) takes(s State) bool { return len(f.States) == 0 || slices.Contains(f.States, s) }

// names returns the names of the states.
func (f Filter) names() []string {
	names := make([]string, len(f.States))
	for i, s := range f.States {
		names[i] = s.String()
	}
	return names
}

func (f Filter) takesAny(states ...State) bool { return slices.ContainsFunc(states, f.takes) }
