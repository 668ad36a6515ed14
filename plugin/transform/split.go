package transform

import (
	"bytes"
	"context"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// splitLength is the length that SeaTunnel declares for the new fields.
const splitLength = 200

// SplitOptions are the options of Split.
type SplitOptions struct {
	Separator string   `opt:"separator" required:"true" help:"Regular expression between the parts."`
	Field     string   `opt:"split_field" required:"true" help:"Field to split."`
	Outputs   []string `opt:"output_fields" required:"true" help:"New fields for the parts; the last takes all that is left. One that exists already is replaced in its place."`
}

// CheckOptions refuses outputs that are missing or named twice.
func (o *SplitOptions) CheckOptions() config.Problems {
	var ps config.Problems
	if len(o.Outputs) == 0 {
		ps.Errorf("output_fields", config.Pos{}, "must name at least one field")
	}
	if name, ok := repeated(o.Outputs); ok {
		ps.Errorf("output_fields", config.Pos{}, "names %q twice", name)
	}
	return ps
}

// splitter is the transform Split.
type splitter struct {
	options   SplitOptions
	separator *pattern
	env       plugin.Env
	made      *plugin.Table // the new fields alone, for building them
	scratch   []byte
	parts     [][]byte
}

func newSplit(_ context.Context, o SplitOptions, env plugin.Env) (*splitter, error) {
	separator, err := compile(o.Separator)
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: err}
	}
	s := &splitter{options: o, separator: separator, env: env}
	s.made, err = plugin.NewTable(plugin.Table{Columns: s.columns()})
	return s, err
}

func (s *splitter) columns() []plugin.Column {
	columns := make([]plugin.Column, len(s.options.Outputs))
	for i, name := range s.options.Outputs {
		columns[i] = plugin.Column{Name: name, Type: plugin.TypeOf(plugin.String), Length: splitLength}
	}
	return columns
}

// Derive adds the new fields.
func (s *splitter) Derive(in *plugin.Table) (*plugin.Table, error) {
	if _, err := fieldIndex(in, "split_field", s.options.Field); err != nil {
		return nil, err
	}
	return extend(in, s.columns()...)
}

// Apply fills the new fields.
func (s *splitter) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	field, err := fieldIndex(in.Table, "split_field", s.options.Field)
	if err != nil {
		return err
	}
	b := column.NewBuilder(s.made, s.env.Alloc)
	defer b.Release()
	columns := make([]*column.Text, len(s.options.Outputs))
	for i := range columns {
		columns[i] = b.Column(i).(*column.Text)
	}
	s.fill(in.Rows.Column(field), in.Table.Columns[field].Type, columns)
	b.EndRows(in.Len())
	made := b.Batch()
	defer made.Release()
	return emit(extended(in, out, s.options.Outputs, made.Rows.Columns()))
}

func (s *splitter) fill(values arrow.Array, t plugin.Type, columns []*column.Text) {
	texts, isText := values.(*array.String)
	for i := range values.Len() {
		s.parts = s.parts[:0]
		switch {
		case values.IsNull(i):
		case isText:
			s.split(bytesOf(texts.Value(i)))
		default:
			s.scratch = column.FormatJava(s.scratch[:0], values, t, i)
			s.split(s.scratch)
		}
		for c, out := range columns {
			if c < len(s.parts) {
				out.Append(s.parts[c])
			} else {
				out.AppendNull()
			}
		}
	}
}

// split cuts text into at most as many parts as there are fields.
func (s *splitter) split(text []byte) {
	last := len(s.options.Outputs) - 1
	if literal := s.separator.literal; literal != nil {
		for len(s.parts) < last {
			before, after, found := bytes.Cut(text, literal)
			if !found {
				break
			}
			s.parts, text = append(s.parts, before), after
		}
		s.parts = append(s.parts, text)
		return
	}
	start := 0
	if last > 0 {
		for _, m := range s.separator.matches(text, last+1) {
			if m[1] == 0 || len(s.parts) == last {
				continue // nothing matched in front is no separator
			}
			s.parts, start = append(s.parts, text[start:m[0]]), m[1]
		}
	}
	s.parts = append(s.parts, text[start:])
}

// bytesOf returns the bytes of a text without a copy; they must not be changed.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }
