package binlog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

var (
	// ErrPurged is part of an error that says that the server has deleted the log in which the position lies, or the
	// transactions behind its GTIDs: the changes since then cannot be read any more.
	ErrPurged = errors.New("the server has deleted the part of its binary log that is to be read next")
	// ErrServerID is part of an error that says that another replica with the same server id has connected.
	ErrServerID = errors.New("another replica uses the same server id")
	// ErrPosition is part of an error that says that the server has no such position: the log was reset, or it is
	// another server's.
	ErrPosition = errors.New("the server's binary log has no such position")
	// ErrDenied is part of an error that says that the user may not read the binary log.
	ErrDenied = errors.New("the user may not read the binary log")
	// ErrIncident is part of an error that says that the server's log lacks changes.
	ErrIncident = errors.New("the server says that changes are missing in its binary log")
	// ErrCorrupt is part of an error that says that an event's checksum is wrong or that its bytes make no sense.
	ErrCorrupt = errors.New("the event is damaged or not understood")
	// ErrTorn is part of an error that says that a log file ends within an event: the server crashed while it wrote it.
	// What was not whole was rolled back; the log goes on with the next of its [Files].
	ErrTorn = errors.New("the file ends within an event")
	// ErrColumns is part of an error that says that the log's columns are not those that were given: the table was
	// altered.
	ErrColumns = errors.New("the columns in the log are other ones")
	// ErrImage is part of an error that says that a row in the log lacks columns.
	ErrImage = errors.New("the row in the log is not complete")
)

// The server's numbers of errors that are told apart.
const (
	errAccess       = 1045
	errPrivilege    = 1227
	errNoPrivilege  = 1142
	errNoBinlog     = 1381
	errReading      = 1236 // all that can go wrong while a log is sent
	errSameID       = 4052 // MariaDB
	errNoGTIDInLogs = 1945 // MariaDB
	errGTIDDiverged = 1955 // MariaDB
	errGTIDPurged   = 1789 // MySQL
)

// explain turns a server's error into one of this package's, which keeps the server's text.
func explain(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	kind := kindOf(e)
	if kind == nil {
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

func kindOf(e *wire.Error) error {
	switch e.Number {
	case errAccess, errPrivilege, errNoPrivilege:
		return ErrDenied
	case errSameID:
		return ErrServerID
	case errNoBinlog:
		return errNoLog
	case errGTIDPurged:
		return ErrPurged
	case errNoGTIDInLogs, errGTIDDiverged:
		return ErrPosition
	case errReading:
		return reading(strings.ToLower(e.Message))
	}
	return nil
}

// reading tells the cases of error 1236 apart, which only its text does.
func reading(text string) error {
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("same server_uuid", "same server_id", "same server id"):
		return ErrServerID
	case has("not open", "binary log is not"):
		return errNoLog
	case has("purged", "could not find first log file", "could not find gtid state", "too old"):
		return ErrPurged
	case has("impossible position", "not in the master's binlog", "more gtids than the", "position >", "< 4",
		"diverged"):
		return ErrPosition
	case has("incident"):
		return ErrIncident
	case has("truncated in the middle of event"):
		return ErrTorn
	}
	return nil
}
