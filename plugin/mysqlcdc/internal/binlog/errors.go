package binlog

import "errors"

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
	// ErrColumns is part of an error that says that the log's columns are not those that were given: the table was
	// altered.
	ErrColumns = errors.New("the columns in the log are other ones")
	// ErrImage is part of an error that says that a row in the log lacks columns.
	ErrImage = errors.New("the row in the log is not complete")
)
