package rest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/metrics"
)

// TestLatenciesAreShown has two sinks of one table; only V2 has room for what SeaTunnel does not know.
func TestLatenciesAreShown(t *testing.T) {
	fast := metrics.Latency{Count: 99, Max: 10 * time.Millisecond}
	fast.Buckets[3] = 99
	slow := metrics.Latency{Count: 1, Max: 4 * time.Second}
	slow.Buckets[11] = 1
	job := metrics.Job{Latencies: []metrics.TableLatency{{Sink: "a", Table: "db.t", Latency: fast},
		{Sink: "b", Table: "db.t", Latency: slow}, {Sink: "b", Table: "u", Latency: fast}}}
	shown := func(s surface) map[string]map[string]string {
		j := &jsonText{}
		j.open('{')
		viewMetrics(j, job, s, time.Now())
		j.close('}')
		var body struct{ Metrics map[string]json.RawMessage }
		if err := json.Unmarshal(j.b, &body); err != nil {
			t.Fatalf("%v: %s", err, j.b)
		}
		found := map[string]map[string]string{}
		for name, value := range body.Metrics {
			var byTable map[string]string
			if json.Unmarshal(value, &byTable) == nil && len(byTable) > 0 {
				found[name] = byTable
			}
		}
		return found
	}
	want := map[string]map[string]string{
		"TableSinkLatencyP50": {"db.t": "7", "u": "7"},
		"TableSinkLatencyP99": {"db.t": "10", "u": "9"},
		"TableSinkLatencyMax": {"db.t": "4000", "u": "10"},
	}
	if d := cmp.Diff(want, shown(v2)); d != "" {
		t.Error(d)
	}
	if got := shown(v1); len(got) != 0 {
		t.Errorf("V1 shows %v", got)
	}
	job.Latencies = nil
	if got := shown(v2); len(got) != 0 {
		t.Errorf("without event times there is %v", got)
	}
}
