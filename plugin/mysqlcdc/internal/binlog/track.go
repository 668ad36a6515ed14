package binlog

// track keeps account of where a stream is: in which file, in which transaction.
type track struct {
	file   string
	end    uint64 // behind the last event
	last   Position
	byGTID bool // places are named by GTIDs only: the files hold other transactions before them too

	gtid      GTID
	committed int64 // microseconds since 1970
	open      bool  // a transaction has begun
	explicit  bool  // and ends with a commit; else with its only statement
}

// start notes where the events will start.
func (t *track) start(from Position, byGTID bool) {
	t.last = from
	t.last.GTIDs = from.GTIDs.Clone()
	t.byGTID = byGTID
	t.file, t.end = from.File, from.Pos
	if byGTID {
		t.file, t.last.File, t.last.Pos = "", "", 0
	}
}

// Boundary returns the place behind the last transaction that ended among the events that Next has returned: where to
// open a stream again to get all others, and none twice. The GTIDs are a copy. A stream that was opened by GTID names
// no file: in it, transactions may lie in front of the place that are still to come, or behind it ones that have come.
func (t *track) Boundary() Position {
	p := t.last
	p.GTIDs = p.GTIDs.Clone()
	return p
}

// InTransaction reports whether the last event belongs to a transaction that has not ended with it.
func (t *track) InTransaction() bool { return t.open }

// GTID returns the GTID of the transaction that the last event belongs to or has ended; one without flavour if there
// is none.
func (t *track) GTID() GTID { return t.gtid }

// CommitTime returns when the transaction of the last event was committed on the server where it was made, in
// microseconds since 1970: exact with MySQL 8, else in full seconds; 0 if unknown.
func (t *track) CommitTime() int64 { return t.committed }

// File returns the name of the log file that the last event is in, and the position behind it.
func (t *track) File() (name string, end uint64) { return t.file, t.end }

// note takes an event into account.
func (t *track) note(e Event) error {
	t.advance(e)
	switch e.Type {
	case Rotate:
		return t.rotate(e)
	case MariaGTID:
		return t.mariaGTID(e)
	case GTIDEvent, AnonymousGTID:
		return t.mysqlGTID(e)
	case GTIDTagged:
		return t.taggedGTID(e)
	case MariaGTIDList, PreviousGTIDs:
		return t.gtidsBefore(e)
	case Query:
		return t.query(ControlOf(e))
	case XID, XAPrepare:
		return t.ended()
	}
	t.settle()
	return nil
}

// advance moves the end behind an event. The protocol's positions have 32 bits; a log with a huge transaction is
// longer. What lies before the end is the log's own description, which comes first wherever the reading starts.
func (t *track) advance(e Event) {
	switch {
	case e.Artificial():
	case uint32(t.end+uint64(e.size)) == e.End:
		t.end += uint64(e.size)
	case uint64(e.End) > t.end:
		t.end = uint64(e.End)
	}
}

// settle moves the boundary behind an event between two transactions.
func (t *track) settle() {
	if !t.open && !t.byGTID {
		t.last.File, t.last.Pos = t.file, t.end
	}
}

// rotate goes on with another file. A transaction that was open is void: the server crashed while it wrote it.
func (t *track) rotate(e Event) error {
	c := cursor{b: e.Body}
	t.end = c.u64()
	if c.bad || len(c.b) == 0 {
		return corrupt("a rotate event of %d bytes", len(e.Body))
	}
	t.file = string(c.b)
	t.open, t.explicit = false, false
	t.settle()
	return nil
}

func (t *track) mariaGTID(e Event) error {
	const standalone = 1
	c := cursor{b: e.Body}
	t.gtid = GTID{Flavour: MariaDB, Server: e.ServerID, Number: c.u64(), Domain: c.u32()}
	flags := c.u8()
	if c.bad {
		return corrupt("a GTID event of %d bytes", len(e.Body))
	}
	t.open, t.explicit = true, flags&standalone == 0
	t.committed = int64(e.Seconds) * 1_000_000
	return nil
}

// mysqlGTID reads the GTID, and the time of the commit, which came with MySQL 8: 7 bytes, whose highest bit says that
// the time on the server that made the transaction follows.
func (t *track) mysqlGTID(e Event) error {
	c := cursor{b: e.Body}
	c.skip(1)
	g := GTID{Flavour: MySQL}
	copy(g.UUID[:], c.take(len(g.UUID)))
	g.Number = c.u64()
	if c.bad {
		return corrupt("a GTID event of %d bytes", len(e.Body))
	}
	if e.Type == AnonymousGTID {
		g = GTID{}
	}
	t.gtid, t.open, t.explicit = g, true, false
	t.committed = int64(e.Seconds) * 1_000_000
	const clockSize, timeSize, more = 1 + 8 + 8, 7, 1 << 55
	if len(c.b) < clockSize+timeSize {
		return nil
	}
	c.skip(clockSize)
	at := c.little(timeSize)
	if at&more != 0 {
		at = c.little(timeSize)
	}
	if !c.bad && at != 0 {
		t.committed = int64(at)
	}
	return nil
}

// query notes what a statement does to the transaction. One outside of BEGIN and COMMIT is a transaction of its own.
func (t *track) query(control Control) error {
	switch {
	case control == Begin:
		if !t.open { // an old server without GTID events
			t.gtid, t.committed = GTID{}, 0
		}
		t.open, t.explicit = true, true
		return nil
	case control == Commit, control == Rollback, control == Other && !t.explicit:
		return t.ended()
	}
	return nil
}

// ended moves the boundary behind the transaction.
func (t *track) ended() error {
	begun := t.open
	t.open, t.explicit = false, false
	t.settle()
	if !begun || t.last.GTIDs == nil {
		return nil
	}
	return t.last.GTIDs.Add(t.gtid)
}
