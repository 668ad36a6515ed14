package parquet_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
)

func TestX(t *testing.T) {
	data, err := os.ReadFile("/work/shared/compat/fixtures/file-local/parquet/e2e.parquet")
	if err != nil {
		t.Skip()
	}
	cs := columns(t, data)
	for _, c := range cs {
		fmt.Println(c.Name, c.Type, c.SourceType, c.NotNull)
	}
	tab := table(t, cs...)
	rows, _ := read(t, data, tab, ranges(t, data, 0)[0], nil)
	fmt.Println(len(rows), rows[0], ranges(t, data, 0))
	// some columns in another order
	tab = table(t, cs[3], cs[0], cs[len(cs)-1])
	rows, _ = read(t, data, tab, format.Range{End: -1}, nil)
	fmt.Println(len(rows), rows[0])
	_ = plugin.Insert
}
