package postgrescdc

import (
	"context"
	"errors"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// change decodes one change of a row.
func (s *stream) change(ctx context.Context, out plugin.Out, m []byte) error {
	c, err := pgoutput.ParseChange(m)
	if err != nil {
		return err
	}
	r, err := s.relationOf(ctx, out, c.Relation)
	if err != nil || r.target == nil {
		return err
	}
	t := r.target
	if t.builder.Len() == 0 {
		if len(s.touched) == 0 || s.touched[len(s.touched)-1] != t {
			s.touched = append(s.touched, t)
		}
		t.eventTime = s.begin.Time / 1000
	}
	switch {
	case t.filter != nil:
		return s.filtered(ctx, r, c)
	case c.Kind == pgoutput.KindInsert:
		return s.insert(r, c.New)
	}
	if err := s.values(r, c); err != nil {
		return err
	}
	return s.apply(r, c)
}

// values finds the values of both rows of a change.
func (s *stream) values(r *relation, c pgoutput.Change) (err error) {
	s.oldValues, s.newValues = s.oldValues[:0], s.newValues[:0]
	if c.Old != nil {
		s.oldValues, err = c.Old.Values(s.oldValues)
		if err == nil && len(s.oldValues) != len(r.fields) {
			err = errWidth
		}
	}
	if err == nil && c.New != nil {
		s.newValues, err = c.New.Values(s.newValues)
		if err == nil && len(s.newValues) != len(r.fields) {
			err = errWidth
		}
	}
	if c.Old == nil || c.New == nil || c.KeyOnly {
		return err
	}
	for i, v := range s.newValues {
		if v.Form == pgoutput.Unchanged {
			s.newValues[i] = s.oldValues[i]
		}
	}
	return err
}

var errWidth = errors.New("a row in the log has another number of columns than its table")

// apply puts a change whose values are found into the builder. An update that changes the key is a delete and an
// insert: an update of a row that the sink does not find under its old key would leave that behind.
func (s *stream) apply(r *relation, c pgoutput.Change) error {
	switch {
	case c.Kind == pgoutput.KindInsert:
		return s.row(r, plugin.Insert, s.newValues)
	case c.Kind == pgoutput.KindDelete:
		return s.row(r, plugin.Delete, s.oldValues)
	case c.Old == nil:
		return s.row(r, plugin.UpdateAfter, s.newValues)
	}
	moved := slices.ContainsFunc(r.key, func(k int) bool { return !s.oldValues[k].Same(s.newValues[k]) })
	before, after := plugin.UpdateBefore, plugin.UpdateAfter
	if moved {
		before, after = plugin.Delete, plugin.Insert
	}
	if moved || !c.KeyOnly {
		if err := s.row(r, before, s.oldValues); err != nil {
			return err
		}
	}
	return s.row(r, after, s.newValues)
}

// insert decodes an inserted row without a detour.
func (s *stream) insert(r *relation, tuple pgoutput.Tuple) error {
	n, rest, err := tuple.Start()
	if err != nil {
		return err
	}
	if n != len(r.fields) {
		return errWidth
	}
	for i := range r.fields {
		var v pgoutput.Value
		if v, rest, err = pgoutput.Next(rest); err != nil {
			return err
		}
		f := &r.fields[i]
		if f.at < 0 {
			continue
		}
		if v.Form == pgoutput.Binary {
			err = f.dec.Append(v.Data)
		} else {
			err = s.add(f, v)
		}
		if err != nil {
			values, _ := tuple.Values(nil)
			if err := s.refused(r, i, v, values, err); err != nil {
				return err
			}
		}
	}
	s.endRow(r, plugin.Insert)
	return nil
}

// row appends one row.
func (s *stream) row(r *relation, kind plugin.RowKind, values []pgoutput.Value) error {
	for i := range r.fields {
		f, v := &r.fields[i], values[i]
		if f.at < 0 {
			continue
		}
		if v.Form == pgoutput.Unchanged {
			r.target.miss(r, i, s.begin.XID, values)
		}
		if err := s.add(f, v); err != nil {
			if err := s.refused(r, i, v, values, err); err != nil {
				return err
			}
		}
	}
	s.endRow(r, kind)
	return nil
}

func (s *stream) endRow(r *relation, kind plugin.RowKind) {
	for _, c := range r.absent {
		c.AppendNull()
	}
	r.target.builder.EndRow(kind)
	if s.messages != nil {
		r.target.places = append(r.target.places, s.at)
	}
	s.rows++
}

// refused puts null in place of a value without a counterpart, where the job says so, and makes an error of any other.
func (s *stream) refused(r *relation, i int, v pgoutput.Value, values []pgoutput.Value, err error) error {
	if s.source.options.nullSpecials() && postgres.IsSpecial(err) {
		r.fields[i].dec.AppendNull()
		return nil
	}
	r.target.builder.Rollback()
	return s.badCell(r, i, v, values, err)
}
