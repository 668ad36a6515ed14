package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// drive reads a source as an engine would, with one goroutine that plays all lanes.
type drive struct {
	c        *SourceCase
	w        *world
	lanes    int
	last     bool // hand out the splits that came last first
	small    bool // ask for a checkpoint after every row
	restarts int  // how often to start anew from a checkpoint
	slow     bool // take batches slowly
	hurry    bool // interrupt the splitter before every question
	patient  bool // let the splitter take its time although there are splits
	rows     []string

	source   plugin.Source
	splitter plugin.Splitter
	ended    bool // the splitter has no more
	queue    []plugin.Split
	readers  []plugin.Reader
	open     []*plugin.Split // what each lane reads; nil: idle
}

// run reads until the source ends, or until an unbounded one has given the rows of the case.
func (d *drive) run(ctx context.Context) (err error) {
	if err := d.start(ctx, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for {
		if err := d.discover(ctx); err != nil {
			return err
		}
		d.assign()
		moved, err := d.step(ctx)
		if err != nil {
			return err
		}
		if d.finished() {
			return nil
		}
		if moved && d.restarts > 0 {
			d.restarts--
			if err := d.restart(ctx); err != nil {
				return err
			}
		}
	}
}

func (d *drive) finished() bool {
	if d.c.Mode == plugin.Unbounded {
		return len(d.rows) >= d.c.Rows
	}
	return d.ended && len(d.queue) == 0 && d.idle()
}

func (d *drive) idle() bool {
	for _, s := range d.open {
		if s != nil {
			return false
		}
	}
	return true
}

// start makes the source, its splitter and the readers anew.
func (d *drive) start(ctx context.Context, state []byte) error {
	env := d.w.env(d.c.Mode, d.lanes, nil)
	source, err := d.c.Plugin.Source(ctx, d.c.Options, env)
	if d.w.saw(err) != nil {
		return fmt.Errorf("make the source: %w", err)
	}
	if _, err := source.Tables(ctx); d.w.saw(err) != nil {
		return fmt.Errorf("tables: %w", err)
	}
	splitter, err := source.Splits(ctx, state)
	if d.w.saw(err) != nil {
		return fmt.Errorf("splits: %w", err)
	}
	d.source, d.splitter, d.ended = source, splitter, false
	d.readers, d.open = nil, make([]*plugin.Split, d.lanes)
	for i := range d.lanes {
		r, err := source.Reader(ctx, plugin.Task{Env: env, Index: i})
		if d.w.saw(err) != nil {
			return errors.Join(fmt.Errorf("reader %d: %w", i, err), d.close())
		}
		d.readers = append(d.readers, r)
	}
	return nil
}

func (d *drive) close() error {
	var errs []error
	for _, r := range d.readers {
		errs = append(errs, d.w.saw(r.Close()))
	}
	errs = append(errs, d.w.saw(d.splitter.Close()))
	return errors.Join(errs...)
}

// restart takes the splitter's state and goes on with a new source, as after a crash right behind a checkpoint.
func (d *drive) restart(ctx context.Context) error {
	state, err := d.splitter.State()
	if d.w.saw(err) != nil {
		return fmt.Errorf("state of the splitter: %w", err)
	}
	var queue []plugin.Split
	for _, s := range d.open {
		if s != nil {
			queue = append(queue, *s)
		}
	}
	if err := d.close(); err != nil {
		return err
	}
	d.queue = append(queue, d.queue...)
	if state == nil {
		state = []byte{} // nil would be a fresh start
	}
	return d.start(ctx, state)
}

// discover asks for splits. While lanes have work it does not wait for them.
func (d *drive) discover(ctx context.Context) error {
	if d.ended {
		return nil
	}
	wait := 50 * time.Millisecond
	if !d.patient && (len(d.queue) > 0 || !d.idle()) {
		wait = time.Millisecond
	}
	asked, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if d.hurry {
		if err := d.interrupt(ctx); err != nil || d.ended {
			return err
		}
	}
	splits, err := d.splitter.Next(asked)
	switch {
	case err == io.EOF:
		d.ended = true
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("the case did not end in time, %d rows have come: %w", len(d.rows), ctx.Err())
	case err != nil && asked.Err() != nil, errors.Is(err, context.DeadlineExceeded): // who waits may notice first
	case d.w.saw(err) != nil:
		return fmt.Errorf("next splits: %w", err)
	}
	d.queue = append(d.queue, splits...)
	return nil
}

// interrupt asks the splitter with a context that has ended: it must return soon and lose nothing.
func (d *drive) interrupt(ctx context.Context) error {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	var splits []plugin.Split
	err := within("Next", func() (err error) {
		splits, err = d.splitter.Next(ended)
		return err
	})
	if errors.Is(err, errLate) {
		return err
	}
	d.ended = err == io.EOF
	d.queue = append(d.queue, splits...)
	return nil
}

func (d *drive) assign() {
	for i := range d.open {
		if d.open[i] != nil || len(d.queue) == 0 {
			continue
		}
		at := 0
		if d.last {
			at = len(d.queue) - 1
		}
		split := d.queue[at]
		d.queue = append(d.queue[:at:at], d.queue[at+1:]...)
		d.open[i] = &split
		d.fresh(i)
	}
}

// fresh marks that lane i has to open its split.
func (d *drive) fresh(i int) { d.readers[i] = &opening{Reader: d.readers[i], split: *d.open[i]} }

// opening is a reader that still has to open its split.
type opening struct {
	plugin.Reader
	split  plugin.Split
	opened bool
}

// Read opens the split at its first call.
func (o *opening) Read(ctx context.Context, out plugin.Out) error {
	if !o.opened {
		if err := o.Reader.Open(ctx, o.split); err != nil {
			return fmt.Errorf("open split %s: %w", o.split.ID, err)
		}
		o.opened = true
	}
	return o.Reader.Read(ctx, out)
}

// step calls Read once in every lane with a split, and treats that as a complete checkpoint. It reports whether a row
// came.
func (d *drive) step(ctx context.Context) (moved bool, err error) {
	for i, split := range d.open {
		if split == nil {
			continue
		}
		out := newCollector(d.w, d.small)
		out.slow = d.slow
		read := d.readers[i].Read(ctx, out)
		rows, err := out.finish()
		if err != nil {
			return moved, err
		}
		d.rows = append(d.rows, rows...)
		moved = moved || len(rows) > 0
		if err := d.after(ctx, i, split, read); err != nil {
			return moved, err
		}
	}
	if ctx.Err() != nil {
		return moved, fmt.Errorf("the case did not end in time, %d rows have come: %w", len(d.rows), ctx.Err())
	}
	return moved, nil
}

// after does what follows a Read: position, acknowledgement, the end of the split.
func (d *drive) after(ctx context.Context, i int, split *plugin.Split, read error) error {
	if read != nil && read != io.EOF {
		return fmt.Errorf("read split %s: %w", split.ID, d.w.saw(read))
	}
	position, err := d.readers[i].Position()
	if d.w.saw(err) != nil {
		return fmt.Errorf("position in split %s: %w", split.ID, err)
	}
	split.State = position
	bare := d.readers[i].(*opening).Reader
	if a, ok := bare.(plugin.Acker); ok {
		if err := d.w.saw(a.Ack(ctx, position)); err != nil {
			return fmt.Errorf("acknowledge split %s: %w", split.ID, err)
		}
	}
	if read == nil {
		return nil
	}
	d.open[i], d.readers[i] = nil, bare
	if err := d.w.saw(d.splitter.Done(*split, position)); err != nil {
		return fmt.Errorf("done with split %s: %w", split.ID, err)
	}
	return nil
}

// collector is the Out that keeps rows.
type collector struct {
	w     *world
	small bool
	slow  bool
	b     *column.Builder
	rows  []string
	err   error
	wake  chan struct{}
}

func newCollector(w *world, small bool) *collector {
	return &collector{w: w, small: small, wake: make(chan struct{})}
}

// Batch keeps the rows of a batch.
func (o *collector) Batch(b plugin.Batch) error {
	defer b.Release()
	if err := wellFormed(b); err != nil {
		o.err = errors.Join(o.err, err)
		return err
	}
	if err := o.cut(); err != nil {
		return err
	}
	if o.slow {
		<-time.After(2 * time.Millisecond)
	}
	o.rows = append(o.rows, render(b)...)
	return nil
}

// Row keeps one row.
func (o *collector) Row(t *plugin.Table, k plugin.RowKind, values ...any) error {
	if o.b == nil || o.b.Table() != t {
		if err := o.cut(); err != nil {
			return err
		}
		o.b = column.NewBuilder(t, o.w.alloc)
	}
	return o.b.AppendRow(k, values...)
}

// cut keeps the rows that came one by one.
func (o *collector) cut() error {
	if o.b == nil || o.b.Len() == 0 {
		return nil
	}
	b := o.b
	o.b = nil
	return o.Batch(b.Batch())
}

// Change checks the change; rows name their tables, so nothing else is to be done.
func (o *collector) Change(c plugin.SchemaChange) error {
	if c.Old == nil || c.New == nil {
		o.err = errors.Join(o.err, errors.New("a schema change lacks the old or the new table"))
	}
	return o.cut()
}

// Full reports that a row has come, if a checkpoint waits for one, else that many have.
func (o *collector) Full() bool {
	n := len(o.rows)
	if o.b != nil {
		n += o.b.Len()
	}
	return o.small && n > 0 || n >= column.FullRows
}

// Wake returns the channel that a check closes.
func (o *collector) Wake() <-chan struct{} { return o.wake }

func (o *collector) finish() ([]string, error) {
	err := o.cut()
	return o.rows, errors.Join(o.err, err)
}
