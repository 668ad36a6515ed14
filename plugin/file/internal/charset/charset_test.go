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

func TestJavaNames(t *testing.T) {
	for name, want := range map[string]string{"ISO8859_1": "\xe9", "UTF_8": "é", "UTF8": "é", "Cp1252": "\xe9",
		"UTF_16LE": "\xe9\x00",
		"latin1":   "\xe9", "ISO8859_15": "\xe9"} {
		cs, err := Lookup(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := []byte("é")
		if enc := cs.NewEncoder(); enc != nil {
			got, err = enc.Append(nil, got)
		}
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"EUC_JP", "Shift_JIS", "SJIS", "MS932", "Big5", "EUC-KR", "GB2312", "KOI8_R"} {
		if cs, err := Lookup(name); err != nil || cs.UTF8() {
			t.Errorf("%s: UTF-8 %v, %v", name, cs.UTF8(), err)
		}
	}
}

// TestLatin1 tells it from windows-1252, which has other characters from 0x80 on.
func TestLatin1(t *testing.T) {
	for _, name := range []string{"ISO8859_1", "iso-8859-1", "ISO8859-1"} {
		cs, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(cs.Reader(strings.NewReader("\x80"))); err != nil || string(got) != "\u0080" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestASCII: the encoding is a part of UTF-8, but not all of it.
func TestASCII(t *testing.T) {
	for _, name := range []string{"US-ASCII", "ascii"} {
		cs, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(cs.Reader(strings.NewReader("abc"))); err != nil || string(got) != "abc" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if _, err := io.ReadAll(cs.Reader(strings.NewReader("é"))); !errors.Is(err, ErrCharacter) {
			t.Errorf("%s: reading: error %v", name, err)
		}
		if enc := cs.NewEncoder(); enc == nil {
			t.Errorf("%s is UTF-8", name)
		} else if got, err := enc.Append(nil, []byte("aé")); !errors.Is(err, ErrCharacter) {
			t.Errorf("%s: writing: %q, error %v", name, got, err)
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
