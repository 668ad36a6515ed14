package exec

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// out is the [plugin.Out] of one lane: it counts what a reader puts out, holds it to the limit and puts it into the
// gate.
type out struct {
	ctx   context.Context
	gate  *gate
	inbox *mailbox[message]
	meter *meter
	alloc memory.Allocator
	limit *limiter
	// change takes a schema change to the sinks.
	change func(ctx context.Context, c plugin.SchemaChange) error

	maxRows int   // of one Read
	rows    int   // put out by this Read
	bytes   int64 // the same
	builder *column.Builder
	err     error // the first failure, which fails the Read whatever the reader returns
}

var _ plugin.Out = (*out)(nil)

// begin starts a Read.
func (o *out) begin() { o.rows, o.bytes, o.err = 0, 0, nil }

// end puts out what Row has gathered.
func (o *out) end() error {
	if o.err == nil && o.builder != nil && o.builder.Len() > 0 {
		o.err = o.flush()
	}
	return o.err
}

// Batch implements [plugin.Out].
func (o *out) Batch(b plugin.Batch) error {
	if o.err == nil && o.builder != nil && o.builder.Len() > 0 {
		o.err = o.flush()
	}
	if o.err != nil {
		b.Release()
		return o.err
	}
	o.rows += b.Len()
	o.err = o.deliver(b)
	return o.err
}

// deliver takes a batch whose rows are counted for this Read.
func (o *out) deliver(b plugin.Batch) error {
	if b.Len() == 0 {
		b.Release()
		return nil
	}
	size := sizeOf(b)
	o.bytes += size
	if o.limit != nil {
		return o.limited(b, size)
	}
	return o.send(b, size)
}

func (o *out) send(b plugin.Batch, size int64) error {
	rows := int64(b.Len())
	cell := o.meter.cell(b.Table)
	if err := o.gate.put(item{batch: b, bytes: size}); err != nil {
		b.Release()
		return err
	}
	cell.add(rows, size)
	return nil
}

// Row implements [plugin.Out].
func (o *out) Row(t *plugin.Table, k plugin.RowKind, values ...any) error {
	if o.err != nil {
		return o.err
	}
	if o.builder == nil || o.builder.Table() != t {
		if o.err = o.turn(t); o.err != nil {
			return o.err
		}
	}
	if err := o.builder.AppendRow(k, values...); err != nil {
		return fmt.Errorf("table %s: %w", t.ID, err) // the row is not in; the reader decides
	}
	o.rows++
	if o.builder.Full() {
		o.err = o.flush()
	}
	return o.err
}

// turn makes t the table that Row builds.
func (o *out) turn(t *plugin.Table) error {
	if o.builder != nil {
		if err := o.flush(); err != nil {
			return err
		}
		o.builder.Release()
	}
	o.builder = newBuilder(t, o.alloc)
	return nil
}

func (o *out) flush() error { return o.deliver(o.builder.Batch()) }

// Change implements [plugin.Out].
func (o *out) Change(c plugin.SchemaChange) error {
	if err := o.end(); err != nil {
		return err
	}
	if c.Old == nil || c.New == nil || c.Old.ID != c.New.ID {
		o.err = fmt.Errorf("a schema change must name the old and the new version of one table")
		return o.err
	}
	o.err = o.change(o.ctx, c)
	return o.err
}

// Full implements [plugin.Out].
func (o *out) Full() bool {
	return o.rows >= o.maxRows || o.bytes >= fullBytes || o.inbox.full.Load() || o.err != nil
}

// Wake implements [plugin.Out].
func (o *out) Wake() <-chan struct{} { return o.inbox.wake() }

// close gives back what Row gathered and did not put out.
func (o *out) close() {
	if o.builder != nil {
		o.builder.Release()
	}
}
