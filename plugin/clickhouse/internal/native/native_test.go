package native

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

func TestParseType(t *testing.T) {
	same := []string{"Int64", "Nullable(String)", "Array(Array(Nullable(Int8)))", "Map(String, Array(Int8))",
		"DateTime64(6, 'UTC')",
		"Enum8('a, (b' = -1, 'it\\'s' = 2)", "FixedString(16)", "Tuple(`a` Int8, `b c` String)",
		"LowCardinality(Nullable(String))",
		"Decimal(38, 18)", "DateTime('Europe/Berlin')"}
	for _, text := range same {
		got, err := ParseType(text)
		if err != nil || got.String() != text {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	other := map[string]string{"Decimal64(4)": "Decimal(18, 4)", "Boolean": "Bool",
		"Tuple(a Int8, b String)": "Tuple(`a` Int8, `b` String)",
		"Ring":                    "Array(Tuple(Float64, Float64))", "SimpleAggregateFunction(sum, UInt64)": "UInt64",
		"DateTime64": "DateTime64(3)"}
	for text, want := range other {
		if got, err := ParseType(text); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"Array(", "Array()", "Map(String)", "Decimal(x, 1)", "Enum8('a')", "FixedString(x)",
		"DateTime64(10)"} {
		if got, err := ParseType(text); err == nil {
			t.Errorf("%s: got %s, want an error", text, got)
		}
	}
}

// sample is a block of a few columns and what it holds.
func sample(t testing.TB) ([]Column, *plugin.Table, []byte) {
	t.Helper()
	names := []string{"Int64", "Nullable(String)", "Array(LowCardinality(String))", "Map(String, UInt16)", "DateTime64(3)"}
	var columns []Column
	var targets []Target
	table := plugin.Table{ID: plugin.TableID{Name: "t"}}
	for i, text := range names {
		typ, err := ParseType(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := typ.Plugin()
		if err != nil {
			t.Fatal(err)
		}
		c := Column{Name: string(rune('a' + i)), Type: typ}
		columns = append(columns, c)
		targets = append(targets, Target{Column: c, From: p, Index: i})
		table.Columns = append(table.Columns, plugin.Column{Name: c.Name, Type: p})
	}
	tab, err := plugin.NewTable(table)
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	for _, row := range sampleRows {
		if err := b.AppendRow(plugin.Insert, row...); err != nil {
			t.Fatal(err)
		}
	}
	batch := b.Batch()
	defer batch.Release()
	e, err := NewEncoder(targets, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	body, err := e.AppendBlock(nil, batch.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return columns, tab, body
}

var sampleRows = [][]any{
	{int64(1), "a", []any{"x", "y"}, [][2]any{{"k", int32(1)}}, time.Date(2024, 1, 2, 3, 4, 5, 6e6, time.UTC)},
	{int64(-2), nil, []any{}, [][2]any{}, time.Date(1950, 1, 2, 3, 4, 5, 0, time.UTC)},
}

func decode(columns []Column, tab *plugin.Table, src io.Reader) (rows [][]any, err error) {
	d, err := NewDecoder(src, columns, time.UTC)
	if err != nil {
		return nil, err
	}
	b := column.NewBuilder(tab, memory.DefaultAllocator)
	defer b.Release()
	for {
		if _, err := d.Next(b); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return rows, err
		}
		batch := b.Batch()
		for i := range batch.Len() {
			var row []any
			for j, c := range tab.Columns {
				row = append(row, column.Value(batch.Rows.Column(j), c.Type, i))
			}
			rows = append(rows, row)
		}
		batch.Release()
	}
}

func TestRoundTrip(t *testing.T) {
	columns, tab, body := sample(t)
	rows, err := decode(columns, tab, iotest.OneByteReader(bytes.NewReader(append(body, body...))))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(sampleRows, sampleRows...), rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestCut decodes every beginning of a block: none may pass for a whole one.
func TestCut(t *testing.T) {
	columns, tab, body := sample(t)
	for n := 1; n < len(body); n++ {
		if _, err := decode(columns, tab, bytes.NewReader(body[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: got %v, want io.ErrUnexpectedEOF", n, len(body), err)
		}
	}
	_, err := decode(columns, tab, io.MultiReader(bytes.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a connection cut behind a block: got %v, want io.ErrUnexpectedEOF", err)
	}
}

func TestServerException(t *testing.T) {
	columns, tab, body := sample(t)
	text := "Code: 395. DB::Exception: Value passed to 'throwIf' function is non-zero. (VERSION)"
	_, err := decode(columns, tab, bytes.NewReader(append(body, text...)))
	var e *ServerError
	if !errors.As(err, &e) || e.Text != text {
		t.Errorf("got %v, want the exception", err)
	}
}

func FuzzDecoder(f *testing.F) {
	columns, tab, body := sample(f)
	f.Add(body)
	f.Add([]byte("Code: 1. DB::Exception: x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		_, _ = decode(columns, tab, bytes.NewReader(data)) // must neither panic nor hang
	})
}

func FuzzParseType(f *testing.F) {
	for _, c := range []string{"Array(Nullable(Int8))", "Enum8('a' = 1)", "Tuple(a Int8, `b` String)", "Decimal(9, 2)"} {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ, err := ParseType(text)
		if err == nil {
			_, _ = typ.Plugin()
			_ = typ.String()
		}
	})
}
