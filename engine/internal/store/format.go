package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// formatVersion is the format that this package writes; the package comment says what it is.
const formatVersion = 1

const (
	formatName   = "CULVERT"
	formatPrefix = "culvert store format "
)

// FormatError says that a store was written by a newer version of the engine than this one.
type FormatError struct {
	Dir   string
	Found int // what the store has
	Known int // the newest that this version reads
}

// Error says what to do.
func (e *FormatError) Error() string {
	return fmt.Sprintf("it has format %d, this version reads up to %d; open it with the newer version that wrote it",
		e.Found, e.Known)
}

// formatFile is the open and locked file that names the format.
type formatFile struct{ f *os.File }

// openFormat makes the directory if it is missing, locks it and checks its format.
func openFormat(dir string) (*formatFile, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, formatName), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	if err := checkFormat(dir, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &formatFile{f}, nil
}

func checkFormat(dir string, f *os.File) error {
	if err := lockFile(f); err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return err
	}
	found, err := parseFormat(string(b))
	switch {
	case err == nil && found > formatVersion:
		return &FormatError{Dir: dir, Found: found, Known: formatVersion}
	case err == nil:
		return nil
	}
	_, statErr := os.Stat(filepath.Join(dir, "MANIFEST"))
	switch {
	case statErr == nil && len(b) == 0:
		return errors.New("the directory holds a database that is not of this engine; name another directory")
	case statErr == nil:
		return err
	case !errors.Is(statErr, os.ErrNotExist):
		return statErr
	}
	// The directory is new, or its making was cut short.
	return writeFormat(dir, f)
}

func parseFormat(s string) (int, error) {
	number, ok := strings.CutPrefix(strings.TrimSuffix(s, "\n"), formatPrefix)
	found, err := strconv.Atoi(number)
	if !ok || err != nil || found < 1 {
		return 0, fmt.Errorf("file %s is damaged: it should say %q and a number, but is %q", formatName, formatPrefix, s)
	}
	return found, nil
}

// writeFormat makes the file durable before Badger makes its first.
func writeFormat(dir string, f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt(fmt.Appendf(nil, "%s%d\n", formatPrefix, formatVersion), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncDir(dir)
}

// close gives the lock free.
func (f *formatFile) close() error { return f.f.Close() }
