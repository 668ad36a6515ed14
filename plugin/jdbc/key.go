package jdbc

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Key is a value of a split column: an int64, a float64, a string or a []byte. Its JSON form keeps the type.
type Key struct{ Value any }

// keyForm is a key in JSON; one member is set. Integers are text, since JSON numbers are not exact everywhere.
type keyForm struct {
	Int   *string  `json:"i,omitempty"`
	Float *float64 `json:"f,omitempty"`
	Text  *string  `json:"s,omitempty"`
	Bytes *[]byte  `json:"b,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (k Key) MarshalJSON() ([]byte, error) {
	var form keyForm
	switch v := k.Value.(type) {
	case int64:
		text := strconv.FormatInt(v, 10)
		form.Int = &text
	case float64:
		form.Float = &v
	case string:
		form.Text = &v
	case []byte:
		form.Bytes = &v
	default:
		return nil, fmt.Errorf("a key of type %T has no JSON form", k.Value)
	}
	return json.Marshal(form)
}

// UnmarshalJSON implements json.Unmarshaler.
func (k *Key) UnmarshalJSON(data []byte) error {
	var form keyForm
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	switch {
	case form.Int != nil:
		n, err := strconv.ParseInt(*form.Int, 10, 64)
		if err != nil {
			return err
		}
		k.Value = n
	case form.Float != nil:
		k.Value = *form.Float
	case form.Text != nil:
		k.Value = *form.Text
	case form.Bytes != nil:
		k.Value = *form.Bytes
	default:
		return fmt.Errorf("%s is no key", data)
	}
	return nil
}
