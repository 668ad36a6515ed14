package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a [Value] holds.
type Kind uint8

// The kinds. The zero value is None: nothing was written.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	List
	Object
)

// String returns the kind in words, for messages.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "a boolean", "a number", "a text", "a list", "an object"}[k]
}

// Pos is a place in the job file, both parts from 1. The zero value means unknown.
type Pos struct{ Line, Col int }

// String returns line:column, or nothing if unknown.
func (p Pos) String() string {
	if p.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", p.Line, p.Col)
}

// Value is one value of a job file. Objects keep the order of their members and may hold a key only once.
type Value struct {
	Kind Kind
	// Text is the text of a scalar as written, without quotes and escapes.
	Text string
	// Items are the elements of a List.
	Items []Value
	// Members are the members of an Object.
	Members []Member
	Pos     Pos
}

// Member is one key and its value.
type Member struct {
	Key   string
	Value Value
	Pos   Pos
}

// TextValue returns a text.
func TextValue(s string) Value { return Value{Kind: String, Text: s} }

// Get returns the member of exactly that key.
func (v Value) Get(key string) (Value, bool) {
	for _, m := range v.Members {
		if m.Key == key {
			return m.Value, true
		}
	}
	return Value{}, false
}

// Lookup finds a key as SeaTunnel does: exactly as written, else split at its dots as a path into nested objects.
func (v Value) Lookup(key string) (Value, bool) {
	if found, ok := v.Get(key); ok {
		return found, true
	}
	for i := 0; i < len(key); i++ {
		if key[i] != '.' {
			continue
		}
		if inner, ok := v.Get(key[:i]); ok && inner.Kind == Object {
			if found, ok := inner.Lookup(key[i+1:]); ok {
				return found, true
			}
		}
	}
	return Value{}, false
}

// Set returns a copy of the object with key set to val: in its old place, or at the end.
func (v Value) Set(key string, val Value) Value {
	members := make([]Member, 0, len(v.Members)+1)
	found := false
	for _, m := range v.Members {
		if m.Key == key {
			m.Value, found = val, true
		}
		members = append(members, m)
	}
	if !found {
		members = append(members, Member{Key: key, Value: val, Pos: val.Pos})
	}
	v.Kind, v.Members = Object, members
	return v
}

// update returns a copy of the object in which f has replaced whatever [Value.Lookup] could find under the key.
func (v Value) update(key string, f func(Value) Value) Value {
	copied := false
	for i, m := range v.Members {
		switch {
		case m.Key == key:
			m.Value = f(m.Value)
		case m.Value.Kind == Object && strings.HasPrefix(key, m.Key+"."):
			m.Value = m.Value.update(key[len(m.Key)+1:], f)
		default:
			continue
		}
		if !copied {
			v.Members, copied = slices.Clone(v.Members), true
		}
		v.Members[i] = m
	}
	return v
}

// Map returns a copy of the tree in which f has replaced each scalar.
func (v Value) Map(f func(Value) Value) Value {
	switch v.Kind {
	case List:
		items := make([]Value, len(v.Items))
		for i, item := range v.Items {
			items[i] = item.Map(f)
		}
		v.Items = items
	case Object:
		members := make([]Member, len(v.Members))
		for i, m := range v.Members {
			m.Value = m.Value.Map(f)
			members[i] = m
		}
		v.Members = members
	default:
		return f(v)
	}
	return v
}

// Scalar reports whether v is a text, number or boolean.
func (v Value) Scalar() bool { return v.Kind == String || v.Kind == Number || v.Kind == Bool }

// AppendJSON appends v as compact JSON, members in order.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.Kind {
	case None, Null:
		return append(b, "null"...)
	case Bool:
		return append(b, strings.ToLower(v.Text)...)
	case Number:
		if json.Valid([]byte(v.Text)) {
			return append(b, v.Text...)
		}
		return appendQuoted(b, v.Text)
	case List:
		b = append(b, '[')
		for i, item := range v.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.AppendJSON(b)
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i, m := range v.Members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, m.Key), ':')
			b = m.Value.AppendJSON(b)
		}
		return append(b, '}')
	default:
		return appendQuoted(b, v.Text)
	}
}

func appendQuoted(b []byte, s string) []byte {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return strconv.AppendQuote(b, s)
	}
	return append(b, strings.TrimSuffix(out.String(), "\n")...)
}

// JSON returns v as compact JSON, members in order.
func (v Value) JSON() string { return string(v.AppendJSON(nil)) }

// String returns a scalar's text, and anything else as JSON: the text that SeaTunnel hands to a string option.
func (v Value) String() string {
	if v.Scalar() {
		return v.Text
	}
	return v.JSON()
}
