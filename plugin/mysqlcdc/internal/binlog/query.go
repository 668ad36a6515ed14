package binlog

import "errors"

// QueryText is a statement in the log: DDL, the start or the end of a transaction, or something that changes no rows.
type QueryText struct {
	// Schema is the database that the statement's session was in; may be empty.
	Schema string
	// Text is the statement in UTF-8.
	Text string
	// SQLMode are the bits of the session's sql_mode; see [QueryText.ANSIQuotes] and [QueryText.NoBackslash].
	SQLMode uint64
	// Code is the error that the statement ended with on the server; 0: none.
	Code uint16
}

// ParseQuery reads an event of type [Query]. It makes strings: use [Control] first.
func ParseQuery(e Event) (QueryText, error) { return QueryText{}, errors.ErrUnsupported }

// ANSIQuotes reports whether double quotes enclose names and not texts in the statement.
func (q QueryText) ANSIQuotes() bool { return q.SQLMode&(1<<2) != 0 }

// NoBackslash reports whether a backslash is a plain character in the statement's texts.
func (q QueryText) NoBackslash() bool { return q.SQLMode&(1<<20) != 0 }

// Control says what a statement does to a transaction.
type Control uint8

// What statements do to transactions.
const (
	Other     Control = iota // nothing: DDL, for example
	Begin                    // it starts one, also XA START
	Commit                   // it ends one
	Rollback                 // it ends one whose changes to transactional tables are void
	Savepoint                // SAVEPOINT, RELEASE, ROLLBACK TO, XA END
)

// ControlOf says what the statement of a [Query] event does to a transaction. It allocates nothing.
func ControlOf(e Event) Control { return Other }

// ParseRowsQuery reads an event of type [RowsQuery] or [AnnotateRows]: the text of a statement that changed rows.
func ParseRowsQuery(e Event) (string, error) { return "", errors.ErrUnsupported }
