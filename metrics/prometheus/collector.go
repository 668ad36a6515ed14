// Package prometheus hands an engine's metrics to the host's own Prometheus registry:
//
//	registry.MustRegister(prometheus.NewCollector(ctx, eng, prometheus.Options{}))
//
// The families are those of [metrics.Families]. The package is apart from metrics so that only hosts that want it link
// the Prometheus client.
package prometheus

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"
	client "github.com/prometheus/client_golang/prometheus"

	"github.com/culvertdata/culvert/metrics"
)

// Engine is what a collector asks; *engine.Engine is one.
type Engine interface {
	Stats(ctx context.Context) (metrics.Stats, error)
}

// Options say how a collector works. The zero value is useful.
type Options struct {
	// Cluster is the value of the label cluster. Empty means seatunnel, SeaTunnel's default.
	Cluster string
	// Address is the value of the label address, where the engine is reached. Empty means localhost.
	Address string
	// Timeout bounds one collection. 0 means 5 seconds.
	Timeout time.Duration
	// Logger takes failed collections; nil is silent. A failed collection is also an error of the scrape.
	Logger hclog.Logger
}

const defaultTimeout = 5 * time.Second

// Collector is a prometheus.Collector over one engine. It is safe for concurrent use.
type Collector struct {
	ctx     context.Context // Prometheus hands none to Collect
	eng     Engine
	options Options
}

// NewCollector returns the collector of an engine. It collects until ctx ends. Two engines in one registry need
// different names in Options.Cluster.
func NewCollector(ctx context.Context, eng Engine, o Options) *Collector {
	if o.Cluster == "" {
		o.Cluster = "seatunnel"
	}
	if o.Address == "" {
		o.Address = "localhost"
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	return &Collector{ctx: ctx, eng: eng, options: o}
}

// Describe sends nothing: the collector is an unchecked one, because two engines may share a registry.
func (c *Collector) Describe(chan<- *client.Desc) {}

// Collect sends the engine's metrics.
func (c *Collector) Collect(out chan<- client.Metric) {
	ctx, cancel := context.WithTimeout(c.ctx, c.options.Timeout)
	defer cancel()
	stats, err := c.eng.Stats(ctx)
	if err != nil {
		c.options.Logger.Warn("metrics could not be collected", "error", err)
		out <- client.NewInvalidMetric(client.NewDesc("culvert_error", "A failed collection.", nil, nil), err)
		return
	}
	for _, f := range metrics.Families(stats, metrics.Node{Cluster: c.options.Cluster, Address: c.options.Address}) {
		kind := client.GaugeValue
		if f.Kind == metrics.Counter {
			kind = client.CounterValue
		}
		desc := client.NewDesc(f.Name, f.Help, f.Labels, nil)
		for _, s := range f.Samples {
			m, err := metric(desc, kind, s)
			if err != nil {
				m = client.NewInvalidMetric(desc, err)
			}
			out <- m
		}
	}
}

func metric(desc *client.Desc, kind client.ValueType, s metrics.Sample) (client.Metric, error) {
	if s.Latency == nil {
		return client.NewConstMetric(desc, kind, s.Value, s.Labels...)
	}
	buckets := make(map[float64]uint64)
	var below int64
	for i, bound := range metrics.LatencyBounds() {
		below += s.Latency.Buckets[i]
		buckets[bound.Seconds()] = uint64(below)
	}
	return client.NewConstHistogram(desc, uint64(s.Latency.Count), s.Latency.Sum.Seconds(), buckets, s.Labels...)
}
