package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/culvertdata/culvert/metrics"
	"github.com/culvertdata/culvert/metrics/prometheus"
)

// still is an engine whose numbers don't move.
type still struct {
	stats metrics.Stats
	err   error
}

// Stats returns the numbers.
func (s still) Stats(context.Context) (metrics.Stats, error) { return s.stats, s.err }

var stats = metrics.Stats{States: map[string]int{"RUNNING": 2}, Jobs: []metrics.Job{{ID: 7, Name: "orders",
	Sources: []metrics.Table{{Name: "shop.orders", Rows: 5, Bytes: 50}}, Sinks: []metrics.Table{{Name: "shop.orders",
		Rows: 4, Bytes: 40}}, Latencies: []metrics.TableLatency{{Sink: "s", Table: "shop.orders", Latency: metrics.Latency{
		Count: 2, Sum: time.Second / 2, Buckets: [metrics.LatencyBuckets]int64{7: 2}}}}}}}

func TestTwoEnginesInOneRegistry(t *testing.T) {
	registry := client.NewPedanticRegistry()
	for _, cluster := range []string{"a", "b"} {
		registry.MustRegister(prometheus.NewCollector(t.Context(), still{stats: stats}, prometheus.Options{Cluster: cluster}))
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil && (h.GetSampleCount() != 2 || h.GetSampleSum() != 0.5 ||
				h.GetBucket()[0].GetCumulativeCount() != 0 || h.GetBucket()[16].GetCumulativeCount() != 2) {
				t.Errorf("latency %v", h)
			}
			labels := ""
			for _, l := range m.GetLabel() {
				labels += " " + l.GetName() + "=" + l.GetValue()
			}
			found[f.GetName()+labels] = m.GetCounter().GetValue() + m.GetGauge().GetValue() +
				float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"job_count cluster=a type=running": 2,
		"culvert_job_latency_seconds cluster=b job_id=7 job_name=orders sink=s table=shop.orders": 2,
		"job_count cluster=b type=failed": 0,
		"culvert_job_source_rows_total cluster=b job_id=7 job_name=orders table=shop.orders": 5,
		"culvert_job_sink_bytes_total cluster=a job_id=7 job_name=orders table=shop.orders":  40,
		"node_state address=localhost cluster=a":                                             1,
		"culvert_job_rejected_rows_total cluster=a job_id=7 job_name=orders":                 0,
	} {
		if got, ok := found[name]; !ok || got != want {
			t.Errorf("%s = %v, %v; want %v", name, got, ok, want)
		}
	}
}

func TestFailedCollectionFailsTheScrape(t *testing.T) {
	registry := client.NewRegistry()
	registry.MustRegister(prometheus.NewCollector(t.Context(), still{err: errors.New("store closed")},
		prometheus.Options{}))
	if _, err := registry.Gather(); err == nil {
		t.Error("no error")
	}
}

func ExampleNewCollector() {
	registry := client.NewRegistry()
	registry.MustRegister(prometheus.NewCollector(context.Background(), still{stats: stats},
		prometheus.Options{Cluster: "etl"}))
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range families {
		if f.GetName() == "culvert_job_sink_rows_total" {
			fmt.Println(f.GetMetric()[0].GetCounter().GetValue(), "rows")
		}
	}
	// Output: 4 rows
}
