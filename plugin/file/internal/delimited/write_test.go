package delimited

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/linetest"
)

// write writes rows of Go values as one file.
func write(t testing.TB, f format.Format, o format.WriteOptions, rows ...[]any) string {
	t.Helper()
	var file bytes.Buffer
	w, err := f.NewWriter(&file, o)
	if err != nil {
		t.Fatal(err)
	}
	build := column.NewBuilder(o.Table, column.NewPool())
	for i, row := range rows {
		if err := build.AppendRow(plugin.Insert, row...); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			continue
		}
		b := build.Batch()
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	b := build.Batch()
	defer b.Release()
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if o.Encoding == "" && w.Size() != int64(file.Len()) {
		t.Errorf("Size is %d, the file has %d bytes", w.Size(), file.Len())
	}
	return file.String()
}

func TestWrite(t *testing.T) {
	two := twoStrings
	one := linetest.Table("a", plugin.String)
	mixed := linetest.Table("n", plugin.BigInt, "b", plugin.Boolean, "d", plugin.Double,
		"l", plugin.ArrayOf(plugin.TypeOf(plugin.Int)))
	rows := func(r ...[]any) [][]any { return r }
	for _, tc := range []struct {
		name string
		f    format.Format
		o    format.WriteOptions
		rows [][]any
		want string
	}{
		{"csv", CSV(), format.WriteOptions{Table: two}, rows([]any{"x", "y"}, []any{"z", nil}), "x,y\nz,"},
		{"csv quotes", CSV(), format.WriteOptions{Table: two},
			rows([]any{"a,b", `c"d`}, []any{"e\nf", "g\rh"}, []any{"", "  "}, []any{`"`, `""`}),
			"\"a,b\",\"c\"\"d\"\n\"e\nf\",\"g\rh\"\n\"\",\"  \"\n\"\"\"\",\"\"\"\"\"\""},
		{"csv, only commas", CSV(), format.WriteOptions{Table: two, FieldDelimiter: "|"}, rows([]any{"x|", "y"}), "x|,y"},
		{"text", Text(), format.WriteOptions{Table: two}, rows([]any{"x", "y"}, []any{nil, nil}), "x\x01y\n\x01"},
		{"text as it is", Text(), format.WriteOptions{Table: two, FieldDelimiter: ",", RowDelimiter: ";\n"},
			rows([]any{"a,b", `"`}, []any{"", "y"}), "a,b,\";\n,y"},
		{"header", CSV(), format.WriteOptions{Table: linetest.Table("a,b", plugin.Int, "c", plugin.Int), Header: true},
			rows([]any{1, 2}), "\"a,b\",c\n1,2"},
		{"only a header", Text(), format.WriteOptions{Table: two, Header: true, FieldDelimiter: ";"}, nil, "a;b"},
		{"nothing", CSV(), format.WriteOptions{Table: two}, nil, ""},
		{"a null is a line", CSV(), format.WriteOptions{Table: one}, rows([]any{"x"}, []any{nil}), "x\n\n"},
		{"types", CSV(), format.WriteOptions{Table: mixed},
			rows([]any{-5, true, 1.5, []any{1, nil, 3}}, []any{nil, nil, nil, nil}), "-5,true,1.5,1\x02\x023\n,,,"},
		{"encoding", CSV(), format.WriteOptions{Table: two, Encoding: "gbk"}, rows([]any{"测", "x"}), "\xb2\xe2,x"},
		{"formats", Text(), format.WriteOptions{Table: linetest.Table("d", plugin.Date, "t", plugin.Timestamp),
			DateFormat: "yyyy/MM/dd", DatetimeFormat: "yyyyMMddHHmmss", FieldDelimiter: ","},
			rows([]any{"2024-02-03", "2024-02-03 04:05:06"}), "2024/02/03,20240203040506"},
	} {
		if diff := cmp.Diff(tc.want, write(t, tc.f, tc.o, tc.rows...)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestWriteProblems(t *testing.T) {
	for _, tc := range []struct {
		o    format.WriteOptions
		want string
	}{
		{format.WriteOptions{DateFormat: "dd.MM.yyyy"}, "dd.MM.yyyy"},
		{format.WriteOptions{Encoding: "klingon"}, "klingon"},
	} {
		tc.o.Table = twoStrings
		if _, err := CSV().NewWriter(&bytes.Buffer{}, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
	w, err := CSV().NewWriter(&bytes.Buffer{}, format.WriteOptions{Table: twoStrings, Encoding: "gbk"})
	if err != nil {
		t.Fatal(err)
	}
	build := column.NewBuilder(twoStrings, column.NewPool())
	if err := build.AppendRow(plugin.Insert, "x", "\U0001F600 smile"); err != nil {
		t.Fatal(err)
	}
	b := build.Batch()
	defer b.Release()
	if err := w.Write(b); err == nil {
		err = w.Finish()
		if err == nil || !strings.Contains(err.Error(), "cannot be written in gbk") {
			t.Errorf("error %v", err)
		}
	}
}

// FuzzRoundTrip writes any text as csv and reads it back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a", "b")
	f.Add("", " ")
	f.Add("a,\"b\"\n", "\r\n")
	f.Add("\x00", "\"")
	f.Add("\uFEFF", "x")
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		text := write(t, CSV(), format.WriteOptions{Table: twoStrings}, []any{a, nil}, []any{b, a}, []any{nil, b})
		got, err := linetest.ReadAll(CSV(), text, format.ReadOptions{File: twoStrings, QuotedNewlines: true})
		want := []string{a + "|<nil>", b + "|" + a, "<nil>|" + b}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s of %q", err, diff, text)
		}
	})
}
