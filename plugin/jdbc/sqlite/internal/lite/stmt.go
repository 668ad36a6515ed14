package lite

import (
	"fmt"
	"strings"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Kind is the storage class of one value.
type Kind int32

// The storage classes.
const (
	Integer Kind = sqlite3.SQLITE_INTEGER
	Real    Kind = sqlite3.SQLITE_FLOAT
	Text    Kind = sqlite3.SQLITE_TEXT
	Blob    Kind = sqlite3.SQLITE_BLOB
	Null    Kind = sqlite3.SQLITE_NULL
)

// String returns SQLite's name of the class.
func (k Kind) String() string {
	switch k {
	case Integer:
		return "INTEGER"
	case Real:
		return "REAL"
	case Text:
		return "TEXT"
	case Blob:
		return "BLOB"
	default:
		return "NULL"
	}
}

// Stmt is a prepared statement.
type Stmt struct {
	c    *Conn
	tls  *libc.TLS
	stmt uintptr
}

func newStmt(c *Conn, stmt uintptr) *Stmt { return &Stmt{c: c, tls: c.tls, stmt: stmt} }

// Close frees the statement. A failure of its last run is not reported again.
func (s *Stmt) Close() error {
	if s.stmt != 0 {
		sqlite3.Xsqlite3_finalize(s.tls, s.stmt)
		s.stmt = 0
	}
	return nil
}

// Params returns the number of parameters.
func (s *Stmt) Params() int { return int(sqlite3.Xsqlite3_bind_parameter_count(s.tls, s.stmt)) }

// BindNull sets parameter i, from 1, to null.
func (s *Stmt) BindNull(i int) error {
	return s.bound(sqlite3.Xsqlite3_bind_null(s.tls, s.stmt, int32(i)))
}

// BindInt sets parameter i to an integer.
func (s *Stmt) BindInt(i int, v int64) error {
	return s.bound(sqlite3.Xsqlite3_bind_int64(s.tls, s.stmt, int32(i), v))
}

// BindFloat sets parameter i to a floating point number. SQLite turns a NaN into null.
func (s *Stmt) BindFloat(i int, v float64) error {
	return s.bound(sqlite3.Xsqlite3_bind_double(s.tls, s.stmt, int32(i), v))
}

// BindText sets parameter i to n bytes of text in an arena, which must keep them until the next binding.
func (s *Stmt) BindText(i int, at Address, n int) error {
	return s.bound(sqlite3.Xsqlite3_bind_text(s.tls, s.stmt, int32(i), uintptr(at), int32(n), static))
}

// BindBlob sets parameter i to n bytes in an arena, which must keep them until the next binding.
func (s *Stmt) BindBlob(i int, at Address, n int) error {
	return s.bound(sqlite3.Xsqlite3_bind_blob(s.tls, s.stmt, int32(i), uintptr(at), int32(n), static))
}

// The two ways to hand memory over: SQLite relies on it, or copies it.
const (
	static    = uintptr(0)
	transient = ^uintptr(0)
)

func (s *Stmt) bound(rc int32) error {
	if rc == sqlite3.SQLITE_OK {
		return nil
	}
	return s.c.fail(rc)
}

// Bind sets the parameters from the first on: nil, int64, float64, string and []byte. It copies and is meant for
// statements that run rarely. Values beyond the last parameter are ignored, so that one list serves several
// statements.
func (s *Stmt) Bind(values ...any) error {
	for i, v := range values[:min(len(values), s.Params())] {
		if err := s.bind(i+1, v); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stmt) bind(i int, v any) error {
	switch v := v.(type) {
	case nil:
		return s.BindNull(i)
	case int64:
		return s.BindInt(i, v)
	case float64:
		return s.BindFloat(i, v)
	case string:
		return s.bindCopy(i, v, sqlite3.Xsqlite3_bind_text)
	case []byte:
		return s.bindCopy(i, string(v), sqlite3.Xsqlite3_bind_blob)
	default:
		return fmt.Errorf("a value of type %T cannot be bound", v)
	}
}

func (s *Stmt) bindCopy(i int, v string, bind func(*libc.TLS, uintptr, int32, uintptr, int32, uintptr) int32) error {
	text, err := libc.CString(v)
	if err != nil {
		return err
	}
	defer libc.Xfree(s.tls, text)
	return s.bound(bind(s.tls, s.stmt, int32(i), text, int32(len(v)), transient))
}

// Step runs the statement up to its next row, or to its end: then it returns false.
func (s *Stmt) Step() (bool, error) {
	switch rc := sqlite3.Xsqlite3_step(s.tls, s.stmt); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.fail(rc)
	}
}

// Reset makes the statement ready to run again; bindings stay.
func (s *Stmt) Reset() { sqlite3.Xsqlite3_reset(s.tls, s.stmt) }

// Run binds values, runs the statement to its end and resets it.
func (s *Stmt) Run(values ...any) error {
	if err := s.Bind(values...); err != nil {
		return err
	}
	defer s.Reset()
	for {
		more, err := s.Step()
		if err != nil || !more {
			return err
		}
	}
}

// Kind returns the storage class of column i, from 0, of the current row.
func (s *Stmt) Kind(i int) Kind { return Kind(sqlite3.Xsqlite3_column_type(s.tls, s.stmt, int32(i))) }

// Int returns an Integer value.
func (s *Stmt) Int(i int) int64 { return sqlite3.Xsqlite3_column_int64(s.tls, s.stmt, int32(i)) }

// Float returns a Real value.
func (s *Stmt) Float(i int) float64 { return sqlite3.Xsqlite3_column_double(s.tls, s.stmt, int32(i)) }

// Bytes returns a Text or Blob value where it lies: it is valid until the next Step, Reset or Close.
func (s *Stmt) Bytes(i int) []byte {
	p := sqlite3.Xsqlite3_column_blob(s.tls, s.stmt, int32(i))
	if p == 0 {
		return nil
	}
	return libc.GoBytes(p, s.Size(i))
}

// Size returns the number of bytes of a Text or Blob value.
func (s *Stmt) Size(i int) int { return int(sqlite3.Xsqlite3_column_bytes(s.tls, s.stmt, int32(i))) }

// Value returns a copy of a value: nil, int64, float64, string or []byte.
func (s *Stmt) Value(i int) any {
	switch s.Kind(i) {
	case Integer:
		return s.Int(i)
	case Real:
		return s.Float(i)
	case Text:
		return string(s.Bytes(i))
	case Blob:
		return append([]byte{}, s.Bytes(i)...)
	default:
		return nil
	}
}

// Values returns copies of the current row's values.
func (s *Stmt) Values() []any {
	row := make([]any, s.Columns())
	for i := range row {
		row[i] = s.Value(i)
	}
	return row
}

// Columns returns the number of columns of the result.
func (s *Stmt) Columns() int { return int(sqlite3.Xsqlite3_column_count(s.tls, s.stmt)) }

// Name returns the name of column i.
func (s *Stmt) Name(i int) string {
	return libc.GoString(sqlite3.Xsqlite3_column_name(s.tls, s.stmt, int32(i)))
}

// Declared returns the declared type of the table column that column i shows; empty for expressions.
func (s *Stmt) Declared(i int) string {
	return libc.GoString(sqlite3.Xsqlite3_column_decltype(s.tls, s.stmt, int32(i)))
}

// trimSQL drops blanks and separators at the start of what is left of a text.
func trimSQL(sql string) string { return strings.TrimLeft(sql, " \t\r\n;\x00") }
