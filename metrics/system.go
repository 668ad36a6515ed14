// Package metrics tells how an engine, its jobs, the process and the machine are doing: in the words of SeaTunnel's
// system monitoring information ([Monitor]), as counters with rates ([Job]), and as metric families in the text formats
// of Prometheus and OpenMetrics ([Families], [AppendText]).
//
// It is a leaf: what it shows of jobs is handed to it as [Stats]. Package metrics/prometheus has a collector for
// hosts with a registry of their own.
package metrics

import (
	"fmt"
	"runtime"
	runtimemetrics "runtime/metrics"
	"strconv"
	"sync"
	"time"
)

// Entry is one key and its value, both as SeaTunnel prints them.
type Entry struct{ Key, Value string }

// Counts are what the host of a Monitor counts itself.
type Counts struct {
	// Completed and Running are the requests answered and in flight.
	Completed, Running int64
	// Queued are events that wait for a subscriber.
	Queued int64
	// Connections are open network connections.
	Connections int64
}

// Monitor reads the state of the process and the machine. CPU loads are those since the reading before. It is safe for
// concurrent use.
type Monitor struct {
	now func() time.Time

	mu      sync.Mutex
	process cpuSample
	machine cpuSample
	threads int64
}

// NewMonitor returns a monitor; now may be nil for time.Now.
func NewMonitor(now func() time.Time) *Monitor {
	if now == nil {
		now = time.Now
	}
	m := &Monitor{now: now}
	m.process, m.machine = processSample(now()), machineSample()
	return m
}

// Read returns the documented keys in the documented order. Values that only a JVM or a Hazelcast cluster has are 0.
func (m *Monitor) Read(c Counts) []Entry {
	var e entries
	e.add("processors", strconv.Itoa(runtime.GOMAXPROCS(0)))
	e.memory(memoryInfo())
	e.heap(heapInfo())
	e.collections()
	m.load(&e)
	m.threadCounts(&e)
	e.zero("cluster.timeDiff")
	e.add("event.q.size", strconv.FormatInt(c.Queued, 10))
	e.zero("executor.q.async.size", "executor.q.client.size", "executor.q.client.query.size",
		"executor.q.client.blocking.size", "executor.q.query.size", "executor.q.scheduled.size", "executor.q.io.size",
		"executor.q.system.size", "executor.q.operations.size", "executor.q.priorityOperation.size")
	e.add("operations.completed.count", strconv.FormatInt(c.Completed, 10))
	e.zero("executor.q.mapLoad.size", "executor.q.mapLoadAllKeys.size", "executor.q.cluster.size",
		"executor.q.response.size")
	e.add("operations.running.count", strconv.FormatInt(c.Running, 10))
	e.add("operations.pending.invocations.percentage", "0.00%")
	e.zero("operations.pending.invocations.count", "proxy.count", "clientEndpoint.count")
	e.add("connection.active.count", strconv.FormatInt(c.Connections, 10))
	e.zero("client.connection.count", "connection.count")
	return e
}

type entries []Entry

func (e *entries) add(key, value string) { *e = append(*e, Entry{key, value}) }

func (e *entries) zero(keys ...string) {
	for _, k := range keys {
		e.add(k, "0")
	}
}

func (e *entries) memory(mem machineMemory) {
	e.add("physical.memory.total", formatSize(mem.total))
	e.add("physical.memory.free", formatSize(mem.free))
	e.add("swap.space.total", formatSize(mem.swapTotal))
	e.add("swap.space.free", formatSize(mem.swapFree))
}

func (e *entries) heap(h heap) {
	e.add("heap.memory.used", formatSize(h.used))
	e.add("heap.memory.free", formatSize(h.total-h.used))
	e.add("heap.memory.total", formatSize(h.total))
	e.add("heap.memory.max", formatSize(h.max))
	e.add("heap.memory.used/total", formatPercent(ratio(h.used, h.total)))
	e.add("heap.memory.used/max", formatPercent(ratio(h.used, h.max)))
}

// collections reports the collector's cycles as minor ones and those that somebody forced as major ones.
func (e *entries) collections() {
	samples := []runtimemetrics.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}, {Name: "/gc/cycles/forced:gc-cycles"},
		{Name: "/cpu/classes/gc/pause:cpu-seconds"}}
	runtimemetrics.Read(samples)
	pauses := time.Duration(samples[2].Value.Float64() / float64(runtime.GOMAXPROCS(0)) * float64(time.Second))
	e.add("minor.gc.count", strconv.FormatUint(samples[0].Value.Uint64(), 10))
	e.add("minor.gc.time", strconv.FormatInt(pauses.Milliseconds(), 10)+"ms")
	e.add("major.gc.count", strconv.FormatUint(samples[1].Value.Uint64(), 10))
	e.add("major.gc.time", "0ms")
}

func (m *Monitor) load(e *entries) {
	m.mu.Lock()
	defer m.mu.Unlock()
	process, machine := processSample(m.now()), machineSample()
	e.add("load.process", formatPercent(process.since(m.process)))
	e.add("load.system", formatPercent(machine.since(m.machine)))
	e.add("load.systemAverage", fmt.Sprintf("%.2f", loadAverage()))
	m.process, m.machine = process, machine
}

func (m *Monitor) threadCounts(e *entries) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := threadCount()
	m.threads = max(m.threads, n)
	e.add("thread.count", strconv.FormatInt(n, 10))
	e.add("thread.peakCount", strconv.FormatInt(m.threads, 10))
}

// cpuSample is processor time used, out of what there was.
type cpuSample struct{ used, available float64 }

func (s cpuSample) since(before cpuSample) float64 {
	if s.available <= before.available {
		return 0
	}
	return min(max((s.used-before.used)/(s.available-before.available), 0), 1)
}

func ratio(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func formatPercent(part float64) string { return fmt.Sprintf("%.2f%%", part*100) }

// formatSize prints bytes in the largest unit that they exceed: 1024 is 1024, 1025 is 1.0K.
func formatSize(bytes uint64) string {
	const units = "KMGTPE"
	unit := -1
	size := float64(bytes)
	for limit := uint64(1024); bytes > limit && unit < len(units)-1; limit <<= 10 {
		unit++
		size /= 1024
		if limit > 1<<53 {
			break
		}
	}
	if unit < 0 {
		return strconv.FormatUint(bytes, 10)
	}
	return fmt.Sprintf("%.1f%c", size, units[unit])
}
