package clickhouse_test

import (
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// TestTruncate empties a table between two rows, twice as after a crash, and refuses one that has rows of another
// table.
func TestTruncate(t *testing.T) {
	d := newDB(t)
	table := tableOf(t, "people", []int{0}, required(col("id", plugin.TypeOf(plugin.BigInt))))
	w := writerIn(t, streaming(time.Now(), table), d.options())
	for i := range 3 {
		if err := write(t, w, batchOf(t, table, []any{i})); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			break
		}
		for range 2 {
			if err := changing(t, d.options(), table).(plugin.Truncater).Truncate(t.Context(), table); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := d.query(final("id")); got != "2" {
		t.Errorf("the table has %q", got)
	}
	other := tableOf(t, "others", []int{0}, required(col("id", plugin.TypeOf(plugin.BigInt))))
	s := changing(t, d.options("table", "people"), table, other)
	err := s.(plugin.Truncater).Truncate(t.Context(), other)
	if err == nil || !strings.Contains(err.Error(), "has the rows of src.people, too") {
		t.Errorf("got %v", err)
	}
}
