package fsys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestCreateNeverReplaces(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	f, err := OS{}.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if f, err := (OS{}).Create(name); !errors.Is(err, fs.ErrExist) || f != nil {
		t.Errorf("%v, error %v", f, err)
	}
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	for range 2 {
		if err := MkdirAll(OS{}, deep); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(deep); err != nil || !info.IsDir() {
		t.Errorf("%v, %v", info, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := MkdirAll(OS{}, file); err == nil {
		t.Error("a file was taken for a directory")
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "a"), link); err != nil {
		t.Skip(err)
	}
	if err := MkdirAll(OS{}, filepath.Join(link, "x")); err != nil {
		t.Error(err)
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "kept")
	for _, name := range []string{outside, filepath.Join(dir, "a"), filepath.Join(dir, "sub", "b")} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, nil, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, "sub", "link")); err != nil {
		t.Skip(err)
	}
	if err := RemoveContent(OS{}, dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	if ok, err := Exists(OS{}, outside); !ok || err != nil {
		t.Error("a link was followed out of the directory")
	}
	for _, err := range []error{RemoveContent(OS{}, dir+"x"), RemoveTree(OS{}, dir), RemoveTree(OS{}, dir)} {
		if err != nil {
			t.Error(err)
		}
	}
	if ok, err := Exists(OS{}, dir); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}
