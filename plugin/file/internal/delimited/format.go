package delimited

import (
	"context"
	"fmt"
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/lines"
)

// Text is the format text.
func Text() format.Format { return form{} }

// CSV is the format csv.
func CSV() format.Format { return form{csv: true} }

type form struct{ csv bool }

// Content is the only column of a text file that is read without a schema: its lines.
const Content = "content"

// Info implements format.Format.
func (f form) Info() format.Info {
	if f.csv {
		return format.Info{Name: "csv", Suffix: ".csv", Streams: true}
	}
	return format.Info{Name: "text", Suffix: ".txt", Streams: true}
}

// Columns implements format.Format: text is read as lines if no schema says what the fields are.
func (f form) Columns(context.Context, format.Input) ([]plugin.Column, error) {
	if f.csv {
		return nil, fmt.Errorf("csv files do not say their column types: a schema is needed")
	}
	return []plugin.Column{{Name: Content, Type: plugin.TypeOf(plugin.String)}}, nil
}

// Ranges implements format.Format.
func (f form) Ranges(ctx context.Context, in format.Input, o format.ReadOptions) ([]format.Range, error) {
	o.QuotedNewlines = o.QuotedNewlines && f.csv
	return lines.Ranges(ctx, in, o)
}

// NewReader implements format.Format. Without o.File each line is the one field of o.Table.
func (f form) NewReader(o format.ReadOptions) (format.Reader, error) {
	p := &parser{quotes: f.csv, multiline: f.csv && o.QuotedNewlines}
	var err error
	switch {
	case f.csv:
		p.delim, err = csvDelimiter(o.Delimiter)
	case o.File != nil:
		p.delim, err = textDelimiter(o.Delimiter)
	}
	if err != nil {
		return nil, err
	}
	file := o.File
	if file == nil {
		file = o.Table
	}
	p.keepBlank = len(file.Columns) == 1
	p.project(file, o.Table)
	return lines.NewReader(o, p)
}

// project notes which field of a line goes to which column; fields behind the last one that is wanted are not looked
// for.
func (p *parser) project(file, table *plugin.Table) {
	p.types = make([]plugin.Type, len(table.Columns))
	wanted := 0
	for field, c := range file.Columns {
		col := table.Index(c.Name)
		p.fields = append(p.fields, col)
		if col >= 0 {
			p.types[col] = table.Columns[col].Type
			wanted = field + 1
		}
	}
	p.fields = p.fields[:wanted]
}

// NewWriter implements format.Format.
func (f form) NewWriter(w io.Writer, o format.WriteOptions) (format.Writer, error) {
	forms := column.TextOptions{Date: o.DateFormat, DateTime: o.DatetimeFormat, Time: o.TimeFormat}
	text, err := column.NewTextFormat(forms)
	if err != nil {
		return nil, err
	}
	enc := &encoder{csv: f.csv, delim: o.FieldDelimiter, format: text}
	switch {
	case f.csv:
		enc.delim = ","
		enc.needQuotes(o.RowDelimiter)
	case enc.delim == "":
		enc.delim = "\x01"
	}
	for _, c := range o.Table.Columns {
		enc.cols = append(enc.cols, col{typ: c.Type})
	}
	var header []byte
	if o.Header {
		header = enc.header(o.Table)
	}
	return lines.NewWriter(w, o, enc, header)
}
