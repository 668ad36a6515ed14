// Package progress shows a running job on a terminal: a bar where the number of rows is known, the rows and the rate
// in any case. Where the output is no terminal it prints a line every few seconds.
package progress

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

const (
	refresh  = 100 * time.Millisecond
	lines    = 2 * time.Second
	barWidth = 30
)

// Watch shows a job on out until it ends, and returns what Job.Wait returns. total is the number of rows that the
// sinks will take, 0 if unknown.
func Watch(ctx context.Context, out *os.File, job *engine.Job, total int64) (*engine.Result, error) {
	terminal := isTerminal(out)
	every := lines
	if terminal {
		every = refresh
	}
	ended := make(chan struct{})
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		show(out, job, total, terminal, every, ended)
	}()
	result, err := job.Wait(ctx)
	close(ended)
	<-shown
	return result, err
}

func show(out io.Writer, job *engine.Job, total int64, terminal bool, every time.Duration, ended <-chan struct{}) {
	begun := time.Now()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			print(out, line(job.Info(), total, time.Since(begun)), terminal)
		case <-ended:
			if terminal {
				print(out, line(job.Info(), total, time.Since(begun)), terminal)
				fmt.Fprintln(out)
			}
			return
		}
	}
}

func print(out io.Writer, text string, terminal bool) {
	if terminal {
		fmt.Fprintf(out, "\r\x1b[K%s", text)
		return
	}
	fmt.Fprintln(out, text)
}

func line(info engine.Info, total int64, elapsed time.Duration) string {
	in, _ := info.Metrics.Totals(plugin.SourceRole)
	done, _ := info.Metrics.Totals(plugin.SinkRole)
	rate := int64(float64(done) / max(elapsed.Seconds(), 0.001))
	text := fmt.Sprintf("%-8s %s rows read, %s written, %s rows/s, %.1f s", info.State, Thousands(in), Thousands(done),
		Thousands(rate), elapsed.Seconds())
	if total > 0 {
		text = bar(done, total) + " " + text
	}
	return text
}

func bar(done, total int64) string {
	filled := int(min(done, total) * barWidth / total)
	return fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled),
		min(done, total)*100/total)
}

// Thousands writes a number with a comma between groups of three digits.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
