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

	names []string // Name and Aliases
	index []int
	kind  reflect.Type
}

// Spec describes an options struct. It is never changed once made, so several goroutines may use it.
type Spec struct {
	Options []Option
	Rules   []Rule

	typ   reflect.Type
	raw   []int           // field that takes the whole value
	known map[string]bool // all names
}

var (
	decoderType  = reflect.TypeFor[Decoder]()
	valueType    = reflect.TypeFor[Value]()
	durationType = reflect.TypeFor[time.Duration]()
)

// SpecOf returns the description of the options struct O, or what is wrong with its tags. It reflects each time: keep
// what it returns.
func SpecOf[O any]() (*Spec, error) { return specOf(reflect.TypeFor[O](), nil) }

// specOf describes t, which is nested in the structs of outer.
func specOf(t reflect.Type, outer []reflect.Type) (*Spec, error) {
	switch {
	case t.Kind() != reflect.Struct:
		return nil, fmt.Errorf("options must be a struct, not %s", t)
	case slices.Contains(outer, t):
		return nil, fmt.Errorf("options of %s contain themselves", t)
	}
	s := &Spec{typ: t, known: map[string]bool{}}
	errs := []error{s.add(t, nil, append(slices.Clone(outer), t))}
	if r, ok := reflect.New(t).Interface().(Ruled); ok {
		s.Rules = r.Rules()
	}
	for _, r := range s.Rules {
		errs = append(errs, r.checkNames(s))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Spec) add(t reflect.Type, index []int, outer []reflect.Type) error {
	var errs []error
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		tag := f.Tag.Get("opt")
		switch {
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			errs = append(errs, s.add(f.Type, at, outer))
		case tag == "*" && f.Type == valueType:
			s.raw = at
		case tag != "" && tag != "-":
			o, err := option(f, tag, at, outer)
			if err == nil {
				err = s.claim(o.names)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s.%s: %w", t, f.Name, err))
			}
			s.Options = append(s.Options, o)
		}
	}
	return errors.Join(errs...)
}

// claim records the names of an option, which no other option may have.
func (s *Spec) claim(names []string) error {
	for _, name := range names {
		if s.known[name] {
			return fmt.Errorf("two options are named %s", name)
		}
		s.known[name] = true
	}
	return nil
}

func option(f reflect.StructField, tag string, index []int, outer []reflect.Type) (Option, error) {
	names := strings.Split(tag, ",")
	o := Option{
		Name: names[0], Aliases: names[1:], names: names, Unit: f.Tag.Get("unit"),
		Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
		Required: f.Tag.Get("required") == "true", Secret: f.Tag.Get("secret") == "true", Help: f.Tag.Get("help"),
		index: index, kind: f.Type,
	}
	if d, ok := f.Tag.Lookup("default"); ok {
		o.Default = &d
	}
	if e := f.Tag.Get("enum"); e != "" {
		o.Enum = strings.Split(e, ",")
	}
	if err := o.checkTags(f); err != nil {
		return o, fmt.Errorf("option %s %w", o.Name, err)
	}
	if nested := structOf(f.Type); nested != nil {
		spec, err := specOf(nested, outer)
		if err != nil {
			return o, err
		}
		o.Nested = spec
	}
	o.Type = typeName(f.Type)
	if o.Default != nil {
		if err := o.set(reflect.New(f.Type).Elem(), TextValue(*o.Default)); err != nil {
			return o, fmt.Errorf("option %s has a bad default: %w", o.Name, err)
		}
	}
	return o, nil
}

// checkTags finds the tags that would fail only when a job uses the option.
func (o *Option) checkTags(f reflect.StructField) error {
	inner := innerType(f.Type)
	switch {
	case o.Help == "":
		return errors.New("has no help tag")
	case !f.IsExported():
		return errors.New("is an unexported field")
	case !settable(f.Type):
		return fmt.Errorf("has the type %s, which no option can have", f.Type)
	case inner == durationType && f.Type.Kind() == reflect.Slice:
		return errors.New("is a list of durations, which have no unit")
	case inner == durationType && units[o.Unit] == 0:
		return errors.New("needs a unit tag of ms, s, m or h")
	case len(o.Enum) > 0 && inner.Kind() != reflect.String:
		return errors.New("has an enum tag but is no text")
	}
	for _, limit := range []string{o.Min, o.Max} {
		if _, err := strconv.ParseFloat(limit, 64); limit != "" && err != nil {
			return fmt.Errorf("has the limit %q, which is no number", limit)
		}
	}
	return nil
}

// innerType returns what pointers and lists of t hold. A type that reads its value itself is not looked into.
func innerType(t reflect.Type) reflect.Type {
	for (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) && !reflect.PointerTo(t).Implements(decoderType) {
		t = t.Elem()
	}
	return t
}

// settable reports whether an option can have the type.
func settable(t reflect.Type) bool {
	if t == valueType || reflect.PointerTo(t).Implements(decoderType) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return settable(t.Elem())
	case reflect.Map:
		return t.Key().Kind() == reflect.String && structOf(t.Elem()) == nil && settable(t.Elem())
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64, reflect.Struct,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

// structOf returns the options struct inside t, nil if there is none.
func structOf(t reflect.Type) reflect.Type {
	t = innerType(t)
	if t.Kind() != reflect.Struct || t == valueType || reflect.PointerTo(t).Implements(decoderType) {
		return nil
	}
	return t
}

func typeName(t reflect.Type) string {
	switch {
	case t == valueType:
		return "any"
	case reflect.PointerTo(t).Implements(decoderType):
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
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return "int"
	default:
		return "string"
	}
}

// Names returns all names that the options answer to, documented ones and aliases.
func (s *Spec) Names() []string {
	var names []string
	for _, o := range s.Options {
		names = append(names, o.names...)
	}
	return names
}

// Secrets returns the names of the secret options at the top level, aliases included.
func (s *Spec) Secrets() []string {
	var names []string
	for _, o := range s.Options {
		if o.Secret {
			names = append(names, o.names...)
		}
	}
	return names
}

// Mask returns a copy of v in which the value of each secret option, nested ones included, is ******.
func (s *Spec) Mask(v Value) Value {
	for i := range s.Options {
		o := &s.Options[i]
		if !o.Secret && o.Nested == nil {
			continue
		}
		for _, name := range o.names {
			v = v.update(name, o.mask)
		}
	}
	return v
}

func (o *Option) mask(v Value) Value {
	switch {
	case o.Secret:
		return Value{Kind: String, Text: "******", Pos: v.Pos}
	case v.Kind == List:
		items := make([]Value, len(v.Items))
		for i, item := range v.Items {
			items[i] = o.Nested.Mask(item)
		}
		v.Items = items
		return v
	}
	return o.Nested.Mask(v)
}

// find returns the value of an option under any of its names, and the name used.
func (o *Option) find(v Value) (Value, string, bool) {
	for _, name := range o.names {
		if found, ok := v.Lookup(name); ok && found.Kind != Null && found.Kind != None {
			return found, name, true
		}
	}
	return Value{}, o.Name, false
}

// set converts v to the option's type and stores it in dst.
func (o *Option) set(dst reflect.Value, v Value) error {
	if innerType(o.kind) == durationType {
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

// checkRange checks a number, or each number of a list.
func (o *Option) checkRange(v Value) error {
	if o.Min == "" && o.Max == "" {
		return nil
	}
	for _, item := range v.Items {
		if err := o.checkRange(item); err != nil {
			return err
		}
	}
	for part := range strings.SplitSeq(v.Text, ",") { // a list may be written as one text
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			continue // set has said so
		}
		if err := o.inRange(n, strings.TrimSpace(part)); err != nil {
			return err
		}
	}
	return nil
}

func (o *Option) inRange(n float64, text string) error {
	if limit, err := strconv.ParseFloat(o.Min, 64); err == nil && n < limit {
		return fmt.Errorf("%s is too small, the least is %s", text, o.Min)
	}
	if limit, err := strconv.ParseFloat(o.Max, 64); err == nil && n > limit {
		return fmt.Errorf("%s is too large, the most is %s", text, o.Max)
	}
	return nil
}
