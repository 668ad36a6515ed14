package transform

import (
	"context"
	"errors"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// FieldMapperOptions are the options of FieldMapper.
type FieldMapperOptions struct {
	Fields fieldMap `opt:"field_mapper" required:"true" help:"Input field = output field, in the order of the output."`
}

// CheckOptions refuses two output fields of one name.
func (o *FieldMapperOptions) CheckOptions() config.Problems {
	var ps config.Problems
	if len(o.Fields.pairs) == 0 {
		ps.Errorf("field_mapper", config.Pos{}, "must name at least one field")
	}
	if name, ok := repeated(o.Fields.values()); ok {
		ps.Errorf("field_mapper", config.Pos{}, "two fields become %q", name)
	}
	return ps
}

// FilterOptions are the options of Filter.
type FilterOptions struct {
	Include []string `opt:"include_fields,fields" help:"Fields to keep, in the order of the output."`
	Exclude []string `opt:"exclude_fields" help:"Fields to drop."`
}

// Rules demand one of the two lists.
func (FilterOptions) Rules() []config.Rule {
	return []config.Rule{config.ExactlyOne("include_fields", "exclude_fields")}
}

// CheckOptions refuses a field that is named twice.
func (o *FilterOptions) CheckOptions() config.Problems {
	var ps config.Problems
	if name, ok := repeated(o.Include); ok {
		ps.Errorf("include_fields", config.Pos{}, "names %q twice", name)
	}
	return ps
}

// selector is the transforms FieldMapper, Filter and Sql: some columns, perhaps under new names.
type selector struct {
	choose func(in *plugin.Table) (selection, error)
	plans  memo[selection]
}

type selection struct {
	columns []int
	names   []string
}

func newFieldMapper(_ context.Context, o FieldMapperOptions, _ plugin.Env) (*selector, error) {
	choose := func(in *plugin.Table) (selection, error) {
		columns, err := fieldIndexes(in, "field_mapper", o.Fields.keys())
		return selection{columns, o.Fields.values()}, err
	}
	return &selector{choose, memo[selection]{}}, nil
}

func newFilter(_ context.Context, o FilterOptions, _ plugin.Env) (*selector, error) {
	return &selector{o.choose, memo[selection]{}}, nil
}

func (o FilterOptions) choose(in *plugin.Table) (selection, error) {
	if len(o.Exclude) == 0 {
		columns, err := fieldIndexes(in, "include_fields", o.Include)
		return selection{columns, o.Include}, err
	}
	dropped, err := fieldIndexes(in, "exclude_fields", o.Exclude)
	if err != nil {
		return selection{}, err
	}
	var s selection
	for i, c := range in.Columns {
		if !slices.Contains(dropped, i) {
			s.columns, s.names = append(s.columns, i), append(s.names, c.Name)
		}
	}
	return s, nil
}

// Derive returns the chosen columns.
func (s *selector) Derive(in *plugin.Table) (*plugin.Table, error) {
	chosen, err := s.plans.of(in, s.choose)
	if err != nil {
		return nil, err
	}
	if len(chosen.columns) == 0 {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: errors.New("no field is left")}
	}
	return project(in, chosen.columns, chosen.names)
}

// Apply hands on the chosen columns.
func (s *selector) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	chosen, err := s.plans.of(in.Table, s.choose)
	if err != nil {
		return err
	}
	return emit(column.Select(in, out, chosen.columns))
}
