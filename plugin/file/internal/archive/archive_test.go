package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
)

var members = []struct{ name, content string }{
	{"a.txt", "one"}, {"dir/", ""}, {"dir/b.TXT", "two"}, {".hidden.txt", "no"}, {"c.json", "no"}, {"__MACOSX/._a.txt",
		"no"},
	{"d.txt", strings.Repeat("three ", 10_000)}, {"empty.txt", ""},
}

func makeArchive(t *testing.T, kind string) string {
	t.Helper()
	var b bytes.Buffer
	if kind == Zip {
		w := zip.NewWriter(&b)
		for _, m := range members {
			f, err := w.Create(m.name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(f, m.content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		var out io.Writer = &b
		var gz *gzip.Writer
		if kind == TarGz {
			gz = gzip.NewWriter(&b)
			out = gz
		}
		w := tar.NewWriter(out)
		for _, m := range members {
			h := &tar.Header{Name: m.name, Size: int64(len(m.content)), Mode: 0o644, Typeflag: tar.TypeReg}
			if strings.HasSuffix(m.name, "/") {
				h.Typeflag = tar.TypeDir
			}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, m.content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if gz != nil {
			if err := gz.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWalk(t *testing.T) {
	for _, kind := range []string{Zip, Tar, TarGz} {
		path := makeArchive(t, kind)
		for from, want := range map[int][]string{
			0: {"a.txt=3", "dir/b.TXT=3", "d.txt=60000", "empty.txt=0"}, 3: {"d.txt=60000", "empty.txt=0"}, 99: nil,
		} {
			a, err := Open(path, kind, ".txt", ".csv")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for next := from; ; {
				e, err := a.Next(next)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				content, err := io.ReadAll(e.Content)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Name+fmt.Sprint("=", len(content)))
				next = e.Index + 1
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s from %d: %s", kind, from, diff)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestNoArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plain.txt")
	if err := os.WriteFile(path, []byte("id,name\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{Zip, TarGz, "rar"} {
		if _, err := Open(path, kind, ".txt"); err == nil || !strings.Contains(err.Error(), "is no "+kind+" archive") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
	a, err := Open(path, Tar, ".txt")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Next(0); err == nil || err == io.EOF {
		t.Errorf("tar: error %v", err)
	}
	if _, err := Open(path+"x", Zip, ".txt"); !os.IsNotExist(err) {
		t.Errorf("error %v", err)
	}
}
