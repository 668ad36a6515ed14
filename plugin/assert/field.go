package assert

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// test looks at the first rows of a column, up to limit, and returns the position of the first that fails, limit if
// none does.
type test func(a arrow.Array, limit int) int

// fieldTest is one rule about one field of a table, made for its column.
type fieldTest struct {
	column int
	rule   string
	test   test
}

// fieldTests makes the tests of a table's field rules.
func fieldTests(t *plugin.Table, rules []FieldRule) ([]fieldTest, error) {
	var tests []fieldTest
	for _, r := range rules {
		i := t.Index(r.Name)
		if i < 0 {
			err := fmt.Errorf("field_rules: the table has no field %q", r.Name)
			if near, ok := config.Nearest(r.Name, t.Names()); ok {
				err = fmt.Errorf("%w; did you mean %q?", err, near)
			}
			return nil, &plugin.Error{Code: plugin.CodeConfig, Table: t.ID, Err: err}
		}
		typ := t.Columns[i].Type
		add := func(rule string, f test) { tests = append(tests, fieldTest{i, "field " + r.Name + ": " + rule, f}) }
		add("field_type "+r.Type.String(), typeTest(typ, r.Type.Type))
		for _, v := range r.Values {
			if err := addValueTests(typ, v, add); err != nil {
				return nil, &plugin.Error{Code: plugin.CodeConfig, Table: t.ID,
					Err: fmt.Errorf("field_rules: field %s: %w", r.Name, err)}
			}
		}
	}
	return tests, nil
}

func addValueTests(t plugin.Type, v ValueRule, add func(string, test)) error {
	if v.Type != "" {
		name, bound := v.Type, 0.0
		if v.Value != nil {
			bound = *v.Value
			name = fmt.Sprintf("%s %v", v.Type, bound)
		}
		add(name, ruleTest(t, v.Type, bound))
	}
	if v.Equals.Kind == config.None {
		return nil
	}
	f, err := equalsTest(t, v.Equals)
	add("equals_to "+v.Equals.String(), f)
	return err
}

func ruleTest(t plugin.Type, rule string, bound float64) test {
	switch rule {
	case "NULL":
		return firstWhere(func(a arrow.Array, i int) bool { return !column.IsNull(a, i) })
	case "NOT_NULL":
		return firstNull
	case "MIN":
		return numberTest(t, func(v float64) bool { return v < bound })
	case "MAX":
		return numberTest(t, func(v float64) bool { return v > bound })
	case "MIN_LENGTH":
		return lengthTest(t, func(n int) bool { return float64(n) < bound })
	default:
		return lengthTest(t, func(n int) bool { return float64(n) > bound })
	}
}

// firstWhere makes a test of a condition that must not hold.
func firstWhere(bad func(a arrow.Array, i int) bool) test {
	return func(a arrow.Array, limit int) int {
		for i := range limit {
			if bad(a, i) {
				return i
			}
		}
		return limit
	}
}

func firstNull(a arrow.Array, limit int) int {
	if a.NullN() == 0 && a.DataType().ID() != arrow.NULL {
		return limit
	}
	return firstWhere(column.IsNull)(a, limit)
}

// always fails at the first row.
func always(arrow.Array, int) int { return 0 }

// equalsTest compares with a value of the job file. Nulls pass.
func equalsTest(t plugin.Type, v config.Value) (test, error) {
	table, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{{Name: "equals_to", Type: t}}})
	if err != nil {
		return nil, err
	}
	// In the Go heap, so that nobody has to release it.
	b := column.NewBuilder(table, memory.DefaultAllocator)
	if err := column.AppendConfig(b.Column(0), t, v); err != nil {
		return nil, fmt.Errorf("equals_to %s is no %s: %w", v, t, err)
	}
	b.EndRow(plugin.Insert)
	want := b.Batch().Rows.Column(0)
	return firstWhere(func(a arrow.Array, i int) bool {
		return !column.IsNull(a, i) && !column.Equal(a, i, want, 0, t)
	}), nil
}

// rowText returns a row as SeaTunnel prints it.
func rowText(b plugin.Batch, row int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "SeaTunnelRow{tableId=%s, kind=%s, fields=[", b.Table.ID, b.Kind(row))
	for i, c := range b.Table.Columns {
		if i > 0 {
			text.WriteString(", ")
		}
		if a := b.Rows.Column(i); column.IsNull(a, row) {
			text.WriteString("null")
		} else {
			text.Write(column.FormatJava(nil, a, c.Type, row))
		}
	}
	text.WriteString("]}")
	return text.String()
}
