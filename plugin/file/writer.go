package file

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/internal/fsys"
)

// writer writes the batches of one lane.
type writer struct {
	sink  *sink
	env   plugin.Env
	lane  int
	shape *shape // of the rows that come now

	transaction string
	parts       map[string]*part // open ones, by partition directory
	number      int              // of the next part
	uses        uint64           // counts appends, to find the part that was not used for longest
	staged      []move           // closed since the last flush
	failed      error            // what broke a part; the rows in it are lost with it
}

// begin starts the transaction after an epoch. The next flush may have any later number: its files are named by the
// first one possible.
func (w *writer) begin(after uint64) {
	w.transaction = w.sink.layout.transaction(w.lane, after+1)
	w.staged = nil
}

// Write appends a batch to the parts of its partitions.
func (w *writer) Write(_ context.Context, b plugin.Batch) error {
	if w.failed != nil {
		return w.failed
	}
	if err := w.write(b); err != nil {
		w.failed = err
		return err
	}
	return nil
}

func (w *writer) write(b plugin.Batch) error {
	if err := w.rollByTime(); err != nil {
		return err
	}
	if err := w.turn(b.Table); err != nil {
		return err
	}
	if w.shape.partitions == nil {
		rows := column.Select(b, w.shape.file, w.shape.columns)
		defer rows.Release()
		return w.append("", rows)
	}
	groups, err := w.shape.partitions.split(b)
	if err != nil {
		return err
	}
	rows := column.Select(b, w.shape.file, w.shape.columns)
	defer rows.Release()
	for _, g := range groups {
		if err := w.appendGroup(g, rows); err != nil {
			return err
		}
	}
	return nil
}

// turn makes ready for the rows of a table. Another version of it has other columns: they go into files of their own.
func (w *writer) turn(t *plugin.Table) error {
	if t == w.shape.in {
		return nil
	}
	if !t.SameColumns(w.shape.in) {
		for _, p := range w.sorted() {
			if err := w.close(p); err != nil {
				return err
			}
		}
	}
	sh, err := w.sink.shapeOf(t)
	if err != nil {
		return err
	}
	w.shape = sh
	return nil
}

func (w *writer) appendGroup(g *group, rows plugin.Batch) error {
	if len(g.rows) == rows.Len() {
		return w.append(g.dir, rows)
	}
	some := column.Take(rows, g.rows, w.env.Alloc)
	defer some.Release()
	return w.append(g.dir, some)
}

// append writes rows to the part of a directory, and to new ones when it is full.
func (w *writer) append(dir string, rows plugin.Batch) error {
	for from := 0; from < rows.Len(); {
		p, err := w.part(dir)
		if err != nil {
			return err
		}
		to := rows.Len()
		if free := w.sink.options.BatchSize - p.rows; int64(to-from) > free {
			to = from + int(free)
		}
		some := rows.Slice(from, to)
		err = p.write(some)
		some.Release()
		if err != nil {
			return w.sink.failure("write "+p.staged.From, err)
		}
		from = to
		if w.full(p) {
			if err := w.close(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) full(p *part) bool {
	o := w.sink.options
	return p.rows >= o.BatchSize || o.RollBytes > 0 && p.format.Size() >= o.RollBytes
}

// part returns the open part of a directory, or opens one.
func (w *writer) part(dir string) (*part, error) {
	w.uses++
	if p, ok := w.parts[dir]; ok {
		p.used = w.uses
		return p, nil
	}
	if len(w.parts) >= w.sink.options.MaxOpen {
		if err := w.close(w.longestUnused()); err != nil {
			return nil, err
		}
	}
	p, err := w.open(dir)
	if err != nil {
		return nil, err
	}
	p.used = w.uses
	w.parts[dir] = p
	return p, nil
}

func (w *writer) longestUnused() *part {
	var oldest *part
	for _, p := range w.parts {
		if oldest == nil || p.used < oldest.used {
			oldest = p
		}
	}
	return oldest
}

// close ends a part; its rows are durable then, in the staging directory or in place.
func (w *writer) close(p *part) error {
	delete(w.parts, p.dir)
	if err := p.finish(); err != nil {
		return w.sink.failure("write "+p.staged.From, err)
	}
	w.staged = append(w.staged, p.staged)
	return nil
}

// rollByTime closes the parts that have been open for file.roll.interval.
func (w *writer) rollByTime() error {
	interval := w.sink.options.RollInterval
	if interval == 0 || len(w.parts) == 0 {
		return nil
	}
	now := w.env.Now()
	for _, p := range w.sorted() {
		if now.Sub(p.opened) >= interval {
			if err := w.close(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// sorted returns the open parts in the order in which they were opened.
func (w *writer) sorted() []*part {
	parts := make([]*part, 0, len(w.parts))
	for _, p := range w.parts {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b *part) int { return a.number - b.number })
	return parts
}

// Flush closes all parts and makes them durable. The token says which files a commit has to move; there is none if
// nothing was written, or without transactions.
func (w *writer) Flush(_ context.Context, epoch uint64) ([]byte, error) {
	if w.failed != nil {
		return nil, w.failed
	}
	token, err := w.flush()
	if err != nil {
		w.failed = err
		return nil, err
	}
	w.begin(epoch)
	return token, nil
}

func (w *writer) flush() ([]byte, error) {
	for _, p := range w.sorted() {
		if err := w.close(p); err != nil {
			return nil, err
		}
	}
	if len(w.staged) == 0 {
		return nil, nil
	}
	for _, dir := range directories(w.staged, func(m move) string { return m.From }) {
		if err := w.sink.fs.SyncDir(dir); err != nil {
			return nil, w.sink.failure("sync "+dir, err)
		}
	}
	if !w.sink.options.Transactional {
		return nil, nil
	}
	return token{Transaction: filepath.Join(w.sink.layout.stage, w.transaction), Moves: w.staged}.encode()
}

// Close ends the writer. Files of a transaction that was not flushed stay until Abort; without transactions the rows
// so far are completed.
func (w *writer) Close() error {
	var errs []error
	for _, p := range w.sorted() {
		if w.sink.options.Transactional || w.failed != nil {
			errs = append(errs, p.drop())
		} else {
			errs = append(errs, w.close(p))
		}
	}
	w.parts = nil
	return errors.Join(errs...)
}

// open starts a part. Its number is the next one whose name is free in the target directory: a job that runs again
// under its old id must not meet its old files.
func (w *writer) open(dir string) (*part, error) {
	s, now := w.sink, w.env.Now()
	target := filepath.Join(s.layout.target, filepath.FromSlash(dir))
	stage := filepath.Join(s.layout.stage, w.transaction, "NON_PARTITION")
	if dir != "" {
		stage = filepath.Join(s.layout.stage, w.transaction, filepath.FromSlash(dir))
	}
	if !s.options.Transactional {
		stage = target
	}
	for {
		number := w.number
		w.number++
		name := s.layout.file(w.transaction, number, now)
		m := move{From: filepath.Join(stage, name), To: filepath.Join(target, name)}
		taken, err := fsys.Exists(s.fs, m.To)
		if err != nil {
			return nil, s.failure("look for "+m.To, err)
		}
		if taken {
			continue
		}
		file, err := createFile(s.fs, m.From)
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			return nil, s.failure("create "+m.From, err)
		}
		return w.newPart(dir, number, m, file, now)
	}
}

func (w *writer) newPart(dir string, number int, m move, file fsys.File, now time.Time) (*part, error) {
	p, err := newPart(w.sink, w.shape, w.env, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p.dir, p.number, p.staged, p.opened = dir, number, m, now
	return p, nil
}
