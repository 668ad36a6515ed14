//go:build unix

package fsys

import (
	"errors"
	"syscall"
)

// ignoreUnsupported passes over file systems that have no sync of directories.
func ignoreUnsupported(err error) error {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

// CrossDevice reports that a rename failed because its ends are on two file systems.
func CrossDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }

// DiskFull reports that there is no space left.
func DiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
