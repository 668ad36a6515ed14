package sqlite

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// format renders a column of decimals, dates, times or timestamps as texts that SQLite's own functions read, such as
// 2024-12-31 23:59:59.5.
func format(values arrow.Array, t plugin.Type, into *texts) error {
	switch t.Kind {
	case plugin.Decimal, plugin.Date, plugin.Time, plugin.Timestamp:
	default:
		return fmt.Errorf("values of type %s have no form in SQLite; turn them into strings with a transform", t)
	}
	into.data, into.ends = into.data[:0], append(into.ends[:0], 0)
	for i := range values.Len() {
		if values.IsValid(i) {
			into.data = column.FormatText(into.data, values, t, i, nil)
		}
		into.ends = append(into.ends, int32(len(into.data)))
	}
	return nil
}
