package exec

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// What the data path needs of package column is in this file.

const (
	fullRows  = column.FullRows
	fullBytes = column.FullBytes
)

func newBuilder(t *plugin.Table, alloc memory.Allocator) *column.Builder {
	return column.NewBuilder(t, alloc)
}

// joined returns the rows of several batches as one.
func joined(parts []plugin.Batch, alloc memory.Allocator) (plugin.Batch, error) {
	return column.Concat(parts, alloc)
}

// sizeOf returns the size of a batch by SeaTunnel's rule.
func sizeOf(b plugin.Batch) int64 { return column.Size(b) }
