package pgoutput

import (
	"bytes"
	"encoding/binary"
)

// The kinds of messages.
const (
	KindBegin    = 'B'
	KindCommit   = 'C'
	KindRelation = 'R'
	KindInsert   = 'I'
	KindUpdate   = 'U'
	KindDelete   = 'D'
	KindTruncate = 'T'
	KindType     = 'Y' // a type that is not built in
	KindOrigin   = 'O'
	KindLogical  = 'M' // of pg_logical_emit_message
)

// Begin starts a transaction.
type Begin struct {
	// Final is where the commit is in the log: the order of transactions.
	Final LSN
	// Time is that of the commit, in Unix microseconds.
	Time int64
	// XID is the transaction's number without its epoch.
	XID uint32
}

// ParseBegin reads a message of KindBegin.
func ParseBegin(m []byte) (Begin, error) {
	if len(m) != 1+8+8+4 {
		return Begin{}, errForm
	}
	return Begin{
		Final: LSN(binary.BigEndian.Uint64(m[1:])), Time: int64(binary.BigEndian.Uint64(m[9:])) + epochMicros,
		XID: binary.BigEndian.Uint32(m[17:]),
	}, nil
}

// ParseCommit reads a message of KindCommit and returns the position right after the commit.
func ParseCommit(m []byte) (end LSN, err error) {
	if len(m) != 1+1+8+8+8 {
		return 0, errForm
	}
	return LSN(binary.BigEndian.Uint64(m[10:])), nil
}

// Identity is what of an old row the log holds: the table's REPLICA IDENTITY.
type Identity byte

// The identities.
const (
	IdentityDefault Identity = 'd' // the primary key
	IdentityNothing Identity = 'n'
	IdentityFull    Identity = 'f' // the whole row
	IdentityIndex   Identity = 'i' // the columns of an index
)

// Relation describes a table as it is from here on in the log.
type Relation struct {
	OID          uint32
	Schema, Name string
	Identity     Identity
	Columns      []Column
}

// Column is a column of a Relation.
type Column struct {
	Name string `json:"name"`
	// Key says that the column is part of the identity.
	Key bool `json:"key,omitempty"`
	// Type is the type's object id, Mod its modifier.
	Type uint32 `json:"type"`
	Mod  int32  `json:"mod"`
}

// ParseRelation reads a message of KindRelation.
func ParseRelation(m []byte) (*Relation, error) {
	r := reader{rest: m[1:]}
	rel := &Relation{OID: r.uint32(), Schema: r.text(), Name: r.text(), Identity: Identity(r.byte())}
	n := int(r.uint16())
	for range n {
		c := Column{Key: r.byte()&1 != 0, Name: r.text(), Type: r.uint32(), Mod: int32(r.uint32())}
		if r.bad {
			break
		}
		rel.Columns = append(rel.Columns, c)
	}
	if r.bad || len(r.rest) > 0 {
		return nil, errForm
	}
	return rel, nil
}

// Change is one change of a row.
type Change struct {
	Kind     byte // KindInsert, KindUpdate or KindDelete
	Relation uint32
	// Old is the row before the change, as far as the log holds it: the identity's columns alone if KeyOnly is set.
	// Nil: an update that left the identity as it was.
	Old     Tuple
	KeyOnly bool
	// New is the row after the change; nil for a delete.
	New Tuple
}

// ParseChange reads a message of one of the kinds of Change. The tuples are found, not checked.
func ParseChange(m []byte) (Change, error) {
	if len(m) < 6 {
		return Change{}, errForm
	}
	c := Change{Kind: m[0], Relation: binary.BigEndian.Uint32(m[1:])}
	rest := m[5:]
	var err error
	if rest[0] == 'K' || rest[0] == 'O' {
		c.KeyOnly = rest[0] == 'K'
		if c.Kind == KindInsert {
			return c, errForm
		}
		if c.Kind == KindDelete {
			c.Old = Tuple(rest[1:])
			return c, nil
		}
		if c.Old, rest, err = cutTuple(rest[1:]); err != nil {
			return c, err
		}
	}
	if c.Kind == KindDelete || len(rest) == 0 || rest[0] != 'N' {
		return c, errForm
	}
	c.New = Tuple(rest[1:])
	return c, nil
}

// ParseTruncate reads a message of KindTruncate and returns the tables that were emptied.
func ParseTruncate(m []byte) ([]uint32, error) {
	r := reader{rest: m[1:]}
	n := int(r.uint32())
	r.byte() // options
	if n > len(r.rest)/4 {
		return nil, errForm
	}
	tables := make([]uint32, n)
	for i := range tables {
		tables[i] = r.uint32()
	}
	if r.bad {
		return nil, errForm
	}
	return tables, nil
}

// reader reads the parts of a message. After its end everything is zero and bad is set.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if len(r.rest) < n {
		r.bad, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

func (r *reader) text() string {
	end := bytes.IndexByte(r.rest, 0)
	if end < 0 {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:end])
	r.rest = r.rest[end+1:]
	return s
}
