package transform

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// fieldIndex returns the position of a field of t.
func fieldIndex(t *plugin.Table, option, name string) (int, error) {
	if i := t.Index(name); i >= 0 {
		return i, nil
	}
	err := fmt.Errorf("%s: the input has no field %q", option, name)
	if near, ok := config.Nearest(name, t.Names()); ok {
		err = fmt.Errorf("%w; did you mean %q?", err, near)
	}
	return 0, &plugin.Error{Code: plugin.CodeConfig, Err: err}
}

// fieldIndexes returns the positions of several fields of t.
func fieldIndexes(t *plugin.Table, option string, names []string) ([]int, error) {
	indexes := make([]int, len(names))
	for i, name := range names {
		var err error
		if indexes[i], err = fieldIndex(t, option, name); err != nil {
			return nil, err
		}
	}
	return indexes, nil
}

// project returns the table that has only some columns of t, in the given order and under the given names.
func project(t *plugin.Table, columns []int, names []string) (*plugin.Table, error) {
	out := *t
	out.Columns, out.Key, out.Constraints = nil, nil, nil
	renamed := make(map[string]string, len(columns))
	for i, c := range columns {
		col := t.Columns[c]
		renamed[col.Name] = names[i]
		col.Name = names[i]
		out.Columns = append(out.Columns, col)
	}
	for _, k := range t.Key {
		if i := slices.Index(columns, k); i >= 0 {
			out.Key = append(out.Key, i)
		}
	}
	if len(out.Key) < len(t.Key) || len(t.Key) == 0 {
		out.Key, out.KeyName = nil, ""
	}
	for _, c := range t.Constraints {
		if survivor, ok := rename(c, renamed); ok {
			out.Constraints = append(out.Constraints, survivor)
		}
	}
	return plugin.NewTable(out)
}

// rename returns the key with the new names of its columns, false if not all of them have one.
func rename(c plugin.Constraint, names map[string]string) (plugin.Constraint, bool) {
	columns := make([]plugin.ConstraintColumn, len(c.Columns))
	for i, col := range c.Columns {
		name, ok := names[col.Name]
		if !ok {
			return c, false
		}
		columns[i] = plugin.ConstraintColumn{Name: name, Desc: col.Desc}
	}
	c.Columns = columns
	return c, true
}

// extend returns the table that has more columns at its end. A column whose name exists already takes the place of
// the old one.
func extend(t *plugin.Table, columns ...plugin.Column) (*plugin.Table, error) {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	for _, c := range columns {
		if i := t.Index(c.Name); i >= 0 {
			out.Columns[i] = c
		} else {
			out.Columns = append(out.Columns, c)
		}
	}
	return plugin.NewTable(out)
}

// extended returns the batch of table out, made by [extend], with the values of the new columns. It borrows values.
func extended(in plugin.Batch, out *plugin.Table, names []string, values []arrow.Array) plugin.Batch {
	columns := make([]arrow.Array, len(out.Columns))
	copy(columns, in.Rows.Columns())
	for i, name := range names {
		columns[out.Index(name)] = values[i]
	}
	return column.Assemble(out, columns, in.Kinds)
}

// same returns the batch unchanged but for its table, with a reference of its own.
func same(in plugin.Batch, out *plugin.Table) plugin.Batch {
	in.Retain()
	in.Table = out
	return in
}

// memo keeps what a transform works out for a table, so that it is done once and not for each batch.
type memo[T any] map[*plugin.Table]T

func (m memo[T]) of(t *plugin.Table, work func(*plugin.Table) (T, error)) (T, error) {
	if v, ok := m[t]; ok {
		return v, nil
	}
	v, err := work(t)
	if err == nil {
		m[t] = v
	}
	return v, err
}

// pair is one entry of an option that maps a field to a field.
type pair struct{ key, value string }

// fieldMap is such an option, in the order of the job file.
type fieldMap struct{ pairs []pair }

// DecodeConfig implements [config.Decoder].
func (m *fieldMap) DecodeConfig(v config.Value) error {
	if v.Kind != config.Object {
		return fmt.Errorf("must be an object of field = field, not %s", v.Kind)
	}
	for _, member := range v.Members {
		if !member.Value.Scalar() {
			return fmt.Errorf("%s must be the name of a field, not %s", member.Key, member.Value.Kind)
		}
		m.pairs = append(m.pairs, pair{member.Key, member.Value.Text})
	}
	return nil
}

func (m fieldMap) keys() []string {
	names := make([]string, len(m.pairs))
	for i, p := range m.pairs {
		names[i] = p.key
	}
	return names
}

func (m fieldMap) values() []string {
	names := make([]string, len(m.pairs))
	for i, p := range m.pairs {
		names[i] = p.value
	}
	return names
}

// repeated returns the first name that occurs twice.
func repeated(names []string) (string, bool) {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return name, true
		}
	}
	return "", false
}
