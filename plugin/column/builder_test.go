package column

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

func threeColumns(t testing.TB) *plugin.Table {
	t.Helper()
	tbl, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)},
		{Name: "name", Type: plugin.TypeOf(plugin.String)},
		{Name: "price", Type: plugin.TypeOf(plugin.Double)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return tbl
}

// rowsOf reads a batch of rows as Go values, the kind first.
func rowsOf(b plugin.Batch) [][]any {
	rows := make([][]any, b.Len())
	for i := range rows {
		rows[i] = []any{b.Kind(i).String()}
		for j, c := range b.Table.Columns {
			rows[i] = append(rows[i], Value(b.Rows.Column(j), c.Type, i))
		}
	}
	return rows
}

func TestAppendRow(t *testing.T) {
	b := NewBuilder(threeColumns(t), checked(t))
	defer b.Release()
	if err := b.AppendRow(plugin.Insert, 1, "a", 1.5); err != nil {
		t.Fatal(err)
	}
	for want, row := range map[string][]any{
		"table default.default.default has 3 columns, the row has 1 values": {1},
		`column price: "x" cannot be a DOUBLE: not a number`:                {2, "lost", "x"},
		`column id: "x" cannot be a BIGINT: not a whole number`:             {"x", "lost", 1},
	} {
		if err := b.AppendRow(plugin.Insert, row...); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if err := b.AppendRow(plugin.Delete, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.AppendRow(plugin.Insert, 2, "", 0); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	want := [][]any{{"+I", int64(1), "a", 1.5}, {"-D", nil, nil, nil}, {"+I", int64(2), "", 0.0}}
	if diff := cmp.Diff(want, rowsOf(batch)); diff != "" {
		t.Error(diff)
	}
}

// TestRollbackEveryType puts a half row behind nulls and values of every type and drops it again.
func TestRollbackEveryType(t *testing.T) {
	for _, tc := range cases(t) {
		b := NewBuilder(table(t, tc.typ), checked(t))
		c := b.Column(0)
		var want []any
		for round := range 20 {
			for i, v := range tc.vals {
				if err := AppendValue(c, tc.typ, v.in); err != nil {
					t.Fatal(err)
				}
				if (round+i)%3 == 0 {
					c.AppendNull()
					b.Rollback()
					want = append(want, nil)
					c.AppendNull()
				} else {
					want = append(want, v.want())
				}
				b.EndRow(plugin.Insert)
			}
		}
		batch := b.Batch()
		for i, w := range want {
			if diff := cmp.Diff(w, Value(batch.Rows.Column(0), tc.typ, i), sameNaN); diff != "" {
				t.Errorf("%s, row %d: %s", tc.name, i, diff)
			}
		}
		batch.Release()
	}
}

func TestBuilderGoesOnAfterBatch(t *testing.T) {
	alloc := checked(t)
	b := NewBuilder(threeColumns(t), alloc)
	defer b.Release()
	var batches []plugin.Batch
	for i := range 5 {
		for j := range 100 * i {
			var name any = strings.Repeat("x", j)
			if j%7 == 0 {
				name = nil
			}
			if err := b.AppendRow(plugin.RowKind(i%2), j, name, nil); err != nil {
				t.Fatal(err)
			}
		}
		if b.Len() != 100*i {
			t.Fatalf("%d rows, want %d", b.Len(), 100*i)
		}
		batches = append(batches, b.Batch())
		if b.Len() != 0 || b.Size() != 0 {
			t.Fatalf("not empty after Batch: %d rows, %d bytes", b.Len(), b.Size())
		}
	}
	for i, batch := range batches {
		for j, row := range rowsOf(batch) {
			want := []any{plugin.RowKind(i % 2).String(), int64(j), strings.Repeat("x", j), nil}
			if j%7 == 0 {
				want[2] = nil
			}
			if diff := cmp.Diff(want, row); diff != "" {
				t.Fatalf("batch %d, row %d: %s", i, j, diff)
			}
		}
		batch.Release()
	}
}

func TestFull(t *testing.T) {
	b := NewBuilder(threeColumns(t), checked(t))
	defer b.Release()
	for !b.Full() {
		if err := b.AppendRow(plugin.Insert, 1, "", 1); err != nil {
			t.Fatal(err)
		}
	}
	if b.Len() != FullRows {
		t.Errorf("full after %d rows", b.Len())
	}
	b.Batch().Release()
	for !b.Full() {
		if err := b.AppendRow(plugin.Insert, 1, strings.Repeat("x", 1<<16), 1); err != nil {
			t.Fatal(err)
		}
	}
	if b.Len() != FullBytes>>16 || b.Size() < FullBytes {
		t.Errorf("full after %d rows of %d bytes", b.Len(), b.Size())
	}
}

func TestStartsSmallAndRemembers(t *testing.T) {
	pool := NewPool()
	b := NewBuilder(threeColumns(t), pool)
	if pool.Held() != 0 {
		t.Errorf("an empty builder holds %d bytes", pool.Held())
	}
	add := func(n int) {
		for i := range n {
			if err := b.AppendRow(plugin.Insert, i, "name", nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(1)
	if held := pool.Held(); held > 512 {
		t.Errorf("one row holds %d bytes", held)
	}
	add(999)
	b.Batch().Release()
	if pool.Held() != 0 {
		t.Errorf("%d bytes held after the batch was released", pool.Held())
	}
	add(1)
	if held := pool.Held(); held < 1000*16 {
		t.Errorf("after a batch of 1000 rows the next starts with %d bytes", held)
	}
	b.Batch().Release()
	add(1)
	if held := pool.Held(); held > 512 {
		t.Errorf("after a batch of one row the next starts with %d bytes", held)
	}
	b.Release()
	if pool.Held() != 0 {
		t.Errorf("%d bytes held at the end", pool.Held())
	}
}

func TestTypedAppends(t *testing.T) {
	b := NewBuilder(threeColumns(t), checked(t))
	id, name, price := b.Column(0).(*Fixed[int64]), b.Column(1).(*Text), b.Column(2).(*Fixed[float64])
	id.Reserve(3)
	id.Put(1)
	id.Put(2)
	id.AppendNull()
	name.Append([]byte("a"))
	copy(name.ExtendBytes(2), "bc")
	name.SetBuffer(append(name.Buffer(), "a long text that does not fit into what was there before, so it is copied"...))
	copy(price.Extend(3), []float64{1, 2, 3})
	b.EndRows(2)
	b.EndRow(plugin.UpdateAfter)
	name.ReserveBytes(100)
	id.Append(4)
	name.SetBuffer(append(name.Buffer(), "in place"...))
	price.AppendNull()
	b.EndRows(1)
	batch := b.Batch()
	defer batch.Release()
	want := [][]any{{"+I", int64(1), "a", 1.0}, {"+I", int64(2), "bc", 2.0},
		{"+U", nil, "a long text that does not fit into what was there before, so it is copied", 3.0},
		{"+I", int64(4), "in place", nil}}
	if diff := cmp.Diff(want, rowsOf(batch)); diff != "" {
		t.Error(diff)
	}
}

func TestSelectAndAssemble(t *testing.T) {
	b := NewBuilder(threeColumns(t), checked(t))
	if err := b.AppendRow(plugin.Delete, 1, "a", 2.5); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	batch.EventTime = 7
	out, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{
		{Name: "p", Type: plugin.TypeOf(plugin.Double)}, {Name: "i", Type: plugin.TypeOf(plugin.BigInt)}}})
	if err != nil {
		t.Fatal(err)
	}
	got := Select(batch, out, []int{2, 0})
	batch.Release()
	defer got.Release()
	if diff := cmp.Diff([][]any{{"-D", 2.5, int64(1)}}, rowsOf(got)); diff != "" {
		t.Error(diff)
	}
	if got.EventTime != 7 {
		t.Errorf("the event time became %d", got.EventTime)
	}
}

func TestEndAt(t *testing.T) {
	table, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{
		{Name: "list", Type: plugin.ArrayOf(plugin.TypeOf(plugin.Int))},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(table, memory.DefaultAllocator)
	defer b.Release()
	lists := b.Column(0).(*Lists)
	copy(lists.Elem().(*Fixed[int32]).Extend(3), []int32{1, 2, 3})
	for _, end := range []int{2, 2, 3} {
		lists.EndAt(end)
	}
	b.EndRows(3)
	batch := b.Batch()
	defer batch.Release()
	want := []any{[]any{int32(1), int32(2)}, []any{}, []any{int32(3)}}
	for i := range want {
		if diff := cmp.Diff(want[i], Value(batch.Rows.Column(0), table.Columns[0].Type, i)); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", i, diff)
		}
	}
}
