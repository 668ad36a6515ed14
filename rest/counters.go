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
		j.member(x.name+"QPS", metrics.FormatRate(metrics.Rate(total.Rows, life)))
		j.member(x.name+"BytesPerSeconds", metrics.FormatRate(metrics.Rate(total.Bytes, life)))
		viewTables(j, x, life)
	}
	j.close('}')
}

func viewTables(j *jsonText, x side, life time.Duration) {
	j.openKey("Table"+x.name+"Count", '{')
	for _, t := range x.tables {
		j.digits(t.Name, t.Rows)
	}
	j.close('}')
	j.openKey("Table"+x.name+"Bytes", '{')
	for _, t := range x.tables {
		j.digits(t.Name, t.Bytes)
	}
	j.close('}')
	j.openKey("Table"+x.name+"QPS", '{')
	for _, t := range x.tables {
		j.member(t.Name, metrics.FormatRate(metrics.Rate(t.Rows, life)))
	}
	j.close('}')
	j.openKey("Table"+x.name+"BytesPerSeconds", '{')
	for _, t := range x.tables {
		j.member(t.Name, metrics.FormatRate(metrics.Rate(t.Bytes, life)))
	}
	j.close('}')
}
