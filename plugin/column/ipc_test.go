package column

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

// TestArrowAccepts sends arrays through Arrow's own format, which shows whether their buffers are what Arrow expects.
func TestArrowAccepts(t *testing.T) {
	eachForm(t, func(t *testing.T, tc typeCase, a arrow.Array) {
		tbl := table(t, tc.typ)
		for _, n := range []int{0, a.Len()} {
			whole := Assemble(tbl, []arrow.Array{a}, nil)
			part := whole.Slice(0, n)
			whole.Release()
			defer part.Release()
			got := throughIPC(t, part)
			if got.Len() != n {
				t.Fatalf("%d rows, want %d", got.Len(), n)
			}
			for i := range n {
				if !Equal(a, i, got.Rows.Column(0), i, tc.typ) {
					t.Errorf("%v became %v", Value(a, tc.typ, i), Value(got.Rows.Column(0), tc.typ, i))
				}
			}
		}
	})
}

func throughIPC(t *testing.T, b plugin.Batch) plugin.Batch {
	t.Helper()
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(b.Table.Schema))
	if err := w.Write(b.Rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReader(&buf, ipc.WithAllocator(memory.DefaultAllocator))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	rows := r.RecordBatch()
	rows.Retain()
	t.Cleanup(rows.Release)
	return plugin.Batch{Table: b.Table, Rows: rows}
}

// TestEmptyBatch cuts a batch without rows of every type.
func TestEmptyBatch(t *testing.T) {
	for _, tc := range cases(t) {
		b := NewBuilder(table(t, tc.typ), checked(t))
		batch := b.Batch()
		if got := throughIPC(t, batch); got.Len() != 0 || Size(batch) != 0 {
			t.Errorf("%s: %d rows of %d bytes", tc.name, got.Len(), Size(batch))
		}
		batch.Release()
	}
}
