//go:build !unix

package fsys

// ignoreUnsupported passes over all errors: these systems have no sync of directories.
func ignoreUnsupported(error) error { return nil }

// CrossDevice reports that a rename failed because its ends are on two file systems, which cannot be told here.
func CrossDevice(error) bool { return false }

// DiskFull reports that there is no space left, which cannot be told here.
func DiskFull(error) bool { return false }
