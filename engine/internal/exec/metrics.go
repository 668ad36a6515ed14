package exec

import (
	"sync"
	"sync/atomic"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/metrics"
	"github.com/culvertdata/culvert/plugin"
)

// VertexMetrics are the totals of one vertex over all its lanes. They go on from those of the checkpoint that an
// attempt started from, so a row that is read again after a restart counts once.
type VertexMetrics struct {
	Vertex string
	Role   plugin.Role
	Tables []TableMetrics
	// Rows and Bytes are the sums over the tables: what a source or transform put out, what a sink took.
	Rows, Bytes int64
	// Rejected are rows that a sink refused and the policy let pass.
	Rejected int64
	// Positions are where the source's splits stood at the last completed checkpoint; nil for other vertices.
	Positions []Position
	// Latencies are those of a sink's tables whose changes have event times, by table. They are counted since the runner
	// was made.
	Latencies []metrics.TableLatency
	// Lags are what the tasks of a source that follows a log told last.
	Lags []metrics.SourceLag
}

// TableMetrics are the totals of one table. Bytes follow SeaTunnel's rule for the size of a value; transforms count
// rows only.
type TableMetrics struct {
	Table string
	Rows  int64
	Bytes int64
}

// Position is how far a split is read; only its connector understands State.
type Position struct {
	Split string
	State []byte
}

// cell is the counters of one table in one task. Only the task writes it, so adding is a load and a store; it fills a
// cache line of its own.
type cell struct {
	rows, bytes, rejected atomic.Int64
	_                     [40]byte
}

func (c *cell) add(rows, bytes int64) {
	c.rows.Store(c.rows.Load() + rows)
	if bytes != 0 {
		c.bytes.Store(c.bytes.Load() + bytes)
	}
}

// meter counts for one task, by table. Its owner adds; anybody may take counts.
type meter struct {
	vertex string
	last   *plugin.Table
	at     *cell
	known  map[*plugin.Table]*cell

	mu     sync.Mutex // for what follows, which others read
	tables []string
	cells  []*cell
}

// cell returns the counters of a table. Two versions of a table share theirs.
func (m *meter) cell(t *plugin.Table) *cell {
	if t == m.last {
		return m.at
	}
	c, ok := m.known[t]
	if !ok {
		c = m.register(t.ID.String())
		if m.known == nil {
			m.known = make(map[*plugin.Table]*cell, 1)
		}
		m.known[t] = c
	}
	m.last, m.at = t, c
	return c
}

func (m *meter) register(table string) *cell {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, name := range m.tables {
		if name == table {
			return m.cells[i]
		}
	}
	c := new(cell)
	m.tables = append(m.tables, table)
	m.cells = append(m.cells, c)
	return c
}

// count is what a task has counted for one table.
type count struct {
	vertex, table         string
	rows, bytes, rejected int64
}

// counts appends what was counted so far.
func (m *meter) counts(to []count) []count {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, c := range m.cells {
		to = append(to, count{m.vertex, m.tables[i], c.rows.Load(), c.bytes.Load(), c.rejected.Load()})
	}
	return to
}

// meters are the meters of one attempt.
type meters struct {
	base []checkpoint.Counter

	mu  sync.Mutex
	all []*meter
}

// meter makes the meter of one task.
func (ms *meters) meter(vertex string) *meter {
	m := &meter{vertex: vertex}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.all = append(ms.all, m)
	return m
}

func (ms *meters) counts() []count {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	var all []count
	for _, m := range ms.all {
		all = m.counts(all)
	}
	return all
}

// totals adds counts to the counters of a checkpoint, in the order in which they came first.
func totals(base []checkpoint.Counter, counts []count) []checkpoint.Counter {
	type key struct{ vertex, table string }
	sums := make([]checkpoint.Counter, len(base), len(base)+4)
	copy(sums, base)
	at := make(map[key]int, len(base)+4)
	for i, c := range sums {
		at[key{c.Vertex, c.Table}] = i
	}
	for _, c := range counts {
		k := key{c.vertex, c.table}
		i, ok := at[k]
		if !ok {
			i = len(sums)
			at[k] = i
			sums = append(sums, checkpoint.Counter{Vertex: c.vertex, Table: c.table})
		}
		sums[i].Rows += c.rows
		sums[i].Bytes += c.bytes
		sums[i].Rejected += c.rejected
	}
	return sums
}

// report sums up the counts for the vertices of a pipeline.
func (ms *meters) report(p *plan.Pipeline) []VertexMetrics {
	out := make([]VertexMetrics, len(p.Vertices))
	at := make(map[string]*VertexMetrics, len(p.Vertices))
	for i, v := range p.Vertices {
		out[i] = VertexMetrics{Vertex: v.Name, Role: v.Role}
		at[v.Name] = &out[i]
	}
	for _, c := range totals(ms.base, ms.counts()) {
		if v := at[c.Vertex]; v != nil {
			v.Tables = append(v.Tables, TableMetrics{Table: c.Table, Rows: c.Rows, Bytes: c.Bytes})
			v.Rows += c.Rows
			v.Bytes += c.Bytes
			v.Rejected += c.Rejected
		}
	}
	return out
}
