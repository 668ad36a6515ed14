package charset

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRoundTrip(t *testing.T) {
	text := strings.Repeat("abc 测试 é ", 3000)
	for _, name := range []string{"gbk", "GBK", "gb18030", "utf-16", "utf-16le", "UTF-16BE", "Windows-1252",
		"iso-8859-1", "big5", "utf-8", ""} {
		cs, err := Lookup(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := text
		if strings.Contains(strings.ToLower(name), "125") || strings.Contains(name, "iso") {
			want = strings.ReplaceAll(text, "测试 ", "")
		}
		if name == "big5" {
			want = "中文"
		}
		encoded := []byte(want)
		if enc := cs.NewEncoder(); enc != nil {
			if encoded, err = enc.Append(nil, []byte(want)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		got, err := io.ReadAll(cs.Reader(iotest.HalfReader(strings.NewReader(string(encoded)))))
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
}

func TestLookupUnknown(t *testing.T) {
	if _, err := Lookup("klingon"); err == nil || !strings.Contains(err.Error(), `"klingon"`) {
		t.Errorf("error %v", err)
	}
}

func TestNothingIsReplaced(t *testing.T) {
	gbk, err := Lookup("gbk")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []io.Reader{strings.NewReader("abc\xff\xffdef"),
		iotest.OneByteReader(strings.NewReader("abc\xff\xffdef"))} {
		if _, err := io.ReadAll(gbk.Reader(r)); !errors.Is(err, ErrCharacter) {
			t.Errorf("reading: error %v", err)
		}
	}
	out, err := gbk.NewEncoder().Append([]byte("x"), []byte("ab\U0001F600"))
	if !errors.Is(err, ErrCharacter) || !strings.Contains(err.Error(), "\U0001F600") {
		t.Errorf("writing: %q, error %v", out, err)
	}
}
