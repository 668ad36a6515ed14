package rest

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object whose members keep their order.
type object struct{ members []member }

type member struct {
	key   string
	value any
}

func (o *object) add(key string, value any) { o.members = append(o.members, member{key, value}) }

// MarshalJSON writes the members in the order in which they were added.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
