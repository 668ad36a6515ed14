package engine

import (
	"bytes"
	"io"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// jobLog keeps the newest log lines of one job, up to a number of bytes.
type jobLog struct {
	mu    sync.Mutex
	limit int
	buf   []byte
}

// Write takes whole lines from the job's logger.
func (l *jobLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if over := len(l.buf) - l.limit; over > l.limit/4 {
		l.trim(over)
	}
	return len(p), nil
}

// trim drops at least n bytes, up to the end of a line.
func (l *jobLog) trim(n int) {
	if end := bytes.IndexByte(l.buf[n:], '\n'); end >= 0 {
		n += end + 1
	} else {
		n = len(l.buf)
	}
	l.buf = append(l.buf[:0], l.buf[n:]...)
}

// text returns a copy of the lines, the last limit bytes of them.
func (l *jobLog) text() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if over := len(l.buf) - l.limit; over > 0 && l.limit > 0 {
		l.trim(over)
	}
	return bytes.Clone(l.buf)
}

// jobLogger returns a logger that writes to the job's own log and to the host's logger, there with the job's id, both
// without the job's secrets.
func jobLogger(host hclog.Logger, own *jobLog, id int64, secrets *redactor) hclog.Logger {
	if own.limit < 0 {
		return secrets.logger(host.With("job", id))
	}
	var out io.Writer = own
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: out, Level: hclog.Info, DisableTime: false})
	logger.RegisterSink(&hostSink{host: host, id: id})
	return secrets.logger(logger)
}

// hostSink hands a job's lines on to the host.
type hostSink struct {
	host hclog.Logger
	id   int64
}

// Accept implements hclog.SinkAdapter.
func (s *hostSink) Accept(name string, level hclog.Level, msg string, args ...any) {
	s.host.Log(level, msg, append([]any{"job", s.id}, args...)...)
}
