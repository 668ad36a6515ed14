package jsonl

import (
	"encoding/json"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// encoder writes rows as objects; it implements lines.Encoder.
type encoder struct {
	keys   []string // with what stands before and behind them
	types  []plugin.Type
	arrays []arrow.Array
}

func newEncoder(t *plugin.Table) *encoder {
	e := &encoder{arrays: make([]arrow.Array, len(t.Columns))}
	before := "{"
	for _, c := range t.Columns {
		e.keys = append(e.keys, before+quote(c.Name)+":")
		e.types = append(e.types, c.Type)
		before = ","
	}
	return e
}

// quote returns a JSON string, without the escapes for HTML.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // cannot be: a string always has a JSON form
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Bind implements lines.Encoder.
func (e *encoder) Bind(b plugin.Batch) error {
	for i := range e.arrays {
		e.arrays[i] = b.Rows.Column(i)
	}
	return nil
}

// AppendRow implements lines.Encoder.
func (e *encoder) AppendRow(dst []byte, i int) ([]byte, error) {
	for k, a := range e.arrays {
		dst = append(dst, e.keys[k]...)
		dst = column.FormatJSON(dst, a, e.types[k], i)
	}
	return append(dst, '}'), nil
}
