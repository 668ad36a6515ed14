package file

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+://`)

// localPath makes a path of a job file absolute. SeaTunnel also takes file: addresses; those of other file systems are
// refused, since they would become strange directories below the working directory.
func localPath(path string) (string, error) {
	switch rest, address := strings.CutPrefix(path, "file:"); {
	case address && strings.HasPrefix(rest, "///"):
		path = rest[2:]
	case address && strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "//"):
		path = rest
	case scheme.MatchString(path):
		return "", fmt.Errorf("%q is no local path; write it as /directory or file:///directory", path)
	}
	return filepath.Abs(path)
}
