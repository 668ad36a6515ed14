package metrics

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormatSize(t *testing.T) {
	for bytes, want := range map[uint64]string{0: "0", 1: "1", 1024: "1024", 1025: "1.0K", 1 << 20: "1024.0K",
		1<<20 + 1: "1.0M", 17179869184: "16.0G", 1536 << 20: "1.5G", math.MaxUint64: "16.0E"} {
		if got := formatSize(bytes); got != want {
			t.Errorf("formatSize(%d) = %s, want %s", bytes, got, want)
		}
	}
}

const documented = `processors physical.memory.total physical.memory.free swap.space.total swap.space.free
heap.memory.used heap.memory.free heap.memory.total heap.memory.max heap.memory.used/total heap.memory.used/max
minor.gc.count minor.gc.time major.gc.count major.gc.time load.process load.system load.systemAverage
thread.count thread.peakCount cluster.timeDiff event.q.size executor.q.async.size executor.q.client.size
executor.q.client.query.size executor.q.client.blocking.size executor.q.query.size executor.q.scheduled.size
executor.q.io.size executor.q.system.size executor.q.operations.size executor.q.priorityOperation.size
operations.completed.count executor.q.mapLoad.size executor.q.mapLoadAllKeys.size executor.q.cluster.size
executor.q.response.size operations.running.count operations.pending.invocations.percentage
operations.pending.invocations.count proxy.count clientEndpoint.count connection.active.count
client.connection.count connection.count`

func TestKeysAreTheDocumentedOnes(t *testing.T) {
	var keys []string
	forms := map[string]*regexp.Regexp{
		"memory.": regexp.MustCompile(`^\d+(\.\d[KMGTPE])?$|^\d+\.\d\d%$`),
		"gc.time": regexp.MustCompile(`^\d+ms$`),
		"load.":   regexp.MustCompile(`^\d+\.\d\d%?$`),
	}
	for _, e := range NewMonitor(nil).Read(Counts{}) {
		keys = append(keys, e.Key)
		for part, form := range forms {
			if strings.Contains(e.Key, part) && !form.MatchString(e.Value) {
				t.Errorf("%s = %q", e.Key, e.Value)
			}
		}
	}
	if diff := cmp.Diff(strings.Fields(documented), keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestLoadIsThatSinceTheReadingBefore(t *testing.T) {
	if got := (cpuSample{30, 200}).since(cpuSample{10, 100}); got != 0.2 {
		t.Errorf("load = %v, want 0.2", got)
	}
	if got := (cpuSample{30, 100}).since(cpuSample{10, 100}); got != 0 {
		t.Errorf("load without time = %v, want 0", got)
	}
}
