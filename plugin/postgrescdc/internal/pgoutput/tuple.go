package pgoutput

import "encoding/binary"

// Form is how a value is sent.
type Form byte

// The forms.
const (
	Null      Form = 'n'
	Unchanged Form = 'u' // stored outside the row and not touched by the update: the log does not hold it
	Text      Form = 't'
	Binary    Form = 'b'
)

// Tuple is a row in a message: the number of its values, and the values.
type Tuple []byte

// Value is one value of a tuple.
type Value struct {
	Form Form
	Data []byte // of Text and Binary
}

// Same reports whether two values are written alike.
func (v Value) Same(o Value) bool { return v.Form == o.Form && string(v.Data) == string(o.Data) }

// Start returns the number of values and what Next takes the first of them from.
func (t Tuple) Start() (n int, rest []byte, err error) {
	if len(t) < 2 {
		return 0, nil, errForm
	}
	return int(binary.BigEndian.Uint16(t)), t[2:], nil
}

// Next takes a value off a tuple.
func Next(b []byte) (v Value, rest []byte, err error) {
	if len(b) == 0 {
		return v, nil, errForm
	}
	v.Form = Form(b[0])
	switch v.Form {
	case Null, Unchanged:
		return v, b[1:], nil
	case Text, Binary:
	default:
		return v, nil, errForm
	}
	if len(b) < 5 {
		return v, nil, errForm
	}
	end := uint64(binary.BigEndian.Uint32(b[1:])) + 5
	if end > uint64(len(b)) {
		return v, nil, errForm
	}
	v.Data = b[5:end:end]
	return v, b[end:], nil
}

// Values appends all values of a tuple to dst.
func (t Tuple) Values(dst []Value) ([]Value, error) {
	n, rest, err := t.Start()
	if err != nil {
		return dst, err
	}
	for range n {
		var v Value
		if v, rest, err = Next(rest); err != nil {
			return dst, err
		}
		dst = append(dst, v)
	}
	return dst, nil
}

// cutTuple takes a tuple off the front of a message.
func cutTuple(b []byte) (t Tuple, rest []byte, err error) {
	n, rest, err := Tuple(b).Start()
	if err != nil {
		return nil, nil, err
	}
	for range n {
		if _, rest, err = Next(rest); err != nil {
			return nil, nil, err
		}
	}
	return Tuple(b[:len(b)-len(rest)]), rest, nil
}
