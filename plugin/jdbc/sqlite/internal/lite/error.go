package lite

import (
	"errors"
	"fmt"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

var errMemory = errors.New("SQLite has no memory left")

// Error is a failure that SQLite reports.
type Error struct {
	// Code is the extended result code.
	Code int
	// Message is SQLite's text.
	Message string
}

// Error returns the message and the code.
func (e *Error) Error() string { return fmt.Sprintf("%s (SQLite code %d)", e.Message, e.Code) }

// The result codes that this connector tells apart.
const (
	Busy       = sqlite3.SQLITE_BUSY
	Locked     = sqlite3.SQLITE_LOCKED
	Interrupt  = sqlite3.SQLITE_INTERRUPT
	CantOpen   = sqlite3.SQLITE_CANTOPEN
	Constraint = sqlite3.SQLITE_CONSTRAINT
	Mismatch   = sqlite3.SQLITE_MISMATCH
	TooBig     = sqlite3.SQLITE_TOOBIG
	NotADB     = sqlite3.SQLITE_NOTADB
	ReadOnlyDB = sqlite3.SQLITE_READONLY
	Full       = sqlite3.SQLITE_FULL
	Corrupt    = sqlite3.SQLITE_CORRUPT
	Perm       = sqlite3.SQLITE_PERM
	Auth       = sqlite3.SQLITE_AUTH
	IOErr      = sqlite3.SQLITE_IOERR
)

// CodeOf returns the primary result code of an error, 0 if it is none of SQLite's.
func CodeOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code & 0xff
	}
	return 0
}

func (c *Conn) fail(rc int32) error {
	if c.db == 0 {
		return &Error{Code: int(rc), Message: libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))}
	}
	return &Error{Code: int(rc), Message: libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))}
}
