package rest

import (
	"time"

	"github.com/culvertdata/culvert/metrics"
)

// side is what SeaTunnel calls the counters of sources or sinks.
type side struct {
	documented, name string
	tables           []metrics.Table
}

// viewMetrics writes the counters of a job. V1 has those of 2.3.4 in the spelling of its documentation and in that of
// its source, then those that later versions added; V2 has the later ones only.
func viewMetrics(j *jsonText, job metrics.Job, s surface, now time.Time) {
	life := job.Life(now)
	j.openKey("metrics", '{')
	sides := [...]side{{"sourceReceivedCount", "SourceReceived", job.Sources}, {"sinkWriteCount", "SinkWrite", job.Sinks}}
	for _, x := range sides {
		total := metrics.Total(x.tables)
		if s != v2 {
			j.digits(x.documented, total.Rows)
		}
		j.digits(x.name+"Count", total.Rows)
		j.digits(x.name+"Bytes", total.Bytes)
		j.key(x.name + "QPS")
		j.rate(total.Rows, life)
		j.key(x.name + "BytesPerSeconds")
		j.rate(total.Bytes, life)
		viewTables(j, x, life)
	}
	if s == v2 && len(job.Latencies) > 0 {
		viewLatencies(j, job.Latencies)
	}
	j.close('}')
}

// viewLatencies adds what SeaTunnel has no counters for: milliseconds from a change until it is visible, by table, over
// all sinks.
func viewLatencies(j *jsonText, list []metrics.TableLatency) {
	var tables []string
	sums := map[string]*metrics.Latency{}
	for _, l := range list {
		if sums[l.Table] == nil {
			sums[l.Table] = new(metrics.Latency)
			tables = append(tables, l.Table)
		}
		sums[l.Table].Add(l.Latency)
	}
	for _, v := range []struct {
		name string
		of   func(l *metrics.Latency) time.Duration
	}{
		{"P50", func(l *metrics.Latency) time.Duration { return l.Quantile(0.5) }},
		{"P99", func(l *metrics.Latency) time.Duration { return l.Quantile(0.99) }},
		{"Max", func(l *metrics.Latency) time.Duration { return l.Max }},
	} {
		j.openKey("TableSinkLatency"+v.name, '{')
		for _, t := range tables {
			j.anyKey(t)
			j.quotedNumber(v.of(sums[t]).Milliseconds())
		}
		j.close('}')
	}
}

func viewTables(j *jsonText, x side, life time.Duration) {
	j.openKey("Table"+x.name+"Count", '{')
	for _, t := range x.tables {
		j.anyKey(t.Name)
		j.quotedNumber(t.Rows)
	}
	j.close('}')
	j.openKey("Table"+x.name+"Bytes", '{')
	for _, t := range x.tables {
		j.anyKey(t.Name)
		j.quotedNumber(t.Bytes)
	}
	j.close('}')
	j.openKey("Table"+x.name+"QPS", '{')
	for _, t := range x.tables {
		j.anyKey(t.Name)
		j.rate(t.Rows, life)
	}
	j.close('}')
	j.openKey("Table"+x.name+"BytesPerSeconds", '{')
	for _, t := range x.tables {
		j.anyKey(t.Name)
		j.rate(t.Bytes, life)
	}
	j.close('}')
}

// rate writes the average of a counter, as a text.
func (j *jsonText) rate(count int64, life time.Duration) {
	j.separate()
	j.b = append(metrics.AppendRate(append(j.b, '"'), metrics.Rate(count, life)), '"')
}
