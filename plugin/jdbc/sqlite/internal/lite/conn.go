package lite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Conn is a connection to one database file.
type Conn struct {
	tls *libc.TLS
	db  uintptr
	out uintptr // C memory for results that the library returns through a pointer
}

// Access says what a connection may do with its file.
type Access int32

// The ways to open a file.
const (
	ReadOnly  Access = sqlite3.SQLITE_OPEN_READONLY
	ReadWrite Access = sqlite3.SQLITE_OPEN_READWRITE
	Create    Access = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE
)

const pointerSize = bits.UintSize / 8

// Open opens a file, or what a file: URI names. The file itself is read with the first statement.
func Open(name string, access Access) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS()}
	c.out = sqlite3.Xsqlite3_malloc(c.tls, pointerSize)
	text, err := libc.CString(name)
	if c.out == 0 || err != nil {
		c.free()
		return nil, errors.Join(errMemory, err)
	}
	defer libc.Xfree(c.tls, text)
	flags := int32(access) | sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_URI | sqlite3.SQLITE_OPEN_EXRESCODE
	rc := sqlite3.Xsqlite3_open_v2(c.tls, text, c.out, flags, 0)
	c.db = pointerAt(c.out)
	if rc != sqlite3.SQLITE_OK {
		err := c.fail(rc)
		c.free()
		return nil, err
	}
	return c, nil
}

// Close ends the connection and rolls back what was not committed. Statements must be closed before.
func (c *Conn) Close() error {
	if c.tls == nil {
		return nil
	}
	rc := sqlite3.Xsqlite3_close(c.tls, c.db)
	if rc != sqlite3.SQLITE_OK {
		err := c.fail(rc)
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
		c.db = 0
		c.free()
		return err
	}
	c.db = 0
	c.free()
	return nil
}

func (c *Conn) free() {
	if c.db != 0 {
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	}
	if c.out != 0 {
		sqlite3.Xsqlite3_free(c.tls, c.out)
	}
	c.tls.Close()
	c.tls, c.db, c.out = nil, 0, 0
}

// pointerAt reads a pointer that the library has left in C memory.
func pointerAt(at uintptr) uintptr {
	b := libc.GoBytes(at, pointerSize)
	if pointerSize == 4 {
		return uintptr(binary.NativeEndian.Uint32(b))
	}
	return uintptr(binary.NativeEndian.Uint64(b))
}

// Prepare compiles one statement. Text after it is an error.
func (c *Conn) Prepare(sql string) (*Stmt, error) {
	s, rest, err := c.prepare(sql)
	if err != nil {
		return nil, err
	}
	if s == nil || rest != "" {
		if s != nil {
			s.Close()
		}
		return nil, &Error{Code: sqlite3.SQLITE_ERROR, Message: fmt.Sprintf("not exactly one statement: %q", sql)}
	}
	return s, nil
}

// prepare compiles the first statement of a text and returns what is left of it. The statement is nil if the text
// holds nothing but blanks and comments.
func (c *Conn) prepare(sql string) (*Stmt, string, error) {
	text, err := libc.CString(sql)
	if err != nil {
		return nil, "", err
	}
	defer libc.Xfree(c.tls, text)
	// The tail pointer goes to memory of its own: out takes the statement.
	tail := sqlite3.Xsqlite3_malloc(c.tls, pointerSize)
	if tail == 0 {
		return nil, "", errMemory
	}
	defer sqlite3.Xsqlite3_free(c.tls, tail)
	rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, int32(len(sql)+1), sqlite3.SQLITE_PREPARE_PERSISTENT, c.out, tail)
	if rc != sqlite3.SQLITE_OK {
		return nil, "", c.fail(rc)
	}
	stmt := pointerAt(c.out)
	rest := trimSQL(sql[pointerAt(tail)-text:])
	if stmt == 0 {
		return nil, rest, nil
	}
	return newStmt(c, stmt), rest, nil
}

// Exec runs all statements of a text, one after the other, to their ends. Each sees the arguments.
func (c *Conn) Exec(sql string, args ...any) error {
	for rest := sql; rest != ""; {
		s, tail, err := c.prepare(rest)
		if err != nil {
			return err
		}
		rest = tail
		if s == nil {
			continue
		}
		if err := errors.Join(s.Run(args...), s.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Row returns the first row of a query as values; nil if there is none.
func (c *Conn) Row(sql string, args ...any) ([]any, error) {
	s, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Bind(args...); err != nil {
		return nil, err
	}
	ok, err := s.Step()
	if err != nil || !ok {
		return nil, err
	}
	return s.Values(), nil
}

// InTransaction reports whether a transaction is open. SQLite ends one by itself after some errors.
func (c *Conn) InTransaction() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// Changes returns the number of rows that the last statement inserted, updated or deleted.
func (c *Conn) Changes() int64 { return sqlite3.Xsqlite3_changes64(c.tls, c.db) }

// interruptEvery is how often a watched statement is interrupted anew after its context has ended: SQLite forgets an
// interrupt that comes before a statement has started.
const interruptEvery = 20 * time.Millisecond

// Watch interrupts the connection's statements once ctx ends, until stop is called; stop waits for what was begun.
func (c *Conn) Watch(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	over, idle := make(chan struct{}), make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(idle)
		c.interruptUntil(over)
	})
	return func() {
		close(over)
		if !unhook() {
			<-idle
		}
	}
}

func (c *Conn) interruptUntil(over <-chan struct{}) {
	tls := libc.NewTLS() // the connection's own belongs to the goroutine that runs the statement
	defer tls.Close()
	again := time.NewTicker(interruptEvery)
	defer again.Stop()
	for {
		sqlite3.Xsqlite3_interrupt(tls, c.db)
		select {
		case <-over:
			return
		case <-again.C:
		}
	}
}
