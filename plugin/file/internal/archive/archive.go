// Package archive walks the files in zip, tar and tar_gz archives, front to back.
package archive

import (
	"archive/tar"
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// The kinds, as option archive_compress_codec spells them.
const (
	None  = "none"
	Zip   = "zip"
	Tar   = "tar"
	TarGz = "tar_gz"
)

// Entry is a file in an archive.
type Entry struct {
	// Index counts the archive's members from 0, skipped ones included.
	Index int
	Name  string
	// Content is valid until the next call of Next.
	Content io.Reader
}

// Archive is an archive that is being walked.
type Archive struct {
	file     *os.File
	zip      *zip.Reader
	tar      *tar.Reader
	entry    io.ReadCloser // of a zip
	suffixes []string
	index    int // of the next member
}

// Open opens an archive. Next returns only members whose names end in one of the suffixes.
func Open(name, kind string, suffixes ...string) (*Archive, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	a := &Archive{file: f, suffixes: suffixes}
	if err := a.start(kind); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s is no %s archive: %w", name, kind, err)
	}
	return a, nil
}

func (a *Archive) start(kind string) error {
	switch kind {
	case Zip:
		info, err := a.file.Stat()
		if err != nil {
			return err
		}
		a.zip, err = zip.NewReader(a.file, info.Size())
		return err
	case Tar:
		a.tar = tar.NewReader(a.file)
		return nil
	case TarGz:
		gz, err := gzip.NewReader(a.file)
		if err != nil {
			return err
		}
		a.tar = tar.NewReader(gz)
		return nil
	}
	return fmt.Errorf("archive_compress_codec %q is none of %s, %s, %s, %s", kind, None, Zip, Tar, TarGz)
}

// Next returns the next file whose name fits, at index from or behind it, and io.EOF after the last.
func (a *Archive) Next(from int) (Entry, error) {
	for {
		e, regular, err := a.member()
		if err != nil {
			return Entry{}, err
		}
		if !regular || e.Index < from || !a.wanted(e.Name) {
			continue
		}
		if a.zip != nil {
			if a.entry, err = a.zip.File[e.Index].Open(); err != nil {
				return Entry{}, fmt.Errorf("entry %s: %w", e.Name, err)
			}
			e.Content = a.entry
		}
		return e, nil
	}
}

// member steps to the next member, whatever it is.
func (a *Archive) member() (e Entry, regular bool, err error) {
	a.closeEntry()
	e.Index = a.index
	if a.tar != nil {
		h, err := a.tar.Next()
		if err != nil {
			return e, false, err
		}
		e.Name, e.Content, regular = h.Name, a.tar, h.Typeflag == tar.TypeReg
	} else {
		if a.index == len(a.zip.File) {
			return e, false, io.EOF
		}
		f := a.zip.File[a.index]
		e.Name, regular = f.Name, f.Mode().IsRegular()
	}
	a.index++
	return e, regular, nil
}

func (a *Archive) wanted(name string) bool {
	if strings.HasPrefix(path.Base(name), ".") {
		return false
	}
	for _, s := range a.suffixes {
		if strings.HasSuffix(strings.ToLower(name), s) {
			return true
		}
	}
	return false
}

func (a *Archive) closeEntry() {
	if a.entry != nil {
		a.entry.Close()
		a.entry = nil
	}
}

// Close closes the archive.
func (a *Archive) Close() error {
	a.closeEntry()
	return a.file.Close()
}
