package cdc

import (
	"bytes"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Span is a part of a table's rows by their key. From belongs to it and To does not, unless After and Through say
// otherwise; nil is no end.
type Span struct {
	From *jdbc.Key `json:"from,omitempty"`
	To   *jdbc.Key `json:"to,omitempty"`
	// Nulls says that the span is the rows whose key is null.
	Nulls bool `json:"nulls,omitempty"`
	// After says that the rows of From are not part of the span.
	After bool `json:"after,omitempty"`
	// Through says that the rows of To are part of the span.
	Through bool `json:"through,omitempty"`
}

// Rest returns what is still to be read of a range.
func Rest(r jdbc.Range) Span {
	s := Span{From: r.From, To: r.To, Nulls: r.Nulls}
	if r.After != nil {
		s.From, s.After = r.After, true
	}
	return s
}

// UpTo returns the part of a span up to the key that was read last; ok is false if there is none, because nothing was
// read.
func (s Span) UpTo(last *jdbc.Key) (part Span, ok bool) {
	if last == nil || s.After && same(last, s.From) {
		return Span{}, false
	}
	s.To, s.Through = last, true
	return s, true
}

// Join returns a span and its upper neighbour as one; ok is false if next is not that.
func (s Span) Join(next Span) (joined Span, ok bool) {
	if s.Nulls || next.Nulls || !same(s.To, next.From) || s.Through != next.After {
		return Span{}, false
	}
	s.To, s.Through = next.To, next.Through
	return s, true
}

// Whole reports whether a span has no ends.
func (s Span) Whole() bool { return s.From == nil && s.To == nil && !s.Nulls }

// same reports whether two ends are there and equal.
func same(a, b *jdbc.Key) bool {
	if a == nil || b == nil {
		return false
	}
	x, isBytes := a.Value.([]byte)
	y, areBytes := b.Value.([]byte)
	if isBytes || areBytes {
		return isBytes && areBytes && bytes.Equal(x, y)
	}
	return a.Value == b.Value
}
