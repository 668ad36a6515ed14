// Package transform has the transforms that change columns or drop rows: Copy, FieldMapper, Filter, FilterRowKind,
// Replace, Split, RowKindExtractor and Sql.
//
// All work on whole columns. A column that stays as it is is handed on without a copy, and so is a batch that a
// transform does not change. The output table keeps the path of the input table. Its primary key and its other keys
// survive if all their columns do, under the columns' new names.
//
// A field that the input lacks is an error when the job is planned, and names the nearest field that there is.
//
// # Sql
//
// Of SeaTunnel's Sql there is the part that picks columns: SELECT with columns, aliases and *, and FROM with any table.
// Names are case-sensitive, and may be quoted with ` or ". Anything else, such as an expression, a function or WHERE, is
// refused when the job is planned.
//
// # Regular expressions
//
// Replace and Split take Java's regular expressions. They are translated to those of package regexp, with Java's
// meaning of classes, escapes and empty matches. What package regexp cannot do is refused when the job is planned:
// lookahead and lookbehind, back references, possessive quantifiers, atomic groups, and unions and intersections of
// character classes. One difference is left: $ matches at the very end only, not also before a line break at the end.
package transform

import "github.com/culvertdata/culvert/plugin"

// Plugins returns the transforms of this package.
func Plugins() []plugin.Plugin {
	return []plugin.Plugin{
		plugin.NewTransform(plugin.Info{Name: "Copy", Summary: "Copies fields."}, newCopy),
		plugin.NewTransform(plugin.Info{Name: "FieldMapper", Summary: "Picks, orders and renames fields."}, newFieldMapper),
		plugin.NewTransform(plugin.Info{Name: "Filter", Summary: "Keeps or drops fields."}, newFilter),
		plugin.NewTransform(plugin.Info{Name: "FilterRowKind", Summary: "Keeps or drops rows by their kind."},
			newFilterRowKind),
		plugin.NewTransform(plugin.Info{Name: "Replace", Summary: "Replaces a part of a field's text."}, newReplace),
		plugin.NewTransform(plugin.Info{Name: "Split", Summary: "Splits a field's text into new fields."}, newSplit),
		plugin.NewTransform(plugin.Info{Name: "RowKindExtractor", Summary: "Writes the kind of a row into a new field."},
			newRowKindExtractor),
		plugin.NewTransform(plugin.Info{Name: "Sql", Summary: "Picks, orders and renames fields by a SELECT."}, newSQL),
	}
}
