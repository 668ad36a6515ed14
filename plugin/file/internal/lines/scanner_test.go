package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/charset"
)

func input(content string) format.Input {
	return format.Input{Name: "mem", Size: int64(len(content)), Stream: func(offset int64) (io.ReadCloser, error) {
		return io.NopCloser(iotest.HalfReader(strings.NewReader(content[offset:]))), nil
	}}
}

// scan reads a range line by line and returns each line with its position.
func scan(t *testing.T, s *Scanner, content string, r format.Range, from *format.Position) []string {
	t.Helper()
	if err := s.Open(t.Context(), input(content), r, from); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []string
	for {
		data, final := s.Data()
		if len(data) == 0 && final {
			return all
		}
		if len(data) == 0 {
			if err := s.More(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		n := bytes.IndexByte(data, '\n') + 1
		if n == 0 {
			n = len(data)
		}
		at := s.Position()
		all = append(all, fmt.Sprintf("%d/%d %s", at.At, at.Row, strings.TrimSuffix(string(data[:n]), "\n")))
		s.Advance(n, 1)
	}
}

func TestPositions(t *testing.T) {
	const content = "head\na\n\nbb\nccc"
	for _, tc := range []struct {
		name string
		s    Scanner
		r    format.Range
		from *format.Position
		want []string
	}{
		{"whole", Scanner{}, format.Range{End: -1}, nil, []string{"0/0 head", "5/1 a", "7/2 ", "8/3 bb", "11/4 ccc"}},
		{"header", Scanner{Header: 1}, format.Range{End: -1}, nil, []string{"5/1 a", "7/2 ", "8/3 bb", "11/4 ccc"}},
		{"more header than lines", Scanner{Header: 9}, format.Range{End: -1}, nil, nil},
		{"first range", Scanner{}, format.Range{End: 6}, nil, []string{"0/0 head", "5/1 a"}},
		{"from a line's start", Scanner{Header: 1}, format.Range{Start: 7, End: 8}, nil, []string{"7/-1 "}},
		{"from within a line", Scanner{}, format.Range{Start: 6, End: 9}, nil, []string{"7/-1 ", "8/-1 bb"}},
		{"no line begins", Scanner{}, format.Range{Start: 9, End: 11}, nil, nil},
		{"the last one", Scanner{}, format.Range{Start: 10, End: -1}, nil, []string{"11/-1 ccc"}},
		{"within the last one", Scanner{}, format.Range{Start: 12, End: -1}, nil, nil},
		{"resumed", Scanner{Header: 1}, format.Range{End: 9}, &format.Position{At: 7, Row: 2}, []string{"7/2 ", "8/3 bb"}},
		{"resumed at the end", Scanner{}, format.Range{End: 8}, &format.Position{At: 8, Row: 3}, nil},
	} {
		if diff := cmp.Diff(tc.want, scan(t, &tc.s, content, tc.r, tc.from)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestAnyTwoCutsGiveTheSameLines(t *testing.T) {
	const content = "\xEF\xBB\xBFa\n\nbb\r\n\nccc\nd"
	var s Scanner
	whole := scan(t, &s, content, format.Range{End: -1}, nil)
	lines := func(all []string) (texts []string) {
		for _, l := range all {
			texts = append(texts, l[strings.IndexByte(l, ' '):])
		}
		return texts
	}
	for a := int64(len(byteOrderMark) + 1); a < int64(len(content)); a++ {
		for b := a; b < int64(len(content)); b++ {
			got := scan(t, &s, content, format.Range{End: a}, nil)
			got = append(got, scan(t, &s, content, format.Range{Start: a, End: b}, nil)...)
			got = append(got, scan(t, &s, content, format.Range{Start: b, End: -1}, nil)...)
			if diff := cmp.Diff(lines(whole), lines(got)); diff != "" {
				t.Fatalf("cut at %d and %d: %s", a, b, diff)
			}
		}
	}
}

func TestScannerErrors(t *testing.T) {
	s := Scanner{MaxRecord: 1 << 20}
	if err := s.Open(t.Context(), input("a\n"+strings.Repeat("x", 3<<20)), format.Range{End: -1}, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		data, _ := s.Data()
		s.Advance(len(data), bytes.Count(data, []byte("\n")))
		err = s.More()
	}
	var known *plugin.Error
	if !errors.As(err, &known) || known.Row != "mem, line 2" {
		t.Errorf("error %v", err)
	}

	gbk, lookupErr := charset.Lookup("gbk")
	if lookupErr != nil {
		t.Fatal(lookupErr)
	}
	s = Scanner{Charset: gbk}
	err = s.Open(t.Context(), input("a\n\xff\xff\xff"), format.Range{End: -1}, nil)
	for err == nil {
		err = s.More()
	}
	if !errors.As(err, &known) || !strings.Contains(known.Fix, "encoding") {
		t.Errorf("error %v", err)
	}

	broken := input("")
	broken.Stream = func(int64) (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), nil }
	s = Scanner{}
	err = s.Open(t.Context(), broken, format.Range{End: -1}, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "mem") {
		t.Errorf("error %v", err)
	}
}

func TestRangesAreStable(t *testing.T) {
	content := "header\n" + strings.Repeat("0123456789\n", 100)
	for _, tc := range []struct {
		o    format.ReadOptions
		size int64
		want []format.Range
	}{
		{format.ReadOptions{SplitSize: 500}, 0, []format.Range{{Start: 0, End: 371, Rows: -1},
			{Start: 371, End: 739, Rows: -1}, {Start: 739, End: -1, Rows: -1}}},
		{format.ReadOptions{SplitSize: 500, SkipHeader: 1}, 0,
			[]format.Range{{Start: 0, End: 374, Rows: -1}, {Start: 374, End: 741, Rows: -1}, {Start: 741, End: -1, Rows: -1}}},
		{format.ReadOptions{SplitSize: 1000}, 0, []format.Range{{End: -1, Rows: -1}}},
		{format.ReadOptions{SplitSize: 0}, 0, []format.Range{{End: -1, Rows: -1}}},
		{format.ReadOptions{SplitSize: 500, Encoding: "gbk"}, 0, []format.Range{{End: -1, Rows: -1}}},
		{format.ReadOptions{SplitSize: 500, QuotedNewlines: true}, 0, []format.Range{{End: -1, Rows: -1}}},
		{format.ReadOptions{SplitSize: 500}, -1, []format.Range{{End: -1, Rows: -1}}},
	} {
		in := input(content)
		if tc.size != 0 {
			in.Size = tc.size
		}
		got, err := Ranges(t.Context(), in, tc.o)
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v %s", tc.o, err, diff)
		}
	}
	if got, err := Ranges(t.Context(), input(""), format.ReadOptions{}); err != nil || got != nil {
		t.Errorf("an empty file: %v, %v", got, err)
	}
}
