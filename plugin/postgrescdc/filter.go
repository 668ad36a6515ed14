package postgrescdc

import (
	"context"
	"fmt"
	"strconv"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// filter tells which rows the snapshot holds as a transaction has left them.
type filter struct {
	captured *captured
	pieces   []piece
}

// unfilter is called when the stream has passed the last view of the snapshot.
func (s *stream) unfilter() {
	for _, t := range s.targets {
		t.filter, t.pieces = nil, nil
	}
	s.state.Views, s.seen, s.highest, s.encoded = nil, nil, 0, nil
}

// filtered decodes a change without what the snapshot holds of it: the row before and the row after may be in
// different pieces of it.
func (s *stream) filtered(ctx context.Context, r *relation, c pgoutput.Change) error {
	if err := s.values(r, c); err != nil {
		return err
	}
	holds := func(values []pgoutput.Value) (bool, error) {
		if len(values) == 0 {
			return false, nil
		}
		return s.holds(ctx, r, values)
	}
	after, err := holds(s.newValues)
	if err != nil {
		return err
	}
	before := after // of an update that says nothing about the row before, the key is the same
	if c.Old != nil {
		if before, err = holds(s.oldValues); err != nil {
			return err
		}
	}
	switch {
	case c.New == nil && before, c.Old == nil && after, before && after:
		return nil
	case c.Old == nil || c.New == nil || before == after:
		return s.apply(r, c)
	case before:
		return s.row(r, plugin.Insert, s.newValues)
	default:
		return s.row(r, plugin.Delete, s.oldValues)
	}
}

// holds reports whether the snapshot's row of a key is as the present transaction has left it, or later.
func (s *stream) holds(ctx context.Context, r *relation, values []pgoutput.Value) (bool, error) {
	f := r.target.filter
	all, none := true, true
	for _, p := range f.pieces {
		if s.seen[p.View] {
			none = false
		} else {
			all = false
		}
	}
	if none {
		return false, nil
	}
	var key pgoutput.Value
	if r.cut >= 0 {
		key = values[r.cut]
	}
	if all && len(f.pieces) == 1 && f.pieces[0].Whole() && key.Form != pgoutput.Null {
		return true, nil
	}
	at, err := s.pieceOf(ctx, r, key)
	return err == nil && at >= 0 && s.seen[f.pieces[at].View], err
}

// pieceOf returns the piece that a key is in, -1 if there is none.
func (s *stream) pieceOf(ctx context.Context, r *relation, key pgoutput.Value) (int, error) {
	f := r.target.filter
	switch {
	case r.cut < 0:
		for i, p := range f.pieces {
			if p.Whole() {
				return i, nil
			}
		}
		return -1, nil
	case key.Form == pgoutput.Null:
		for i, p := range f.pieces {
			if p.Nulls {
				return i, nil
			}
		}
		return -1, nil
	case !f.captured.integer:
		return s.askPiece(ctx, r, key)
	}
	n, err := integer(key)
	if err != nil {
		return -1, err
	}
	for i, p := range f.pieces {
		if p.holds(n) {
			return i, nil
		}
	}
	return -1, nil
}

// integer reads a key.
func integer(v pgoutput.Value) (int64, error) {
	if v.Form == pgoutput.Text {
		return strconv.ParseInt(string(v.Data), 10, 64)
	}
	var n uint64
	for _, b := range v.Data {
		n = n<<8 | uint64(b)
	}
	switch len(v.Data) {
	case 2:
		return int64(int16(n)), nil
	case 4:
		return int64(int32(n)), nil
	case 8:
		return int64(n), nil
	}
	return 0, fmt.Errorf("a key of %d bytes", len(v.Data))
}

// holds reports whether a piece of integer keys has one.
func (p piece) holds(n int64) bool {
	if p.Nulls {
		return false
	}
	if from, ok := number(p.From); ok && (n < from || n == from && p.After) {
		return false
	}
	to, ok := number(p.To)
	return !ok || n < to || n == to && p.Through
}

func number(k *jdbc.Key) (int64, bool) {
	if k == nil {
		return 0, false
	}
	n, ok := k.Value.(int64)
	return n, ok
}

// askPiece lets the server compare a key that is no integer: texts have the order of their collation.
func (s *stream) askPiece(ctx context.Context, r *relation, key pgoutput.Value) (int, error) {
	f := r.target.filter
	session, err := s.session(ctx)
	if err != nil {
		return -1, err
	}
	sql, params := "SELECT CASE", [][]byte{key.Data}
	k := "$1::" + f.captured.keyType
	bound := func(operator string, with bool, at *jdbc.Key) string {
		if at == nil {
			return "true"
		}
		if with {
			operator += "="
		}
		params = append(params, []byte(fmt.Sprint(at.Value)))
		return fmt.Sprintf("%s %s $%d::%s", k, operator, len(params), f.captured.keyType)
	}
	for i, p := range f.pieces {
		if !p.Nulls {
			sql += fmt.Sprintf(" WHEN %s AND %s THEN %d", bound(">", !p.After, p.From), bound("<", p.Through, p.To), i)
		}
	}
	formats := make([]int16, len(params))
	oids := make([]uint32, len(params))
	if key.Form == pgoutput.Binary {
		formats[0], oids[0] = 1, r.Columns[r.cut].Type
	}
	result := session.Conn().ExecParams(ctx, sql+" ELSE -1 END", params, oids, formats, nil).Read()
	if result.Err != nil {
		return -1, session.Explain(ctx, result.Err)
	}
	return strconv.Atoi(string(result.Rows[0][0]))
}
