package transform

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// ReplaceOptions are the options of Replace.
type ReplaceOptions struct {
	Field       string `opt:"replace_field" required:"true" help:"Field to change."`
	Pattern     string `opt:"pattern" required:"true" help:"Text to replace, or a regular expression if is_regex is set."`
	Replacement string `opt:"replacement" required:"true" help:"What takes its place; with a regular expression $1 stands for its first group."`
	Regex       bool   `opt:"is_regex" default:"false" help:"Whether the pattern is a regular expression."`
	First       *bool  `opt:"replace_first" help:"With a regular expression: whether only the first match is replaced."`
}

// Rules demand replace_first for a regular expression.
func (ReplaceOptions) Rules() []config.Rule {
	return []config.Rule{config.RequiredWhen("is_regex", "true", "replace_first")}
}

// replace is the transform Replace. A value is changed as text. SeaTunnel leaves the text in the column whatever the
// column's type; here the text is read back as a value of the type, and a row fails whose text cannot be.
type replace struct {
	field string
	replacer
	env     plugin.Env
	plans   memo[*plugin.Table] // the field alone, for building it
	scratch []byte
}

func newReplace(_ context.Context, o ReplaceOptions, env plugin.Env) (*replace, error) {
	r := &replace{field: o.Field, env: env, plans: memo[*plugin.Table]{}}
	r.from, r.to = []byte(o.Pattern), []byte(o.Replacement)
	if !o.Regex {
		return r, nil
	}
	var err error
	if r.pattern, err = compile(o.Pattern); err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: err}
	}
	if r.template, err = parseTemplate(o.Replacement, r.pattern.re); err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: err}
	}
	r.firstOnly = o.First != nil && *o.First
	return r, nil
}

// Derive returns the table as it is.
func (r *replace) Derive(in *plugin.Table) (*plugin.Table, error) {
	_, err := r.plans.of(in, r.alone)
	return in, err
}

// alone returns a table of the field only.
func (r *replace) alone(in *plugin.Table) (*plugin.Table, error) {
	i, err := fieldIndex(in, "replace_field", r.field)
	if err != nil {
		return nil, err
	}
	switch t := in.Columns[i].Type; t.Kind {
	case plugin.Null, plugin.Bytes, plugin.Array, plugin.Map, plugin.Row:
		return nil, &plugin.Error{Code: plugin.CodeType,
			Err: fmt.Errorf("replace_field: %s is of type %s, which has no text to replace in", r.field, t)}
	}
	return plugin.NewTable(plugin.Table{ID: in.ID, Columns: []plugin.Column{in.Columns[i]}})
}

// Apply replaces in the field.
func (r *replace) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	alone, err := r.plans.of(in.Table, r.alone)
	if err != nil {
		return err
	}
	values := in.Rows.Column(in.Table.Index(r.field))
	b := column.NewBuilder(alone, r.env.Alloc)
	defer b.Release()
	if text, ok := values.(*array.String); ok {
		if !r.mayMatch(text) {
			return emit(same(in, out))
		}
		r.texts(text, b.Column(0).(*column.Text))
	} else if err := r.others(values, b); err != nil {
		return err
	}
	b.EndRows(in.Len())
	made := b.Batch()
	defer made.Release()
	return emit(extended(in, out, []string{r.field}, []arrow.Array{made.Rows.Column(0)}))
}

// mayMatch reports whether a literal pattern occurs anywhere in the values, so that most batches need no copy.
func (r *replace) mayMatch(values *array.String) bool {
	return r.pattern != nil || bytes.Contains(values.ValueBytes(), r.from)
}

func (r *replace) texts(values *array.String, out *column.Text) {
	for i := range values.Len() {
		if values.IsNull(i) {
			out.AppendNull()
			continue
		}
		r.scratch, _ = r.append(r.scratch[:0], bytesOf(values.Value(i)))
		out.Append(r.scratch)
	}
}

// others replaces in the text forms of values that are no texts.
func (r *replace) others(values arrow.Array, b *column.Builder) error {
	c, t := b.Column(0), b.Table().Columns[0].Type
	for i := range values.Len() {
		if values.IsNull(i) {
			c.AppendNull()
			continue
		}
		before := column.FormatJava(nil, values, t, i)
		after, changed := r.append(nil, before)
		var err error
		switch {
		case !changed || bytes.Equal(before, after):
			err = column.AppendValue(c, t, column.Value(values, t, i))
		case len(bytes.TrimSpace(after)) == 0:
			err = fmt.Errorf("%q becomes empty", before)
		default:
			err = column.AppendText(c, t, withSeconds(t, after), &column.TextFormat{})
		}
		if err != nil {
			return &plugin.Error{Code: plugin.CodeData, Table: b.Table().ID,
				Row: fmt.Sprintf("field %s: %q replaced in %q", r.field, r.from, before), Err: err,
				Fix: "the result must be a " + t.String() + " again"}
		}
	}
	return nil
}

// withSeconds completes the text of a clock, which has none if they are zero.
func withSeconds(t plugin.Type, text []byte) []byte {
	short := t.Kind == plugin.Time && len(text) == len("12:34") ||
		t.Kind == plugin.Timestamp && len(text) == len("2006-01-02T12:34")
	if short {
		return append(slices.Clip(text), ":00"...)
	}
	return text
}
