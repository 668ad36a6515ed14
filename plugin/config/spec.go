package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Decoder is implemented by option types that read their value themselves. An *Error brings several problems, which
// may all be warnings; their paths start below the option.
type Decoder interface {
	DecodeConfig(v Value) error
}

// Ruled is implemented by option structs with rules about several options.
type Ruled interface {
	Rules() []Rule
}

// Checked is implemented by option structs that check more than tags and rules can say. Check runs after decoding
// without problems.
type Checked interface {
	CheckOptions() Problems
}

// Option describes one option of a struct.
type Option struct {
	// Name is the documented name, Aliases are accepted too.
	Name    string
	Aliases []string
	// Type is the type in words: string, int, list of string, object ...
	Type string
	// Default is the default's text; nil means there is none.
	Default *string
	// Unit is the unit of a duration: ms, s, m.
	Unit     string
	Required bool
	// Secret options are encrypted in job files and masked wherever a config is shown.
	Secret bool
	// Enum lists the allowed values, matched without regard to case.
	Enum []string
	// Min and Max bound a number, both included; empty means unbounded.
	Min, Max string
	// Help is one line.
	Help string
	// Nested describes the members of an object or of a list of objects; nil for others.
	Nested *Spec

	index []int
	kind  reflect.Type
}

// Spec describes an options struct.
type Spec struct {
	Options []Option
	Rules   []Rule

	typ reflect.Type
	raw []int // field that takes the whole value
}

var (
	decoderType  = reflect.TypeFor[Decoder]()
	valueType    = reflect.TypeFor[Value]()
	durationType = reflect.TypeFor[time.Duration]()
)

// SpecOf returns the description of the options struct O, or what is wrong with its tags.
func SpecOf[O any]() (*Spec, error) { return specOf(reflect.TypeFor[O]()) }

func specOf(t reflect.Type) (*Spec, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("options must be a struct, not %s", t)
	}
	s := &Spec{typ: t}
	if err := s.add(t, nil); err != nil {
		return nil, err
	}
	if r, ok := reflect.New(t).Interface().(Ruled); ok {
		s.Rules = r.Rules()
	}
	return s, nil
}

func (s *Spec) add(t reflect.Type, index []int) error {
	var errs []error
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		tag := f.Tag.Get("opt")
		switch {
		case f.Anonymous && tag == "":
			errs = append(errs, s.add(f.Type, at))
		case tag == "*":
			s.raw = at
		case tag != "" && tag != "-":
			o, err := option(f, tag, at)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s.%s: %w", t, f.Name, err))
			}
			s.Options = append(s.Options, o)
		}
	}
	return errors.Join(errs...)
}

func option(f reflect.StructField, tag string, index []int) (Option, error) {
	names := strings.Split(tag, ",")
	o := Option{
		Name: names[0], Aliases: names[1:], Unit: f.Tag.Get("unit"), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
		Required: f.Tag.Get("required") == "true", Secret: f.Tag.Get("secret") == "true", Help: f.Tag.Get("help"),
		index: index, kind: f.Type,
	}
	if d, ok := f.Tag.Lookup("default"); ok {
		o.Default = &d
	}
	if e := f.Tag.Get("enum"); e != "" {
		o.Enum = strings.Split(e, ",")
	}
	if o.Help == "" {
		return o, fmt.Errorf("option %s has no help tag", o.Name)
	}
	if nested := structOf(f.Type); nested != nil {
		spec, err := specOf(nested)
		if err != nil {
			return o, err
		}
		o.Nested = spec
	}
	o.Type = typeName(f.Type)
	if o.Default != nil {
		if err := o.set(reflect.New(f.Type).Elem(), TextValue(*o.Default)); err != nil {
			return o, fmt.Errorf("option %s: bad default: %w", o.Name, err)
		}
	}
	return o, nil
}

// structOf returns the options struct inside t, nil if there is none.
func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == valueType || reflect.PointerTo(t).Implements(decoderType) {
		return nil
	}
	return t
}

func typeName(t reflect.Type) string {
	switch {
	case t == valueType, reflect.PointerTo(t).Implements(decoderType):
		return "object"
	case t == durationType:
		return "duration"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		return "list of " + typeName(t.Elem())
	case reflect.Map:
		return "map"
	case reflect.Struct:
		return "object"
	case reflect.Bool:
		return "boolean"
	case reflect.Float32, reflect.Float64:
		return "double"
	case reflect.Int64, reflect.Uint64:
		return "long"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return "int"
	default:
		return "string"
	}
}

// Names returns all names that the options answer to, documented ones and aliases.
func (s *Spec) Names() []string {
	var names []string
	for _, o := range s.Options {
		names = append(append(names, o.Name), o.Aliases...)
	}
	return names
}

// Secrets returns the names of the secret options at the top level, aliases included.
func (s *Spec) Secrets() []string {
	var names []string
	for _, o := range s.Options {
		if o.Secret {
			names = append(append(names, o.Name), o.Aliases...)
		}
	}
	return names
}

// Mask returns a copy of v in which the value of each secret option, nested ones included, is ******.
func (s *Spec) Mask(v Value) Value {
	for _, o := range s.Options {
		for _, name := range append([]string{o.Name}, o.Aliases...) {
			found, ok := v.Get(name)
			switch {
			case !ok:
			case o.Secret:
				v = v.Set(name, Value{Kind: String, Text: "******", Pos: found.Pos})
			case o.Nested != nil && found.Kind == Object:
				v = v.Set(name, o.Nested.Mask(found))
			case o.Nested != nil && found.Kind == List:
				items := make([]Value, len(found.Items))
				for i, item := range found.Items {
					items[i] = o.Nested.Mask(item)
				}
				found.Items = items
				v = v.Set(name, found)
			}
		}
	}
	return v
}

// find returns the value of an option under any of its names, and the name used.
func (o *Option) find(v Value) (Value, string, bool) {
	for _, name := range append([]string{o.Name}, o.Aliases...) {
		if found, ok := v.Lookup(name); ok && found.Kind != Null && found.Kind != None {
			return found, name, true
		}
	}
	return Value{}, o.Name, false
}

// set converts v to the option's type and stores it in dst.
func (o *Option) set(dst reflect.Value, v Value) error {
	if o.kind == durationType {
		return setDuration(dst, v, o)
	}
	if err := set(dst, v); err != nil {
		return err
	}
	if err := o.checkEnum(dst); err != nil {
		return err
	}
	return o.checkRange(v)
}

func (o *Option) checkEnum(dst reflect.Value) error {
	if len(o.Enum) == 0 {
		return nil
	}
	for dst.Kind() == reflect.Pointer {
		dst = dst.Elem()
	}
	if dst.Kind() == reflect.Slice {
		for i := range dst.Len() {
			if err := o.checkEnum(dst.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, e := range o.Enum {
		if strings.EqualFold(e, dst.String()) {
			dst.SetString(e)
			return nil
		}
	}
	if near, ok := Nearest(dst.String(), o.Enum); ok {
		return fmt.Errorf("%q is not allowed; did you mean %q? Allowed: %s", dst.String(), near, strings.Join(o.Enum, ", "))
	}
	return fmt.Errorf("%q is not allowed; allowed: %s", dst.String(), strings.Join(o.Enum, ", "))
}

func (o *Option) checkRange(v Value) error {
	if o.Min == "" && o.Max == "" || !v.Scalar() {
		return nil
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(v.Text), 64)
	if err != nil {
		return nil // set has said so
	}
	if limit, err := strconv.ParseFloat(o.Min, 64); err == nil && n < limit {
		return fmt.Errorf("%s is too small, the least is %s", v.Text, o.Min)
	}
	if limit, err := strconv.ParseFloat(o.Max, 64); err == nil && n > limit {
		return fmt.Errorf("%s is too large, the most is %s", v.Text, o.Max)
	}
	return nil
}
