package transform

import (
	"context"
	"fmt"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// FilterRowKindOptions are the options of FilterRowKind.
type FilterRowKindOptions struct {
	Include []string `opt:"include_kinds" enum:"INSERT,UPDATE_BEFORE,UPDATE_AFTER,DELETE" help:"Kinds to keep."`
	Exclude []string `opt:"exclude_kinds" enum:"INSERT,UPDATE_BEFORE,UPDATE_AFTER,DELETE" help:"Kinds to drop."`
}

// Rules demand one of the two lists.
func (FilterRowKindOptions) Rules() []config.Rule {
	return []config.Rule{config.ExactlyOne("include_kinds", "exclude_kinds")}
}

// kindFilter is the transform FilterRowKind.
type kindFilter struct {
	keep [plugin.Delete + 1]bool
	env  plugin.Env
	kept []int32
}

func newFilterRowKind(_ context.Context, o FilterRowKindOptions, env plugin.Env) (*kindFilter, error) {
	f := &kindFilter{env: env}
	excluding := len(o.Exclude) > 0
	for i := range f.keep {
		f.keep[i] = excluding
	}
	for _, name := range slices.Concat(o.Include, o.Exclude) {
		kind, err := plugin.ParseRowKind(name)
		if err != nil {
			return nil, fmt.Errorf("FilterRowKind: %w", err)
		}
		f.keep[kind] = !excluding
	}
	return f, nil
}

// Derive returns the table as it is.
func (f *kindFilter) Derive(in *plugin.Table) (*plugin.Table, error) { return in, nil }

// Apply hands on the rows of the kinds to keep.
func (f *kindFilter) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	if in.Kinds == nil {
		if !f.keep[plugin.Insert] {
			return nil
		}
		return emit(same(in, out))
	}
	f.kept = f.kept[:0]
	for i, k := range in.Kinds {
		if f.keep[k] {
			f.kept = append(f.kept, int32(i))
		}
	}
	switch len(f.kept) {
	case 0:
		return nil
	case in.Len():
		return emit(same(in, out))
	}
	some := column.Take(in, f.kept, f.env.Alloc)
	some.Table = out
	return emit(some)
}
