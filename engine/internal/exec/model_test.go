package exec

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for.
const patience = 20 * time.Second

// store is an in-memory Checkpoints that outlives runners.
type store struct {
	mu       sync.Mutex
	latest   map[int]checkpoint.Checkpoint
	all      []checkpoint.Checkpoint
	prepared func(cp *checkpoint.Checkpoint) error // called before a checkpoint is durable; may be nil
	complete func(epoch uint64) error
}

func (s *store) Prepare(ctx context.Context, cp *checkpoint.Checkpoint) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.prepared != nil {
		if err := s.prepared(cp); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest == nil {
		s.latest = map[int]checkpoint.Checkpoint{}
	}
	if last := s.latest[cp.Pipeline]; last.Epoch >= cp.Epoch {
		return fmt.Errorf("epoch %d comes after %d", cp.Epoch, last.Epoch)
	}
	s.latest[cp.Pipeline] = *cp
	s.all = append(s.all, *cp)
	return nil
}

func (s *store) Complete(ctx context.Context, pipeline int, epoch uint64) error {
	if s.complete != nil {
		if err := s.complete(epoch); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cp := s.latest[pipeline]
	if cp.Epoch != epoch {
		return fmt.Errorf("epoch %d is not the last, %d is", epoch, cp.Epoch)
	}
	cp.State = checkpoint.Complete
	s.latest[pipeline] = cp
	return ctx.Err()
}

func (s *store) Latest(ctx context.Context, pipeline int) (*checkpoint.Checkpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cp, ok := s.latest[pipeline]; ok {
		return &cp, nil
	}
	return nil, ctx.Err()
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// last returns the newest checkpoint; the zero value if there is none.
func (s *store) last() checkpoint.Checkpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest[1]
}

// numbers is a table of one bigint column.
func numbers(name string) *plugin.Table {
	t, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: name},
		Columns: []plugin.Column{{Name: "n", Type: plugin.TypeOf(plugin.BigInt)}}})
	if err != nil {
		panic(err)
	}
	return t
}

// batchOf makes a batch of consecutive numbers.
func batchOf(t *plugin.Table, from, to int64) plugin.Batch {
	b := column.NewBuilder(t, memory.DefaultAllocator)
	defer b.Release()
	c := b.Column(0).(*column.Fixed[int64])
	for n := from; n < to; n++ {
		c.Append(n)
	}
	b.EndRows(int(to - from))
	return b.Batch()
}

func valuesOf(b plugin.Batch) []int64 { return b.Rows.Column(0).(*array.Int64).Int64Values() }

// counter is a source of the numbers from 0 to splits*rows, in splits of equal size. Its hooks may be nil.
type counter struct {
	table        *plugin.Table
	splits, rows int64
	batch        int64 // rows of a batch
	batches      int   // of a Read; 0 means 1
	endless      bool  // splits have no end; rows beyond it wait for allow

	onRead func(ctx context.Context, out plugin.Out, at int64) error // before each Read
	open   func(s plugin.Split) error
	ack    func(position int64)
	made   func(t plugin.Task) error // a reader
	next   func(ctx context.Context, given int64) ([]plugin.Split, error)

	mu     sync.Mutex
	done   []string
	closed atomic.Int32
	opened atomic.Int32
	read   atomic.Int64
}

func (c *counter) Tables(context.Context) ([]*plugin.Table, error) {
	return []*plugin.Table{c.table}, nil
}

func number(b []byte) int64 {
	if len(b) == 0 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

func bytesOf(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func (c *counter) piece(i int64) plugin.Split {
	return plugin.Split{ID: fmt.Sprintf("%03d", i), Table: c.table.ID, State: bytesOf(i * c.rows), Rows: c.rows}
}

func (c *counter) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return &counterSplitter{c: c, given: number(state)}, nil
}

type counterSplitter struct {
	c     *counter
	given int64
}

func (s *counterSplitter) Next(ctx context.Context) ([]plugin.Split, error) {
	if s.c.next != nil {
		splits, err := s.c.next(ctx, s.given)
		s.given += int64(len(splits))
		return splits, err
	}
	if s.given == s.c.splits {
		return nil, io.EOF
	}
	s.given++
	return []plugin.Split{s.c.piece(s.given - 1)}, nil
}

func (s *counterSplitter) Done(sp plugin.Split, result []byte) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.done = append(s.c.done, sp.ID)
	return nil
}

func (s *counterSplitter) State() ([]byte, error) { return bytesOf(s.given), nil }
func (s *counterSplitter) Close() error           { s.c.closed.Add(1); return nil }

func (c *counter) doneSplits() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.done)
}

func (c *counter) Reader(_ context.Context, t plugin.Task) (plugin.Reader, error) {
	if c.made != nil {
		if err := c.made(t); err != nil {
			return nil, err
		}
	}
	c.opened.Add(1)
	r := &counterReader{c: c}
	if c.ack != nil {
		return &ackingReader{r}, nil
	}
	return r, nil
}

type counterReader struct {
	c       *counter
	at, end int64
}

type ackingReader struct{ *counterReader }

func (r *ackingReader) Ack(_ context.Context, position []byte) error {
	r.c.ack(number(position))
	return nil
}

func (r *counterReader) Open(_ context.Context, s plugin.Split) error {
	var i int64
	if _, err := fmt.Sscanf(s.ID, "%d", &i); err != nil {
		return err
	}
	r.at, r.end = number(s.State), (i+1)*r.c.rows
	if r.c.open != nil {
		return r.c.open(s)
	}
	return nil
}

func (r *counterReader) Read(ctx context.Context, out plugin.Out) error {
	if r.c.onRead != nil {
		if err := r.c.onRead(ctx, out, r.at); err != nil {
			return err
		}
	}
	if r.at == r.end && r.c.endless {
		select {
		case <-out.Wake():
		case <-ctx.Done():
		}
		return nil
	}
	for i := 0; i < max(1, r.c.batches) && r.at < r.end && !out.Full(); i++ {
		to := min(r.end, r.at+r.c.batch)
		if err := out.Batch(batchOf(r.c.table, r.at, to)); err != nil {
			return err
		}
		r.c.read.Add(to - r.at)
		r.at = to
	}
	if r.at == r.end && !r.c.endless {
		return io.EOF
	}
	return nil
}

func (r *counterReader) Position() ([]byte, error) { return bytesOf(r.at), nil }
func (r *counterReader) Close() error              { r.c.opened.Add(-1); return nil }

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

func upTo(n int64) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

// env is what the plan lends a vertex.
func env(name string) plugin.Env {
	return plugin.Env{Job: plugin.Job{ID: 7, Name: "test"}, Vertex: name, Logger: hclog.NewNullLogger(),
		Alloc: memory.DefaultAllocator, Now: time.Now}
}

func sourceVertex(name string, parallelism int, s plugin.Source) *plan.Vertex {
	tables, err := s.Tables(context.TODO())
	if err != nil {
		panic(err)
	}
	return &plan.Vertex{Role: plugin.SourceRole, Name: name, Plugin: "Model", Parallelism: parallelism,
		Tables: tables, Source: s, Replays: true, Env: env(name)}
}

func sinkVertex(name string, s plugin.Sink, tables ...*plugin.Table) *plan.Vertex {
	return &plan.Vertex{Role: plugin.SinkRole, Name: name, Plugin: "Model", Tables: tables,
		Sinks: []plan.SinkInstance{{Sink: s, Env: env(name)}}, Env: env(name)}
}

func transformVertex(name string, t func() plugin.Transform) *plan.Vertex {
	return &plan.Vertex{Role: plugin.TransformRole, Name: name, Plugin: "Model", Env: env(name),
		NewTransform: func(context.Context) (plugin.Transform, error) { return t(), nil }}
}

// chain connects vertices one after the other.
func chain(vs ...*plan.Vertex) {
	for i, v := range vs[1:] {
		vs[i].Outputs = append(vs[i].Outputs, v)
		v.Inputs = append(v.Inputs, vs[i])
	}
}

func pipeline(vs ...*plan.Vertex) *plan.Pipeline {
	for i, v := range vs {
		v.ID = i + 1
	}
	return &plan.Pipeline{ID: 1, Vertices: vs}
}

// simple is source -> sink.
func simple(parallelism int, src plugin.Source, s plugin.Sink) *plan.Pipeline {
	from, to := sourceVertex("Source[0]-Model", parallelism, src), sinkVertex("Sink[0]-Model", s)
	to.Tables = from.Tables
	chain(from, to)
	return pipeline(from, to)
}

// ran is a Run under way.
type ran struct {
	*Runner
	t       *testing.T
	cancel  context.CancelFunc
	done    chan struct{}
	outcome Outcome
	err     error
}

// start runs a pipeline in the background.
func start(t *testing.T, o Options) *ran {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &ran{Runner: New(o), t: t, cancel: cancel, done: make(chan struct{})}
	r.grace = 300 * time.Millisecond
	go func() {
		defer close(r.done)
		r.outcome, r.err = r.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-r.done })
	return r
}

// wait waits for the end.
func (r *ran) wait() (Outcome, error) {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		r.t.Fatal("the pipeline does not end")
	}
	r.cancel()
	return r.outcome, r.err
}

func (r *ran) ends(want Outcome) {
	r.t.Helper()
	if got, err := r.wait(); got != want || (err != nil) != (want == Failed) {
		r.t.Fatalf("the run ended %v (%v), want %v", got, err, want)
	}
}

// run runs a pipeline to its end.
func run(t *testing.T, o Options, want Outcome) *ran {
	t.Helper()
	r := start(t, o)
	r.ends(want)
	return r
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

var errBroken = errors.New("the line is broken")
