package transform

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// RowKindExtractorOptions are the options of RowKindExtractor.
type RowKindExtractorOptions struct {
	Field string `opt:"custom_field_name" default:"row_kind" help:"Name of the new field."`
	Type  string `opt:"transform_type" default:"SHORT" enum:"SHORT,FULL" help:"SHORT writes +I, -U, +U, -D; FULL writes INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE."`
}

// kindExtractor is the transform RowKindExtractor: the kind goes into a field, and every row becomes an insert.
type kindExtractor struct {
	field string
	texts [plugin.Delete + 1]string
	alone *plugin.Table // the new field alone, for building it
	env   plugin.Env
}

func newRowKindExtractor(_ context.Context, o RowKindExtractorOptions, env plugin.Env) (*kindExtractor, error) {
	e := &kindExtractor{field: o.Field, env: env}
	for k := range e.texts {
		e.texts[k] = plugin.RowKind(k).String()
		if o.Type == "FULL" {
			e.texts[k] = plugin.RowKind(k).Name()
		}
	}
	var err error
	e.alone, err = plugin.NewTable(plugin.Table{Columns: []plugin.Column{e.column()}})
	return e, err
}

func (e *kindExtractor) column() plugin.Column {
	return plugin.Column{Name: e.field, Type: plugin.TypeOf(plugin.String)}
}

// Derive adds the field.
func (e *kindExtractor) Derive(in *plugin.Table) (*plugin.Table, error) {
	if in.Index(e.field) >= 0 {
		return nil, &plugin.Error{Code: plugin.CodeConfig,
			Err: fmt.Errorf("custom_field_name: the input has a field %q already", e.field)}
	}
	return extend(in, e.column())
}

// Apply adds the field and makes every row an insert.
func (e *kindExtractor) Apply(_ context.Context, in plugin.Batch, out *plugin.Table,
	emit func(plugin.Batch) error) error {
	b := column.NewBuilder(e.alone, e.env.Alloc)
	defer b.Release()
	kinds := b.Column(0).(*column.Text)
	for i := range in.Len() {
		kinds.AppendString(e.texts[in.Kind(i)])
	}
	b.EndRows(in.Len())
	made := b.Batch()
	defer made.Release()
	in.Kinds = nil
	return emit(extended(in, out, []string{e.field}, []arrow.Array{made.Rows.Column(0)}))
}
