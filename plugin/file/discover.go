package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// found is a file of a table, as it was when the files were listed.
type found struct {
	path     string
	size     int64
	modified int64 // nanoseconds since 1970
}

// discover lists the files of a table, sorted by path. Empty files, _SUCCESS, and files and directories whose names
// begin with a point are passed over, as SeaTunnel does. A path that does not exist is an error, no file is none.
func (t *table) discover(ctx context.Context) ([]found, error) {
	var files []found
	root, err := localPath(t.options.Path)
	if err != nil {
		return nil, problem("path", "%v", err)
	}
	if resolved, err := filepath.EvalSymlinks(root); err == nil && resolved != root {
		root = resolved
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != root && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !t.wants(path) {
			return ctx.Err()
		}
		info, err := os.Stat(path) // follows links to files
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() && info.Size() > 0 {
			files = append(files, found{path, info.Size(), info.ModTime().UnixNano()})
		}
		return nil
	})
	if err != nil {
		return nil, t.pathError(err)
	}
	slices.SortFunc(files, func(a, b found) int { return strings.Compare(a.path, b.path) })
	return files, nil
}

func (t *table) pathError(err error) error {
	known := &plugin.Error{Table: t.out.ID, Err: fmt.Errorf("path %s: %w", t.options.Path, err)}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		known.Code, known.Fix = plugin.CodeNotFound, "check path; it must be on the machine that runs the job"
	case errors.Is(err, fs.ErrPermission):
		known.Code, known.Fix = plugin.CodeDenied, "give the program the right to read it"
	default:
		return err
	}
	return known
}

// wants applies file_filter_pattern and read_partitions.
func (t *table) wants(path string) bool {
	name := filepath.Base(path)
	if name == "_SUCCESS" || t.filter != nil && !t.filter.MatchString(name) {
		return false
	}
	if len(t.options.Partitions) == 0 {
		return true
	}
	return slices.ContainsFunc(t.options.Partitions, func(p string) bool { return strings.Contains(path, p) })
}

// partitions returns the k=v directories in a file's path, from the root on. A value may hold further equals signs.
func partitions(path string) (keys, values []string) {
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(path)), "/") {
		key, value, ok := strings.Cut(part, "=")
		if ok && key != "" && !slices.Contains(keys, key) {
			keys, values = append(keys, key), append(values, value)
		}
	}
	return keys, values
}
