package mysqlcdc

import (
	"errors"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
)

// explain turns an error of the log's reader into one that says what to do.
func (s *Source) explain(err error) error {
	var known *plugin.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := &plugin.Error{Vertex: s.env.Vertex, Err: err}
	switch {
	case errors.Is(err, binlog.ErrPurged):
		e.Code = plugin.CodeNotFound
		e.Fix = "start the job afresh, and let the server keep its logs longer (binlog_expire_logs_seconds, expire_logs_days)"
	case errors.Is(err, binlog.ErrServerID):
		e.Code, e.Retry = plugin.CodeUnavailable, true
		e.Fix = "give server-id a number, or a range of numbers, that no other replica has"
	case errors.Is(err, binlog.ErrPosition):
		e.Code = plugin.CodeNotFound
		e.Fix = "check startup.specific-offset; if the server's logs were reset, start the job afresh"
	case errors.Is(err, binlog.ErrDenied):
		e.Code, e.Fix = plugin.CodeDenied, "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the user"
	case errors.Is(err, binlog.ErrIncident):
		e.Code, e.Fix = plugin.CodeData, "start the job afresh"
	case errors.Is(err, binlog.ErrCorrupt):
		e.Code = plugin.CodeData
		e.Fix = "check the server's log with mysqlbinlog --verify-binlog-checksum; start the job afresh"
	case errors.Is(err, binlog.ErrImage):
		e.Code, e.Fix = plugin.CodeData, "set binlog_row_image = FULL on the server, also for its open sessions"
	case errors.Is(err, wire.ErrLost):
		e.Code, e.Retry = plugin.CodeUnavailable, true
		e.Fix = "check that the server runs and can be reached"
	default:
		return err
	}
	return e
}
