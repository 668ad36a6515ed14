package metrics

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a [Family] holds.
type Kind string

// The kinds.
const (
	Gauge     Kind = "gauge"
	Counter   Kind = "counter"
	Histogram Kind = "histogram"
)

// Family is the samples of one metric. The name of a counter ends with _total.
type Family struct {
	Name, Help string
	Kind       Kind
	// Labels are the names of the labels, in the order of each sample's values.
	Labels  []string
	Samples []Sample
}

// Sample is one value of a metric.
type Sample struct {
	Labels []string
	Value  float64
	// Latency is the value of a Histogram, in seconds; nil for other kinds.
	Latency *Latency
}

func gauge(name, help string, labels ...string) Family {
	return Family{Name: name, Help: help, Kind: Gauge, Labels: labels}
}

func counter(name, help string, labels ...string) Family {
	return Family{Name: name, Help: help, Kind: Counter, Labels: labels}
}

func (f *Family) add(value float64, labels ...string) {
	f.Samples = append(f.Samples, Sample{Labels: labels, Value: value})
}

// jobCounts are SeaTunnel's names for the numbers of jobs. It has none for the states that are missing here.
var jobCounts = [...][2]string{{"canceled", "CANCELED"}, {"cancelling", "CANCELING"}, {"created", "CREATED"},
	{"failed", "FAILED"}, {"failing", "FAILING"}, {"finished", "FINISHED"}, {"running", "RUNNING"},
	{"scheduled", "SCHEDULED"}}

// Node names an engine in its metrics.
type Node struct {
	// Cluster is the value of the label cluster, as in SeaTunnel.
	Cluster string
	// Address is where the engine is reached.
	Address string
}

// Families returns an engine's metrics: SeaTunnel's families where there is a counterpart, and the counters of the jobs
// that have not ended, by table.
func Families(s Stats, n Node) []Family {
	info := gauge("cluster_info", "Cluster info", "cluster", "hazelcastVersion", "master")
	info.add(1, n.Cluster, "none", n.Address)
	clock := gauge("cluster_time", "Cluster time in milliseconds", "cluster", "hazelcastVersion")
	clock.add(float64(s.Time.UnixMilli()), n.Cluster, "none")
	count := gauge("node_count", "Cluster node total count", "cluster")
	count.add(1, n.Cluster)
	state := gauge("node_state", "Whether the node takes jobs", "cluster", "address")
	state.add(boolean(!s.Closing), n.Cluster, n.Address)
	jobs := gauge("job_count", "Jobs by state", "cluster", "type")
	for _, c := range jobCounts {
		jobs.add(float64(s.States[c[1]]), n.Cluster, c[0])
	}
	return append([]Family{info, clock, count, state, jobs}, jobFamilies(s, n)...)
}

func jobFamilies(s Stats, n Node) []Family {
	table := []string{"cluster", "job_id", "job_name", "table"}
	rowsIn := counter("culvert_job_source_rows_total", "Rows that sources of a running job have read", table...)
	bytesIn := counter("culvert_job_source_bytes_total", "Bytes that sources of a running job have read", table...)
	rowsOut := counter("culvert_job_sink_rows_total", "Rows that sinks of a running job have taken", table...)
	bytesOut := counter("culvert_job_sink_bytes_total", "Bytes that sinks of a running job have taken", table...)
	rejected := counter("culvert_job_rejected_rows_total", "Rows that sinks of a running job have refused", table[:3]...)
	for _, j := range s.Jobs {
		id := strconv.FormatInt(j.ID, 10)
		for _, t := range byName(j.Sources) {
			rowsIn.add(float64(t.Rows), n.Cluster, id, j.Name, t.Name)
			bytesIn.add(float64(t.Bytes), n.Cluster, id, j.Name, t.Name)
		}
		for _, t := range byName(j.Sinks) {
			rowsOut.add(float64(t.Rows), n.Cluster, id, j.Name, t.Name)
			bytesOut.add(float64(t.Bytes), n.Cluster, id, j.Name, t.Name)
		}
		rejected.add(float64(j.Rejected), n.Cluster, id, j.Name)
	}
	return append([]Family{rowsIn, bytesIn, rowsOut, bytesOut, rejected}, followFamilies(s, n)...)
}

// followFamilies are those of jobs that follow changes; there are none if no job does.
func followFamilies(s Stats, n Node) []Family {
	table := []string{"cluster", "job_id", "job_name", "sink", "table"}
	latency := Family{Name: "culvert_job_latency_seconds", Kind: Histogram, Labels: table,
		Help: "Time from a change at the source until it is visible at the sink"}
	longest := gauge("culvert_job_latency_max_seconds", "The longest time from a change until it was visible", table...)
	lag := gauge("culvert_job_source_lag_bytes", "Bytes of the log that a source has not read yet",
		"cluster", "job_id", "job_name", "source", "task")
	for _, j := range s.Jobs {
		id := strconv.FormatInt(j.ID, 10)
		for _, l := range j.Latencies {
			labels := []string{n.Cluster, id, j.Name, l.Sink, l.Table}
			latency.Samples = append(latency.Samples, Sample{Labels: labels, Latency: &l.Latency})
			longest.add(l.Max.Seconds(), labels...)
		}
		for _, l := range j.Lags {
			if l.Bytes >= 0 {
				lag.add(float64(l.Bytes), n.Cluster, id, j.Name, l.Source, strconv.Itoa(l.Task))
			}
		}
	}
	return slices.DeleteFunc([]Family{latency, longest, lag}, func(f Family) bool { return len(f.Samples) == 0 })
}

// byName sorts tables; two of one name would be one sample twice.
func byName(tables []Table) []Table {
	sorted := slices.SortedStableFunc(slices.Values(tables), func(a, b Table) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(sorted, func(a, b Table) bool { return a.Name == b.Name })
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// AppendText appends families in Prometheus' text format 0.0.4.
func AppendText(b []byte, families []Family) []byte { return appendFamilies(b, families, false) }

// AppendOpenMetrics appends families in OpenMetrics' text format 1.0.0, with the end mark.
func AppendOpenMetrics(b []byte, families []Family) []byte {
	return append(appendFamilies(b, families, true), "# EOF\n"...)
}

func appendFamilies(b []byte, families []Family, open bool) []byte {
	for _, f := range families {
		name := f.Name
		if open && f.Kind == Counter {
			name = strings.TrimSuffix(name, "_total")
		}
		b = append(b, "# HELP "+name+" "+escapeLabel.Replace(f.Help)+"\n# TYPE "+name+" "+string(f.Kind)+"\n"...)
		for _, s := range f.Samples {
			if f.Kind == Histogram {
				b = appendHistogram(b, f, s)
				continue
			}
			b = appendSample(append(b, f.Name...), f.Labels, s)
		}
	}
	return b
}

// appendHistogram appends the cumulative buckets, the sum and the count.
func appendHistogram(b []byte, f Family, s Sample) []byte {
	names := append(slices.Clone(f.Labels), "le")
	bounds := LatencyBounds()
	var below int64
	for i, n := range s.Latency.Buckets {
		below += n
		le := "+Inf"
		if i < len(bounds) {
			le = formatValue(bounds[i].Seconds())
		}
		bucket := Sample{Labels: append(slices.Clone(s.Labels), le), Value: float64(below)}
		b = appendSample(append(append(b, f.Name...), "_bucket"...), names, bucket)
	}
	sum := Sample{Labels: s.Labels, Value: s.Latency.Sum.Seconds()}
	b = appendSample(append(append(b, f.Name...), "_sum"...), f.Labels, sum)
	count := Sample{Labels: s.Labels, Value: float64(s.Latency.Count)}
	return appendSample(append(append(b, f.Name...), "_count"...), f.Labels, count)
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func appendSample(b []byte, names []string, s Sample) []byte {
	for i, name := range names {
		if i == 0 {
			b = append(b, '{')
		} else {
			b = append(b, ',')
		}
		b = append(append(b, name...), `="`...)
		b = append(append(b, escapeLabel.Replace(strings.ToValidUTF8(s.Labels[i], "\uFFFD"))...), '"')
	}
	if len(names) > 0 {
		b = append(b, '}')
	}
	b = append(b, ' ')
	return append(append(b, formatValue(s.Value)...), '\n')
}

// formatValue writes whole numbers with one digit behind the point, as SeaTunnel does.
func formatValue(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
