package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/linetest"
)

var simple = linetest.Table("id", plugin.Int, "name", plugin.String)

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name, content string
		want          []string
	}{
		{"plain", `{"id":1,"name":"x"}` + "\n" + `{"id":2,"name":"y"}`, []string{"1|x", "2|y"}},
		{"spaces and CRLF", " { \"id\" : 1 , \"name\" : \"x\" } \r\n", []string{"1|x"}},
		{"other order", `{"name":"x","id":1}`, []string{"1|x"}},
		{"missing and null", "{}\n{ }\n" + `{"id":null,"name":"x"}`, []string{"<nil>|<nil>", "<nil>|<nil>", "<nil>|x"}},
		{"unknown members", `{"z":[1,{"id":7}],"id":1,"y":{"name":"}"},"name":"x","w":true}`, []string{"1|x"}},
		{"the last of two", `{"id":1,"name":"x","id":2}` + "\n" + `{"id":1,"name":"x","name":null}`,
			[]string{"2|x", "1|<nil>"}},
		{"escapes", `{"id":1,"name":"a\"b\\\\\u00e9\n"}`, []string{"1|a\"b\\\\é\n"}},
		{"escaped name", `{"\u0069d":1,"n\u0061me":"x"}`, []string{"1|x"}},
		{"number and object as text", `{"id":"5","name":1.50}` + "\n" + `{"name":{"a": [1, 2]}}`,
			[]string{"5|1.50", `<nil>|{"a":[1,2]}`}},
		{"blank lines", "\n  \n" + `{"id":1}` + "\r\n\r\n", []string{"1|<nil>"}},
		{"byte order mark", "\xEF\xBB\xBF" + `{"id":1}`, []string{"1|<nil>"}},
		{"empty text is text", `{"name":""}`, []string{"<nil>|"}},
		{"nothing", "", nil},
	} {
		got, err := linetest.ReadAll(JSON(), tc.content, format.ReadOptions{File: simple, SkipHeader: 5})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestBadRows(t *testing.T) {
	for _, tc := range []struct{ content, want string }{
		{`[{"id":1}]`, "no JSON object"},
		{"{\n\"id\":1\n}", "does not end on its line"},
		{`{"id":1`, "does not end on its line"},
		{`{"id":1,`, "does not end on its line"},
		{`{"id":`, "does not end on its line"},
		{`{"id":1} {"id":2}`, "followed by"},
		{`{"id":1 "name":2}`, "comma"},
		{`{"id" 1}`, "colon"},
		{`{id:1}`, "name in quotes"},
		{`{"name":"x}`, "closing quote"},
		{`{"name":[1,"x]}`, "closing quote"},
		{`{"name":[1}`, "does not end"},
		{`{"id":nul}`, "no value"},
		{`{"other":maybe}`, "no value"},
		{`{"id":}`, "where a value should be"},
		{`{"id":"x"}`, "column id"},
		{`{"id":1.5}`, "column id"},
		{`{"id":3000000000}`, "column id"},
		{"{\"name\":\"\xff\"}", "UTF-8"},
		{`{"\u00":1}`, "broken"},
	} {
		got, err := linetest.ReadAll(JSON(), "{\"id\":7}\n\n"+tc.content+"\n", format.ReadOptions{File: simple})
		var known *plugin.Error
		if !errors.As(err, &known) || known.Row != "mem, line 3" || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q at line 3", tc.content, err, tc.want)
		}
		if len(got) != 1 {
			t.Errorf("%s: %d rows before the error", tc.content, len(got))
		}
	}
}

// allTypes has a column of each type.
var allTypes = linetest.Table(
	"s", plugin.String, "b", plugin.Boolean, "i8", plugin.TinyInt, "i16", plugin.SmallInt, "i32", plugin.Int,
	"i64", plugin.BigInt, "f", plugin.Float, "d", plugin.Double, "dec", plugin.DecimalOf(38, 18), "x", plugin.Bytes,
	"day", plugin.Date, "clock", plugin.Time, "ts", plugin.Timestamp, "nil", plugin.Null,
	"list", plugin.ArrayOf(plugin.TypeOf(plugin.String)), "map", plugin.MapOf(plugin.TypeOf(plugin.String),
		plugin.TypeOf(plugin.Int)),
	"row", plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)},
		plugin.Field{Name: "b", Type: plugin.TypeOf(plugin.String)}))

func TestRoundTrip(t *testing.T) {
	rows := [][]any{
		{"a\"\\\n\u2028", true, -128, 32767, -2147483648, int64(9223372036854775807), float32(1.5), 1e-7,
			"12345678901234567890.123456789012345678",
			[]byte{0, 255}, "2024-02-29", "23:59:59.123456", "1969-12-31 23:59:59.999999", nil, []any{"x", nil, ""},
			map[string]any{"k": 1}, []any{7, "z"}},
		make([]any, len(allTypes.Columns)),
		{"", false, 0, 0, 0, 0, float32(0), 0.0, "0", []byte{}, "0001-01-01", "00:00:00", "9999-12-31 00:00:00", nil,
			[]any{}, map[string]any{}, []any{nil, nil}},
	}
	build := column.NewBuilder(allTypes, column.NewPool())
	for _, row := range rows {
		if err := build.AppendRow(plugin.Insert, row...); err != nil {
			t.Fatal(err)
		}
	}
	b := build.Batch()
	defer b.Release()
	var want []string
	for i := range b.Len() {
		want = append(want, linetest.Row(b, i))
	}
	var file bytes.Buffer
	w, err := JSON().NewWriter(&file, format.WriteOptions{Table: allTypes})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(b), w.Finish()); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(file.String(), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("line %d is no JSON: %s", i+1, line)
		}
	}
	got, err := linetest.ReadAll(JSON(), file.String(), format.ReadOptions{File: allTypes})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrite(t *testing.T) {
	build := column.NewBuilder(simple, column.NewPool())
	err := errors.Join(build.AppendRow(plugin.Insert, 1, "<é>"), build.AppendRow(plugin.Delete, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	b := build.Batch()
	defer b.Release()
	var file bytes.Buffer
	w, err := JSON().NewWriter(&file, format.WriteOptions{Table: simple, RowDelimiter: "\r\n", Header: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(b), w.Finish()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("{\"id\":1,\"name\":\"<é>\"}\r\n{\"id\":null,\"name\":null}", file.String()); diff != "" {
		t.Error(diff)
	}
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"skip":{"a":[%d,"}"]},"name":"%s"}`+"\n", i, i, strings.Repeat(`\n"`[:i%3/2*2], i%4)+"x")
	}
	return b.String()
}

func TestRangesCoverEachRowOnce(t *testing.T) {
	content := manyLines(30)
	want, err := linetest.ReadAll(JSON(), content, format.ReadOptions{File: simple})
	if err != nil {
		t.Fatal(err)
	}
	for size := int64(1); size < 400; size += 7 {
		got, err := linetest.ReadAll(JSON(), content, format.ReadOptions{File: simple, SplitSize: size})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("size %d: %v %s", size, err, diff)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(manyLines(9), uint16(20))
	f.Add(`{"id":1,"name":"a\"b"}`+"\n\n"+`{"x":[{}],"name":null}`, uint16(3))
	f.Add(`{"id":"1","name":{"a":[1,"\\"]}}`, uint16(1))
	f.Fuzz(func(t *testing.T, content string, size uint16) {
		o := format.ReadOptions{File: simple}
		want, wantErr := linetest.ReadAll(JSON(), content, o)
		o.SplitSize = max(int64(size), int64(len(content)/50)) + 1
		got, err := linetest.ReadAll(JSON(), content, o)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("in one piece %v, in ranges %v", wantErr, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if wantErr == nil {
			checkAgainstLibrary(t, content, want)
		}
	})
}

// checkAgainstLibrary reads the lines with encoding/json: what is read here must be JSON at least where a value was
// taken from it, and give the same number.
func checkAgainstLibrary(t *testing.T, content string, rows []string) {
	t.Helper()
	n := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(content, "\xEF\xBB\xBF"), "\n") {
		if strings.Trim(line, " \t\r") == "" {
			continue
		}
		var v struct{ ID *json.Number }
		if err := json.Unmarshal([]byte(line), &v); err == nil && v.ID == nil &&
			!strings.Contains(strings.ToLower(line), "id") {
			if !strings.HasPrefix(rows[n], "<nil>|") {
				t.Errorf("row %d is %s, of %s", n, rows[n], line)
			}
		}
		n++
	}
	if n != len(rows) {
		t.Errorf("%d rows of %d lines", len(rows), n)
	}
}
