package fake

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// The words that stand for the clock's value in a column of the same name's type.
var clockWords = map[plugin.Kind]string{
	plugin.Date: "CURRENT_DATE", plugin.Time: "CURRENT_TIME", plugin.Timestamp: "CURRENT_TIMESTAMP",
}

func isClockWord(k plugin.Kind, text string) bool {
	word, ok := clockWords[k]
	return ok && strings.EqualFold(word, text)
}

// clockValue returns what the clock shows, as a Go value for a column of type t.
func clockValue(t plugin.Type, now time.Time) any {
	now = time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), now.Minute(), now.Second(), now.Nanosecond(), time.UTC)
	midnight := now.Truncate(24 * time.Hour)
	unit := time.Second
	for range t.Scale {
		unit /= 10
	}
	switch t.Kind {
	case plugin.Date:
		return midnight
	case plugin.Time:
		return now.Sub(midnight).Truncate(unit)
	default:
		return now.Truncate(unit)
	}
}

// constant repeats the default value of a column.
type constant struct {
	table *plugin.Table // of the column alone
	one   plugin.Batch  // with the value, in the Go heap; unused if now is set
	now   func() time.Time
	zeros []int32
}

func newConstant(t plugin.Type, text string, now func() time.Time) (*constant, error) {
	table, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{{Name: "value", Type: t}}})
	if err != nil {
		return nil, err
	}
	if isClockWord(t.Kind, text) {
		return &constant{table: table, now: now}, nil
	}
	b := column.NewBuilder(table, memory.DefaultAllocator)
	if err := appendDefault(b.Column(0), t, text); err != nil {
		return nil, fmt.Errorf("defaultValue %q: %w", text, err)
	}
	b.EndRow(plugin.Insert)
	return &constant{table: table, one: b.Batch()}, nil
}

// appendDefault appends a default: a string or bytes as they are written, others by the rules of delimited text.
func appendDefault(c column.Column, t plugin.Type, text string) error {
	if c, ok := c.(*column.Text); ok {
		c.AppendString(text)
		return nil
	}
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("is no %s", t)
	}
	return column.AppendText(c, t, []byte(text), &column.TextFormat{})
}

func (c *constant) width() float64 {
	if c.now != nil {
		return float64(arrow.Int64SizeBytes)
	}
	size := 0
	for _, b := range c.one.Rows.Column(0).Data().Buffers() {
		if b != nil {
			size += b.Len()
		}
	}
	return float64(size)
}

func (c *constant) generate(_ *random, n int, alloc memory.Allocator) arrow.Array {
	one := c.one
	if c.now != nil {
		one = c.current(alloc)
		defer one.Release()
	}
	if len(c.zeros) < n {
		c.zeros = make([]int32, n)
	}
	all := column.Take(one, c.zeros[:n], alloc)
	defer all.Release()
	values := all.Rows.Column(0)
	values.Retain()
	return values
}

// current returns one row with the clock's value.
func (c *constant) current(alloc memory.Allocator) plugin.Batch {
	b := column.NewBuilder(c.table, alloc)
	t := c.table.Columns[0].Type
	if err := column.AppendValue(b.Column(0), t, clockValue(t, c.now())); err != nil {
		b.Column(0).AppendNull() // only a clock beyond the type's range
	}
	b.EndRow(plugin.Insert)
	return b.Batch()
}
