package store

import (
	"encoding/binary"
	"testing"

	"github.com/dgraph-io/badger/v4"
)

// count returns the number of keys of a family.
func count(t testing.TB, s *Store, family byte) int {
	t.Helper()
	n := 0
	err := s.db.View(func(txn *badger.Txn) error {
		return scan(txn, []byte{family}, func([]byte, []byte) error { n++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkNothingPending checks that each chunk belongs to something.
func checkNothingPending(t testing.TB, s *Store) {
	t.Helper()
	if n := count(t, s, pendingFamily); n != 0 {
		t.Errorf("%d contents are still being written", n)
	}
	owned := map[uint64]bool{}
	err := s.db.View(func(txn *badger.Txn) error {
		for _, family := range []byte{configFamily, slotFamily, recordFamily} {
			err := scan(txn, []byte{family}, func(_, value []byte) error {
				c, err := parseContent(value)
				if family == recordFamily {
					var h header
					h, err = parseHeader(value)
					c = h.record
				}
				owned[c.id] = true
				return err
			})
			if err != nil {
				return err
			}
		}
		return scan(txn, []byte{chunkFamily}, func(key, _ []byte) error {
			if id := binary.BigEndian.Uint64(key[1:]); !owned[id] {
				t.Errorf("chunk %x belongs to nothing", key)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}
