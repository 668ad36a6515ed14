package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTextFormats(t *testing.T) {
	families := []Family{
		{Name: "a_total", Help: "Lines\nand \\", Kind: Counter, Labels: []string{"x", "y"},
			Samples: []Sample{{Labels: []string{`q"\`, "two\nlines\xff"}, Value: 3}}},
		{Name: "b", Help: "Plain", Kind: Gauge, Samples: []Sample{{Value: 1.5}}},
	}
	want := "# HELP a_total Lines\\nand \\\\\n# TYPE a_total counter\n" +
		`a_total{x="q\"\\",y="two\nlines` + "\uFFFD\"} 3.0\n# HELP b Plain\n# TYPE b gauge\nb 1.5\n"
	if diff := cmp.Diff(want, string(AppendText(nil, families))); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	want = "# HELP a Lines\\nand \\\\\n# TYPE a counter\n" +
		`a_total{x="q\"\\",y="two\nlines` + "\uFFFD\"} 3.0\n# HELP b Plain\n# TYPE b gauge\nb 1.5\n# EOF\n"
	if diff := cmp.Diff(want, string(AppendOpenMetrics(nil, families))); diff != "" {
		t.Errorf("OpenMetrics (-want +got):\n%s", diff)
	}
}

func TestRates(t *testing.T) {
	for value, want := range map[float64]string{0: "0.0", 12.5: "12.5", 100: "100.0", 12345678.9: "1.23456789E7",
		1e7:     "1.0E7",
		9999999: "9999999.0", 0.0001: "1.0E-4", 0.001: "0.001", 2.5e-5: "2.5E-5"} {
		if got := string(AppendRate(nil, value)); got != want {
			t.Errorf("AppendRate(%v) = %s, want %s", value, got, want)
		}
	}
	start := time.Unix(1000, 0)
	job := Job{Created: start, Sources: []Table{{"a", 10, 100}, {"b", 20, 50}}}
	if got := Rate(Total(job.Sources).Rows, job.Life(start.Add(10*time.Second))); got != 3 {
		t.Errorf("rate of a running job = %v, want 3", got)
	}
	job.Finished = start.Add(5 * time.Second)
	if got := Rate(Total(job.Sources).Bytes, job.Life(start.Add(time.Hour))); got != 30 {
		t.Errorf("rate of an ended job = %v, want 30", got)
	}
	if got := Rate(5, job.Life(start.Add(-time.Hour))); got <= 0 {
		t.Errorf("rate after the clock was set back = %v", got)
	}
}

func TestFamiliesHaveEverySampleOnce(t *testing.T) {
	s := Stats{States: map[string]int{"RUNNING": 2, "CANCELING": 1}, Jobs: []Job{
		{ID: 1, Name: "one", Sources: []Table{{"t", 5, 50}, {"t", 6, 60}}, Sinks: []Table{{"t", 5, 50}}},
		{ID: 2, Name: "two", Sources: []Table{{"t", 7, 70}}, Rejected: 3}}}
	seen := map[string]bool{}
	for _, f := range Families(s, Node{Cluster: "c", Address: "a:1"}) {
		for _, sample := range f.Samples {
			if len(sample.Labels) != len(f.Labels) {
				t.Errorf("%s: %v for the labels %v", f.Name, sample.Labels, f.Labels)
			}
			line := string(appendSample([]byte(f.Name), f.Labels, Sample{Labels: sample.Labels}))
			if seen[line] {
				t.Errorf("twice: %s", line)
			}
			seen[line] = true
		}
	}
	if len(seen) != 4+len(jobCounts)+2*2+2*1+2 {
		t.Errorf("%d samples: %v", len(seen), seen)
	}
}

func TestFollowFamilies(t *testing.T) {
	l := Latency{Count: 3, Sum: 1500 * time.Millisecond, Max: time.Second}
	l.Buckets[0], l.Buckets[9] = 1, 2
	s := Stats{Jobs: []Job{{ID: 1, Name: "one", Latencies: []TableLatency{{Sink: "s", Table: "t", Latency: l}},
		Lags: []SourceLag{{Source: "a", Bytes: 77}, {Source: "a", Task: 1, Bytes: -1}}}}}
	text := string(AppendText(nil, followFamilies(s, Node{Cluster: "c"})))
	labels := `cluster="c",job_id="1",job_name="one",`
	for _, want := range []string{
		"# TYPE culvert_job_latency_seconds histogram\n",
		"culvert_job_latency_seconds_bucket{" + labels + `sink="s",table="t",le="0.001"} 1.0` + "\n",
		"culvert_job_latency_seconds_bucket{" + labels + `sink="s",table="t",le="0.5"} 1.0` + "\n",
		"culvert_job_latency_seconds_bucket{" + labels + `sink="s",table="t",le="1.0"} 3.0` + "\n",
		"culvert_job_latency_seconds_bucket{" + labels + `sink="s",table="t",le="+Inf"} 3.0` + "\n",
		"culvert_job_latency_seconds_sum{" + labels + `sink="s",table="t"} 1.5` + "\n",
		"culvert_job_latency_seconds_count{" + labels + `sink="s",table="t"} 3.0` + "\n",
		"culvert_job_latency_max_seconds{" + labels + `sink="s",table="t"} 1.0` + "\n",
		"culvert_job_source_lag_bytes{" + labels + `source="a",task="0"} 77.0` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, `task="1"`) {
		t.Error("an unknown lag is told")
	}
}

func TestProcess(t *testing.T) {
	for _, f := range Process() {
		if len(f.Samples) != 1 || f.Samples[0].Value < 0 || f.Name == "process_resident_memory_bytes" &&
			f.Samples[0].Value < 1<<20 {
			t.Errorf("%s = %v", f.Name, f.Samples)
		}
	}
}
