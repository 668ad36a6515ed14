package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

const groupRows = 700

// groups is a file of several row groups with flat and nested columns, and its rows.
func groups(t testing.TB) (tab *plugin.Table, data []byte, rows []string) {
	t.Helper()
	tab = table(t, plugin.Column{Name: "id", Type: scalar(plugin.Int)},
		plugin.Column{Name: "text", Type: scalar(plugin.String)},
		plugin.Column{Name: "list", Type: plugin.ArrayOf(scalar(plugin.String))},
		plugin.Column{Name: "map", Type: plugin.MapOf(scalar(plugin.String), scalar(plugin.Int))},
		plugin.Column{Name: "row", Type: nested})
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	filler := strings.Repeat("0123456789abcdef", 100)
	for i := range 5 * groupRows {
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
	}
	batch := b.Batch()
	defer batch.Release()
	var out bytes.Buffer
	props := pq.NewWriterProperties(pq.WithMaxRowGroupLength(groupRows), pq.WithCompression(compress.Codecs.Snappy),
		pq.WithDataPageSize(10_000))
	w, err := pqarrow.NewFileWriter(tab.Schema, &out, props, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(batch.Rows), w.Close()); err != nil {
		t.Fatal(err)
	}
	return tab, out.Bytes(), texts(batch)
}

// TestRangesAndPositions reads all ranges, and again from many positions within them.
func TestRangesAndPositions(t *testing.T) {
	tab, data, want := groups(t)
	all := ranges(t, data, 1)
	if len(all) != 5 {
		t.Fatalf("%d row groups", len(all))
	}
	if whole := ranges(t, data, 0); len(whole) != 1 ||
		whole[0] != (format.Range{End: 5 * groupRows, Rows: 5 * groupRows}) {
		t.Errorf("one range is %v", whole)
	}
	if two := ranges(t, data, 2_000_000); len(two) != 2 || two[0].End != 3*groupRows {
		t.Errorf("ranges of 2 MB: %v", two)
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
	if next != 5*groupRows {
		t.Errorf("the ranges end at row %d", next)
	}
	// A range that holds several row groups, from the middle of its second.
	whole := format.Range{End: 5 * groupRows}
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

// sink is a writer that cannot fail.
type sink func(p []byte)

func (s sink) Write(p []byte) (int, error) {
	s(p)
	return len(p), nil
}

// TestRowGroupsAreBounded checks that a writer does not hold more than a row group.
func TestRowGroupsAreBounded(t *testing.T) {
	tab := table(t, plugin.Column{Name: "bytes", Type: scalar(plugin.Bytes)})
	written := 0
	w, err := parquet.Format().NewWriter(sink(func(p []byte) { written += len(p) }), format.WriteOptions{Table: tab})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{})
	value := make([]byte, 1<<20)
	for i := range 100 {
		if _, err := random.Read(value); err != nil {
			t.Fatal(err)
		}
		b := build(t, tab, []any{value})
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		b.Release()
		given := (i + 1) << 20
		if held := given - written; held > 35<<20 {
			t.Fatalf("the writer holds %d bytes", held)
		}
		if size := int(w.Size()); size < given-2<<20 || size > given+2<<20 {
			t.Fatalf("the size is %d of %d bytes", size, given)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if size := int(w.Size()); size != written {
		t.Errorf("the size is %d, and %d bytes are written", size, written)
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
	tab := table(t, plugin.Column{Name: "id", Type: scalar(plugin.Int)},
		plugin.Column{Name: "name", Type: scalar(plugin.String)})
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
	checkError(t, r.Open(t.Context(), input(data), format.Range{End: -1}, nil), plugin.CodeNotFound, `no column "nam"`,
		`did you mean "name"?`)
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
