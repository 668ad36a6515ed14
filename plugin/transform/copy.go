package transform

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// CopyOptions are the options of Copy.
type CopyOptions struct {
	Fields fieldMap `opt:"fields" help:"New field = field to copy. A new field that exists already is replaced in its place."`
	From   string   `opt:"src_field" help:"Old form: the field to copy."`
	To     string   `opt:"dest_field" help:"Old form: the new field."`
}

// Rules demand one of the two forms.
func (CopyOptions) Rules() []config.Rule {
	return []config.Rule{
		config.ExactlyOne("fields", "src_field"),
		config.Together("src_field", "dest_field"),
	}
}

// copier is the transform Copy. A copied column is the same Arrow array twice.
type copier struct {
	fields fieldMap
	plans  memo[[]int]
}

func newCopy(_ context.Context, o CopyOptions, _ plugin.Env) (*copier, error) {
	c := &copier{fields: o.Fields, plans: memo[[]int]{}}
	if o.From != "" {
		c.fields.pairs = []pair{{key: o.To, value: o.From}}
	}
	return c, nil
}

// sources returns the positions of the fields to copy.
func (c *copier) sources(in *plugin.Table) ([]int, error) {
	return fieldIndexes(in, "fields", c.fields.values())
}

// Derive adds the copies.
func (c *copier) Derive(in *plugin.Table) (*plugin.Table, error) {
	sources, err := c.plans.of(in, c.sources)
	if err != nil {
		return nil, err
	}
	columns := make([]plugin.Column, len(sources))
	for i, s := range sources {
		columns[i] = in.Columns[s]
		columns[i].Name = c.fields.pairs[i].key
	}
	return extend(in, columns...)
}

// Apply adds the copies.
func (c *copier) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	sources, err := c.plans.of(in.Table, c.sources)
	if err != nil {
		return err
	}
	values := make([]arrow.Array, len(sources))
	for i, s := range sources {
		values[i] = in.Rows.Column(s)
	}
	return emit(extended(in, out, c.fields.keys(), values))
}
