package postgrescdc

import (
	"context"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// truncate does what the job wants of tables that were emptied.
func (s *stream) truncate(ctx context.Context, out plugin.Out, m []byte) error {
	tables, err := pgoutput.ParseTruncate(m)
	if err != nil {
		return err
	}
	for _, oid := range tables {
		r := s.relations[oid]
		if r == nil {
			continue
		}
		t := s.target(r)
		if t == nil {
			continue
		}
		if err := s.empty(ctx, out, t); err != nil {
			return err
		}
	}
	return nil
}

// empty does so for one table. While the filter is there, the snapshot's views tell whether they hold the statement.
func (s *stream) empty(ctx context.Context, out plugin.Out, t *target) error {
	truncated := cdc.Truncated{Table: t.out, At: s.begin.Final.String()}
	for _, p := range t.pieces {
		truncated.After = truncated.After || s.seen[p.View]
		truncated.Before = truncated.Before || !s.seen[p.View]
	}
	change, err := truncated.Change(s.source.options.truncation(), s.source.env.Logger)
	if err != nil || change == nil {
		return err
	}
	if s.messages != nil {
		s.messages.changes(s, nil)
	}
	if err := s.send(ctx, out, t, *change, nil); err != nil {
		return err
	}
	for _, r := range s.relations { // their decoders are those of the old builder
		if r.target == t {
			r.ready, r.target = false, nil
		}
	}
	s.last = nil
	return nil
}
