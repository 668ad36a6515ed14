package binlog

import "strings"

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

// ANSIQuotes reports whether double quotes enclose names and not texts in the statement.
func (q QueryText) ANSIQuotes() bool { return q.SQLMode&(1<<2) != 0 }

// NoBackslash reports whether a backslash is a plain character in the statement's texts.
func (q QueryText) NoBackslash() bool { return q.SQLMode&(1<<20) != 0 }

// ParseQuery reads an event of type [Query]. It makes strings: use [ControlOf] first.
func ParseQuery(e Event) (QueryText, error) {
	schema, status, text, code, ok := queryParts(e.Body)
	if !ok {
		return QueryText{}, corrupt("a query event of %d bytes", len(e.Body))
	}
	q := QueryText{Schema: string(schema), Code: code}
	collation, mode := statusOf(status)
	q.SQLMode = mode
	converter, err := newConverter(charsetOf(collation))
	if err != nil {
		return q, err
	}
	if converter != nil {
		if text, err = converter.append(nil, text); err != nil {
			return q, err
		}
	}
	q.Text = strings.ToValidUTF8(string(text), replacement)
	return q, nil
}

// queryParts cuts the body of a query event.
func queryParts(body []byte) (schema, status, text []byte, code uint16, ok bool) {
	c := cursor{b: body}
	c.skip(4 + 4) // the session, the seconds that it took
	n := int(c.u8())
	code = c.u16()
	status = c.take(int(c.u16()))
	schema = c.take(n)
	c.skip(1)
	return schema, status, c.b, code, !c.bad
}

// The numbers of the status variables of a query event.
const (
	statusFlags2        = 0
	statusSQLMode       = 1
	statusCatalog       = 2
	statusAutoIncrement = 3
	statusCharset       = 4
	statusTimeZone      = 5
	statusCatalogNZ     = 6
)

// statusOf reads the client's collation and the sql_mode out of the status variables, which are the first ones. The
// collation is 0 if it is not told.
func statusOf(status []byte) (collation uint16, mode uint64) {
	c := cursor{b: status}
	for len(c.b) > 0 {
		switch c.u8() {
		case statusFlags2:
			c.skip(4)
		case statusSQLMode:
			mode = c.u64()
		case statusCatalog:
			c.skip(int(c.u8()) + 1)
		case statusCatalogNZ, statusTimeZone:
			c.skip(int(c.u8()))
		case statusAutoIncrement:
			c.skip(4)
		case statusCharset:
			return c.u16(), mode
		default:
			return 0, mode
		}
	}
	return 0, mode
}

// Control says what a statement does to a transaction.
type Control uint8

// What statements do to transactions.
const (
	Other     Control = iota // nothing: DDL, for example
	Begin                    // it starts one, also XA START
	Commit                   // it ends one, also XA COMMIT
	Rollback                 // it ends one whose changes to transactional tables are void, also XA ROLLBACK
	Savepoint                // SAVEPOINT, RELEASE, ROLLBACK TO, XA END
)

// ControlOf says what the statement of a [Query] event does to a transaction. It allocates nothing.
func ControlOf(e Event) Control {
	_, _, text, _, ok := queryParts(e.Body)
	if !ok {
		return Other
	}
	switch {
	case equalFold(text, "BEGIN"), prefixFold(text, "XA START"), prefixFold(text, "START TRANSACTION"):
		return Begin
	case equalFold(text, "COMMIT"), prefixFold(text, "XA COMMIT"):
		return Commit
	case prefixFold(text, "ROLLBACK TO"), prefixFold(text, "SAVEPOINT"), prefixFold(text, "RELEASE SAVEPOINT"),
		prefixFold(text, "XA END"):
		return Savepoint
	case equalFold(text, "ROLLBACK"), prefixFold(text, "XA ROLLBACK"):
		return Rollback
	}
	return Other
}

func equalFold(text []byte, word string) bool {
	return len(text) == len(word) && prefixFold(text, word)
}

// prefixFold reports whether text begins with words in capitals, in any case.
func prefixFold(text []byte, words string) bool {
	if len(text) < len(words) {
		return false
	}
	for i := range len(words) {
		c := text[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != words[i] {
			return false
		}
	}
	return true
}

// ParseRowsQuery reads an event of type [RowsQuery] or [AnnotateRows]: the text of a statement that changed rows.
func ParseRowsQuery(e Event) (string, error) {
	text := e.Body
	if e.Type == RowsQuery { // its length in one byte is cut off for long texts
		if len(text) == 0 {
			return "", corrupt("a rows query event of 0 bytes")
		}
		text = text[1:]
	}
	return strings.ToValidUTF8(string(text), replacement), nil
}
