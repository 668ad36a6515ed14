package binlog

import "math/bits"

// The fields of a GTID event with a tag, each of which has its number in front. Fields may be left out.
const (
	tagFlags = iota
	tagUUID
	tagNumber
	tagText
	tagLastCommitted
	tagSequence
	tagCommitted // on this server
	tagCommittedFirst
	tagLength
	tagServerVersion
	tagFirstVersion
	tagTicket
)

// taggedGTID reads the GTID event of MySQL 8.3, which has a form of its own: the form's version, the size, the last
// field that may not be overlooked, and fields. All numbers, also the bytes of the uuid, are varying.
func (t *track) taggedGTID(e Event) error {
	c := cursor{b: e.Body}
	g := GTID{Flavour: MySQL}
	t.committed = int64(e.Seconds) * second
	c.varying() // version
	c.varying() // size
	known := c.varying() <= tagTicket
	for known && len(c.b) > 0 && !c.bad {
		switch c.varying() {
		case tagUUID:
			for i := range g.UUID {
				g.UUID[i] = byte(c.varying())
			}
		case tagNumber:
			g.Number = c.varying() >> 1 // its lowest bit is the sign
		case tagText:
			g.Tag = string(c.take(int(min(c.varying(), maxTag+1))))
		case tagCommitted, tagCommittedFirst:
			t.committed = int64(c.varying()) // the first server's comes last
		case tagFlags, tagLastCommitted, tagSequence, tagLength, tagServerVersion, tagFirstVersion, tagTicket:
			c.varying()
		default: // what a later version has added
			c.b = nil
		}
	}
	if !known || c.bad || g.Number == 0 || len(g.Tag) > maxTag {
		return corrupt("a %s event of %d bytes", e.Type, len(e.Body))
	}
	t.gtid, t.open, t.explicit = g, true, false
	return nil
}

// maxTag is the longest tag.
const maxTag = 32

// varying reads a number whose first byte has a lowest bit of 1 for each byte that follows.
func (c *cursor) varying() uint64 {
	if len(c.b) == 0 {
		c.bad = true
		return 0
	}
	more := bits.TrailingZeros8(^c.b[0])
	b := c.take(1 + more)
	switch {
	case b == nil:
		return 0
	case more == 8:
		return little(b[1:])
	}
	return little(b) >> (1 + more)
}

// gtidsBefore reads the list of all transactions before a file, if they are not known already.
func (t *track) gtidsBefore(e Event) error {
	t.settle()
	if t.last.GTIDs != nil || e.Artificial() {
		return nil
	}
	set := &GTIDs{}
	c := cursor{b: e.Body}
	if e.Type == MariaGTIDList {
		readMariaList(&c, set)
	} else {
		readMySQLSet(&c, set)
	}
	if c.bad {
		return corrupt("a %s event of %d bytes", e.Type, len(e.Body))
	}
	t.last.GTIDs = set
	return nil
}

func readMariaList(c *cursor, set *GTIDs) {
	const countBits = 1<<28 - 1
	for n := c.u32() & countBits; n > 0 && !c.bad; n-- {
		g := GTID{Flavour: MariaDB, Domain: c.u32(), Server: c.u32(), Number: c.u64()}
		if !c.bad && set.Add(g) != nil {
			c.bad = true
		}
	}
}

// readMySQLSet reads what GTIDs.encode writes.
func readMySQLSet(c *cursor, set *GTIDs) {
	count := c.u64()
	tagged := count>>56 == 1
	if tagged {
		count = count >> 8 & (1<<48 - 1)
	}
	for ; count > 0 && !c.bad; count-- {
		var id [16]byte
		copy(id[:], c.take(len(id)))
		tag := ""
		if tagged {
			tag = string(c.take(int(c.u8() >> 1)))
		}
		for n := c.u64(); n > 0 && !c.bad; n-- {
			p := span{c.u64(), c.u64() - 1}
			if p.first == 0 || p.last < p.first {
				c.bad = true
			}
			if !c.bad {
				set.addSpan(id, tag, p)
			}
		}
	}
}
