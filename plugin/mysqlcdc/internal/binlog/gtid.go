package binlog

import "errors"

// Flavour is the kind of GTIDs that a server has.
type Flavour uint8

// The flavours.
const (
	AnyFlavour Flavour = iota // of an empty set
	MySQL                     // uuid:number, sets of intervals
	MariaDB                   // domain-server-number, one of each domain
)

// GTID is the name of one transaction.
type GTID struct {
	// Flavour says which of the other fields count. AnyFlavour: no GTID.
	Flavour Flavour
	// Number counts transactions.
	Number uint64
	// Domain and Server are MariaDB's.
	Domain, Server uint32
	// UUID and Tag are MySQL's; most GTIDs have no tag.
	UUID [16]byte
	Tag  string
}

// String returns the GTID as its server writes it; "" if it is none.
func (g GTID) String() string { return "" }

// GTIDs is a set of transactions. MySQL's are intervals of each server; MariaDB's are the last one of each domain,
// which stands for all before it. The zero value is the empty set. Its text form, which JSON uses too, is the servers'.
type GTIDs struct {
	flavour Flavour
	maria   []GTID   // sorted by domain
	mysql   []source // sorted by uuid and tag
}

type source struct{}

// ParseGTIDs reads a set as MySQL's gtid_executed and MariaDB's gtid_binlog_pos have it; white space does not matter.
func ParseGTIDs(text string) (*GTIDs, error) { return nil, errors.ErrUnsupported }

// String returns the set in the order of its sources, without white space.
func (s *GTIDs) String() string { return "" }

// MarshalText implements encoding.TextMarshaler.
func (s *GTIDs) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *GTIDs) UnmarshalText(text []byte) error { return errors.ErrUnsupported }

// Empty reports whether no transaction is in the set.
func (s *GTIDs) Empty() bool { return len(s.maria) == 0 && len(s.mysql) == 0 }

// Flavour returns the kind of its GTIDs, [AnyFlavour] of an empty set.
func (s *GTIDs) Flavour() Flavour { return s.flavour }

// Clone returns a copy.
func (s *GTIDs) Clone() *GTIDs { return nil }

// Equal reports whether both sets have the same transactions.
func (s *GTIDs) Equal(o *GTIDs) bool { return false }

// Has reports whether a transaction is in the set: for MariaDB, that the set is at or behind it in its domain.
func (s *GTIDs) Has(g GTID) bool { return false }

// Contains reports whether all transactions of o are in the set.
func (s *GTIDs) Contains(o *GTIDs) bool { return false }

// Add adds a transaction. It allocates only for the first one of a source. Adding a GTID of the other flavour changes
// nothing and returns an error.
func (s *GTIDs) Add(g GTID) error { return errors.ErrUnsupported }
