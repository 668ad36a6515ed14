package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// Job is what the store knows of a job.
type Job struct {
	ID    int64
	State string
	// Ended says that the job will not go on by itself; EndTime orders the ended jobs then. It is kept to the
	// nanosecond and comes back in UTC.
	Ended   bool
	EndTime time.Time
	// Record is the engine's own status record. It may change with each PutJob.
	Record []byte
	// Config is the job as it was submitted. Only PutJob looks at it; Config reads it.
	Config []byte
	// Log is what the job has logged, of which the last 64 KiB are kept. Only PutJob and Finish look at it; nil leaves
	// the stored one. Log reads it.
	Log []byte
}

// PutJob makes a job or updates it. A nil Config leaves the stored one. A job that had ended may run again.
func (s *Store) PutJob(ctx context.Context, j Job) error {
	return s.explain(s.putJob(ctx, j, func(*tx) error { return nil }))
}

// Finish writes the final record of a job and drops its checkpoints in one transaction, or keeps them: for a savepoint,
// and for a job that failed and may be restored.
func (s *Store) Finish(ctx context.Context, j Job, keepCheckpoints bool) error {
	j.Ended = true
	return s.explain(s.putJob(ctx, j, func(t *tx) error {
		if keepCheckpoints {
			return nil
		}
		return dropCheckpoints(t, j.ID)
	}))
}

func (s *Store) putJob(ctx context.Context, j Job, more func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	record, err := s.stage(ctx, j.Record)
	if err != nil {
		return fmt.Errorf("record of job %d: %w", j.ID, err)
	}
	config, err := s.stage(ctx, j.Config)
	if err != nil {
		return errors.Join(fmt.Errorf("config of job %d: %w", j.ID, err), s.remove(record))
	}
	err = s.write(func(t *tx) error {
		if err := writeJob(t, j, record, config); err != nil {
			return fmt.Errorf("job %d: %w", j.ID, err)
		}
		return more(t)
	})
	if err != nil {
		return errors.Join(err, s.remove(record), s.remove(config))
	}
	return nil
}

func writeJob(t *tx, j Job, record, config content) error {
	old, existed, err := readHeader(t.txn, j.ID)
	if err != nil {
		return err
	}
	h := header{Job: j, record: record, configSize: old.configSize}
	record.settle(t)
	old.record.drop(t)
	if j.Config != nil {
		if err := replaceConfig(t, j.ID, config); err != nil {
			return err
		}
		h.configSize = config.size()
	}
	if j.Log != nil {
		h.Log = j.Log[max(0, len(j.Log)-chunkSize):]
		t.set(jobKey(logFamily, j.ID), h.Log)
	}
	t.set(jobKey(recordFamily, j.ID), h.append(nil))
	moveMark(t, old, existed, h)
	return nil
}

func replaceConfig(t *tx, job int64, config content) error {
	key := jobKey(configFamily, job)
	value, err := t.get(key)
	if err != nil {
		return err
	}
	if value != nil {
		old, err := parseContent(value)
		if err != nil {
			return err
		}
		old.drop(t)
	}
	config.settle(t)
	t.set(key, config.appendTo(nil))
	return nil
}

// moveMark keeps the job's mark in the list that it belongs to.
func moveMark(t *tx, old header, existed bool, h header) {
	if existed && old.Ended {
		t.countEnded(old.State, -1)
	}
	if h.Ended {
		t.countEnded(h.State, 1)
	}
	oldMark := old.mark()
	if existed && string(oldMark) != string(h.mark()) {
		t.delete(oldMark)
	}
	switch {
	case h.Ended:
		t.set(h.mark(), h.endedMark())
	case !existed || old.Ended:
		t.set(h.mark(), nil)
	}
}

// Job returns a job without its config. The bool is false if there is none of that id.
func (s *Store) Job(ctx context.Context, id int64) (Job, bool, error) {
	var j Job
	var found bool
	err := s.view(ctx, func(txn *badger.Txn) (err error) {
		j, found, err = readJob(txn, id)
		return err
	})
	return j, found, s.explain(err)
}

// Config returns the config of a job as it was submitted, or ErrNoJob.
func (s *Store) Config(ctx context.Context, id int64) ([]byte, error) {
	var config []byte
	err := s.view(ctx, func(txn *badger.Txn) error {
		value, err := get(txn, jobKey(configFamily, id))
		if err != nil {
			return err
		}
		if value == nil {
			return fmt.Errorf("config of job %d: %w", id, ErrNoJob)
		}
		c, err := parseContent(value)
		if err != nil {
			return fmt.Errorf("config of job %d: %w", id, err)
		}
		config, err = c.load(txn)
		return err
	})
	return config, s.explain(err)
}

// Log returns what a job had logged when it ended; nothing if there is no such job.
func (s *Store) Log(ctx context.Context, id int64) ([]byte, error) {
	var log []byte
	err := s.view(ctx, func(txn *badger.Txn) (err error) {
		log, err = get(txn, jobKey(logFamily, id))
		return err
	})
	return log, s.explain(err)
}

// Jobs returns the jobs that have ended, the longest ended first, or the others by id: as they were when the loop
// began, without their configs. The loop may write to the store, but not close it. A job that cannot be read comes as
// an error, and the loop may go on behind it. If states are given, ended jobs in others are passed over.
func (s *Store) Jobs(ctx context.Context, ended bool, states ...string) iter.Seq2[Job, error] {
	family := byte(runningFamily)
	if ended {
		family = endedFamily
	}
	return func(yield func(Job, error) bool) {
		stop := errors.New("stop")
		err := s.view(ctx, func(txn *badger.Txn) error {
			records := newRecords(txn)
			defer records.close()
			return scan(txn, []byte{family}, func(key, mark []byte) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				id, err := jobOf(key)
				if err != nil {
					return err
				}
				if len(states) > 0 && ended && !markedWith(mark, states) {
					return nil
				}
				j, found, err := records.job(id)
				if err == nil && !found {
					err = fmt.Errorf("job %d: %w, though it is listed", id, ErrNoJob)
				}
				if !yield(j, s.explain(err)) {
					return stop
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, stop) {
			yield(Job{}, s.explain(err))
		}
	}
}

// markedWith reports whether an ended job is in one of the states, or in one that cannot be read.
func markedWith(mark []byte, states []string) bool {
	_, state, err := parseEndedMark(mark)
	return err != nil || slices.Contains(states, state)
}

// DeleteJob removes a job with its config and checkpoints. A job that is not there is no error.
func (s *Store) DeleteJob(ctx context.Context, id int64) error {
	return s.explain(s.update(ctx, func(t *tx) error { return deleteJob(t, id) }))
}

func deleteJob(t *tx, id int64) error {
	h, found, err := readHeader(t.txn, id)
	if err != nil || !found {
		return err
	}
	config, err := t.get(jobKey(configFamily, id))
	if err != nil {
		return err
	}
	if config != nil {
		c, err := parseContent(config)
		if err != nil {
			return err
		}
		c.drop(t)
		t.delete(jobKey(configFamily, id))
	}
	h.record.drop(t)
	if h.Ended {
		t.countEnded(h.State, -1)
	}
	t.delete(h.mark())
	t.delete(jobKey(logFamily, id))
	t.delete(jobKey(recordFamily, id))
	return dropCheckpoints(t, id)
}

// header is a stored job.
type header struct {
	Job
	record     content
	configSize int
}

// recordVersion is the version of a stored job's form; it stands first.
const recordVersion = 1

// size is what the job counts in the history's limit.
func (h header) size() int { return len(h.Log) + len(h.State) + h.record.size() + h.configSize }

// mark is the job's key in the list of those that run or of those that ended.
func (h header) mark() []byte {
	if h.Ended {
		return endedKey(h.EndTime, h.ID)
	}
	return jobKey(runningFamily, h.ID)
}

// endedMark is the value of an ended job's mark: what is asked of the whole history needs no record.
func (h header) endedMark() []byte {
	return append(binary.AppendUvarint(nil, uint64(h.size())), h.State...)
}

// parseEndedMark returns the size and the state of an ended job.
func parseEndedMark(b []byte) (size int64, state string, err error) {
	u, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, "", errors.New("its mark is damaged")
	}
	return int64(u), string(b[n:]), nil
}

func (h header) append(b []byte) []byte {
	b = append(b, recordVersion)
	var end uint64
	if h.Ended {
		b, end = append(b, 1), sortable(h.EndTime)
	} else {
		b = append(b, 0)
	}
	b = binary.BigEndian.AppendUint64(b, end)
	b = binary.AppendUvarint(b, uint64(h.configSize))
	b = binary.AppendUvarint(b, uint64(len(h.State)))
	b = append(b, h.State...)
	return h.record.appendTo(b)
}

func readHeader(txn *badger.Txn, id int64) (h header, found bool, err error) {
	b, err := get(txn, jobKey(recordFamily, id))
	if err != nil || b == nil {
		return header{Job: Job{ID: id}}, false, err
	}
	return headerOf(b, id)
}

func headerOf(b []byte, id int64) (h header, found bool, err error) {
	h, err = parseHeader(b)
	h.ID = id
	if err != nil {
		return h, false, fmt.Errorf("record of job %d: %w", id, err)
	}
	return h, true, nil
}

func parseHeader(b []byte) (h header, err error) {
	if len(b) < 10 {
		return h, errors.New("it is cut short")
	}
	if b[0] != recordVersion {
		return h, fmt.Errorf("it has version %d, this one reads %d", b[0], recordVersion)
	}
	h.Ended = b[1] == 1
	h.EndTime = timeOf(binary.BigEndian.Uint64(b[2:]))
	b = b[10:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > maxContent {
		return h, errors.New("its config size is damaged")
	}
	h.configSize, b = int(size), b[n:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return h, errors.New("its state is damaged")
	}
	h.State = string(b[n : n+int(length)])
	h.record, err = parseContent(b[n+int(length):])
	return h, err
}

func readJob(txn *badger.Txn, id int64) (Job, bool, error) {
	h, found, err := readHeader(txn, id)
	return loadRecord(txn, h, found, err)
}

// loadRecord completes what readHeader returned.
func loadRecord(txn *badger.Txn, h header, found bool, err error) (Job, bool, error) {
	id := h.ID
	if err != nil || !found {
		return h.Job, found, err
	}
	if h.Record, err = h.record.load(txn); err != nil {
		return h.Job, true, fmt.Errorf("record of job %d: %w", id, err)
	}
	return h.Job, true, nil
}
