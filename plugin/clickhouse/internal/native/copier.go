package native

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// copier returns a function that appends value i of an array to a column of the same type.
func copier(c column.Column, a arrow.Array, t plugin.Type) (func(i int) error, error) {
	if text, ok := a.(*array.String); ok {
		dst := c.(*column.Text)
		return func(i int) error {
			dst.AppendString(text.Value(i))
			return nil
		}, nil
	}
	return func(i int) error { return column.AppendValue(c, t, column.Value(a, t, i)) }, nil
}
