// Package jsonl is the format json: one object a line.
//
// It reads by schema, by SeaTunnel's rules: unknown members are passed over, missing ones are null, of two with one
// name the last counts. Values are converted by the rules of package plugin/column. Blank lines are skipped. The
// scanner finds where the wanted members' values are and builds no tree.
package jsonl

import (
	"context"
	"fmt"
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/lines"
)

// JSON is the format json.
func JSON() format.Format { return form{} }

type form struct{}

// Info implements format.Format.
func (form) Info() format.Info { return format.Info{Name: "json", Suffix: ".json", Streams: true} }

// Columns implements format.Format.
func (form) Columns(context.Context, format.Input) ([]plugin.Column, error) {
	return nil, fmt.Errorf("json files do not say their column types: a schema is needed")
}

// Ranges implements format.Format.
func (form) Ranges(ctx context.Context, in format.Input, o format.ReadOptions) ([]format.Range, error) {
	o.SkipHeader, o.QuotedNewlines = 0, false
	return lines.Ranges(ctx, in, o)
}

// NewReader implements format.Format.
func (form) NewReader(o format.ReadOptions) (format.Reader, error) {
	o.SkipHeader = 0
	p := &parser{index: make(map[string]int, len(o.Table.Columns))}
	for i, c := range o.Table.Columns {
		p.index[c.Name] = i
		p.names = append(p.names, c.Name)
		p.types = append(p.types, c.Type)
	}
	return lines.NewReader(o, p)
}

// NewWriter implements format.Format.
func (form) NewWriter(w io.Writer, o format.WriteOptions) (format.Writer, error) {
	return lines.NewWriter(w, o, newEncoder(o.Table), nil)
}
