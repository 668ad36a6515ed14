package column

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/culvertdata/culvert/plugin"
)

var errNullKey = errors.New("a map key is null")

func appendNested(c Column, t plugin.Type, v any) error {
	switch c := c.(type) {
	case *Lists:
		return appendList(c, t, v)
	case *Maps:
		return appendMap(c, t, v)
	case *Rows:
		return appendNestedRow(c, t, v)
	}
	return errGo(v)
}

func appendList(c *Lists, t plugin.Type, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array {
		return errNested(v, t, "a slice")
	}
	if rv.Kind() == reflect.Slice && rv.IsNil() {
		c.AppendNull()
		return nil
	}
	c.Begin()
	for i := range rv.Len() {
		if err := AppendValue(c.elem, *t.Elem, rv.Index(i).Interface()); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	c.End()
	return nil
}

func errNested(v any, t plugin.Type, want string) error {
	return fmt.Errorf("a Go %T cannot be a %s, which takes %s", v, t, want)
}

func appendMap(c *Maps, t plugin.Type, v any) error {
	if pairs, ok := v.([][2]any); ok && pairs != nil {
		c.Begin()
		for _, p := range pairs {
			if err := appendEntry(c, t, p[0], p[1]); err != nil {
				return err
			}
		}
		c.End()
		return nil
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Map && rv.Kind() != reflect.Slice {
		return errNested(v, t, "a map or [][2]any")
	}
	if rv.IsNil() {
		c.AppendNull()
		return nil
	}
	if rv.Kind() != reflect.Map {
		return errNested(v, t, "a map or [][2]any")
	}
	keys := rv.MapKeys()
	slices.SortFunc(keys, compareKeys) // Go's order is random; equal maps shall make equal rows
	c.Begin()
	for _, k := range keys {
		if err := appendEntry(c, t, k.Interface(), rv.MapIndex(k).Interface()); err != nil {
			return err
		}
	}
	c.End()
	return nil
}

func appendEntry(c *Maps, t plugin.Type, key, value any) error {
	before := c.key.Len()
	if err := AppendValue(c.key, *t.Key, key); err != nil {
		return fmt.Errorf("map key: %w", err)
	}
	if c.key.nullAt(before) {
		return errNullKey
	}
	if err := AppendValue(c.elem, *t.Elem, value); err != nil {
		return fmt.Errorf("map value of %v: %w", key, err)
	}
	return nil
}

func compareKeys(a, b reflect.Value) int {
	switch {
	case a.Kind() == reflect.Interface:
		return cmp.Compare(fmt.Sprint(a.Interface()), fmt.Sprint(b.Interface()))
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	case a.Kind() == reflect.String:
		return cmp.Compare(a.String(), b.String())
	default:
		return cmp.Compare(fmt.Sprint(a.Interface()), fmt.Sprint(b.Interface()))
	}
}

func appendNestedRow(c *Rows, t plugin.Type, v any) error {
	var values []any
	switch x := v.(type) {
	case []any:
		values = x
	case map[string]any:
		if x != nil {
			named, err := byName(t, x)
			if err != nil {
				return err
			}
			values = named
		}
	default:
		return errNested(v, t, "[]any or map[string]any")
	}
	if values == nil {
		c.AppendNull()
		return nil
	}
	if len(values) != len(t.Fields) {
		return fmt.Errorf("a %s takes %d values, not %d", t, len(t.Fields), len(values))
	}
	c.Begin()
	for i, f := range t.Fields {
		if err := AppendValue(c.fields[i], f.Type, values[i]); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	c.End()
	return nil
}

// byName puts values into the order of t's fields; a missing one is null.
func byName(t plugin.Type, m map[string]any) ([]any, error) {
	values := make([]any, len(t.Fields))
	found := 0
	for i, f := range t.Fields {
		v, ok := m[f.Name]
		if ok {
			values[i] = v
			found++
		}
	}
	if found == len(m) {
		return values, nil
	}
	for name := range m {
		if !slices.ContainsFunc(t.Fields, func(f plugin.Field) bool { return f.Name == name }) {
			return nil, fmt.Errorf("a %s has no field %s", t, name)
		}
	}
	return values, nil
}
