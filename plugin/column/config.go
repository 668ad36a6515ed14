package column

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// AppendConfig appends a value of a job file by the rules of [AppendJSON]: a list for an Array, an object for a Map or
// Row, a scalar for anything else. A Row also takes a list of its fields in order; those that are missing
// at its end are null.
func AppendConfig(c Column, t plugin.Type, v config.Value) error {
	switch v.Kind {
	case config.None, config.Null:
		c.AppendNull()
		return nil
	case config.List, config.Object:
		return appendConfigNested(c, t, v)
	case config.String:
		return appendScalar(c, t, []byte(v.Text), fromString)
	default:
		return appendScalar(c, t, []byte(v.Text), fromNumber)
	}
}

func appendConfigNested(c Column, t plugin.Type, v config.Value) error {
	switch c := c.(type) {
	case *Lists:
		if v.Kind == config.List {
			return appendConfigList(c, t, v)
		}
	case *Maps:
		if v.Kind == config.Object {
			return appendConfigMap(c, t, v)
		}
	case *Rows:
		return appendConfigRow(c, t, v)
	case *Nulls:
		c.AppendNull()
		return nil
	case *Text:
		if t.Kind == plugin.String {
			return c.add([]byte(v.JSON()))
		}
	}
	return badText([]byte(v.JSON()), t, fmt.Errorf("the value is %s", v.Kind))
}

func appendConfigList(c *Lists, t plugin.Type, v config.Value) error {
	c.Begin()
	for i, item := range v.Items {
		if err := AppendConfig(c.elem, *t.Elem, item); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	c.End()
	return nil
}

func appendConfigMap(c *Maps, t plugin.Type, v config.Value) error {
	c.Begin()
	for _, m := range v.Members {
		if err := c.appendKey(t, []byte(m.Key)); err != nil {
			return fmt.Errorf("map key: %w", err)
		}
		if err := AppendConfig(c.elem, *t.Elem, m.Value); err != nil {
			return fmt.Errorf("map value of %s: %w", m.Key, err)
		}
	}
	c.End()
	return nil
}

func appendConfigRow(c *Rows, t plugin.Type, v config.Value) error {
	if v.Kind == config.List && len(v.Items) > len(t.Fields) {
		return fmt.Errorf("a %s takes %d values, not %d", t, len(t.Fields), len(v.Items))
	}
	c.Begin()
	for i, f := range t.Fields {
		var item config.Value
		switch {
		case v.Kind == config.Object:
			item, _ = v.Get(f.Name)
		case i < len(v.Items):
			item = v.Items[i]
		}
		if err := AppendConfig(c.fields[i], f.Type, item); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	c.End()
	return nil
}
