package sqlite

import (
	"errors"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// explain turns an error of SQLite into one that says what to do.
func (d *database) explain(err error) error {
	var known *plugin.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := &plugin.Error{Err: err}
	switch lite.CodeOf(err) {
	case 0:
		return err
	case lite.CantOpen:
		e.Code = plugin.CodeNotFound
		e.Fix = "check the path in the url, " + d.name + ": the file, or at least its directory, must exist and be accessible"
	case lite.ReadOnlyDB, lite.Perm, lite.Auth:
		e.Code, e.Fix = plugin.CodeDenied, "allow writing to the file "+d.name+" and to its directory"
	case lite.Busy, lite.Locked:
		e.Code, e.Retry = plugin.CodeUnavailable, true
		e.Fix = "another program holds the lock for longer than connection_check_timeout_sec"
	case lite.NotADB, lite.Corrupt:
		e.Code, e.Fix = plugin.CodeData, d.name+" is no SQLite database, or is damaged"
	case lite.Full, lite.IOErr:
		e.Code, e.Retry, e.Fix = plugin.CodeUnavailable, true, "check the disk that "+d.name+" lies on"
	case lite.Constraint, lite.Mismatch, lite.TooBig:
		e.Code, e.Fix = plugin.CodeData, "correct the rows, or relax the target table's constraints"
	default:
		explainMessage(e)
	}
	return e
}

// explainMessage tells apart what SQLite reports with its general error code.
func explainMessage(e *plugin.Error) {
	text := e.Err.Error()
	switch {
	case strings.Contains(text, "no such table"):
		e.Code, e.Fix = plugin.CodeNotFound, "check the name of the table and the file in the url"
	case strings.Contains(text, "no such column"), strings.Contains(text, "has no column named"):
		e.Code, e.Fix = plugin.CodeNotFound, "check the names of the columns"
	case strings.Contains(text, "ON CONFLICT clause does not match"):
		e.Code = plugin.CodeConfig
		e.Fix = "an upsert needs a primary key or unique index on exactly the key's columns: make one, or set " +
			"enable_upsert = false"
	default:
		e.Code = plugin.CodeConfig
	}
}

// ofTable adds the table to an error that does not name it.
func ofTable(err error, id plugin.TableID) error {
	var e *plugin.Error
	if errors.As(err, &e) && e.Table.Name == "" {
		e.Table = id
	}
	return err
}
