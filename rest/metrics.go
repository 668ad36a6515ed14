package rest

import (
	"strconv"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// viewMetrics returns the counters of a job: the two of SeaTunnel 2.3.4 in the spelling of its documentation and of
// its source, then those that later versions added. Rates are averages over the job's life, as in SeaTunnel.
func viewMetrics(info engine.Info, life time.Duration) object {
	var o object
	seconds := max(life.Seconds(), 0.001)
	for _, side := range []struct {
		role        plugin.Role
		name, short string
	}{{plugin.SourceRole, "SourceReceived", "sourceReceivedCount"}, {plugin.SinkRole, "SinkWrite", "sinkWriteCount"}} {
		rows, bytes := info.Metrics.Totals(side.role)
		o.add(side.short, strconv.FormatInt(rows, 10))
		addCounters(&o, side.name, rows, bytes, seconds)
		addTables(&o, side.name, info.Metrics.ByTable(side.role), seconds)
	}
	return o
}

func addCounters(o *object, name string, rows, bytes int64, seconds float64) {
	o.add(name+"Count", strconv.FormatInt(rows, 10))
	o.add(name+"Bytes", strconv.FormatInt(bytes, 10))
	o.add(name+"QPS", javaDouble(float64(rows)/seconds))
	o.add(name+"BytesPerSeconds", javaDouble(float64(bytes)/seconds))
}

func addTables(o *object, name string, tables []engine.TableMetrics, seconds float64) {
	var counts, bytes, rates, byteRates object
	for _, t := range tables {
		counts.add(t.Table, strconv.FormatInt(t.Rows, 10))
		bytes.add(t.Table, strconv.FormatInt(t.Bytes, 10))
		rates.add(t.Table, javaDouble(float64(t.Rows)/seconds))
		byteRates.add(t.Table, javaDouble(float64(t.Bytes)/seconds))
	}
	o.add("Table"+name+"Count", counts)
	o.add("Table"+name+"Bytes", bytes)
	o.add("Table"+name+"QPS", rates)
	o.add("Table"+name+"BytesPerSeconds", byteRates)
}
