package store

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// idEpoch is where ids start to count milliseconds, as SeaTunnel's do.
var idEpoch = time.Date(2018, time.January, 1, 0, 0, 0, 0, time.UTC)

const (
	// idBits are the low bits of an id, which count within a millisecond.
	idBits = 22
	// idLease is how far ahead of the clock the durable mark goes: one write for each minute in which ids are given
	// out.
	idLease = int64(time.Minute/time.Millisecond) << idBits
)

// ids gives out job ids.
type ids struct {
	mu   sync.Mutex
	now  func() time.Time
	last int64
	// mark is durable: ids up to it may have been given out.
	mark int64
}

// NextID returns a job id that was never returned before and that no job of the store has: positive, 63 bits, growing
// even if the clock goes back. The high bits are milliseconds since 2018, as in SeaTunnel's ids.
func (s *Store) NextID() (int64, error) {
	if err := s.begin(); err != nil {
		return 0, s.explain(err)
	}
	defer s.end()
	for {
		id, err := s.reserveID()
		if err != nil {
			return 0, s.explain(err)
		}
		// Outside of the lock, since a look into the database waits for writes under way.
		taken, err := s.hasJob(id)
		if err != nil || !taken {
			return id, s.explain(err)
		}
	}
}

// reserveID returns an id that was never returned before, though a job may have been given it.
func (s *Store) reserveID() (int64, error) {
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	id := max(s.ids.last+1, s.ids.now().Sub(idEpoch).Milliseconds()<<idBits)
	if id > s.ids.mark {
		if err := s.setMark(id + idLease); err != nil {
			return 0, fmt.Errorf("reserving job ids: %w", err)
		}
	}
	s.ids.last = id
	return id, nil
}

func (s *Store) hasJob(id int64) (bool, error) {
	var record []byte
	err := s.db.View(func(txn *badger.Txn) (err error) {
		record, err = get(txn, jobKey(recordFamily, id))
		return err
	})
	return record != nil, err
}

func (s *Store) loadIDs() error {
	s.ids.now = time.Now
	return s.db.View(func(txn *badger.Txn) error {
		value, err := get(txn, []byte(idMarkKey))
		if err != nil || value == nil {
			return err
		}
		if len(value) != 8 {
			return fmt.Errorf("the mark of job ids has %d bytes, not 8", len(value))
		}
		s.ids.mark = int64(binary.BigEndian.Uint64(value))
		s.ids.last = s.ids.mark
		return nil
	})
}

func (s *Store) setMark(mark int64) error {
	err := s.write(func(t *tx) error {
		t.set([]byte(idMarkKey), binary.BigEndian.AppendUint64(nil, uint64(mark)))
		return nil
	})
	if err == nil {
		s.ids.mark = mark
	}
	return err
}

// returnIDs gives back what is left of the lease, so that ids stay near the clock when the store is opened again. It
// doesn't matter if it can't.
func (s *Store) returnIDs() {
	if s.ids.mark == s.ids.last {
		return
	}
	if err := s.setMark(s.ids.last); err != nil {
		s.log.Debug("job ids in reserve were not given back", "error", err)
	}
}
