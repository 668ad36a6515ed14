package exec

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// widened is the next version of a table, with one more column.
func widened(t *plugin.Table) *plugin.Table {
	w := *t
	w.Version++
	w.Columns = append(slices.Clone(t.Columns),
		plugin.Column{Name: fmt.Sprintf("c%d", w.Version), Type: plugin.TypeOf(plugin.Null)})
	next, err := plugin.NewTable(w)
	if err != nil {
		panic(err)
	}
	return next
}

// changing is a source whose splits change the table's columns once, each at a row of its own.
type changing struct {
	*counter
	from     *plugin.Table // nil: the counter's
	next     *plugin.Table
	renamed  []plugin.Rename
	emptied  bool             // the change is a truncation
	at       map[string]int64 // by split: the row after which the change comes; missing means never
	announce func(split string) *plugin.Table
	alone    func(ctx context.Context) bool // nil: go on at once
}

func (s *changing) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	r, err := s.counter.Reader(ctx, t)
	if err != nil {
		return nil, err
	}
	return &changingReader{counterReader: r.(*counterReader), s: s}, nil
}

// together holds the readers back until each split has one: a split that begins after the change would bring old rows.
func (s *changing) together() *changing {
	s.alone = func(ctx context.Context) bool { return s.opened.Load() < int32(s.splits) && ctx.Err() == nil }
	return s
}

type changingReader struct {
	*counterReader
	s     *changing
	split string
	begun bool
}

func (r *changingReader) Open(ctx context.Context, s plugin.Split) error {
	r.split = s.ID
	return r.counterReader.Open(ctx, s)
}

func (r *changingReader) Read(ctx context.Context, out plugin.Out) error {
	if !r.begun && r.s.alone != nil {
		for r.s.alone(ctx) && !out.Full() {
			runtime.Gosched()
		}
		r.begun = !r.s.alone(ctx)
		if !r.begun {
			return nil
		}
	}
	at, ok := r.s.at[r.split]
	if ok && r.at == at {
		next := r.s.next
		if r.s.announce != nil {
			next = r.s.announce(r.split)
		}
		old := r.s.table
		if r.s.from != nil {
			old = r.s.from
		}
		if err := out.Change(plugin.SchemaChange{Old: old, New: next, Renamed: r.s.renamed,
			Truncated: r.s.emptied, Statement: "ALTER"}); err != nil {
			return err
		}
	}
	return r.counterReader.Read(ctx, changingOut{out, r, ok && r.at >= at})
}

// changingOut gives batches of the new version their column.
type changingOut struct {
	plugin.Out
	r   *changingReader
	new bool
}

func (o changingOut) Batch(b plugin.Batch) error {
	as := o.r.s.from
	if o.new {
		as = o.r.s.next
	}
	if as == nil {
		return o.Out.Batch(b)
	}
	rows := b.Rows
	nulls := array.NewNull(b.Len())
	columns := slices.Clone(rows.Columns())
	for len(columns) < len(as.Columns) {
		columns = append(columns, nulls)
	}
	b.Table = as
	b.Rows = array.NewRecordBatch(b.Table.Schema, columns, rows.NumRows())
	nulls.Release()
	rows.Release()
	return o.Out.Batch(b)
}

// follower is a sink that follows changes and checks that no old row comes after one.
type follower struct {
	plainSink
	mu      sync.Mutex
	version uint32
	applied []plugin.SchemaChange
	bad     []string
	fail    error

	onChange func() // may be nil
}

func (f *follower) ApplyChange(_ context.Context, c plugin.SchemaChange) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	if f.onChange != nil {
		f.onChange()
	}
	f.applied = append(f.applied, c)
	f.version = c.New.Version
	f.plainSink.mu.Lock()
	defer f.plainSink.mu.Unlock()
	if f.held > 0 {
		f.bad = append(f.bad, "a change was applied before the rows were flushed")
	}
	return nil
}

func newFollower() *follower {
	f := &follower{}
	f.onWrite = func(b plugin.Batch) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if b.Table.Version != f.version || int(b.Rows.NumCols()) != len(b.Table.Columns) {
			f.bad = append(f.bad, fmt.Sprintf("a batch of version %d came while %d was in force", b.Table.Version, f.version))
		}
	}
	return f
}

func TestSchemaChangeWaitsForAllLanes(t *testing.T) {
	table := numbers("t")
	tests := []struct {
		name  string
		lanes int
		at    map[string]int64
	}{
		{"one lane", 1, map[string]int64{"000": 30}},
		{"all lanes carry it", 3, map[string]int64{"000": 30, "001": 190, "002": 200}},
		{"one comes at its end", 2, map[string]int64{"000": 0, "001": 190}},
		{"a lane ends without it", 2, map[string]int64{"000": 30}},
		{"more lanes than splits", 5, map[string]int64{"000": 30, "001": 110}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			splits := int64(len(tt.at))
			if tt.name == "a lane ends without it" {
				splits = 2
			}
			src := &changing{counter: &counter{table: table, splits: splits, rows: 100, batch: 10},
				next: widened(table), at: tt.at}
			f := newFollower()
			st := &store{}
			var seen atomic.Int64
			run(t, Options{Pipeline: simple(tt.lanes, src.together(), f), Checkpoints: st,
				Observer: Observer{SchemaChanged: func(plugin.SchemaChange) { seen.Add(1) }}}, Finished)
			if len(f.applied) != 1 || seen.Load() != 1 || f.applied[0].New != src.next || f.applied[0].Statement != "ALTER" {
				t.Errorf("applied %d changes, observed %d", len(f.applied), seen.Load())
			}
			for _, b := range f.bad {
				t.Error(b)
			}
			if got := len(f.sorted()); got != int(splits)*100 {
				t.Errorf("%d rows, want %d", got, splits*100)
			}
		})
	}
}

func TestSchemaChangeIsInTheCheckpoint(t *testing.T) {
	table := numbers("t")
	src := &changing{counter: endless(1, 100), next: widened(table), at: map[string]int64{"000": 50}}
	src.table = table
	st := &store{}
	f := newFollower()
	var before checkpoint.Checkpoint
	f.onChange = func() { before = st.last() }
	r := start(t, Options{Pipeline: simple(1, src, f), Checkpoints: st, Interval: time.Millisecond})
	until(t, "a checkpoint comes after the change", func() bool { return len(st.last().Tables) == 1 })
	if at := before.Sources[0].Splits[0].State; number(at) != 50 || before.State != checkpoint.Complete {
		t.Errorf("the sink was changed behind a checkpoint at %d in state %d", number(at), before.State)
	}
	if got := st.last().Tables[0].Table; got != src.next {
		t.Errorf("table %v", got)
	}
	until(t, "all is written", func() bool { return len(f.sorted()) == 100 })
	r.Cancel()
	r.ends(Canceled)
	// A lane that comes to the same change after a restore is let through.
	st.latest[1] = st.all[len(st.all)-1]
	last := st.latest[1]
	last.Sources[0].Splits[0].State = bytesOf(50)
	run := start(t, Options{Pipeline: simple(1, src, f), Checkpoints: st})
	until(t, "the rest is written again", func() bool { return len(f.sorted()) >= 150 })
	run.Cancel()
	run.ends(Canceled)
	if len(f.applied) != 1 || len(f.bad) > 0 {
		t.Errorf("applied %d times, %v", len(f.applied), f.bad)
	}
}

// narrow is a transform that keeps the first column.
type narrow struct{}

func (narrow) Derive(in *plugin.Table) (*plugin.Table, error) {
	t := *in
	t.Columns = t.Columns[:1]
	return plugin.NewTable(t)
}

func (narrow) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	rows := array.NewRecordBatch(out.Schema, in.Rows.Columns()[:1], in.Rows.NumRows())
	return emit(plugin.Batch{Table: out, Rows: rows, Kinds: in.Kinds})
}

func TestSchemaChangeThroughTransforms(t *testing.T) {
	table := numbers("t")
	src := &changing{counter: &counter{table: table, splits: 2, rows: 100, batch: 10}, next: widened(table),
		at: map[string]int64{"000": 50, "001": 150}}
	from := sourceVertex("Source[0]-Model", 2, src.together())
	wide := transformVertex("Transform[0]-Rename", func() plugin.Transform { return &rename{name: "x"} })
	thin := transformVertex("Transform[1]-Narrow", func() plugin.Transform { return narrow{} })
	f := newFollower()
	still := &plainSink{} // cannot follow, and need not: the column ends before it
	a, b := sinkVertex("Sink[0]-Model", f), sinkVertex("Sink[1]-Model", still)
	chain(from, wide, a)
	chain(from, thin, b)
	run(t, Options{Pipeline: pipeline(from, wide, thin, a, b), Checkpoints: &store{}}, Finished)
	if len(f.applied) != 1 || f.applied[0].New.ID.Name != "tx" || len(f.applied[0].New.Columns) != 2 {
		t.Errorf("applied %+v", f.applied)
	}
	if len(f.bad) > 0 {
		t.Error(f.bad)
	}
	tables := map[*plugin.Table]bool{}
	for _, t := range f.tables {
		tables[t] = true
	}
	if len(tables) != 2 {
		t.Errorf("%d table pointers came to the sink, want one for each version", len(tables))
	}
	clear(tables)
	for _, t := range still.tables {
		tables[t] = true
	}
	if len(tables) != 1 || len(still.sorted()) != 200 {
		t.Errorf("%d table pointers and %d rows behind the narrow transform", len(tables), len(still.rows))
	}
}

func TestSchemaChangeFailures(t *testing.T) {
	table := numbers("t")
	tests := []struct {
		name string
		sink plugin.Sink
		next func(split string) *plugin.Table
		want string
	}{
		{"a sink that cannot follow", &plainSink{}, nil, "Sink[0]-Model: table t: the columns of the table changed"},
		{"a sink that fails", &follower{fail: errBroken}, nil, "Sink[0]-Model: the line is broken"},
		{"lanes that disagree", newFollower(), func(split string) *plugin.Table {
			if split == "000" {
				return widened(table)
			}
			return widened(widened(table))
		}, "two lanes carry different changes"},
		{"a change of another table", newFollower(), func(string) *plugin.Table { return numbers("u") },
			"must name the old and the new version of one table"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &changing{counter: &counter{table: table, splits: 2, rows: 100, batch: 10}, next: widened(table),
				at: map[string]int64{"000": 50, "001": 150}, announce: tt.next}
			from := sourceVertex("Source[0]-Model", 2, src.together())
			to := sinkVertex("Sink[0]-Model", nil, table)
			to.Sinks = []plan.SinkInstance{{Table: table, Sink: tt.sink, Env: env("Sink[0]-Model")}}
			chain(from, to)
			r := run(t, Options{Pipeline: pipeline(from, to), Checkpoints: &store{}}, Failed)
			if !strings.Contains(r.err.Error(), tt.want) {
				t.Errorf("error %q, want %q in it", r.err, tt.want)
			}
			var pe *plugin.Error
			if tt.name == "a sink that cannot follow" && (!errors.As(r.err, &pe) || pe.Fix == "" || pe.Retry) {
				t.Errorf("%#v", r.err)
			}
		})
	}
}

// TestSavepointWhileALaneWaits has the last barrier come to a lane that waits with a change. The change comes again
// when the job goes on.
func TestSavepointWhileALaneWaits(t *testing.T) {
	table := numbers("t")
	src := &changing{counter: &counter{table: table, splits: 2, rows: 100, batch: 10}, next: widened(table),
		at: map[string]int64{"000": 50, "001": 190}}
	src.onRead = func(ctx context.Context, out plugin.Out, at int64) error {
		if at == 150 {
			select {
			case <-out.Wake():
			case <-ctx.Done():
			}
		}
		return nil
	}
	f := newFollower()
	st := &store{}
	r := start(t, Options{Pipeline: simple(2, src.together(), f), Checkpoints: st})
	until(t, "both lanes wait", func() bool { return src.read.Load() >= 100 && len(f.sorted()) >= 100 })
	r.Savepoint()
	r.ends(SavepointDone)
	if len(f.applied) != 0 || len(st.last().Tables) != 0 {
		t.Errorf("applied %d changes", len(f.applied))
	}
	src.onRead = nil
	src.opened.Store(0)
	run(t, Options{Pipeline: simple(2, src, f), Checkpoints: st, Restored: true}, Finished)
	if len(f.applied) != 1 || len(f.bad) > 0 || !slices.Equal(f.sorted(), upTo(200)) {
		t.Errorf("applied %d times, %d rows, %v", len(f.applied), len(f.rows), f.bad)
	}
}

// TestSchemaChangeInAUnion has one of two sources change.
func TestSchemaChangeInAUnion(t *testing.T) {
	table := numbers("t")
	src := &changing{counter: &counter{table: table, splits: 1, rows: 100, batch: 10}, next: widened(table),
		at: map[string]int64{"000": 50}}
	a := sourceVertex("Source[0]-Model", 1, &counter{table: table, splits: 1, rows: 1, batch: 1})
	b, to := sourceVertex("Source[1]-Model", 1, src), sinkVertex("Sink[0]-Model", newFollower(), table)
	chain(a, to)
	chain(b, to)
	r := run(t, Options{Pipeline: pipeline(a, b, to), Checkpoints: &store{}, Retries: 3}, Failed)
	if !strings.Contains(r.err.Error(), "has several inputs") {
		t.Error(r.err)
	}
}

// TestSchemaChangeUnderBarriers has barriers overtake a lane that waits with a change.
func TestSchemaChangeUnderBarriers(t *testing.T) {
	table := numbers("t")
	for range 20 {
		src := &changing{counter: &counter{table: table, splits: 3, rows: 100, batch: 5}, next: widened(table),
			at: map[string]int64{"000": 5, "001": 150, "002": 295}}
		f := newFollower()
		run(t, Options{Pipeline: simple(3, src.together(), f), Checkpoints: &store{},
			Interval: 100 * time.Microsecond}, Finished)
		if len(f.applied) != 1 || len(f.bad) > 0 || len(f.sorted()) != 300 {
			t.Fatalf("applied %d times, %d rows, %v", len(f.applied), len(f.rows), f.bad)
		}
	}
}

// TestChangesBehindATransform has changes that show in the columns' names only, or not even there.
func TestChangesBehindATransform(t *testing.T) {
	text := func(name string, length int64) plugin.Column {
		return plugin.Column{Name: name, Type: plugin.TypeOf(plugin.String), Length: length}
	}
	of := func(version uint32, columns ...plugin.Column) *plugin.Table {
		made, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "t"}, Version: version, Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	renamed := []plugin.Rename{{From: "b", To: "c"}}
	old := of(0, text("a", 10), text("b", 10))
	tests := []struct {
		name      string
		change    plugin.SchemaChange
		transform plugin.Transform
		same      bool
		renamed   []plugin.Rename
	}{
		{"a rename", plugin.SchemaChange{Old: old, New: of(1, text("a", 10), text("c", 10)), Renamed: renamed},
			&rename{name: "x"}, false, renamed},
		{"a rename that the transform hides", plugin.SchemaChange{Old: old, New: of(1, text("a", 10), text("c", 10)),
			Renamed: renamed}, narrow{}, true, nil},
		{"a longer text", plugin.SchemaChange{Old: old, New: of(1, text("a", 20), text("b", 10))}, narrow{}, false, nil},
		{"a longer text that the transform hides", plugin.SchemaChange{Old: old, New: of(1, text("a", 10), text("b", 20))},
			narrow{}, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := transformVertex("Transform[0]-Model", func() plugin.Transform { return tt.transform })
			c := newCatalog(pipeline(v), nil)
			got, err := c.follow(v, tt.change, tt.transform)
			if err != nil {
				t.Fatal(err)
			}
			if (got.New == got.Old) != tt.same || !slices.Equal(got.Renamed, tt.renamed) {
				t.Errorf("the tables are the same: %v, renamed %v", got.New == got.Old, got.Renamed)
			}
		})
	}
}
