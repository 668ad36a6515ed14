package exec

import (
	"context"
	"io"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// newOut is an out with a gate that somebody has to empty.
func newOut(alloc memory.Allocator) *out {
	return &out{ctx: context.TODO(), gate: newGate(), inbox: &mailbox[message]{}, meter: (&meters{}).meter("v"),
		alloc: alloc, maxRows: fullRows, change: func(context.Context, plugin.SchemaChange) error { return nil }}
}

// drain returns the tables and values that went through the gate.
func drain(g *gate) (got []string, values []int64) {
	for {
		it, how := g.take(0)
		if how != gotItem {
			return got, values
		}
		got = append(got, it.batch.Table.ID.Name)
		values = append(values, valuesOf(it.batch)...)
		it.batch.Release()
	}
}

func TestOutKeepsTheOrderOfRowsAndBatches(t *testing.T) {
	pool := column.NewPool()
	o := newOut(pool)
	a, b := numbers("a"), numbers("b")
	o.begin()
	for _, do := range []func() error{
		func() error { return o.Row(a, plugin.Insert, 0) },
		func() error { return o.Row(a, plugin.Insert, 1) },
		func() error { return o.Row(b, plugin.Insert, 2) }, // another table
		func() error { return o.Batch(batchIn(pool, a, 3, 5)) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Batch(batchIn(pool, a, 5, 5)); err != nil { // nothing
		t.Fatal(err)
	}
	got, values := drain(o.gate)
	o.change = func(context.Context, plugin.SchemaChange) error {
		more, moreValues := drain(o.gate)
		got, values = append(append(got, more...), "change"), append(values, moreValues...)
		return nil
	}
	if err := o.Row(a, plugin.Insert, 5); err != nil {
		t.Fatal(err)
	}
	if err := o.Change(plugin.SchemaChange{Old: a, New: widened(a)}); err != nil {
		t.Fatal(err)
	}
	if err := o.Row(a, plugin.Insert, 6); err != nil {
		t.Fatal(err)
	}
	if err := o.end(); err != nil {
		t.Fatal(err)
	}
	more, moreValues := drain(o.gate)
	want := []string{"a", "b", "a", "a", "change", "a"}
	if diff := cmp.Diff(want, append(got, more...)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(upTo(7), append(values, moreValues...)); diff != "" {
		t.Error(diff)
	}
	o.close()
	if pool.Held() != 0 {
		t.Errorf("%d bytes are held", pool.Held())
	}
}

func TestOutFull(t *testing.T) {
	pool := column.NewPool()
	o := newOut(pool)
	table := numbers("t")
	for _, rows := range []int64{fullRows, 2 * fullRows} {
		o.begin()
		if o.Full() {
			t.Fatal("full with nothing")
		}
		if err := o.Batch(batchIn(pool, table, 0, rows)); err != nil {
			t.Fatal(err)
		}
		if !o.Full() {
			t.Errorf("not full with %d rows", rows)
		}
		drain(o.gate)
	}
	o.begin()
	o.bytes = fullBytes
	if !o.Full() {
		t.Error("not full with 1 MiB")
	}
	o.begin()
	wake := o.Wake()
	select {
	case <-wake:
		t.Error("awake without a message")
	default:
	}
	o.inbox.post(message{order: raiseBarrier})
	<-wake
	<-o.Wake()
	if !o.Full() {
		t.Error("not full while a barrier waits")
	}
	o.inbox.take(nil)
	if o.Full() {
		t.Error("full after the barrier")
	}
}

func TestOutAfterTheStop(t *testing.T) {
	pool := column.NewPool()
	o := newOut(pool)
	table := numbers("t")
	o.begin()
	if err := o.Row(table, plugin.Insert, 1); err != nil {
		t.Fatal(err)
	}
	o.gate.close()
	for range 2 {
		if err := o.Batch(batchIn(pool, table, 0, 10)); err != errStopped {
			t.Errorf("Batch says %v", err)
		}
	}
	if err := o.Row(table, plugin.Insert, 1); err != errStopped {
		t.Errorf("Row says %v", err)
	}
	if err := o.Change(plugin.SchemaChange{Old: table, New: widened(table)}); err != errStopped {
		t.Errorf("Change says %v", err)
	}
	if !o.Full() || o.end() != errStopped {
		t.Error("a reader that ignores the error goes on")
	}
	o.close()
	if pool.Held() != 0 {
		t.Errorf("%d bytes are held", pool.Held())
	}
}

// sloppy is a source whose reader ignores what Out says and ends its split.
type sloppy struct{ *counter }

func (s sloppy) Reader(context.Context, plugin.Task) (plugin.Reader, error) {
	return &sloppyReader{counterReader{c: s.counter}}, nil
}

type sloppyReader struct{ counterReader }

func (r *sloppyReader) Close() error { return io.ErrClosedPipe }

func (r *sloppyReader) Read(_ context.Context, out plugin.Out) error {
	_ = out.Change(plugin.SchemaChange{Old: r.c.table, New: numbers("another")})
	return io.EOF
}

func TestAnErrorOfOutIsNotLost(t *testing.T) {
	src := sloppy{&counter{table: numbers("t"), splits: 1, rows: 1}}
	run(t, Options{Pipeline: simple(1, src, &plainSink{}), Checkpoints: &store{}}, Failed)
}
