package mysqlcdc

import (
	"context"
	"fmt"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
)

// lagMeter asks the server now and then where its log ends. What it cannot learn it leaves unknown.
type lagMeter struct {
	session *mysql.Session
	next    time.Time
	files   []logFile
}

type logFile struct {
	name string
	size uint64
}

// lagPeriod is the time between two questions.
const lagPeriod = 5 * time.Second

// tick asks if it is time to.
func (m *lagMeter) tick(ctx context.Context, l *logReader) {
	now := time.Now()
	if now.Before(m.next) {
		return
	}
	m.next = now.Add(lagPeriod)
	if m.session == nil {
		session, err := l.source.server.Connect(ctx)
		if err != nil {
			return
		}
		m.session = session
	}
	err := m.session.Run(ctx, func(c *wire.Conn) error {
		rows, err := c.Rows("SHOW BINARY LOGS")
		m.files = m.files[:0]
		for _, row := range rows {
			f := logFile{name: wire.String(row[0])}
			if _, err := fmt.Sscanf(wire.String(row[1]), "%d", &f.size); err != nil {
				return err
			}
			m.files = append(m.files, f)
		}
		return err
	})
	if err != nil {
		l.task.Logger.Debug("the end of the log is not known", "error", err)
		m.files = nil
		m.close()
	}
}

// behind returns the bytes of the log behind a place, -1 if unknown, and its end.
func (m *lagMeter) behind(at place) (int64, string) {
	if len(m.files) == 0 {
		return -1, ""
	}
	last := m.files[len(m.files)-1]
	end := place{File: last.name, Pos: last.size}
	bytes := int64(-1)
	for _, f := range m.files {
		switch {
		case f.name == at.File:
			bytes = max(0, int64(f.size)-int64(at.Pos))
		case bytes >= 0:
			bytes += int64(f.size)
		}
	}
	if at.Compare(end) >= 0 && at.File != "" {
		bytes = 0
	}
	return bytes, end.String()
}

// lag returns how far behind the reader is, as of the last answer of the server.
func (l *logReader) lag() plugin.Lag {
	at := l.state.At
	if l.stream != nil {
		at.File, at.Pos = l.stream.File()
	}
	bytes, end := l.behind.behind(at)
	return plugin.Lag{Bytes: bytes, At: place{File: at.File, Pos: at.Pos}.String(), End: end}
}

func (m *lagMeter) close() {
	if m.session != nil {
		_ = m.session.Close() // it only looks
	}
	m.session = nil
}
