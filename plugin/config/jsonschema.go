package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// JSONSchema returns a JSON Schema (draft 2020-12) of the options, for hosts that render forms. Properties keep the
// order of the struct and carry the documented names; further names are listed as x-aliases, units as x-unit. Secret
// options are marked writeOnly. Unknown members are allowed, because a job with them runs.
func (s *Spec) JSONSchema() ([]byte, error) {
	v := s.schema()
	v.Members = append([]Member{{Key: "$schema", Value: TextValue("https://json-schema.org/draft/2020-12/schema")}},
		v.Members...)
	b := v.AppendJSON(nil)
	if !json.Valid(b) {
		return nil, fmt.Errorf("the JSON Schema of %s is no JSON: %s", s.typ, b)
	}
	return b, nil
}

// obj makes an object of alternating keys and values.
type obj []Member

func (o *obj) add(key string, v Value) { *o = append(*o, Member{Key: key, Value: v}) }

func (o obj) value() Value { return Value{Kind: Object, Members: o} }

func single(key string, v Value) Value {
	return Value{Kind: Object, Members: []Member{{Key: key, Value: v}}}
}

func list(items ...Value) Value { return Value{Kind: List, Items: items} }

func texts(names ...string) Value {
	v := Value{Kind: List}
	for _, name := range names {
		v.Items = append(v.Items, TextValue(name))
	}
	return v
}

func (s *Spec) schema() Value {
	var properties obj
	var required, all []Value
	for i := range s.Options {
		o := &s.Options[i]
		properties.add(o.Name, o.schema())
		switch {
		case !o.Required || o.Default != nil:
		case len(o.names) == 1:
			required = append(required, TextValue(o.Name))
		default:
			all = append(all, o.present())
		}
	}
	for _, r := range s.Rules {
		all = append(all, r.schema(s)...)
	}
	out := obj{{Key: "type", Value: TextValue("object")}}
	out.add("properties", properties.value())
	if len(required) > 0 {
		out.add("required", list(required...))
	}
	if len(all) > 0 {
		out.add("allOf", list(all...))
	}
	return out.value()
}

// present demands the option, under any of its names.
func (o *Option) present() Value {
	if len(o.names) == 1 {
		return single("required", texts(o.Name))
	}
	var some []Value
	for _, name := range o.names {
		some = append(some, single("required", texts(name)))
	}
	return single("anyOf", list(some...))
}

func (o *Option) schema() Value {
	var out obj
	out.add("description", TextValue(o.Help))
	out = append(out, o.typeSchema(o.kind)...)
	if o.Default != nil {
		out.add("default", defaultValue(*o.Default, o.kind))
	}
	if o.Secret {
		out.add("writeOnly", Value{Kind: Bool, Text: "true"})
	}
	if o.Unit != "" {
		out.add("x-unit", TextValue(o.Unit))
	}
	if len(o.Aliases) > 0 {
		out.add("x-aliases", texts(o.Aliases...))
	}
	return out.value()
}

// typeSchema describes values of a type; limits and allowed values go to where the scalars are.
func (o *Option) typeSchema(t reflect.Type) obj {
	switch {
	case t == valueType, reflect.PointerTo(t).Implements(decoderType):
		return nil // anything
	case t == durationType:
		return append(obj{{Key: "type", Value: texts("number", "string")}}, o.limits()...)
	case t.Kind() == reflect.Pointer:
		return o.typeSchema(t.Elem())
	case t.Kind() == reflect.Slice:
		items := o.typeSchema(t.Elem())
		return obj{{Key: "type", Value: TextValue("array")}, {Key: "items", Value: items.value()}}
	case t.Kind() == reflect.Map:
		inner := o.typeSchema(t.Elem())
		return obj{{Key: "type", Value: TextValue("object")}, {Key: "additionalProperties", Value: inner.value()}}
	case t.Kind() == reflect.Struct:
		return o.Nested.schema().Members
	}
	out := obj{{Key: "type", Value: TextValue(jsonType(t))}}
	if len(o.Enum) > 0 {
		out.add("enum", texts(o.Enum...))
	}
	return append(out, o.limits()...)
}

func jsonType(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "number"
	}
	return "integer"
}

func (o *Option) limits() obj {
	var out obj
	if o.Min != "" {
		out.add("minimum", Value{Kind: Number, Text: o.Min})
	}
	if o.Max != "" {
		out.add("maximum", Value{Kind: Number, Text: o.Max})
	}
	return out
}

// defaultValue returns a default's text as the JSON type that its option has.
func defaultValue(text string, t reflect.Type) Value {
	switch {
	case t == valueType, reflect.PointerTo(t).Implements(decoderType):
		return TextValue(text)
	case t.Kind() == reflect.Pointer:
		return defaultValue(text, t.Elem())
	case t.Kind() == reflect.Slice:
		var items []Value
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				items = append(items, defaultValue(part, t.Elem()))
			}
		}
		return list(items...)
	case t.Kind() == reflect.Bool:
		return Value{Kind: Bool, Text: text}
	case t.Kind() != reflect.String:
		return Value{Kind: Number, Text: text} // becomes a text where it is no number, as 1m30s
	}
	return TextValue(text)
}

// schema returns the rule as members of allOf. Values are compared with regard to case here.
func (r Rule) schema(s *Spec) []Value {
	present := make([]Value, len(r.names))
	for i, name := range r.names {
		present[i] = s.option(name).present()
	}
	switch r.kind {
	case exactlyOne:
		return []Value{single("oneOf", list(present...))}
	case atMostOne:
		return pairs(present)
	case together:
		none := single("not", single("anyOf", list(present...)))
		return []Value{single("anyOf", list(single("allOf", list(present...)), none))}
	}
	o := s.option(r.when)
	condition := obj{{Key: "properties", Value: single(o.Name, single("const", defaultValue(r.value, o.kind)))}}
	if o.Default == nil || !strings.EqualFold(*o.Default, r.value) {
		condition.add("required", texts(o.Name))
	}
	then := obj{{Key: "if", Value: condition.value()}, {Key: "then", Value: single("allOf", list(present...))}}
	return []Value{then.value()}
}

// pairs forbids any two of the conditions to hold together.
func pairs(present []Value) []Value {
	var out []Value
	for i := range present {
		for j := range i {
			out = append(out, single("not", single("allOf", list(present[j], present[i]))))
		}
	}
	return out
}
