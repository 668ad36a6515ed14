package codec

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	want := strings.Repeat("some text that repeats itself, ", 50_000)
	for _, name := range append(Names(), None, "") {
		var file bytes.Buffer
		w, err := NewWriter(name, &file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if name != None && name != "" && file.Len() > len(want)/10 {
			t.Errorf("%s: %d bytes of %d", name, file.Len(), len(want))
		}
		r, err := NewReader(name, &file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWrongContent(t *testing.T) {
	for _, name := range Names() {
		r, err := NewReader(name, strings.NewReader("id,name\n1,x\n2,y\n and so on"))
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if err == nil {
			t.Errorf("%s: text was accepted", name)
		}
	}
	if _, err := NewReader("rar", nil); err == nil || !strings.Contains(err.Error(), "none, lzo, gzip, zstd") {
		t.Errorf("error %v", err)
	}
	if _, err := NewWriter("rar", nil); err == nil {
		t.Error("rar was accepted")
	}
}

func TestByName(t *testing.T) {
	for name, want := range map[string]string{
		"a.csv": None, "a.csv.gz": Gzip, "a.gz.csv": Gzip, "a.GZ": Gzip, "a.zst": Zstd, "a.csv.zstd": Zstd,
		"a.lzo.csv": LZO, "a.txt.lzo": LZO, "gz": None, "a.gz.txt": None, "gz.csv": None,
	} {
		if got := ByName(name, ".csv"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for _, name := range Names() {
		if got := ByName("a"+Suffix(name)+".csv", ".csv"); got != name {
			t.Errorf("a%s.csv: %s, want %s", Suffix(name), got, name)
		}
	}
}
