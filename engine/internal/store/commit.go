package store

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// maxQueued is how many writes may wait for the committer before callers block.
const maxQueued = 1024

// change is one key of a write. A nil value deletes the key.
type change struct {
	key, value []byte
}

// tx is what a write sees: reads show all writes before it, and its own changes are applied when it returns nil.
type tx struct {
	txn     *badger.Txn
	changes []change
	// garbage is what the write lets go of; it is removed after the commit.
	garbage []content
	// ended are the ended jobs that the write adds to a state or takes away from one.
	ended map[string]int
}

// countEnded is part of a write that makes or removes the mark of an ended job.
func (t *tx) countEnded(state string, delta int) {
	if t.ended == nil {
		t.ended = make(map[string]int, 1)
	}
	t.ended[state] += delta
}

func (t *tx) set(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	t.changes = append(t.changes, change{key, value})
}

func (t *tx) delete(key []byte) { t.changes = append(t.changes, change{key, nil}) }

// get returns the value of a key, nil if there is none. It doesn't see the changes of t itself.
func (t *tx) get(key []byte) ([]byte, error) { return get(t.txn, key) }

func get(txn *badger.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return item.ValueCopy(nil)
}

// write is one atomic update in the committer's queue.
type write struct {
	apply   func(*tx) error
	done    chan error
	garbage []content
	ended   map[string]int
}

func (w *write) wait() error { return <-w.done }

// committer is the only goroutine that writes. It needs no conflict detection, and each of its transactions holds all
// writes that came while the one before was synced.
type committer struct {
	db    *badger.DB
	room  func() error // says why nothing may be written now, nil if it may
	queue chan *write
	ended chan struct{}
	// failed is the error of the commit that failed; it is the answer to all writes after it.
	failed error
	// counts are the numbers of ended jobs in what is committed.
	counts endedCounts
	// The limits of one Badger transaction.
	maxCount, maxSize int
}

func newCommitter(db *badger.DB, room func() error) *committer {
	c := &committer{
		db:    db,
		room:  room,
		queue: make(chan *write, maxQueued),
		ended: make(chan struct{}),
		// Badger counts a few entries and bytes of its own.
		maxCount: int(db.MaxBatchCount()) - 8,
		maxSize:  int(db.MaxBatchSize()) - 1024,
	}
	go c.run()
	return c
}

// submit queues a write. The committer must not be closed before submit returns.
func (c *committer) submit(apply func(*tx) error) *write {
	w := &write{apply: apply, done: make(chan error, 1)}
	c.queue <- w
	return w
}

// close ends the committer after what is queued.
func (c *committer) close() {
	close(c.queue)
	<-c.ended
}

func (c *committer) run() {
	defer close(c.ended)
	var batch []*write
	for w := range c.queue {
		batch = append(batch[:0], w)
		for n := len(c.queue); n > 0; n-- {
			batch = append(batch, <-c.queue)
		}
		c.commit(batch)
		clear(batch)
	}
}

// commit applies a batch in as few transactions as it fits into, nearly always one.
func (c *committer) commit(batch []*write) {
	g := group{c: c}
	for _, w := range batch {
		if err := c.add(&g, w); err != nil {
			w.done <- err
		}
	}
	g.commit()
}

// add applies a write to the group, or says why not.
func (c *committer) add(g *group, w *write) error {
	if c.failed != nil {
		return fmt.Errorf("the store takes no writes since one failed; open it again: %w", c.failed)
	}
	if g.txn == nil {
		if err := c.room(); err != nil {
			return err
		}
		g.txn = c.db.NewTransaction(true)
	}
	t := tx{txn: g.txn}
	if err := w.apply(&t); err != nil {
		return err
	}
	size := 0
	for _, ch := range t.changes {
		size += len(ch.key) + len(ch.value) + 32
	}
	if len(t.changes) >= c.maxCount || size >= c.maxSize {
		return fmt.Errorf("a write of %d keys and %d bytes is more than the %d keys and %d bytes of a transaction",
			len(t.changes), size, c.maxCount, c.maxSize)
	}
	if g.count+len(t.changes) >= c.maxCount || g.size+size >= c.maxSize {
		// What t read holds still: nobody else writes.
		g.commit()
		if c.failed != nil {
			return c.failed
		}
		g.txn = c.db.NewTransaction(true)
	}
	w.garbage, w.ended = t.garbage, t.ended
	g.take(w, t.changes, size)
	return nil
}

// group is the writes of one transaction.
type group struct {
	c           *committer
	txn         *badger.Txn
	writes      []*write
	count, size int
}

func (g *group) take(w *write, changes []change, size int) {
	g.writes = append(g.writes, w)
	g.count += len(changes)
	g.size += size
	for _, ch := range changes {
		var err error
		if ch.value == nil {
			err = g.txn.Delete(ch.key)
		} else {
			err = g.txn.Set(ch.key, ch.value)
		}
		if err != nil {
			// Half a write is in the transaction, so none of it may be committed.
			g.fail(err)
			return
		}
	}
}

// commit makes the group durable and answers its writes.
func (g *group) commit() {
	if g.txn == nil {
		return
	}
	if err := g.txn.Commit(); err != nil {
		g.fail(err)
		return
	}
	for _, w := range g.writes {
		g.c.counts.add(w.ended)
	}
	g.answer(nil)
}

func (g *group) fail(err error) {
	g.txn.Discard()
	g.c.failed = err
	g.answer(err)
}

func (g *group) answer(err error) {
	for _, w := range g.writes {
		w.done <- err
	}
	*g = group{c: g.c}
}
