package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// Expire bounds the history of ended jobs. It deletes those that ended before a time, then the longest ended ones until
// no more than maxEnded are left, with no more than maxBytes of records and configs. A zero time, and numbers of 0 or
// less, mean no limit. It returns how many jobs it deleted, also when it fails half-way.
func (s *Store) Expire(ctx context.Context, before time.Time, maxEnded int, maxBytes int64) (deleted int, err error) {
	if err := s.begin(); err != nil {
		return 0, s.explain(err)
	}
	defer s.end()
	ended, err := s.ended(ctx)
	if err != nil {
		return 0, s.explain(err)
	}
	var bytes int64
	for _, e := range ended {
		bytes += e.bytes
	}
	n := 0
	for ; n < len(ended); n++ {
		e := ended[n]
		expired := !before.IsZero() && e.end < sortable(before)
		tooMany := maxEnded > 0 && len(ended)-n > maxEnded
		tooLarge := maxBytes > 0 && bytes > maxBytes
		if !expired && !tooMany && !tooLarge {
			break
		}
		bytes -= e.bytes
	}
	deleted, err = s.deleteEnded(ctx, ended[:n])
	return deleted, s.explain(err)
}

// endedJob is an entry in the list of ended jobs.
type endedJob struct {
	end   uint64
	id    int64
	bytes int64
}

// CountEnded returns the number of ended jobs in each state.
func (s *Store) CountEnded() map[string]int { return s.commit.counts.all() }

// endedCounts are the numbers of ended jobs by state, counted when the store is opened and kept by the committer.
type endedCounts struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *endedCounts) add(deltas map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for state, n := range deltas {
		if c.counts[state] += n; c.counts[state] == 0 {
			delete(c.counts, state)
		}
	}
}

func (c *endedCounts) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

// load counts what the database holds.
func (c *endedCounts) load(db *badger.DB) error {
	c.counts = map[string]int{}
	return db.View(func(txn *badger.Txn) error {
		return scan(txn, []byte{endedFamily}, func(_, mark []byte) error {
			if _, state, err := parseEndedMark(mark); err == nil {
				c.counts[state]++
			}
			return nil
		})
	})
}

func (s *Store) ended(ctx context.Context) ([]endedJob, error) {
	var jobs []endedJob
	err := s.db.View(func(txn *badger.Txn) error {
		return scan(txn, []byte{endedFamily}, func(key, value []byte) error {
			size, _, err := parseEndedMark(value)
			if len(key) != 17 || err != nil {
				return fmt.Errorf("entry %x of the ended jobs is damaged", key)
			}
			e := endedJob{binary.BigEndian.Uint64(key[1:]), int64(binary.BigEndian.Uint64(key[9:])), size}
			jobs = append(jobs, e)
			return ctx.Err()
		})
	})
	return jobs, err
}

// deleteEnded deletes jobs that are still as they were when they were listed.
func (s *Store) deleteEnded(ctx context.Context, jobs []endedJob) (deleted int, err error) {
	err = s.writeAll(ctx, func(yield func(func(*tx) error) bool) {
		for _, e := range jobs {
			apply := func(t *tx) error {
				h, found, err := readHeader(t.txn, e.id)
				if err != nil {
					return err
				}
				if !found || !h.Ended || sortable(h.EndTime) != e.end {
					return nil
				}
				deleted++
				return deleteJob(t, e.id)
			}
			if !yield(apply) {
				return
			}
		}
	})
	return deleted, err
}
