package lite

import (
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Address is a place in an [Arena].
type Address uintptr

// Arena is C memory that parameters are bound from: a batch's texts are copied into it at once and bound in place.
// It belongs to one connection and grows to what the largest batch needs.
type Arena struct {
	c    *Conn
	base uintptr
	mem  []byte // all of it
	used int
}

// NewArena returns an empty arena. Close it before its connection.
func NewArena(c *Conn) *Arena { return &Arena{c: c} }

// keepArena is what an arena keeps between batches.
const keepArena = 4 << 20

// Reset forgets the contents and makes room for n bytes; the addresses up to now are void.
func (a *Arena) Reset(n int) error {
	a.used = 0
	n = max(n, 1) // an empty text has an address too: without one it would be null
	if n <= len(a.mem) && len(a.mem) <= max(keepArena, n) {
		return nil
	}
	a.Close()
	if n > maxLength {
		return errMemory
	}
	a.base = sqlite3.Xsqlite3_malloc(a.c.tls, int32(n))
	if a.base == 0 {
		return errMemory
	}
	a.mem = libc.GoBytes(a.base, n)
	return nil
}

// maxLength is the most that one allocation takes.
const maxLength = 1<<31 - 1024

// Put copies b and returns where it lies. There must be room for it.
func (a *Arena) Put(b []byte) Address {
	at := a.used
	a.used += copy(a.mem[at:], b)
	return Address(a.base + uintptr(at))
}

// Close frees the memory; the arena can be used again after Reset.
func (a *Arena) Close() {
	if a.base != 0 {
		sqlite3.Xsqlite3_free(a.c.tls, a.base)
	}
	a.base, a.mem = 0, nil
}
