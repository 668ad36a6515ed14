package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/hashicorp/go-hclog"
)

// DefaultCheckpointsKept is how many checkpoints of a pipeline are kept if Options say nothing.
const DefaultCheckpointsKept = 3

// Errors that callers tell apart.
var (
	// ErrClosed is the answer of a store that is closed.
	ErrClosed = errors.New("the store is closed")
	// ErrLocked says that another engine, in this process or another, has the directory open.
	ErrLocked = errors.New("another engine has it open")
	// ErrNoJob says that the store has no job of that id.
	ErrNoJob = errors.New("no such job")
)

// Options say where a store lies.
type Options struct {
	// Dir is the directory, made if it is missing; "" keeps everything in memory.
	Dir string
	// Logger takes the store's log and that of the database below it; nil is silent.
	Logger hclog.Logger
	// CheckpointsKept is the number of newest checkpoints kept for each pipeline, at most 200; 0 means
	// DefaultCheckpointsKept.
	CheckpointsKept int
}

// Store is the durable state of one engine. Its methods may be called by several goroutines.
type Store struct {
	dir    string
	log    hclog.Logger
	kept   int
	lock   *formatFile // nil in memory
	db     *badger.DB
	commit *committer
	ids    ids

	mu     sync.Mutex
	closed bool
	users  sync.WaitGroup // calls under way; Close waits for them
}

// Open opens the store of a directory, or makes it. Errors: ErrLocked, *FormatError, and those of the file system, all
// naming the directory.
func Open(o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.CheckpointsKept == 0 {
		o.CheckpointsKept = DefaultCheckpointsKept
	}
	if o.CheckpointsKept < 1 || o.CheckpointsKept > maxKept {
		return nil, fmt.Errorf("checkpoints kept: %d is not between 1 and %d", o.CheckpointsKept, maxKept)
	}
	s := &Store{dir: o.Dir, log: o.Logger, kept: o.CheckpointsKept}
	if err := s.open(); err != nil {
		return nil, s.explain(errors.Join(err, s.shut()))
	}
	return s, nil
}

func (s *Store) open() error {
	if s.dir != "" {
		var err error
		if s.lock, err = openFormat(s.dir); err != nil {
			return err
		}
		if err := s.room(); err != nil {
			return err
		}
		if err := removeEmpty(s.dir); err != nil {
			return err
		}
	}
	db, err := badger.Open(s.badgerOptions())
	if err != nil {
		return err
	}
	s.db = db
	s.commit = newCommitter(db, s.room)
	if err := s.commit.counts.load(db); err != nil {
		return err
	}
	if err := s.sweep(); err != nil {
		return err
	}
	return s.loadIDs()
}

// badgerOptions are Badger's for a small database that is idle most of the time.
func (s *Store) badgerOptions() badger.Options {
	const memTable = 2 << 20
	o := badger.DefaultOptions(s.dir).
		WithInMemory(s.dir == "").
		WithLogger(badgerLog{s.log.Named("badger")}).
		WithSyncWrites(true).
		WithMetricsEnabled(false).
		WithDetectConflicts(false). // the committer is the only one who writes
		WithNumGoroutines(1)
	// Files are read through the page cache: a cache of our own, and compression that calls for one, don't pay.
	o = o.WithCompression(options.None).WithBlockCacheSize(0).WithIndexCacheSize(0)
	// Overwritten checkpoints make up most of what is flushed: compact early, and keep little in between.
	o = o.WithMemTableSize(memTable).WithNumMemtables(2).
		WithBaseTableSize(memTable).WithBaseLevelSize(2 * memTable).
		WithNumLevelZeroTables(2).WithNumLevelZeroTablesStall(6).
		WithNumCompactors(2)
	// No value that fits a transaction goes to the value log.
	return o.WithValueThreshold(memTable * 15 / 100).WithValueLogFileSize(1 << 20)
}

// removeEmpty removes log files of no length: Badger cuts a file to nothing before it removes it, and refuses to open
// one that a crash left in between.
func removeEmpty(dir string) error {
	for _, pattern := range []string{"*.mem", "*.vlog"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err == nil && info.Size() == 0 {
				err = os.Remove(name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Close waits for calls under way, writes what is in memory to tables and gives the directory free. Calls that come
// later are answered with ErrClosed. A second Close does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.users.Wait()
	s.returnIDs()
	return s.explain(s.shut())
}

// shut ends what open started, as far as it came.
func (s *Store) shut() error {
	var errs []error
	if s.commit != nil {
		s.commit.close()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.close())
	}
	return errors.Join(errs...)
}

// explain says which store an error is about. Exported methods call it.
func (s *Store) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case s.dir == "":
		return fmt.Errorf("store in memory: %w", err)
	default:
		return fmt.Errorf("store %s: %w", s.dir, err)
	}
}

// begin keeps the store open until end is called.
func (s *Store) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.users.Add(1)
	return nil
}

func (s *Store) end() { s.users.Done() }

// view reads from one consistent state.
func (s *Store) view(ctx context.Context, read func(*badger.Txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	return s.db.View(read)
}

// update makes one write durable. A write that has begun is not cancelled: it takes a few syncs at most.
func (s *Store) update(ctx context.Context, apply func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	return s.write(apply)
}

// write is update for callers that have begun.
func (s *Store) write(apply func(*tx) error) error { return s.wait(s.commit.submit(apply)) }

// wait waits for a write and removes what it let go of.
func (s *Store) wait(w *write) error {
	if err := w.wait(); err != nil {
		return err
	}
	for _, c := range w.garbage {
		if err := s.remove(c); err != nil {
			s.log.Warn("the chunks of an overwritten value are left for the next Open to remove", "error", err)
		}
	}
	return nil
}

// writeAll makes many writes durable, several of them with one sync. It stops at the first error and returns it.
func (s *Store) writeAll(ctx context.Context, applies iter.Seq[func(*tx) error]) error {
	var first error
	waiting := make([]*write, 0, 64)
	drain := func() {
		for _, w := range waiting {
			if err := s.wait(w); err != nil && first == nil {
				first = err
			}
		}
		waiting = waiting[:0]
	}
	for apply := range applies {
		if first = cmp.Or(first, ctx.Err()); first != nil {
			break
		}
		if waiting = append(waiting, s.commit.submit(apply)); len(waiting) == cap(waiting) {
			drain()
		}
	}
	drain()
	return first
}

// scan calls visit for all keys of a prefix in order. Key and value are valid until visit returns.
func scan(txn *badger.Txn, prefix []byte, visit func(key, value []byte) error) error {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues = false // they lie beside the keys
	o.Prefix = prefix
	it := txn.NewIterator(o)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		err := item.Value(func(value []byte) error { return visit(item.Key(), value) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Size returns the bytes that the store takes on its volume, or in memory those of its tables, which is less than all
// of it by up to two memory tables of 2 MiB.
func (s *Store) Size() int64 {
	if s.begin() != nil {
		return 0
	}
	defer s.end()
	if s.dir == "" {
		var sum int64
		for _, t := range s.db.Tables() {
			sum += int64(t.OnDiskSize)
		}
		return sum
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0
	}
	var sum int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			sum += allocated(info)
		}
	}
	return sum
}
