package postgrescdc

import (
	"context"
	"errors"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// message takes one message of the output plugin.
func (s *stream) message(ctx context.Context, out plugin.Out, m []byte) error {
	if len(m) == 0 {
		return errors.New("the server has sent an empty message")
	}
	switch m[0] {
	case pgoutput.KindInsert, pgoutput.KindUpdate, pgoutput.KindDelete:
		if s.passed() {
			return nil
		}
		if err := s.change(ctx, out, m); err != nil {
			return err
		}
		s.state.Final, s.state.Rows = s.begin.Final, s.seq
	case pgoutput.KindBegin:
		begin, err := pgoutput.ParseBegin(m)
		if err != nil {
			return err
		}
		s.start(begin)
	case pgoutput.KindCommit:
		end, err := pgoutput.ParseCommit(m)
		if err != nil {
			return err
		}
		s.inside = false
		if s.messages != nil { // each message names its transaction
			if err := s.flush(ctx, out); err != nil {
				return err
			}
		}
		if end > s.state.From {
			s.advance(end)
		}
	case pgoutput.KindRelation:
		described, err := pgoutput.ParseRelation(m)
		if err != nil {
			return err
		}
		s.relations[described.OID] = &relation{Relation: described}
		s.last = nil
	case pgoutput.KindTruncate:
		if s.passed() {
			return nil
		}
		if err := s.truncate(ctx, out, m); err != nil {
			return err
		}
		s.state.Final, s.state.Rows = s.begin.Final, s.seq
	}
	return nil
}

// start begins a transaction.
func (s *stream) start(b pgoutput.Begin) {
	s.begin, s.inside, s.seq, s.skip = b, true, 0, 0
	s.old = b.Final < s.state.From
	if b.Final == s.state.Final {
		s.skip = s.state.Rows
	}
	if s.highest == 0 || s.old {
		return
	}
	if b.Final >= s.highest {
		s.unfilter()
		return
	}
	for i, v := range s.state.Views {
		n, err := pgoutput.ParseSnapshot(v.Snapshot)
		s.seen[i] = err == nil && n.Sees(b.XID)
	}
}

// passed counts a change and reports whether it was put out before.
func (s *stream) passed() bool {
	s.seq++
	return s.old || s.seq <= s.skip
}
