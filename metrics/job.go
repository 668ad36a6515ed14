package metrics

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// Stats is what an engine does at one moment.
type Stats struct {
	Time time.Time
	// Closing says that the engine takes no more jobs.
	Closing bool
	// Tags describe the engine.
	Tags map[string]string
	// States are the numbers of jobs by the name of their state, the history included.
	States map[string]int
	// Jobs are those that have not ended.
	Jobs []Job
}

// Job is the counters of one job.
type Job struct {
	ID    int64
	Name  string
	State string
	// Created is when the job was submitted; Finished is zero while it runs.
	Created, Finished time.Time
	// Sources are the tables that were read, Sinks those that were written.
	Sources, Sinks []Table
	// Rejected are rows that sinks refused.
	Rejected int64
	// Latencies are known of tables whose source tells when changes happened, Lags of sources that follow a log; both
	// only while the job is at hand, and the latencies from the last start of the process on.
	Latencies []TableLatency
	Lags      []SourceLag
}

// Table is the counters of one table. Bytes follow SeaTunnel's rule for the size of a value.
type Table struct {
	Name        string
	Rows, Bytes int64
}

// Total sums up tables.
func Total(tables []Table) (sum Table) {
	for _, t := range tables {
		sum.Rows += t.Rows
		sum.Bytes += t.Bytes
	}
	return sum
}

// Life is the time from the submission to the end, or to now for a job that runs; at least a millisecond.
func (j Job) Life(now time.Time) time.Duration {
	end := j.Finished
	if end.IsZero() {
		end = now
	}
	return max(end.Sub(j.Created), time.Millisecond)
}

// Rate is the average of a counter over a job's life, per second. SeaTunnel's rates are such averages, too.
func Rate(count int64, life time.Duration) float64 {
	if life <= 0 {
		return 0
	}
	return float64(count) / life.Seconds()
}

// AppendRate appends a number as Java's Double.toString writes it: at least one digit behind the point, and an exponent
// from ten million on and below a thousandth.
func AppendRate(b []byte, f float64) []byte {
	abs := math.Abs(f)
	if abs == 0 || abs < 1e7 && abs >= 1e-3 {
		start := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
		if bytes.IndexByte(b[start:], '.') < 0 {
			b = append(b, ".0"...)
		}
		return b
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	b = append(b, mantissa...)
	if !strings.Contains(mantissa, ".") {
		b = append(b, ".0"...)
	}
	n, _ := strconv.Atoi(exponent) // FormatFloat writes a number there
	return strconv.AppendInt(append(b, 'E'), int64(n), 10)
}
