package parquet_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

// groups is a file of several row groups with flat and nested columns, and its rows.
func groups(t testing.TB) (tab *plugin.Table, data []byte, rows []string) {
	t.Helper()
	tab = table(t, plugin.Column{Name: "id", Type: scalar(plugin.Int)}, plugin.Column{Name: "text", Type: scalar(plugin.String)},
		plugin.Column{Name: "list", Type: plugin.ArrayOf(scalar(plugin.String))},
		plugin.Column{Name: "map", Type: plugin.MapOf(scalar(plugin.String), scalar(plugin.Int))}, plugin.Column{Name: "row", Type: nested})
	var batches []plugin.Batch
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	filler := strings.Repeat("0123456789abcdef", 150)
	for i := range 40_000 {
		list := make([]any, i%4)
		for j := range list {
			list[j] = fmt.Sprint(i, j)
		}
		text := any(fmt.Sprint(i, filler))
		if i%5 == 0 {
			text = nil
		}
		if err := b.AppendRow(plugin.Insert, i, text, list, [][2]any{{"k", i}}, []any{i, []any{list}, nil}); err != nil {
			t.Fatal(err)
		}
		if b.Full() {
			batches = append(batches, b.Batch())
		}
	}
	batches = append(batches, b.Batch())
	for _, batch := range batches {
		rows = append(rows, texts(batch)...)
	}
	return tab, write(t, format.WriteOptions{Table: tab, Codec: "snappy"}, batches...), rows
}

// TestRangesAndPositions reads all ranges, and again from many positions within them.
func TestRangesAndPositions(t *testing.T) {
	tab, data, want := groups(t)
	all := ranges(t, data, 1)
	if len(all) < 3 {
		t.Fatalf("%d row groups", len(all))
	}
	if whole := ranges(t, data, 0); len(whole) != 1 || whole[0] != (format.Range{End: 40_000, Rows: 40_000}) {
		t.Errorf("one range is %v", whole)
	}
	if two := ranges(t, data, 70<<20); len(two) != 2 {
		t.Errorf("%d ranges of 70 MiB", len(two))
	}
	next := int64(0)
	for _, r := range all {
		if r.Start != next || r.End <= r.Start || r.Rows != r.End-r.Start {
			t.Fatalf("range %+v after row %d", r, next)
		}
		next = r.End
		rows, at := read(t, data, tab, r, nil)
		compare(t, want[r.Start:r.End], rows)
		for i := 0; i < len(at); i += max(1, len(at)/5) {
			rows, _ := read(t, data, tab, r, &at[i])
			compare(t, want[at[i].At:r.End], rows)
		}
		for _, row := range []int64{r.Start, r.Start + 1, r.Start + r.Rows/3, r.End - 1, r.End} {
			rows, _ := read(t, data, tab, r, &format.Position{At: row})
			compare(t, want[row:r.End], rows)
		}
	}
	if next != 40_000 {
		t.Errorf("the ranges end at row %d", next)
	}
	// A range that holds several row groups, from the middle of its second.
	whole := format.Range{End: 40_000}
	rows, _ := read(t, data, tab, whole, &format.Position{At: all[1].Start + 5})
	compare(t, want[all[1].Start+5:], rows)
}

func compare(t *testing.T, want, got []string) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Fatalf("row %d is %.100s, want %.100s", i, got[i], want[i])
		}
	}
}

// TestBatchesAreBounded checks that wide rows make small batches.
func TestBatchesAreBounded(t *testing.T) {
	tab, data, _ := groups(t)
	r, err := parquet.Format().NewReader(format.ReadOptions{Table: tab})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Open(t.Context(), input(data), format.Range{End: -1}, nil); err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if size := column.Size(b); size > 2<<20 || b.Len() > column.FullRows {
			t.Fatalf("a batch of %d rows and %d bytes", b.Len(), size)
		}
		b.Release()
	}
}

// TestMemory checks that all memory comes back to the allocator.
func TestMemory(t *testing.T) {
	pool := column.NewPool()
	tab, data, _ := groups(t)
	r, err := parquet.Format().NewReader(format.ReadOptions{Table: tab, Alloc: pool})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Open(t.Context(), input(data), format.Range{End: -1}, nil); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b.Release()
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if held := pool.Held(); held != 0 {
		t.Errorf("%d bytes are held after Close", held)
	}
}

func TestProjection(t *testing.T) {
	full := everyType(t)
	in := build(t, full, everyRow()...)
	defer in.Release()
	data := write(t, format.WriteOptions{Table: full}, in)
	have := columns(t, data)
	for _, pick := range [][]int{{20, 0, 5}, {19}, {1, 17}, {6, 5, 4, 3}} {
		var some []plugin.Column
		for _, i := range pick {
			some = append(some, have[i])
		}
		got, _ := read(t, data, table(t, some...), format.Range{End: -1}, nil)
		var want []string
		for _, row := range texts(in) {
			cells := splitCells(row, len(full.Columns))
			var picked []string
			for _, i := range pick {
				picked = append(picked, cells[i])
			}
			want = append(want, strings.Join(picked, "|"))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("columns %v: %s", pick, d)
		}
	}
}

// splitCells takes a row's text apart; no test value holds a bar.
func splitCells(row string, n int) []string {
	cells := strings.Split(row, "|")
	if len(cells) != n {
		return make([]string, n)
	}
	return cells
}

func TestReadErrors(t *testing.T) {
	tab := table(t, plugin.Column{Name: "id", Type: scalar(plugin.Int)}, plugin.Column{Name: "name", Type: scalar(plugin.String)})
	data := write(t, format.WriteOptions{Table: tab}, build(t, tab, []any{1, "x"}, []any{2, "y"}))
	_, err := parquet.Format().Columns(t.Context(), input(data[:len(data)-3]))
	checkError(t, err, plugin.CodeData, "test.parquet", "is no parquet file")
	_, err = parquet.Format().Ranges(t.Context(), input([]byte("id,name\n1,x\n")), format.ReadOptions{})
	checkError(t, err, plugin.CodeData, "test.parquet")
	packed := input(data)
	packed.ReaderAt = nil
	_, err = parquet.Format().Columns(t.Context(), packed)
	checkError(t, err, plugin.CodeConfig, "archives")

	other := table(t, plugin.Column{Name: "nam", Type: scalar(plugin.String)})
	r, err := parquet.Format().NewReader(format.ReadOptions{Table: other})
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, r.Open(t.Context(), input(data), format.Range{End: -1}, nil), plugin.CodeNotFound, `no column "nam"`, `did you mean "name"?`)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func checkError(t *testing.T, err error, code plugin.Code, parts ...string) {
	t.Helper()
	var e *plugin.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v", err)
	}
	if e.Code != code || e.Fix == "" {
		t.Errorf("code %s, fix %q", e.Code, e.Fix)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// FuzzRead checks that broken files give errors, whatever is broken.
func FuzzRead(f *testing.F) {
	tab := everyType(f)
	f.Add(write(f, format.WriteOptions{Table: tab}, build(f, tab, everyRow()...)), 100, byte(7))
	f.Fuzz(func(t *testing.T, data []byte, at int, value byte) {
		if len(data) == 0 {
			return
		}
		data[uint(at)%uint(len(data))] ^= value
		cols, err := parquet.Format().Columns(t.Context(), input(data))
		if err != nil {
			return
		}
		made, err := plugin.NewTable(plugin.Table{Columns: cols})
		if err != nil {
			return
		}
		r, err := parquet.Format().NewReader(format.ReadOptions{Table: made})
		if err != nil {
			return
		}
		defer r.Close()
		if r.Open(t.Context(), input(data), format.Range{End: -1}, nil) != nil {
			return
		}
		for {
			b, err := r.Next(t.Context())
			if err != nil {
				return
			}
			b.Release()
		}
	})
}

var _ = os.ReadFile
