package store

import (
	"fmt"
	"syscall"
)

// reserve is what must be free on the store's volume before each write. It covers what a write can set off in the
// background: two memory tables that are flushed, and a compaction that writes its tables before it removes the old
// ones.
const reserve = 32 << 20

// room says why nothing can be written now.
func (s *Store) room() error {
	if s.dir == "" {
		return nil
	}
	free, err := freeBytes(s.dir)
	if err != nil {
		return err
	}
	if free < reserve {
		return fmt.Errorf("%w: %d KiB are free, and the store keeps %d KiB free to be safe; make room on its volume",
			syscall.ENOSPC, free>>10, reserve>>10)
	}
	return nil
}
