package binlog

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
)

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
	// Number counts transactions, from 1.
	Number uint64
	// Domain and Server are MariaDB's.
	Domain, Server uint32
	// UUID and Tag are MySQL's; most GTIDs have no tag.
	UUID [16]byte
	Tag  string
}

// String returns the GTID as its server writes it; "" if it is none.
func (g GTID) String() string { return string(g.appendTo(nil)) }

func (g GTID) appendTo(dst []byte) []byte {
	switch g.Flavour {
	case MariaDB:
		dst = append(strconv.AppendUint(dst, uint64(g.Domain), 10), '-')
		dst = append(strconv.AppendUint(dst, uint64(g.Server), 10), '-')
	case MySQL:
		dst = append(appendUUID(dst, g.UUID), ':')
		if g.Tag != "" {
			dst = append(append(dst, g.Tag...), ':')
		}
	default:
		return dst
	}
	return strconv.AppendUint(dst, g.Number, 10)
}

func appendUUID(dst []byte, id [16]byte) []byte {
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// GTIDs is a set of transactions. MySQL's are intervals of each server; MariaDB's are the last one of each domain,
// which stands for all before it. The zero value is the empty set. Its text form, which JSON uses too, is the servers'.
type GTIDs struct {
	maria []GTID   // sorted by domain
	mysql []source // sorted by uuid and tag
}

// source is what a set has of one MySQL server.
type source struct {
	uuid  [16]byte
	tag   string
	spans []span // sorted, with gaps between them
}

// span is the numbers from first to last.
type span struct{ first, last uint64 }

// Flavour returns the kind of its GTIDs, [AnyFlavour] of an empty set.
func (s *GTIDs) Flavour() Flavour {
	switch {
	case len(s.maria) > 0:
		return MariaDB
	case len(s.mysql) > 0:
		return MySQL
	}
	return AnyFlavour
}

// Empty reports whether no transaction is in the set.
func (s *GTIDs) Empty() bool { return s.Flavour() == AnyFlavour }

// Clone returns a copy.
func (s *GTIDs) Clone() *GTIDs {
	if s == nil {
		return nil
	}
	c := &GTIDs{maria: slices.Clone(s.maria), mysql: slices.Clone(s.mysql)}
	for i := range c.mysql {
		c.mysql[i].spans = slices.Clone(c.mysql[i].spans)
	}
	return c
}

// Equal reports whether both sets have the same transactions. MariaDB's server numbers do not count.
func (s *GTIDs) Equal(o *GTIDs) bool { return s.Contains(o) && o.Contains(s) }

// Has reports whether a transaction is in the set: for MariaDB, whether the set is at it or behind it in its domain.
func (s *GTIDs) Has(g GTID) bool {
	switch g.Flavour {
	case MariaDB:
		i, ok := s.domain(g.Domain)
		return ok && s.maria[i].Number >= g.Number
	case MySQL:
		i, ok := s.source(g.UUID, g.Tag)
		return ok && s.mysql[i].has(span{g.Number, g.Number})
	}
	return false
}

// Contains reports whether all transactions of o are in the set.
func (s *GTIDs) Contains(o *GTIDs) bool {
	for _, g := range o.maria {
		if !s.Has(g) {
			return false
		}
	}
	for _, src := range o.mysql {
		i, ok := s.source(src.uuid, src.tag)
		if !ok || slices.ContainsFunc(src.spans, func(p span) bool { return !s.mysql[i].has(p) }) {
			return false
		}
	}
	return true
}

var errFlavours = errors.New("GTIDs of MySQL and MariaDB do not mix")

// Add adds a transaction. It allocates only for the first one of a server or a domain, and for gaps. Adding a GTID of
// the other flavour is an error and changes nothing; adding none is nothing.
func (s *GTIDs) Add(g GTID) error {
	if g.Flavour == AnyFlavour {
		return nil
	}
	if have := s.Flavour(); have != AnyFlavour && have != g.Flavour {
		return errFlavours
	}
	if g.Flavour == MySQL {
		s.addSpan(g.UUID, g.Tag, span{g.Number, g.Number})
		return nil
	}
	i, ok := s.domain(g.Domain)
	switch {
	case !ok:
		s.maria = slices.Insert(s.maria, i, g)
	case s.maria[i].Number <= g.Number:
		s.maria[i] = g
	}
	return nil
}

func (s *GTIDs) domain(domain uint32) (int, bool) {
	return slices.BinarySearchFunc(s.maria, domain, func(g GTID, d uint32) int { return cmp.Compare(g.Domain, d) })
}

func (s *GTIDs) source(uuid [16]byte, tag string) (int, bool) {
	return slices.BinarySearchFunc(s.mysql, uuid, func(src source, id [16]byte) int {
		return cmp.Or(bytes.Compare(src.uuid[:], id[:]), strings.Compare(src.tag, tag))
	})
}

func (s *GTIDs) addSpan(uuid [16]byte, tag string, p span) {
	i, ok := s.source(uuid, tag)
	if !ok {
		s.mysql = slices.Insert(s.mysql, i, source{uuid: uuid, tag: tag})
	}
	s.mysql[i].add(p)
}

func (s *source) has(p span) bool {
	for _, have := range s.spans {
		if have.first <= p.first && p.last <= have.last {
			return true
		}
	}
	return false
}

// add adds numbers and closes gaps. The usual one follows the last.
func (s *source) add(p span) {
	if n := len(s.spans); n > 0 && p.first == s.spans[n-1].last+1 {
		s.spans[n-1].last = p.last
		return
	}
	from := 0
	for from < len(s.spans) && s.spans[from].last+1 < p.first {
		from++
	}
	to := from
	for to < len(s.spans) && s.spans[to].first <= p.last+1 {
		p.first, p.last = min(p.first, s.spans[to].first), max(p.last, s.spans[to].last)
		to++
	}
	s.spans = slices.Replace(s.spans, from, to, p)
}
