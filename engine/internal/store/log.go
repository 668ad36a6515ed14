package store

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// badgerLog is Badger's log in the store's. What Badger calls info tells of its inner life: debug here.
type badgerLog struct{ log hclog.Logger }

func (l badgerLog) Errorf(format string, args ...any)   { l.emit(hclog.Error, format, args) }
func (l badgerLog) Warningf(format string, args ...any) { l.emit(hclog.Warn, format, args) }
func (l badgerLog) Infof(format string, args ...any)    { l.emit(hclog.Debug, format, args) }
func (l badgerLog) Debugf(format string, args ...any)   { l.emit(hclog.Trace, format, args) }

func (l badgerLog) emit(level hclog.Level, format string, args []any) {
	if l.log.GetLevel() > level {
		return
	}
	l.log.Log(level, strings.TrimSpace(fmt.Sprintf(format, args...)))
}
