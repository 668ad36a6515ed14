package exec

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

// world is what a two-phase sink has written; it outlives runners. It checks the order of calls.
type world struct {
	mu        sync.Mutex
	serial    int
	staged    map[string]stagedRows
	committed map[string]bool
	visible   map[int64]int
	prepares  int
	aborts    []uint64
	failures  []string // broken promises of the engine
	stored    *store
}

type stagedRows struct {
	epoch uint64
	rows  []int64
}

func newWorld(s *store) *world {
	return &world{staged: map[string]stagedRows{}, committed: map[string]bool{}, visible: map[int64]int{}, stored: s}
}

// check fails the test unless the numbers from 0 to n are visible once each.
func (w *world) check(t *testing.T, n int64) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.failures {
		t.Error(f)
	}
	if int64(len(w.visible)) != n {
		t.Errorf("%d different rows are visible, want %d", len(w.visible), n)
	}
	for v, times := range w.visible {
		if times != 1 {
			t.Errorf("row %d is visible %d times", v, times)
			return
		}
	}
	if len(w.staged) > 0 {
		t.Errorf("%d staged pieces are left", len(w.staged))
	}
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.visible)
}

// sink writes into a world. Its hooks may be nil.
type sink struct {
	*world
	onWrite  func(ctx context.Context, b plugin.Batch) error
	onFlush  func(ctx context.Context, epoch uint64) error
	onCommit func(ctx context.Context, epoch uint64) error
	opened   func(t plugin.Task)
}

func (s *sink) Prepare(context.Context, []*plugin.Table) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prepares++
	return nil
}

func (s *sink) Writer(_ context.Context, t plugin.Task) (plugin.Writer, error) {
	if s.opened != nil {
		s.opened(t)
	}
	return &sinkWriterModel{sink: s, index: t.Index}, nil
}

type sinkWriterModel struct {
	sink  *sink
	index int
	rows  []int64
}

func (m *sinkWriterModel) Write(ctx context.Context, b plugin.Batch) error {
	if m.sink.onWrite != nil {
		if err := m.sink.onWrite(ctx, b); err != nil {
			return err
		}
	}
	m.rows = append(m.rows, valuesOf(b)...)
	return nil
}

func (m *sinkWriterModel) Flush(ctx context.Context, epoch uint64) ([]byte, error) {
	if m.sink.onFlush != nil {
		if err := m.sink.onFlush(ctx, epoch); err != nil {
			return nil, err
		}
	}
	if len(m.rows) == 0 {
		return nil, nil
	}
	w := m.sink.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	token := fmt.Sprintf("%d/%d/%d", m.index, epoch, w.serial)
	w.staged[token] = stagedRows{epoch, m.rows}
	m.rows = nil
	return []byte(token), nil
}

func (m *sinkWriterModel) Close() error { return nil }

func (s *sink) Commit(ctx context.Context, epoch uint64, tokens [][]byte) error {
	if s.onCommit != nil {
		if err := s.onCommit(ctx, epoch); err != nil {
			return err
		}
	}
	last := s.stored.last()
	s.mu.Lock()
	defer s.mu.Unlock()
	if last.Epoch != epoch || last.State != checkpoint.Prepared {
		s.failures = append(s.failures, fmt.Sprintf("epoch %d is committed before it is durable", epoch))
	}
	for _, t := range tokens {
		if s.committed[string(t)] {
			continue
		}
		piece, ok := s.staged[string(t)]
		if !ok {
			s.failures = append(s.failures, fmt.Sprintf("token %s is unknown", t))
			continue
		}
		s.committed[string(t)] = true
		delete(s.staged, string(t))
		for _, v := range piece.rows {
			s.visible[v]++
		}
	}
	return nil
}

func (s *sink) ApplyChange(context.Context, plugin.SchemaChange) error { return nil }

func (s *sink) Abort(_ context.Context, after uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborts = append(s.aborts, after)
	for t, piece := range s.staged {
		if piece.epoch > after {
			delete(s.staged, t)
		}
	}
	return nil
}

// plainSink has no two-phase commit; what it writes is visible at once.
type plainSink struct {
	mu      sync.Mutex
	rows    []int64
	tables  []*plugin.Table // of the batches
	pushes  int
	flushes int
	held    int // rows since the last push or flush
	refuse  func(v int64) bool
	onWrite func(b plugin.Batch)
	made    []plugin.Task
	prepare func(tables []*plugin.Table) error
}

func (p *plainSink) Prepare(_ context.Context, tables []*plugin.Table) error {
	if p.prepare != nil {
		return p.prepare(tables)
	}
	return nil
}

func (p *plainSink) Writer(_ context.Context, t plugin.Task) (plugin.Writer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = append(p.made, t)
	return &plainWriter{p}, nil
}

type plainWriter struct{ *plainSink }

func (w *plainWriter) Write(_ context.Context, b plugin.Batch) error {
	if w.onWrite != nil {
		w.onWrite(b)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tables = append(w.tables, b.Table)
	var bad plugin.RowErrors
	for i, v := range valuesOf(b) {
		if w.refuse != nil && w.refuse(v) {
			bad.Rows = append(bad.Rows, plugin.RowError{Index: i, Err: fmt.Errorf("%d is refused", v)})
			continue
		}
		w.rows = append(w.rows, v)
		w.held++
	}
	if len(bad.Rows) > 0 {
		return &bad
	}
	return nil
}

func (w *plainWriter) Flush(context.Context, uint64) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushes++
	w.held = 0
	return nil, nil
}

func (w *plainWriter) Push(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pushes++
	w.held = 0
	return nil
}

func (w *plainWriter) Close() error { return nil }

func (p *plainSink) sorted() []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows := slices.Clone(p.rows)
	slices.Sort(rows)
	return rows
}
