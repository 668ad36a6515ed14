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
	for _, x := range []side{{"sourceReceivedCount", "SourceReceived", job.Sources}, {"sinkWriteCount", "SinkWrite", job.Sinks}} {
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
	j.close('}')
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
