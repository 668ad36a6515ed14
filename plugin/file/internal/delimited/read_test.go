package delimited

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/linetest"
)

var twoStrings = linetest.Table("a", plugin.String, "b", plugin.String)

func TestReadCSV(t *testing.T) {
	for _, tc := range []struct {
		name, content string
		want          []string
	}{
		{"plain", "x,y\nz,w\n", []string{"x|y", "z|w"}},
		{"no newline at the end", "x,y\nz,w", []string{"x|y", "z|w"}},
		{"CRLF", "x,y\r\nz,w\r\n", []string{"x|y", "z|w"}},
		{"CR at the very end", "x,y\r", []string{"x|y"}},
		{"byte order mark", "\xEF\xBB\xBFx,y\n", []string{"x|y"}},
		{"empty lines", "\n\nx,y\n\r\nz,w\n\n", []string{"x|y", "z|w"}},
		{"nulls", ",\n  ,\t\nx,\n,y\n", []string{"<nil>|<nil>", "<nil>|<nil>", "x|<nil>", "<nil>|y"}},
		{"missing and surplus", "x\nx,y,z,,\n", []string{"x|<nil>", "x|y"}},
		{"quotes", `"x","y"` + "\n" + `"a,b","c""d"` + "\n" + `"""",""""""` + "\n", []string{"x|y", `a,b|c"d`, `"|""`}},
		{"quoted blanks are text", `""," "` + "\n", []string{"| "}},
		{"quotes inside", `x"y,z""` + "\n", []string{`x"y|z""`}},
		{"space behind a quote", `"x" ,"y"	` + "\n", []string{"x|y"}},
		{"space before a quote", `x, "y"` + "\n", []string{`x| "y"`}},
		{"CR inside", "x\ry,z\n", []string{"x\ry|z"}},
		{"NUL", "x\x00y,\x00\n", []string{"x\x00y|\x00"}},
		{"nothing", "", nil},
		{"only a newline", "\n", nil},
	} {
		got, err := linetest.ReadAll(CSV(), tc.content, format.ReadOptions{File: twoStrings})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestReadCSVAcrossLines(t *testing.T) {
	o := format.ReadOptions{File: twoStrings, QuotedNewlines: true}
	content := "\"x\ny\",\"z\r\n\r\nw\"\n\n\"\"\"\n\",b,\"dropped\n\"\nlast,\"\n\""
	got, err := linetest.ReadAll(CSV(), content, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x\ny|z\r\n\r\nw", "\"\n|b", "last|\n"}, got); diff != "" {
		t.Error(diff)
	}
	o.File = linetest.Table("a", plugin.String, "b", plugin.Int)
	_, err = linetest.ReadAll(CSV(), "\"1\n\n\n\",2\n\nx,bad\n", o)
	if err == nil || !strings.Contains(err.Error(), "mem, line 6") {
		t.Errorf("error %v, want one of line 6", err)
	}
}

func TestReadText(t *testing.T) {
	for _, tc := range []struct {
		name, delimiter, content string
		want                     []string
	}{
		{"default", "", "x\x01y\nz\x01\n", []string{"x|y", "z|<nil>"}},
		{"tab", "\t", "x\ty\n", []string{"x|y"}},
		{"escaped tab", `\t`, "x\ty\n", []string{"x|y"}},
		{"escaped bar", `\|`, "x|y\n", []string{"x|y"}},
		{"class of a bar", `[|]`, "x|y\n", []string{"x|y"}},
		{"two bytes", `\|\|`, "x||y|z\n", []string{"x|y|z"}},
		{"hex", `\x7c`, "x|y\n", []string{"x|y"}},
		{"unicode", `\u0002`, "x\x02y\n", []string{"x|y"}},
		{"several characters", "，", "x，y\n", []string{"x|y"}},
		{"expression", `\s*;\s*`, "x ;  y\n", []string{"x|y"}},
		{"no quotes here", ",", "\"x\",\"y\"\n", []string{`"x"|"y"`}},
		{"blank is null", ",", " ,y\n", []string{"<nil>|y"}},
	} {
		got, err := linetest.ReadAll(Text(), tc.content, format.ReadOptions{File: twoStrings, Delimiter: tc.delimiter})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestBadDelimiters(t *testing.T) {
	for _, tc := range []struct {
		f               format.Format
		delimiter, want string
	}{
		{Text(), "|", `also matches nothing at all; characters like | are written \\|`},
		{Text(), "(", "no regular expression"},
		{CSV(), `"`, "cannot be"},
	} {
		_, err := tc.f.NewReader(linetest.Options(format.ReadOptions{File: twoStrings, Delimiter: tc.delimiter}))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.delimiter, err, tc.want)
		}
	}
}

func TestReadLinesWithoutSchema(t *testing.T) {
	content := linetest.Table(Content, plugin.String)
	got, err := linetest.ReadAll(Text(), "a\x01b\n\n  c\n", format.ReadOptions{Table: content})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a\x01b", "<nil>", "  c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestProjection(t *testing.T) {
	file := linetest.Table("a", plugin.Int, "b", plugin.Int, "c", plugin.String, "d", plugin.Int)
	got, err := linetest.ReadAll(CSV(), "1,not a number,x,4\n2,neither,\"y\",bad\n",
		format.ReadOptions{File: file, Table: linetest.Table("c", plugin.String, "a", plugin.Int)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x|1", "y|2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadRows(t *testing.T) {
	table := linetest.Table("id", plugin.Int, "name", plugin.String, "price", plugin.DecimalOf(5, 2))
	for _, tc := range []struct {
		name, content string
		o             format.ReadOptions
		rows          int
		want          []string
	}{
		{"number", "1,a,2\n\nx1,b,3\n", format.ReadOptions{}, 1, []string{"mem, line 3", "column id", `"x1"`, "INT"}},
		{"second column is worse later", "1,a,2\n2,b,zz\nx1,b,3\n", format.ReadOptions{}, 1,
			[]string{"mem, line 2", "column price", `"zz"`}},
		{"too many digits", "1,a,2.345\n", format.ReadOptions{}, 0, []string{"line 1", "column price", "2.345"}},
		{"not UTF-8", "1,a,1\n2,\xff,1\n", format.ReadOptions{}, 1,
			[]string{"line 2", "column name", "UTF-8", "set encoding"}},
		{"open quote", "1,a,1\n2,\"b\nc\",3\n", format.ReadOptions{}, 1,
			[]string{"line 2", "closing quote", "quoted.newlines"}},
		{"open quote to the end", "1,a,1\n2,\"b\nc,3\n", format.ReadOptions{QuotedNewlines: true}, 1,
			[]string{"line 2", "closing quote"}},
		{"text behind a quote", "1,\"a\"b,1\n", format.ReadOptions{}, 0, []string{"line 1", "followed by text"}},
		{"behind a header", "id,name,price\n1,a,1\nx,b,1\n", format.ReadOptions{SkipHeader: 1}, 1, []string{"mem, line 3"}},
		{"too long", "1,a,1\n2," + strings.Repeat("x", 2<<20) + ",1\n", format.ReadOptions{MaxRecord: 1 << 20}, 1,
			[]string{"line 2", "longer than 1048576 bytes", "max.record.size"}},
	} {
		tc.o.File = table
		got, err := linetest.ReadAll(CSV(), tc.content, tc.o)
		if len(got) != tc.rows {
			t.Errorf("%s: %d rows before the error, want %d: %q", tc.name, len(got), tc.rows, got)
		}
		var known *plugin.Error
		if !errors.As(err, &known) || known.Code != plugin.CodeData || known.Retry {
			t.Errorf("%s: error %#v", tc.name, err)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", tc.name, err, want)
			}
		}
	}
}

func TestBadRowInTheMiddleNamesTheOffset(t *testing.T) {
	table := linetest.Table("id", plugin.Int)
	content := strings.Repeat("1\n", 50) + "x\n"
	_, err := linetest.Read(CSV(), content, format.ReadOptions{File: table}, format.Range{Start: 50, End: -1}, nil)
	if err == nil || !strings.Contains(err.Error(), "byte offset 100") {
		t.Errorf("error %v, want the byte offset", err)
	}
}

// lineFile is content with lines of many lengths, blank ones and quotes.
func lineFile(n int, end string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,\"%s\"\"\"%s", i, strings.Repeat("é,", i%7), end)
		if i%5 == 0 {
			b.WriteString(end)
		}
	}
	return b.String()
}

func TestRangesCoverEachRowOnce(t *testing.T) {
	table := linetest.Table("id", plugin.Int, "text", plugin.String)
	for _, end := range []string{"\n", "\r\n"} {
		for _, content := range []string{lineFile(40, end), strings.TrimRight(lineFile(40, end), "\r\n")} {
			o := format.ReadOptions{File: table, SkipHeader: 2}
			want, err := linetest.ReadAll(CSV(), content, o)
			if err != nil {
				t.Fatal(err)
			}
			for size := int64(1); size < 300; size += 3 {
				o.SplitSize = size
				got, err := linetest.ReadAll(CSV(), content, o)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Fatalf("size %d: %v %s", size, err, diff)
				}
			}
		}
	}
}

func TestResumeAfterAnyBatch(t *testing.T) {
	table := linetest.Table("id", plugin.Int, "text", plugin.String)
	content := lineFile(60_000, "\n")
	for _, encoding := range []string{"", "gbk"} {
		o := format.ReadOptions{File: table, SkipHeader: 1, Encoding: encoding}
		text := content
		if encoding == "gbk" {
			text = strings.ReplaceAll(content, "é", "\xa8\xa6")
		}
		want, err := linetest.Read(CSV(), text, o, format.Range{End: -1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		stops := 0
		got, err := linetest.Read(CSV(), text, o, format.Range{End: -1}, func() bool { stops++; return true })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if stops < 3 {
			t.Errorf("only %d stops", stops)
		}
	}
}

func TestLongValues(t *testing.T) {
	long := strings.Repeat("0123456789abcde,", 1<<20) // 16 MiB
	got, err := linetest.ReadAll(CSV(), "a,b\nx,\""+long+"\"\ny,z\n",
		format.ReadOptions{File: twoStrings, SplitSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[1] != "x|"+long || got[2] != "y|z" {
		t.Errorf("%d rows", len(got))
	}
}

func FuzzRanges(f *testing.F) {
	f.Add(lineFile(20, "\n"), uint16(17), uint8(0), false)
	f.Add(lineFile(20, "\r\n"), uint16(64), uint8(3), true)
	f.Add("\xEF\xBB\xBFa,b\n\"c\nd\",\"e\"\"\"\n\n,\n", uint16(5), uint8(1), true)
	f.Add("a\x00,\"\"\n\n\r\r\n\"x\" ,y", uint16(1), uint8(0), false)
	f.Fuzz(func(t *testing.T, content string, size uint16, header uint8, text bool) {
		form := CSV()
		if text {
			form = Text()
		}
		o := format.ReadOptions{File: twoStrings, SkipHeader: int64(header % 4), Delimiter: ","}
		want, wantErr := linetest.ReadAll(form, content, o)
		o.SplitSize = max(int64(size), int64(len(content)/50)) + 1
		got, err := linetest.ReadAll(form, content, o)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("in one piece %v, in ranges %v", wantErr, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
