package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// commonKeys are understood for every plugin, by the engine.
var commonKeys = []string{"plugin_name", "result_table_name", "plugin_output", "source_table_name", "plugin_input",
	"parallelism", "multi_table_sink_replica"}

// Decode reads options from an object into the struct that out points to and returns all problems at once. Fields
// without a value get their default, or keep what they hold if they have none.
func Decode[O any](v Value, out *O) Problems {
	s, err := SpecOf[O]()
	if err != nil {
		return Problems{{Text: err.Error()}}
	}
	return s.Decode(v, out)
}

// Decode is like the function [Decode] for a Spec made before. out must point to the struct that the Spec describes.
func (s *Spec) Decode(v Value, out any) Problems {
	dst := reflect.ValueOf(out)
	if dst.Type() != reflect.PointerTo(s.typ) {
		return Problems{{Text: fmt.Sprintf("options of %s cannot be read into %s", s.typ, dst.Type())}}
	}
	return s.decode(v, dst.Elem(), true)
}

// Check returns all problems of an object, warnings included, without keeping the values.
func (s *Spec) Check(v Value) Problems {
	return s.decode(v, reflect.New(s.typ).Elem(), true)
}

func (s *Spec) decode(v Value, dst reflect.Value, top bool) Problems {
	if v.Kind != Object && v.Kind != None {
		return Problems{{Pos: v.Pos, Text: fmt.Sprintf("must be an object, not %s", v.Kind)}}
	}
	var ps Problems
	for i := range s.Options {
		ps = append(ps, s.Options[i].decode(v, dst)...)
	}
	if s.raw != nil {
		dst.FieldByIndex(s.raw).Set(reflect.ValueOf(v))
	}
	for _, r := range s.Rules {
		ps = append(ps, r.check(s, v)...)
	}
	ps = append(ps, s.unknown(v, top)...)
	if ps.Err() == nil {
		if c, ok := dst.Addr().Interface().(Checked); ok {
			ps = append(ps, c.CheckOptions()...)
		}
	}
	return ps
}

func (o *Option) decode(v Value, dst reflect.Value) Problems {
	found, name, ok := o.find(v)
	field := dst.FieldByIndex(o.index)
	switch {
	case !ok && o.Default != nil:
		if err := o.set(field, TextValue(*o.Default)); err != nil {
			return Problems{{Path: name, Pos: v.Pos, Text: err.Error()}}
		}
		return nil
	case !ok && o.Required:
		return Problems{{Path: name, Pos: v.Pos, Text: "is required: " + o.Help}}
	case !ok:
		return nil
	case o.Nested != nil:
		return o.decodeNested(found, name, field)
	}
	err := o.set(field, found)
	if err != nil && o.Secret {
		err = fmt.Errorf("cannot be read as %s", o.Type) // the reason would show the value
	}
	return problemsOf(err, found.Pos).Under(name)
}

// problemsOf returns the problems that an error stands for. One that is no *Error is a problem at pos.
func problemsOf(err error, pos Pos) Problems {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e.Problems
	}
	return Problems{{Pos: pos, Text: err.Error()}}
}

func (o *Option) decodeNested(v Value, name string, dst reflect.Value) Problems {
	if dst.Kind() != reflect.Slice {
		if dst.Kind() == reflect.Pointer {
			dst.Set(reflect.New(dst.Type().Elem()))
			dst = dst.Elem()
		}
		return o.Nested.decode(v, dst, false).Under(name)
	}
	items := v.Items
	if v.Kind == Object {
		items = []Value{v}
	} else if v.Kind != List {
		return Problems{{Path: name, Pos: v.Pos, Text: fmt.Sprintf("must be a list of objects, not %s", v.Kind)}}
	}
	var ps Problems
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		ps = append(ps, o.Nested.decode(item, list.Index(i), false).Under(fmt.Sprintf("%s[%d]", name, i))...)
	}
	dst.Set(list)
	return ps
}

// unknown warns of members that have no effect: no option answers to them, or another name of their option does.
func (s *Spec) unknown(v Value, top bool) Problems {
	var ps Problems
	for i := range s.Options {
		s.Options[i].unused(v, &ps)
	}
	if s.raw != nil {
		return ps
	}
	for _, m := range v.Members {
		if s.knows(m.Key, m.Value) || top && slices.Contains(commonKeys, m.Key) {
			continue
		}
		text := "is not an option here and has no effect"
		if near, ok := Nearest(m.Key, s.Names()); ok {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		ps.Warnf(m.Key, m.Pos, "%s", text)
	}
	return ps
}

// unused warns of further names of an option that has a value already.
func (o *Option) unused(v Value, ps *Problems) {
	used := ""
	for _, name := range o.names {
		if len(o.names) == 1 {
			return
		}
		found, ok := v.Lookup(name)
		switch {
		case !ok || found.Kind == Null:
		case used == "":
			used = name
		default:
			ps.Warnf(name, found.Pos, "has no effect, because %s, another name of it, is set too", used)
		}
	}
}

// knows reports whether a key is an option, or the first part of one written as nested objects.
func (s *Spec) knows(key string, v Value) bool {
	if s.known[key] {
		return true
	}
	if v.Kind == Object {
		for name := range s.known {
			if strings.HasPrefix(name, key+".") {
				return true
			}
		}
	}
	return false
}

func set(dst reflect.Value, v Value) error {
	if dst.CanAddr() {
		if d, ok := dst.Addr().Interface().(Decoder); ok {
			return d.DecodeConfig(v)
		}
	}
	if dst.Type() == valueType {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return set(dst.Elem(), v)
	case reflect.Slice:
		return setList(dst, v)
	case reflect.Map:
		return setMap(dst, v)
	case reflect.String:
		dst.SetString(v.String())
		return nil
	}
	if !v.Scalar() {
		return fmt.Errorf("must be %s, not %s", article(typeName(dst.Type())), v.Kind)
	}
	return setScalar(dst, strings.TrimSpace(v.Text))
}

func setScalar(dst reflect.Value, text string) error {
	switch {
	case dst.Kind() == reflect.Bool:
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			return fmt.Errorf("must be true or false, not %q", text)
		}
		dst.SetBool(strings.EqualFold(text, "true"))
	case dst.CanInt():
		n, err := parseInt(text)
		if err != nil || dst.OverflowInt(n) {
			return fmt.Errorf("must be a whole number of at most %d bits, not %q", dst.Type().Bits(), text)
		}
		dst.SetInt(n)
	case dst.CanUint():
		n, err := strconv.ParseUint(text, 10, dst.Type().Bits())
		if err != nil {
			return fmt.Errorf("must be a whole number of at most %d bits, not negative, not %q", dst.Type().Bits(), text)
		}
		dst.SetUint(n)
	case dst.CanFloat():
		n, err := strconv.ParseFloat(text, dst.Type().Bits())
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Errorf("must be a number of at most %d bits, not %q", dst.Type().Bits(), text)
		}
		dst.SetFloat(n)
	default:
		return fmt.Errorf("options of type %s are not supported", dst.Type())
	}
	return nil
}

// parseInt reads a whole number, also one written as 5.0 or 1e3.
func parseInt(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n, nil
	}
	f, ferr := strconv.ParseFloat(text, 64)
	if ferr != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return 0, err
	}
	return int64(f), nil
}

func setList(dst reflect.Value, v Value) error {
	items := v.Items
	switch {
	case v.Scalar() && strings.TrimSpace(v.Text) == "":
	case v.Scalar():
		for part := range strings.SplitSeq(v.Text, ",") {
			items = append(items, Value{Kind: String, Text: strings.TrimSpace(part), Pos: v.Pos})
		}
	case v.Kind == Object:
		items = []Value{v}
	}
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	var ps Problems
	for i, item := range items {
		err := set(list.Index(i), item)
		ps = append(ps, problemsOf(err, item.Pos).Under(fmt.Sprintf("[%d]", i))...)
	}
	dst.Set(list)
	return ps.asError()
}

func setMap(dst reflect.Value, v Value) error {
	if v.Kind != Object {
		return fmt.Errorf("must be an object, not %s", v.Kind)
	}
	m := reflect.MakeMapWithSize(dst.Type(), len(v.Members))
	var ps Problems
	for _, member := range v.Members {
		elem := reflect.New(dst.Type().Elem()).Elem()
		err := set(elem, member.Value)
		ps = append(ps, problemsOf(err, member.Value.Pos).Under(member.Key)...)
		m.SetMapIndex(reflect.ValueOf(member.Key).Convert(dst.Type().Key()), elem)
	}
	dst.Set(m)
	return ps.asError()
}

var units = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour}

// setDuration reads a number in the option's unit, or a Go duration such as 1m30s.
func setDuration(dst reflect.Value, v Value, o *Option) error {
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	if !v.Scalar() {
		return fmt.Errorf("must be a number of %s, not %s", o.Unit, v.Kind)
	}
	text, unit := strings.TrimSpace(v.Text), units[o.Unit]
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("must be a number of %s, not %q", o.Unit, text)
		}
		dst.SetInt(int64(d))
		return o.inRange(float64(d)/float64(unit), text)
	}
	if !(math.Abs(n) <= float64(math.MaxInt64/unit)) { // also what is no number
		return fmt.Errorf("must be a number of %s below %d, not %s", o.Unit, math.MaxInt64/unit, text)
	}
	dst.SetInt(int64(math.Round(n * float64(unit))))
	return o.inRange(n, text)
}

func article(name string) string {
	if strings.HasPrefix(name, "i") || strings.HasPrefix(name, "o") {
		return "an " + name
	}
	return "a " + name
}
